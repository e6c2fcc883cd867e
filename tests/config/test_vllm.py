"""`make vllm` and the compose profile start the same server, and say why each flag is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import regex
import yaml

from config import vllm
from config.supervisor.trouble import Trouble
from config.vllm import Serving, engine_flags, serving
from tests.architecture.files import ROOT

WANTED = Serving(model="a/model", name="a-model", key="a key")


def name_of(flag: str) -> str:
    return flag.partition("=")[0]


def service() -> dict[str, object]:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    found: dict[str, object] = compose["services"]["vllm"]
    return found


def with_defaults(part: str) -> str:
    """A part of a compose command, each `${NAME:-default}` replaced by its default."""
    return regex.sub(r"\$\{\w+:-([^}]*)}", r"\1", part)


def test_compose_starts_vllm_with_the_same_flags() -> None:
    command = service()["command"]
    assert isinstance(command, list)

    assert set(engine_flags(WANTED)) <= {with_defaults(part) for part in command}


def test_compose_starts_the_release_of_the_group() -> None:
    [requirement] = vllm.requirements()

    assert str(service()["image"]).endswith(f":v{requirement.partition('==')[2]}}}")


def test_compose_gives_it_the_time_that_the_flag_promises() -> None:
    assert service()["stop_grace_period"] == "60s"
    assert WANTED.shutdown < 60


def test_every_flag_has_its_reason_in_the_documentation() -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `--")]

    for flag in engine_flags(WANTED):
        assert any(name_of(flag) in row for row in rows), flag


def test_the_key_is_in_the_environment_and_not_on_the_command_line() -> None:
    assert WANTED.key not in " ".join(WANTED.argv("python"))
    assert WANTED.environment({"PATH": "/bin"})["VLLM_API_KEY"] == WANTED.key


def test_what_is_set_is_served() -> None:
    found = serving(
        {"MODEL": "m", "LISTEN": "10.0.0.5", "PORT": "9000", "MODEL_FLAGS": "--a=1 --b"}
    )

    assert (found.name, found.base_url) == ("m", "http://10.0.0.5:9000/v1")
    assert found.argv("python")[-2:] == ["--a=1", "--b"]
    assert len(found.key) > 30


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "MODEL is not set"),
        ({"MODEL": "m", "LISTEN": "0.0.0.0"}, "open to everybody"),  # noqa: S104
        ({"MODEL": "m", "LISTEN": "::"}, "open to everybody"),
        ({"MODEL": "m", "LISTEN": "8.8.8.8"}, "open to everybody"),
        ({"MODEL": "m", "LISTEN": "localhost"}, "is no IP address"),
        ({"MODEL": "m", "PORT": "-1"}, "PORT='-1' is no number"),
        ({"MODEL": "m", "MODEL_QUEUE": "many"}, "MODEL_QUEUE='many' is no number"),
    ],
)
def test_nonsense_is_named(variables: dict[str, str], says: str) -> None:
    with pytest.raises(Trouble, match=says):
        serving(variables)


def test_without_a_gpu_it_says_where_to_go(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "config.vllm"],
        env={**os.environ, "MODEL": "a/model", "PATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 1
    assert "tests.verification.vllm_on_cpu" in done.stderr
    assert done.stdout == ""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import bootstrap


def test_an_unknown_command_is_named() -> None:
    with pytest.raises(SystemExit, match=r"No such command: dmeo\.(?s:.*)demo, test, check, bench"):
        bootstrap.main(["dmeo"])


def test_a_python_that_the_lock_does_not_serve_is_told_which_one_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(SystemExit, match=r"Python 3\.11 to 3\.14 is needed"):
        bootstrap.main(["demo"])


@pytest.mark.parametrize(
    ("platform", "libc", "says"),
    [("win32", "", "use WSL"), ("linux", "", "use a Debian or Ubuntu system")],
)
def test_a_system_without_servers_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, platform: str, libc: str, says: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(bootstrap, "_libc", lambda: libc)

    with pytest.raises(SystemExit, match=says):
        bootstrap.main(["demo"])


def test_nothing_is_installed_while_the_lock_stays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256((bootstrap.ROOT / "requirements.lock").read_bytes()).hexdigest()
    stamp = tmp_path / "installed.json"
    stamp.write_text(json.dumps({"requirements.lock": digest}))
    monkeypatch.setattr(bootstrap, "STAMP", stamp)
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(bootstrap, "_pip_install", pytest.fail)

    bootstrap._install("requirements.lock")

    assert json.loads(stamp.read_text()) == {"requirements.lock": digest}


def test_the_developers_packages_serve_the_demo_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "installed.json")
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(bootstrap, "_pip_install", installed.append)

    bootstrap._install("requirements-dev.lock")
    bootstrap._install("requirements.lock")

    assert installed == ["requirements-dev.lock"]


def test_both_locks_name_the_same_versions() -> None:
    def pins(lock: str) -> set[str]:
        lines = (bootstrap.ROOT / lock).read_text().splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and line[0].isalnum()}

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "do not install it"),
        ("(from versions: none)\nERROR: No matching distribution found", "check the network"),
        ("(from versions: 1.0)\nERROR: No matching distribution found", "no wheel for this system"),
        ("Temporary failure in name resolution", "check the network"),
    ],
)
def test_what_stops_pip_is_said_with_what_to_do(output: str, says: str) -> None:
    assert says in str(bootstrap._install_failed(output))


def test_bootstrap_needs_nothing_that_is_not_in_python() -> None:
    script = "import config.bootstrap, config.supervisor.services"
    argv = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); {script}"]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=bootstrap.ROOT)

    assert done.stderr == ""

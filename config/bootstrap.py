"""From a fresh clone to a running command: `python3 -m config.bootstrap demo|test|check|...`

Makes `.venv`, installs the locked packages when the lock has changed, finds what the command needs
besides, and becomes that command. Standard library only, and written so that an old Python reads
far enough to say which one is wanted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
OLDEST, NEWEST = (3, 11), (3, 14)
NEEDED_MB = {"requirements.lock": 1000, "requirements-dev.lock": 1500}
WORKERS = min(4, 2 * (os.cpu_count() or 1))
MATRICES = [
    "tests/journeys",
    *("tests/journeys/matrix.py", "tests/journeys/local_model.py", "tests/pages/matrix.py"),
]
COMMANDS = {
    "demo": ["-m", "config.supervisor"],
    # Files stay together: what their tests share is started once. Many tests wait for processes of
    # theirs, so that two for each core keep it busy.
    "test": ["-m", "pytest", "-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"],
    "check": ["-m", "config.checks"],
    "bench": ["-m", "bench"],
    # What takes minutes, or is looked at by people. Their files are no tests by their names.
    "journeys": ["-m", "pytest", "-n", "2", "--dist", "loadfile", *MATRICES],
    "pictures": ["-m", "pytest", "-q", "-n", "0", "tests/pages/pictures.py"],
}
WITH_BROWSER = {"test", "bench", "journeys", "pictures"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Trouble(Exception):
    """What went wrong, and what the person can do about it."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}\n  -> {advice}")


def main(arguments: list[str]) -> None:
    """Become the command, or exit with 1 and say why not."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        command = _command(arguments)
        _check_platform()
        _check_python(arguments)
        _install("requirements.lock" if command == "demo" else "requirements-dev.lock")
        if command in WITH_BROWSER:
            _provide_browser()
        if command in ("test", "bench"):
            _provide_weights()
            # These start our programs by the dozen: what is compiled once is kept for the next one.
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    except Trouble as trouble:
        sys.exit(f"\n{trouble}")
    os.chdir(ROOT)
    _become([str(PYTHON), *COMMANDS[command], *arguments[1:]])


def _become(argv: list[str]) -> NoReturn:
    """Keep the process id, so that a signal to it reaches the command."""
    sys.stdout.flush()
    os.execv(argv[0], argv)  # noqa: S606 - no shell is wanted


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _command(arguments: list[str]) -> str:
    if arguments and arguments[0] in COMMANDS:
        return arguments[0]
    known = ", ".join(COMMANDS)
    raise Trouble("No such command: {}.".format(" ".join(arguments)), f"one of: {known}.")


# --- the machine ---------------------------------------------------------------------------------


def _check_platform() -> None:
    """Refuse systems for which there are no servers to install."""
    if sys.platform == "win32":
        raise Trouble(
            "Windows is not supported directly.",
            "use WSL (wsl --install), clone there, and run the command again.",
        )
    if sys.platform == "linux" and _libc() != "glibc":
        raise Trouble(
            "There are no PostgreSQL and Valkey packages for musl (Alpine).",
            "use a Debian or Ubuntu system, or a container of one, or docker-compose.yml.",
        )


def _libc() -> str:
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        version = ""
    return version.split(" ")[0]


def _check_python(arguments: list[str]) -> None:
    """Go on with a Python that the lock serves; raise when there is none."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        other = shutil.which(f"python3.{minor}")
        if other and _runs(other):
            _become([other, "-m", "config.bootstrap", *arguments])
    raise Trouble(
        "Python {}.{} to {}.{} is needed; this is {}.".format(
            *OLDEST, *NEWEST, sys.version.split()[0]
        ),
        "install one of them (such as: apt-get install python3, brew install python@3.13), "
        "or name it: make demo PYTHON=/path/to/python3.11",
    )


def _runs(program: str) -> bool:
    done = subprocess.run([program, "-c", ""], capture_output=True, check=False)
    return done.returncode == 0


# --- the virtual environment ---------------------------------------------------------------------


def _install(lock: str) -> None:
    """Bring `.venv` to what the lock says; does nothing when it was made from this very lock."""
    digest = hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()
    installed = _installed()
    if installed.get(lock) == digest and PYTHON.exists():
        return
    _check_space(NEEDED_MB[lock])
    if not PYTHON.exists() or not _runs(str(PYTHON)):
        _make_venv()
        installed = {}
    _pip_install(lock)
    STAMP.write_text(json.dumps({**installed, **_satisfied(lock, digest)}))


def _installed() -> dict[str, str]:
    """The locks that `.venv` was made from, and their hashes."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def _satisfied(lock: str, digest: str) -> dict[str, str]:
    """The developers' lock holds everything of the other one, at the same versions."""
    satisfied = {lock: digest}
    if lock == "requirements-dev.lock":
        smaller = (ROOT / "requirements.lock").read_bytes()
        satisfied["requirements.lock"] = hashlib.sha256(smaller).hexdigest()
    return satisfied


def _check_space(megabytes: int) -> None:
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < megabytes and not PYTHON.exists():
        raise Trouble(
            f"{free} MB are free here; installing needs {megabytes}.",
            "free some space, or clone to another disk.",
        )


def _make_venv() -> None:
    _say("Making the virtual environment .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    argv = [sys.executable, "-m", "venv", str(VENV)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode and _get_package(_venv_package()):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Trouble(
            f"The virtual environment could not be made:\n{_end(done.stdout + done.stderr)}",
            f"on Debian and Ubuntu: sudo apt-get install {_venv_package()}",
        )


def _venv_package() -> str:
    return "python{}.{}-venv".format(*sys.version_info[:2])


def _pip_install(lock: str) -> None:
    """Install with hashes, from wheels only, telling how far it is."""
    total = sum(1 for line in (ROOT / lock).read_text().splitlines() if "==" in line[:60])
    argv = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:"]
    options = ["--progress-bar", "off", "--disable-pip-version-check", "--no-input"]
    progress = Progress("Installing packages", total)
    with subprocess.Popen(
        [*argv, *options, "--retries", "3", "-r", str(ROOT / lock)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            lines = progress.follow(process.stdout or [])
        finally:
            process.terminate()
    if process.returncode:
        raise _install_failed("\n".join(lines[-30:]))
    progress.finish()


def _install_failed(output: str) -> Trouble:
    if "No space left" in output:
        advice = "the disk is full: free 1.5 GB, and run the command again."
    elif "DO NOT MATCH THE HASHES" in output:
        advice = "a package is not the one that was locked: report it, and do not install it."
    elif "No matching distribution" in output and "from versions: none" not in output:
        advice = "a package has no wheel for this system and Python {}.{}.".format(
            *sys.version_info[:2]
        )
    else:
        advice = "check the network (or pip's index settings), and run the command again."
    return Trouble(f"The packages could not be installed:\n{_end(output)}", advice)


class Progress:
    """Counts the packages that pip names; rewrites one line, or prints one now and then."""

    def __init__(self, name: str, total: int) -> None:
        self.name, self.total = name, total
        self.begun = self.told = time.monotonic()
        self.live = sys.stdout.isatty()

    def follow(self, output: object) -> list[str]:
        """Read all lines of pip; returns them."""
        lines = []  # type: list[str]
        done = 0
        for line in output:  # type: ignore[attr-defined]
            lines.append(line.rstrip())
            done += line.startswith("Collecting ")
            unpacking = line.startswith("Installing collected")
            self._tell("unpacking" if unpacking else f"{done} of {self.total}", unpacking)
        return lines

    def _tell(self, what: str, now: bool) -> None:
        since = time.monotonic() - self.told
        if not now and since < (0.2 if self.live else 5.0):
            return
        self.told = time.monotonic()
        passed = time.monotonic() - self.begun
        text = f"  {self.name}: {what} ({passed:.0f} s)"
        print(f"\r{text:70}" if self.live else text, end="" if self.live else "\n")
        sys.stdout.flush()

    def finish(self) -> None:
        passed = time.monotonic() - self.begun
        text = f"  {self.name}: done in {passed:.0f} s"
        print(f"\r{text:70}" if self.live else text, flush=True)


# --- what tests and benchmarks need besides ------------------------------------------------------


def _provide_browser() -> None:
    """Put the path of a Chromium into CHROMIUM; raise when there is none and none can be had."""
    if os.environ.get("CHROMIUM"):
        return
    found = _browser_on_path() or _browser_of_playwright()
    if not found and os.geteuid() == 0 and _get_package("chromium"):
        found = _browser_on_path()
    if not found:
        _say("Fetching Chromium for the browser tests")
        argv = [str(PYTHON), "-m", "playwright", "install", "chromium"]
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL)
        found = _browser_of_playwright()
    if not found:
        raise Trouble(
            "The browser tests need Chromium, and it could not be installed.",
            "install it (sudo apt-get install chromium) or set CHROMIUM=/path/to/chromium.",
        )
    os.environ["CHROMIUM"] = found


def _browser_on_path() -> str:
    return next(filter(None, (shutil.which(name) for name in BROWSERS)), "")


def _browser_of_playwright() -> str:
    """Where Playwright keeps its own Chromium; empty when it has none."""
    script = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    argv = [str(PYTHON), "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    path = done.stdout.strip()
    return path if path and Path(path).exists() else ""


def _provide_weights() -> None:
    """Fetch the small model that two tests run on, once."""
    script = "from config.supervisor.weights import weights; weights()"
    if list((ROOT / "var" / "models").glob("*.gguf")):
        return
    _say("Fetching the local model's weights (93 MB)")
    argv = [str(PYTHON), "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise Trouble(
            f"The weights could not be fetched:\n{_end(done.stderr)}",
            "check the network, and run the command again.",
        )


def _get_package(name: str) -> bool:
    """Install a system package where we may; False where we may not, or where it fails."""
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return False
    _say(f"Installing the system package {name}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for argv in ([apt, "update", "-q"], [apt, "install", "-yq", "--no-install-recommends", name]):
        done = subprocess.run(argv, capture_output=True, check=False, env=env)
    return done.returncode == 0


def _say(line: str) -> None:
    print(f"  {line} ...", flush=True)


def _end(output: str) -> str:
    return "\n".join("    " + line for line in output.strip().splitlines()[-6:])


if __name__ == "__main__":
    main(sys.argv[1:])

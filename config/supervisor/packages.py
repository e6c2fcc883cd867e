"""Virtual environments beside `.venv`, for programs whose packages must not meet ours."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.supervisor.children import Pause, Program, run_to_end
from config.supervisor.trouble import Trouble, last_lines

STAMP = "installed.txt"


@dataclass(frozen=True, kw_only=True)
class Packages:
    """What pip is asked for, and where it goes. `made_from` changes when the packages have to."""

    directory: Path
    arguments: Sequence[str]
    made_from: str
    python: str = sys.executable


class NotInstalled(Trouble):
    """pip could not bring the packages; `output` is the end of what it said."""

    def __init__(self, output: str) -> None:
        super().__init__(
            f"The packages could not be installed:\n{output}",
            advice="check the network, pip's settings and the space on the disk, and try again.",
        )
        self.output = output


def present(packages: Packages) -> bool:
    """Whether the environment is there, whole, and made from these packages."""
    stamp = packages.directory / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == packages.made_from


def installed(packages: Packages, *, pause: Pause = time.sleep) -> Path:
    """The Python of the environment, made anew unless it is present. Raises NotInstalled."""
    directory = packages.directory
    python = directory / "bin" / "python"
    if present(packages):
        return python
    shutil.rmtree(directory, ignore_errors=True)
    log = directory.with_suffix(".log")
    log.unlink(missing_ok=True)
    _run("venv", [packages.python, "-m", "venv", "--without-pip", str(directory)], log, pause)
    # Our own pip installs there: a copy of it for each environment would take longer to unpack than
    # most packages.
    pip = [packages.python, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    install = ["install", "--only-binary", ":all:", "--progress-bar", "off"]
    _run("pip install", [*pip, *install, *packages.arguments], log, pause)
    (directory / STAMP).write_text(packages.made_from, encoding="utf-8")
    return python


def _run(name: str, argv: Sequence[str], log: Path, pause: Pause) -> None:
    code, said = run_to_end(Program(name=name, argv=argv, log=log, env=os.environ), pause=pause)
    if code:
        output = last_lines(log, count=8) or said[-2000:]
        raise NotInstalled(output)

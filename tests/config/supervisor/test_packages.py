"""Environments of their own, made by the real pip from a directory of wheels."""

import zipfile
from pathlib import Path

import pytest

from config.supervisor.packages import NotInstalled, Packages, installed, present

METADATA = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheels(directory: Path) -> Path:
    """A directory with the one package `tiny`."""
    directory.mkdir()
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "answer = 42\n",
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": WHEEL,
        f"{info}/RECORD": f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    with zipfile.ZipFile(directory / "tiny-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return directory


def wanted(tmp_path: Path, package: str) -> Packages:
    found = wheels(tmp_path / "wheels")
    return Packages(
        directory=tmp_path / "own",
        arguments=["--no-index", "--no-deps", "--find-links", str(found), package],
        made_from=package,
    )


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    packages = wanted(tmp_path, "tiny==1.0")

    python = installed(packages)
    (packages.directory / "kept").touch()

    assert list(packages.directory.glob("lib/*/site-packages/tiny.py"))
    assert present(packages)
    assert installed(packages) == python
    assert (packages.directory / "kept").exists()


def test_what_cannot_be_had_is_named_and_not_taken_for_present(tmp_path: Path) -> None:
    packages = wanted(tmp_path, "tiny==2.0")

    with pytest.raises(NotInstalled, match=r"No matching distribution found for tiny==2\.0"):
        installed(packages)

    assert not present(packages)

"""What the files of the project may not hold, and what they must."""

import tomllib
from pathlib import Path

import pytest
import regex

from tests.architecture.files import ROOT, name_of, tracked

TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".html", ".css", ".js", ".po", ".lock", ".txt", ""}
UPWARDS = regex.compile(r"(?<![\w./])(?:\.\./)+[\w./-]*")
SOMEBODYS_HOME = regex.compile(r"/(?:home|Users)/(?!user\b|me\b|you\b)[a-z]\w*/")
KEY = regex.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b")


def texts() -> list[tuple[Path, str]]:
    """Every text of the project but the vendored ones, which keep their authors' words."""
    ours = [path for path in tracked() if path.suffix in TEXT and "vendor" not in path.parts]
    return [(path, path.read_text(encoding="utf-8")) for path in ours]


def test_no_path_leads_out_of_the_project() -> None:
    outside = [
        f"{name_of(path)}: {found}"
        for path, text in texts()
        for found in UPWARDS.findall(text)
        if not (path.parent / found).resolve().is_relative_to(ROOT)
    ]

    assert outside == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    here = regex.compile(rf"(?<![\w./]){regex.escape(str(ROOT))}/")
    found = [
        name_of(path) for path, text in texts() if SOMEBODYS_HOME.search(text) or here.search(text)
    ]

    assert found == []


def test_no_file_holds_a_secret() -> None:
    assert [name_of(path) for path, text in texts() if KEY.search(text)] == []


def test_nothing_that_is_made_is_kept() -> None:
    made = {".mo", ".pyc", ".log", ".gguf", ".sqlite3"}

    assert [name_of(path) for path in tracked() if path.suffix in made] == []


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{name_of(path)}: {target}"
        for path, text in texts()
        if path.suffix == ".md"
        for target in regex.findall(r"\]\(([^)#\s]+)", text)
        if "://" not in target
        and not target.startswith("mailto:")
        and not (path.parent / target).exists()
    ]

    assert dead == []


def test_the_changelog_names_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["README.md", "LICENSE", "CONTEXT.md", "CONTRIBUTING.md", "SECURITY.md"]
)
def test_the_project_introduces_itself(name: str) -> None:
    assert (ROOT / name).is_file()

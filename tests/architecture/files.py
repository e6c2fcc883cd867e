"""The project's own files, for the guards."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("studies", "sampling", "annotation", "exports", "console")  # each may import those before


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that belongs to the project, those included that git does not know yet."""
    listed = subprocess.run(
        # Whoever owns the clone: a container's checkout often belongs to somebody else.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    """Each Python file of a folder, parsed."""
    for path in tracked():
        if path.suffix == ".py" and path.is_relative_to(ROOT / folder):
            yield path, parsed(path)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))

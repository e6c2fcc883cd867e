"""The version of the program, as the changelog states it."""

from pathlib import Path

import regex

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def version() -> str:
    """The newest version that CHANGELOG.md names, such as `0.1.0`."""
    found = regex.search(r"^## ([0-9][^\s]*)", CHANGELOG.read_text(), regex.MULTILINE)
    if found is None:
        raise ValueError("CHANGELOG.md names no version: its sections start with '## 0.1.0'")
    return found[1]

"""What differs between two study files, field by field, with entries of lists by their key."""

from collections.abc import Iterator
from typing import Any

from console.study_file import StudyFile

_NAMES = ("key", "name", "slug", "value")
_SHOWN = 40  # characters of a value that a line still has room for


def changes(before: StudyFile, after: StudyFile) -> list[str]:
    """One line for each field that differs, such as `turns.max: 4 -> 5`; empty when none does."""
    old, new = (_by_name(file.model_dump(mode="json")) for file in (before, after))
    return list(_differences(old, new, ""))


def _by_name(value: Any) -> Any:
    """The same value, with lists of named entries as dicts from name to entry."""
    if isinstance(value, dict):
        return {key: _by_name(below) for key, below in value.items()}
    if not isinstance(value, list):
        return value
    names = [_name(below) for below in value]
    if None in names:  # a list of messages: a change in one is a change of the whole
        return value
    return {f"[{name}]": _by_name(below) for name, below in zip(names, value, strict=True)}


def _name(entry: Any) -> str | None:
    """What an entry goes by; None when nothing names it."""
    if not isinstance(entry, dict):
        return None
    return next((str(entry[name]) for name in _NAMES if name in entry), None)


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if old == new:
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield f"{path}: {_change(old, new)}"
        return
    for key in sorted(old.keys() | new.keys()):
        below = f"{path}{key}" if key.startswith("[") else f"{path}.{key}".removeprefix(".")
        if key not in new:
            yield f"{below}: removed"
        elif key not in old:
            yield f"{below}: added"
        else:
            yield from _differences(old[key], new[key], below)


def _change(old: Any, new: Any) -> str:
    if any(isinstance(value, dict) or len(str(value)) > _SHOWN for value in (old, new)):
        return "changed"
    return f"{old} -> {new}"

"""Turns what pydantic found into problems that people can act on."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from console.marked_yaml import Marked, Path, Problem, Value
from sampling.known_fields import fields_at

SEE = "see docs/study-file.md"
_NAMES = ("key", "name", "slug", "value")  # what an entry of a list is called by
_QUESTION_KINDS = ("single", "multiple", "number", "text")
_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "named fields",
    "model_type": "named fields",
    "model_attributes_type": "named fields",
}
_BOUNDS = {
    "greater_than_equal": "at least",
    "greater_than": "more than",
    "less_than_equal": "at most",
    "less_than": "less than",
}
_SLUG = "use lower-case letters, digits and single hyphens, such as lend-brother-shop"
_PATTERNS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": _SLUG,
    r"^[a-z][a-z0-9_]*$": "use lower-case letters, digits and underscores, such as age_band",
    r"^[A-Za-z][A-Za-z0-9_.-]*$": "use the name of a parameter, such as PROLIFIC_PID",
    r"^[A-Za-z0-9_-]+$": "use the panel's code: letters, digits, hyphens and underscores",
    r"^[a-z0-9-]+(\.[a-z0-9-]+)+$": "use a host name, such as app.prolific.com",
    r"^[A-Z]{2}$": "use the two capital letters of the country, such as IN",
    r"^[A-Z][A-Z0-9_]*_KEY$": "name the environment variable with the key; it ends in _KEY",
}


def explain(
    fault: ValidationError, *, marked: Marked, of: type[BaseModel], known_fields: Iterable[str]
) -> Iterator[Problem]:
    """A problem for each fault, with the line of its field. Faults of one field come once.

    `of` is what the file was read as, `known_fields` are all of its names.
    """
    seen: set[tuple[Path, str]] = set()
    for error in fault.errors(include_url=False):
        path = _in_file(error["loc"], marked)
        wrong, todo = _said(error, path, of, known_fields)
        if (path, wrong) not in seen:
            seen.add((path, wrong))
            yield Problem(marked.line(path), named(path, marked.value), wrong, todo)


def named(path: Path, value: Value) -> str:
    """A path as people find it: entries of lists go by their key, as in `prompts[my-key].texts`."""
    text = ""
    for part in path:
        value = _below(value, part)
        if isinstance(part, int):
            text += f"[{_name(value) or part}]"
        else:
            text += f".{part}"
    return text.removeprefix(".")


def _name(value: Value) -> str | None:
    """What an entry of a list is called by; None when nothing names it."""
    if not _maps(value):
        return None
    names = (value.get(key) for key in _NAMES)
    return next((name for name in names if isinstance(name, str)), None)


def _below(value: Value, part: str | int) -> Value:
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return value.get(part) if _maps(value) else None


def _maps(value: Value) -> bool:
    return isinstance(value, Mapping)


def _in_file(loc: tuple[str | int, ...], marked: Marked) -> Path:
    """pydantic's location without what the file does not have, such as the tags of unions."""
    path: Path = ()
    for at, part in enumerate(loc):
        if (*path, part) in marked.lines:
            path = (*path, part)
        elif at == len(loc) - 1 and _may_hold(marked.at(path), part):
            path = (*path, part)  # a field that is missing
    return path


def _may_hold(value: Value, part: str | int) -> bool:
    """Whether such a field could stand here; a tag repeats what `strategy` or `kind` say."""
    if not _maps(value) or part in ("[key]", value.get("strategy")):
        return False
    return part not in _QUESTION_KINDS or part != value.get("kind")


def _said(
    error: ErrorDetails, path: Path, of: type[BaseModel], known_fields: Iterable[str]
) -> tuple[str, str]:
    """What is wrong and what to do, in plain words."""
    kind, context, found = error["type"], error.get("ctx", {}), error.get("input")
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind]} {next(iter(context.values()))}, not {_shown(found)}", SEE
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {_shown(found)}", SEE
    match kind:
        case "extra_forbidden":
            return "unknown field", _nearest(
                str(path[-1]), known_fields, fields_at(of, error["loc"])
            )
        case "missing":
            return "is missing", "add it"
        case "literal_error":
            return f"{_shown(found)} is not known", f"use {context['expected']}"
        case "string_pattern_mismatch":
            return f"{_shown(found)} has the wrong form", _PATTERNS.get(context["pattern"], SEE)
        case "union_tag_invalid":
            field = _discriminator(context)
            return f"unknown {field} {context['tag']!r}", f"use {context['expected_tags']}"
        case "union_tag_not_found":
            field = _discriminator(context)
            return f"names no {field}", f"add a line `{field}: ...`"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:], SEE


def _discriminator(context: Mapping[str, Any]) -> str:
    """The field that tells which of several forms an entry has."""
    return str(context["discriminator"]).strip("'")


def _nearest(name: str, known_fields: Iterable[str], here: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known_fields), n=1)
    return f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(here)}; {SEE}"


def _shown(value: Value) -> str:
    """A value in a message: short, and nothing of a long text."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "named fields"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Strategies of other packages, found by their entry points.

    [project.entry-points."counterpoint.strategies"]
    their_name = "their_package.module:TheirStrategy"

A name that cannot be used stops the start, with the package and the reason: a study may depend on
it, and must not find out while people wait.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

import regex

from sampling.strategies.strategy import Strategy

GROUP = "counterpoint.strategies"
_NAME = regex.compile(r"[a-z][a-z0-9_]{1,39}")


class UnusableStrategy(Exception):
    """An installed package offers a strategy that cannot be used; its text says which and why."""


def installed() -> list[EntryPoint]:
    """What the installed packages offer, in the order of the names."""
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def add_outside(registry: dict[str, type[Strategy]], points: Iterable[EntryPoint]) -> None:
    """Add the strategies of the entry points. Raises UnusableStrategy; no name is ever replaced."""
    for point in points:
        if point.name in registry:
            raise _unusable(point, "the name is taken; a strategy needs one of its own")
        registry[point.name] = _load(point)


def _load(point: EntryPoint) -> type[Strategy]:
    if not _NAME.fullmatch(point.name):
        raise _unusable(point, "a name has lower-case letters, digits and underscores")
    try:
        found = point.load()
    except Exception as fault:
        raise _unusable(point, f"it cannot be imported: {fault}") from fault
    if not (inspect.isclass(found) and issubclass(found, Strategy)):
        raise _unusable(point, "it is no subclass of sampling.strategies.Strategy")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise _unusable(point, f"it does not say {missing}")
    field = found.model_fields["strategy"]
    if field.default != point.name or getattr(field.annotation, "__args__", ()) != (point.name,):
        said = f'strategy: Literal["{point.name}"] = "{point.name}"'
        raise _unusable(point, f"its first field must be {said}")
    return found


def _unusable(point: EntryPoint, why: str) -> UnusableStrategy:
    package = point.dist.name if point.dist else "an installed package"
    return UnusableStrategy(f"{package}: strategy {point.name!r} ({point.value}): {why}")

"""Every address says who may call it."""

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from studies.access_rules import ATTRIBUTE, RULES


def views(patterns: list[Any], before: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each address below these patterns with its view."""
    for pattern in patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            yield here, pattern.callback


def test_every_address_has_an_access_rule() -> None:
    addresses = list(views(get_resolver().url_patterns))
    open_doors = [here for here, view in addresses if getattr(view, ATTRIBUTE, None) not in RULES]

    assert addresses
    assert open_doors == [], "decorate their views by one of studies.access_rules"


def test_every_address_ends_with_a_slash() -> None:
    assert [
        here for here, _ in views(get_resolver().url_patterns) if not f"/{here}".endswith("/")
    ] == []

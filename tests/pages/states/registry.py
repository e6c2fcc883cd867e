"""The registry of states: a function under `@state` makes its rows in the interface language it is
given, and returns a Visit, whose `open` answers with the page.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import translation

Make = Callable[[str], "Visit"]
STATES: dict[str, "State"] = {}


@dataclass(frozen=True)
class Visit:
    """A page in its state: `open` asks for it (once), `client` is the browser that did."""

    open: Callable[[], Any]
    client: Client = field(default_factory=Client)


@dataclass(frozen=True)
class State:
    """A name, who sees it, the status of its page, and how it comes about.

    `unfolded`: what the page hides until it is asked for is shown.
    """

    name: str
    make: Make
    status: int
    console: bool
    unfolded: bool

    def visit(self, locale: str) -> Visit:
        """The state's rows, and the way to its page in this interface language."""
        with translation.override(locale):
            made = self.make(locale)
        made.client.cookies[settings.LANGUAGE_COOKIE_NAME] = locale
        return made


def state(
    name: str, *, status: int = 200, console: bool = False, unfolded: bool = False
) -> Callable[[Make], Make]:
    """Add a state under this name, which other tests use as its file name."""

    def add(make: Make) -> Make:
        assert name not in STATES, f"two states called {name}"
        STATES[name] = State(
            name=name, make=make, status=status, console=console, unfolded=unfolded
        )
        return make

    return add

"""Keeps the parts running: whoever dies is started again within five seconds, and we say so."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from config.supervisor.children import Child, wait_until
from config.supervisor.interruption import Interruption

SHORT_LIFE = 10.0  # seconds; dying sooner than this again and again makes us slower
LONGEST_DELAY = 4.0


class Member(Protocol):
    """A running part, whatever it is."""

    child: Child

    @property
    def ready(self) -> bool: ...


class Watch:
    """Looks after parts that are already running."""

    def __init__(self, say: Callable[[str], None], *, changed: Callable[[], None]) -> None:
        self.members: list[Member] = []
        self._say, self._changed = say, changed
        self._deaths: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._back: dict[str, float] = {}

    def look(self) -> None:
        """See to each part once; returns at once."""
        for member in self.members:
            if member.child.alive:
                self._note_return(member)
            else:
                self._revive(member)

    @staticmethod
    def delay(deaths: int) -> float:
        """Seconds to wait after so many short lives in a row."""
        return min(LONGEST_DELAY, deaths * 0.5)

    def _revive(self, member: Member) -> None:
        child, now = member.child, time.monotonic()
        name = child.program.name
        if name not in self._due:
            short = now - child.started < SHORT_LIFE
            self._deaths[name] = self._deaths.get(name, 0) + 1 if short else 0
            self._due[name] = now + self.delay(self._deaths[name])
            self._back.setdefault(name, now)
            self._say(f"{name} {child.ending}; it is started again. Log: {child.program.log}")
        if now >= self._due[name]:
            del self._due[name]
            child.start()
            self._changed()

    def _note_return(self, member: Member) -> None:
        name = member.child.program.name
        if name in self._back and member.ready:
            away = time.monotonic() - self._back.pop(name)
            self._say(f"{name} is back after {away:.1f} s")


def stop_together(members: Sequence[Member], *, seconds: float, asked: Interruption) -> None:
    """Ask all of them to end, and kill who is left after so many seconds (at once in a hurry)."""
    for member in members:
        member.child.send(member.child.program.polite)

    def over() -> bool:
        return asked.hurry or not any(member.child.alive for member in members)

    wait_until(over, seconds=seconds)
    for member in members:
        if member.child.alive:
            member.child.kill()

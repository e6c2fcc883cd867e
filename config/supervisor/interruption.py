"""SIGINT, SIGTERM and a closed terminal, seen at safe points only.

The handlers count and do nothing else; whoever waits asks `pause`, which raises `Stopped`. They are
installed explicitly, because a shell that starts us in the background lets us inherit an ignored
SIGINT.
"""

import signal
import time
from collections.abc import Callable
from types import FrameType


class Stopped(Exception):
    """Somebody asked us to stop."""


class Interruption:
    """How often we were asked to stop; twice means: hurry."""

    def __init__(self, *, on_pause: Callable[[], None] = lambda: None) -> None:
        self.count = 0
        self._on_pause = on_pause

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        # nohup ignores SIGHUP for those who are meant to outlive the terminal.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._note)

    def pause(self, seconds: float) -> None:
        """Sleep; raises Stopped when somebody asked us to stop."""
        if self.count:
            raise Stopped
        time.sleep(seconds)
        self._on_pause()
        if self.count:
            raise Stopped

    @property
    def hurry(self) -> bool:
        return self.count > 1

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

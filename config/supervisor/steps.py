"""Progress for the person at the keyboard: one line a step, with its seconds."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TextIO

NOTICE_AFTER = 1.0  # seconds; shorter steps are told when they are over
REWRITE = 0.5  # seconds between changes of a line on a terminal
REPEAT = 10.0  # seconds between signs of life where lines cannot be rewritten


class Steps:
    """Prints to one stream; a stream that nobody reads any more is no reason to stop."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty()
        self.seconds: dict[str, float] = {}
        self._name, self._begun, self._told = "", 0.0, 0.0

    def say(self, line: str = "") -> None:
        """Print a line."""
        self._write(f"{line}\n")

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time a step; what the body appends to the list is printed behind its seconds."""
        self._name, self._begun, self._told = name, time.monotonic(), 0.0
        remarks: list[str] = []
        try:
            yield remarks
        except BaseException:
            self._finish(name, ["not finished"])
            raise
        self._finish(name, remarks)

    def tick(self) -> None:
        """Show that the step at hand is still going on; called by whoever waits."""
        passed = time.monotonic() - self._begun
        if not self._name or passed < NOTICE_AFTER:
            return
        if self._told and passed - self._told < (REWRITE if self.live else REPEAT):
            return
        self._told = passed
        line = f"  {self._name} ... {passed:.0f} s"
        self._write(f"\r{line}" if self.live else f"{line}\n")

    def _finish(self, name: str, remarks: list[str]) -> None:
        passed = time.monotonic() - self._begun
        self.seconds[name] = self.seconds.get(name, 0.0) + passed
        self._name = ""
        tail = "".join(f", {remark}" for remark in remarks)
        self._write(f"{chr(13) if self.live else ''}  {name}: {passed:.1f} s{tail}\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()

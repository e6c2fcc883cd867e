"""Plays a row of events on a connection, at the stream's speed, and keeps the log's entry."""

from collections.abc import Callable, Iterator
from typing import Protocol

from sampling.simulated.events import NOW, Event, Kind
from sampling.simulated.log import Entry
from sampling.simulated.pacing import Pacer


class Line(Protocol):
    """The connection, as far as a reply needs it."""

    is_full: bool

    def write(self, data: bytes) -> None: ...
    def end_reply(self) -> None: ...
    def abort(self) -> None: ...


class Reply:
    """One running reply. `first_token` and 1/`speed` are seconds; speed 0 means at once."""

    def __init__(
        self,
        *,
        line: Line,
        events: Iterator[Event],
        entry: Entry,
        pacer: Pacer,
        speed: float,
        first_token: float,
        is_chunked: bool,
        on_end: Callable[["Reply"], None],
    ) -> None:
        self.entry = entry
        self._line = line
        self._events = events
        self._event: Event | None = None
        self._pacer = pacer
        self._step_seconds = 1 / speed if speed else 0.0
        self._begun = pacer.now() + first_token
        self._last_due = self._begun
        self._is_chunked = is_chunked
        self._on_end = on_end
        self._is_over = False

    def start(self) -> None:
        self.step(self._pacer.now())

    def step(self, now: float) -> None:
        """Write what is due, then ask to be called again."""
        if self._is_over:
            return
        if self._line.is_full:
            self._pacer.at(now + 0.02, self.step)
            return
        out: list[bytes] = []
        while (event := self._next()).kind not in (Kind.PAUSE, Kind.ABORT, Kind.END):
            due = self._due(event)
            if due > now:
                self._event = event
                self._flush(out)
                self._pacer.at(due, self.step)
                return
            self._write(event, out)
        self._flush(out)
        self._stop_at(event, now)

    def _next(self) -> Event:
        event, self._event = self._event, None
        return event or next(self._events, None) or Event(Kind.END)

    def _due(self, event: Event) -> float:
        if event.place == NOW:
            return 0.0
        # Usage, [DONE] and the end follow the last token without a delay of their own.
        self._last_due = max(self._last_due, self._begun + event.place * self._step_seconds)
        return self._last_due

    def _write(self, event: Event, out: list[bytes]) -> None:
        if event.kind is Kind.HEAD:
            self._line.write(event.data)
        elif event.data:
            out.append(event.data)
        if event.tokens:
            self.entry.add(index=event.index, text=event.text, tokens=event.tokens)

    def _flush(self, out: list[bytes]) -> None:
        if not out:
            return
        data = b"".join(out)
        out.clear()
        self._line.write(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    def _stop_at(self, event: Event, now: float) -> None:
        if event.kind is Kind.ABORT:
            self._finish("misbehaved")
            self._line.abort()
        elif event.kind is Kind.END:
            if self._is_chunked:
                self._line.write(b"0\r\n\r\n")
            self._finish("misbehaved" if self.entry.behaviour else "complete")
            self._line.end_reply()
        elif event.seconds is not None:
            self._begun += event.seconds
            self._last_due += event.seconds
            self._pacer.at(now + event.seconds, self.step)

    def closed(self) -> None:
        """The client has gone: nothing more is generated."""
        self._finish("client closed")

    def _finish(self, finish: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        self.entry.finish = finish
        self._on_end(self)

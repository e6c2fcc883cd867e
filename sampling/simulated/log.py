"""The endpoint's own record of every chat request: what came, what was done, what was sent.

Tests and audits compare it with what the platform stored, so it holds bodies in full and never a
key (keys come in headers, and headers are not kept).
"""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sampling.simulated.events import encoded

KEPT = 10_000


@dataclass
class Entry:
    """One request. `finish` is complete, client closed or misbehaved; empty while it runs.

    `answers` is how many it writes, 0 for one that was refused.
    """

    number: int
    request_id: str
    body: Any
    behaviour: str | None = None
    status: int = 200
    finish: str = ""
    tokens: int = 0
    answers: int = 0
    sent: list[list[str]] = field(default_factory=list)
    began: float = field(default_factory=time.time)
    ended: float | None = None

    def add(self, *, index: int, text: str, tokens: int) -> None:
        while len(self.sent) <= index:
            self.sent.append([])
        self.sent[index].append(text)
        self.tokens += tokens

    def record(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "time": datetime.fromtimestamp(self.began, UTC).isoformat(timespec="milliseconds"),
            "request_id": self.request_id,
            "behaviour": self.behaviour,
            "status": self.status,
            "finish": self.finish,
            "seconds": round((self.ended or time.time()) - self.began, 3),
            "tokens": self.tokens,
            "sent": ["".join(pieces) for pieces in self.sent],
            "body": self.body,
        }


class Log:
    """The last requests in memory, all of them as JSON lines in `path` when there is one."""

    def __init__(self, path: Path | None) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.open: dict[int, Entry] = {}
        self.count = 0
        self.tokens = 0
        self._file = path.open("ab") if path else None

    def begin(self, *, request_id: str, body: Any) -> Entry:
        self.count += 1
        entry = Entry(number=self.count, request_id=request_id, body=body)
        self.open[entry.number] = entry
        return entry

    def end(self, entry: Entry) -> None:
        del self.open[entry.number]
        entry.ended = time.time()
        self.tokens += entry.tokens
        record = entry.record()
        self.entries.append(record)
        if self._file:
            self._file.write(encoded(record) + b"\n")
            self._file.flush()

    def close(self) -> None:
        if self._file:
            self._file.close()

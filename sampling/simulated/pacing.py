"""One timer for all streams of a server.

A timer per stream and token costs more than the streaming itself at 16,000 tokens a second; here
streams that are due within the same few milliseconds share one wake-up.
"""

import asyncio
import heapq
from collections.abc import Callable

TICK = 0.005


class Pacer:
    """Calls functions at loop times, in ticks of 5 ms, never before they are due."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[int, list[Callable[[float], None]]] = {}
        self._ticks: list[int] = []
        self._handle: asyncio.TimerHandle | None = None
        self._is_awake = False

    def now(self) -> float:
        return self._loop.time()

    def at(self, when: float, call: Callable[[float], None]) -> None:
        """Call `call(now)` at the first tick that is not before `when`; `now` is never earlier."""
        tick = int(when / TICK) + 1
        if tick in self._due:
            self._due[tick].append(call)
            return
        self._due[tick] = [call]
        heapq.heappush(self._ticks, tick)
        if self._ticks[0] == tick and not self._is_awake:
            self._arm()

    def _arm(self) -> None:
        if self._handle:
            self._handle.cancel()
        self._handle = self._loop.call_at(self._ticks[0] * TICK, self._wake)

    def _wake(self) -> None:
        self._handle = None
        self._is_awake = True
        # Timers fire up to a millisecond early. Each tick is taken once, so a call that asks to
        # come back comes back at a later tick.
        reached = int((self.now() + TICK / 2) / TICK)
        while self._ticks and self._ticks[0] <= reached:
            tick = heapq.heappop(self._ticks)
            for call in self._due.pop(tick):
                self._run(call, max(self.now(), tick * TICK))
        self._is_awake = False
        if self._ticks:
            self._arm()

    def _run(self, call: Callable[[float], None], now: float) -> None:
        try:
            call(now)
        except Exception as error:  # noqa: BLE001 -- one broken stream must not stop the others
            told = {"message": "A stream failed.", "exception": error}
            self._loop.call_exception_handler(told)

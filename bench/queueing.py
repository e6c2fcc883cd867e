"""A seeded simulation of people, their sets and the seats of the endpoints; no server, no clock.

    people     read four answers, choose, write, and ask again, until their conversation is over
    sets       wait, first come first served, for k seats that they hold until the last answer ends
    prefetch   a first turn finds its set made ahead with some probability; sets made ahead take
               seats only while a quarter stays free, and nobody waits for them
    deadline   a set that is not ready in time has failed its annotator, who asks again

All times are seconds. Seats that work for a set hold it for a plan and the longest of its k answers
(`Making`); they are not faster when they are fewer: an endpoint gives every stream its pace.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import quantiles

ASK, CHOOSE, END, END_AHEAD = range(4)
WARM_UP, SECONDS = 150.0, 200.0


@dataclass(frozen=True, kw_only=True)
class Making:
    """How long a set holds its seats. `overhead` is ours: claiming, judging, storing, telling."""

    k: int = 4
    first_token: float = 0.4
    speed: float = 40.0  # tokens a second and stream
    plan_tokens: int = 60  # 0: no plan goes ahead
    answer_tokens: float = 150.0
    spread: float = 0.15  # of an answer's length, as standard deviation over mean
    overhead: float = 0.1

    def seconds(self, dice: random.Random) -> float:
        longest = max(self._tokens(dice) for _ in range(self.k))
        seconds = self.overhead + self.first_token + (longest - 1) / self.speed
        if self.plan_tokens:
            seconds += self.first_token + (self.plan_tokens - 1) / self.speed
        return seconds

    def _tokens(self, dice: random.Random) -> float:
        if not self.spread:
            return self.answer_tokens
        return max(10.0, dice.gauss(self.answer_tokens, self.spread * self.answer_tokens))


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What people do. Pauses have these means."""

    reading: float = 60.0  # from the answers to the choice
    writing: float = 30.0  # from the choice to the next message; a new conversation needs none
    turns: tuple[int, int] = (3, 4)
    prefetched: float = 0.9  # share of first turns whose set was made ahead
    sharing: float = 3.0  # people who get the same first set
    patience: float = 60.0  # seconds after which a set has failed its annotator
    uneven: tuple[float, float] | None = None  # times a pause, evenly; None: exponential pauses
    # Seconds within which all come, to a first turn each; None: they have been there for long.
    arriving: float | None = None

    def pause(self, mean: float, dice: random.Random) -> float:
        if self.uneven is None:
            return dice.expovariate(1 / mean)
        return mean * dice.uniform(*self.uneven)


@dataclass
class Outcome:
    """What was measured after the warm-up."""

    seconds: float
    asked: int = 0
    comparisons: int = 0
    made_ahead: int = 0
    late: int = 0
    busy: float = 0.0  # share of seats
    most_waiting: int = 0  # people in front of a waiting page
    waits: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return quantiles(self.waits, n=20)[-1] if len(self.waits) > 1 else 0.0

    @property
    def median(self) -> float:
        return quantiles(self.waits, n=2)[0] if len(self.waits) > 1 else 0.0

    @property
    def sets_a_second(self) -> float:
        return (self.asked + self.made_ahead) / self.seconds


class Population:
    """So many people at once, and so many seats; `run` lets time pass."""

    def __init__(
        self, *, people: int, seats: int, habits: Habits, making: Making, seed: int
    ) -> None:
        self._habits, self._making = habits, making
        self._dice = random.Random(seed)
        self._slots = max(1, seats // making.k)  # sets at once
        self._kept_free = -(-self._slots // 4)
        self._busy = 0
        self._queue: deque[tuple[float, int]] = deque()
        self._ahead = 0.0  # sets wanted ahead of time that have not been begun
        self._turns_left = [0] * people
        self._events: list[tuple[float, int, int, float]] = []
        for person in range(people):
            if habits.arriving is None:
                self._turns_left[person] = self._dice.randint(0, self._turns())
            within = habits.arriving or habits.reading + habits.writing
            self._at(self._dice.uniform(0, within), ASK, person)

    def run(self, *, warm_up: float, seconds: float) -> Outcome:
        """What happens in so many seconds after the warm-up."""
        seen, last = Outcome(seconds), 0.0
        while self._events and self._events[0][0] < warm_up + seconds:
            now, kind, person, asked = heapq.heappop(self._events)
            measured = now >= warm_up
            if measured:
                seen.busy += self._busy * (now - max(last, warm_up))
            last = now
            if kind == ASK:
                self._ask(now, person, seen, measured=measured)
            elif kind == CHOOSE:
                self._choose(now, person, seen, measured=measured)
            else:
                self._end(now, kind, person, now - asked, seen, measured=measured)
            self._begin(now, seen, measured=measured)
            if measured:
                seen.most_waiting = max(seen.most_waiting, len(self._queue) + self._busy)
        seen.busy /= seconds * self._slots
        return seen

    def _ask(self, now: float, person: int, seen: Outcome, *, measured: bool) -> None:
        first = self._turns_left[person] == 0
        if first:
            self._turns_left[person] = self._turns()
        if first and self._dice.random() < self._habits.prefetched:
            self._ahead += 1 / self._habits.sharing
            self._read(now, person)
            return
        self._queue.append((now, person))
        seen.asked += measured

    def _end(
        self, now: float, kind: int, person: int, wait: float, seen: Outcome, *, measured: bool
    ) -> None:
        self._busy -= 1
        if kind == END_AHEAD:
            return
        late = wait > self._habits.patience
        if measured:
            seen.waits.append(wait)
            seen.late += late
        if late:
            self._at(now + 1.0, ASK, person)
        else:
            self._read(now, person)

    def _begin(self, now: float, seen: Outcome, *, measured: bool) -> None:
        """People first; what is made ahead leaves a quarter of the seats free."""
        while self._queue and self._busy < self._slots:
            asked, person = self._queue.popleft()
            self._busy += 1
            self._at(now + self._making.seconds(self._dice), END, person, asked)
        while self._ahead >= 1 and self._busy + 1 <= self._slots - self._kept_free:
            self._ahead -= 1
            self._busy += 1
            seen.made_ahead += measured
            self._at(now + self._making.seconds(self._dice), END_AHEAD, -1, now)

    def _read(self, now: float, person: int) -> None:
        self._at(now + self._habits.pause(self._habits.reading, self._dice), CHOOSE, person)

    def _choose(self, now: float, person: int, seen: Outcome, *, measured: bool) -> None:
        """The choice, and the next message; a new conversation needs no message."""
        seen.comparisons += measured
        self._turns_left[person] -= 1
        goes_on = self._turns_left[person] > 0
        writing = self._habits.pause(self._habits.writing, self._dice) if goes_on else 0.0
        self._at(now + writing, ASK, person)

    def _turns(self) -> int:
        return self._dice.randint(*self._habits.turns)

    def _at(self, when: float, kind: int, person: int, asked: float = 0.0) -> None:
        heapq.heappush(self._events, (when, kind, person, asked))


def seats_needed(
    *, people: int, habits: Habits, making: Making, replica: int, seed: int, slack: float = 1.2
) -> tuple[int, Outcome]:
    """Replicas of so many seats with which 95 of 100 sets are at most `slack` times as slow as
    without any queue and none is late; and what happens then.
    """
    alone = unhindered(making, seed)

    def seen_with(seats: int) -> Outcome:
        crowd = Population(people=people, seats=seats, habits=habits, making=making, seed=seed)
        return crowd.run(warm_up=WARM_UP, seconds=SECONDS)

    plenty = making.k * people
    replicas = max(1, math.floor(seen_with(plenty).busy * plenty / replica))
    while True:
        seen = seen_with(replicas * replica)
        if seen.p95 <= slack * alone.p95 and not seen.late:
            return replicas, seen
        replicas = max(replicas + 1, math.ceil(1.02 * replicas))


def unhindered(making: Making, seed: int) -> Outcome:
    """The times of sets that find their seats free."""
    dice = random.Random(seed)
    return Outcome(1.0, waits=[making.seconds(dice) for _ in range(2000)])


def predicted_waits(
    arrivals: Sequence[float], *, seats: int, making: Making, seed: int
) -> list[float]:
    """The wait of each of these arrivals, first come first served."""
    dice = random.Random(seed)
    free = [0.0] * max(1, seats // making.k)
    waits = []
    for moment in arrivals:
        end = max(moment, heapq.heappop(free)) + making.seconds(dice)
        heapq.heappush(free, end)
        waits.append(end - moment)
    return waits


def poisson(rate: float, *, seconds: float, dice: random.Random) -> Iterator[float]:
    """Moments at which somebody asks, from 0 on."""
    moment = dice.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += dice.expovariate(rate)

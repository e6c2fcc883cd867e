"""1,000 pages that wait, on one web process: while sets go on, and after the channel was cut.

Twenty events a second: each set gets its four (begun, two steps, ready), then its page shows the
answers and another page begins to wait. Then the broker cuts the hub's connection, and every page
is told to look again.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from redis import Redis

from bench.browser import cookie_of
from bench.processes import Meter
from bench.report import Row, bounded, reported
from bench.servers import Servers
from bench.waiting import Waiter, WaitingPages
from bench.worlds import texts
from sampling.models import CandidateSet
from sampling.publishing import Note, publish
from tests import factories
from tests.factories import World

PAGES, SPARE = 1000, 200
EVENTS, STEPS, ACTIVE = 20, 4, 20  # events a second; events of a set; sets under way at once
OPENED_WITHIN = 60.0  # seconds in which all pages must have looked once
SECONDS, CURRENT_WITHIN = 20.0, 15.0
State = CandidateSet.State


def measure(servers: Servers) -> Iterator[Row]:
    waiters = make_waiters(PAGES + SPARE)
    with servers.web() as (web, address), WaitingPages(address).running() as pages:
        going_on = GoingOn(pages, waiters)
        open_all(pages, going_on)
        with Meter([web.child.pid]).running() as meter:
            yield from while_sets_go_on(pages, going_on, meter)
            yield from after_a_cut(pages, going_on, meter)
        if pages.faults:
            raise pages.faults[0]


class GoingOn:
    """The sets that are being made: each step is one row written and one event published."""

    def __init__(self, pages: WaitingPages, waiters: Sequence[Waiter]) -> None:
        self._pages = pages
        self._spare = deque(waiters)
        self._queue: deque[tuple[Waiter, int]] = deque()
        for _ in range(PAGES):
            self._open_next()

    def go_on(self, *, seconds: float) -> None:
        """Events at their even pace for so long."""
        begun, count = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < seconds:
            if count < EVENTS * passed:
                self._step()
                count += 1
            else:
                time.sleep(0.005)

    def _open_next(self) -> None:
        if self._spare:
            waiter = self._spare.popleft()
            self._queue.append((waiter, 0))
            self._pages.open(waiter)

    def _step(self) -> None:
        """The next event of the set whose turn it is; the first few sets take turns."""
        waiter, step = self._queue.popleft()
        if step + 1 == STEPS:
            self._end(waiter)
            return
        lease = timezone.now() + timedelta(hours=1)
        row = CandidateSet.objects.filter(pk=waiter.set_id)
        row.update(state=State.GENERATING, progress=step, lease_until=lease)
        publish([Note(waiter.set_id, State.GENERATING, step)])
        self._queue.insert(ACTIVE - 1, (waiter, step + 1))

    def _end(self, waiter: Waiter) -> None:
        with transaction.atomic():
            row = CandidateSet.objects.filter(pk=waiter.set_id)
            row.update(state=State.PENDING, lease_until=None)
            made = row.get()
            factories.make_ready(made, texts=texts(made.pk, made.k))
        publish([Note(made.pk, State.READY, made.k)])
        self._open_next()


def make_waiters(count: int) -> list[Waiter]:
    """Annotators at their first turns, each in front of a set of their own that is pending."""
    world = factories.world(overlap=count, conversations=1)
    with transaction.atomic():
        return [make_waiter(world) for _ in range(count)]


def make_waiter(world: World) -> Waiter:
    sitting = factories.person(world)
    talk = factories.conversation(world, under=factories.assignment(world, by=sitting))
    turn = factories.turn(world, within=talk, ready=False)
    return Waiter(cookie_of(sitting.enrolment), talk.pk, turn.set_id)


def open_all(pages: WaitingPages, going_on: GoingOn) -> None:
    """Until every page has looked once. Raises RuntimeError when that takes too long."""
    until = time.monotonic() + OPENED_WITHIN
    while any(page.looks == 0 for page in pages.waiting):
        if time.monotonic() > until:
            raise RuntimeError(f"the pages were not open within {OPENED_WITHIN:g} s")
        time.sleep(0.2)
    going_on.go_on(seconds=2)


def while_sets_go_on(pages: WaitingPages, going_on: GoingOn, meter: Meter) -> Iterator[Row]:
    begun, looks = time.time(), sum(page.looks for page in pages.opened)
    going_on.go_on(seconds=SECONDS)
    ended, looks = time.time(), sum(page.looks for page in pages.opened) - looks
    cores = meter.cores(begun, ended)
    yield bounded(row="1,000 pages, web", figure=cores, unit="cores", at_most=0.5)
    yield bounded(row="1,000 pages, web memory", figure=meter.peak_mb, unit="MB", at_most=150)
    yield reported(row="1,000 pages, looks", figure=looks / SECONDS, unit="a second")
    yield reported(row="1,000 pages, still open", figure=len(pages.waiting), unit="pages")


def after_a_cut(pages: WaitingPages, going_on: GoingOn, meter: Meter) -> Iterator[Row]:
    there = pages.waiting
    cut, begun = time.monotonic(), time.time()
    with Redis.from_url(settings.REDIS_URL) as broker:
        if not broker.client_kill_filter(_type="pubsub"):
            raise RuntimeError("the hub had no connection to cut")
    while not all(page.current_since(cut) for page in there):
        if time.monotonic() > cut + 4 * CURRENT_WITHIN:
            raise RuntimeError("the pages did not get current again")
        going_on.go_on(seconds=0.25)
    ended = time.time()
    current = ended - begun
    yield bounded(row="channel cut, all current", figure=current, unit="s", at_most=CURRENT_WITHIN)
    cores = meter.cores(begun, ended)
    yield bounded(row="channel cut, web", figure=cores, unit="cores", at_most=1.0)

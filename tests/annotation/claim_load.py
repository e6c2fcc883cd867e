"""A mixed load of claims: many annotators at once who finish, skip, go silent, leave and die.

Used by the tests on small cells, and by the benchmarks on many prompts. `run` returns what was
counted; all of the faults must be 0.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from annotation.assigning import Nothing, claim_assignment
from annotation.claiming import has_room
from annotation.leaving import SkipReason, skip_assignment, withdraw
from annotation.locking import lock_person
from annotation.models import Assignment, PromptCell
from annotation.refusals import NoRoom
from annotation.sweeping import sweep_assignments
from studies.models import Cohort, Enrolment


@dataclass(frozen=True, kw_only=True)
class Load:
    """Shares of what happens after a claim; the rest is finished. `seconds` bounds the whole."""

    threads: int = 16
    skip: float = 0.1
    go_silent: float = 0.1
    leave: float = 0.02
    die: float = 0.05
    seconds: float = 20
    seed: int = 7


@dataclass
class Outcome:
    """What happened. `over_target`, `twice`, `miscounted`, `lost` and `misled` are faults."""

    claims: int = 0
    seconds: float = 0.0
    did: Counter[str] = field(default_factory=Counter)
    over_target: int = 0
    twice: int = 0
    miscounted: int = 0
    lost: int = 0
    misled: int = 0

    @property
    def rate(self) -> float:
        """Claims per second."""
        return self.claims / self.seconds if self.seconds else 0.0

    @property
    def faults(self) -> dict[str, int]:
        names = ("over_target", "twice", "miscounted", "lost", "misled")
        return {name: count for name in names if (count := getattr(self, name))}


class Releases:
    """Tells whether any place was given back between two moments."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = self._ended = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._lock:
            self._begun += 1
        try:
            yield
        finally:
            with self._lock:
                self._ended += 1

    def moment(self) -> tuple[int, bool]:
        """How many had begun, and whether all of them were over."""
        with self._lock:
            return self._begun, self._begun == self._ended


class Run:
    """One load on one cohort; annotators are dealt to the threads."""

    def __init__(self, people: Sequence[Enrolment], load: Load) -> None:
        self.people = people
        self.load = load
        self.outcome = Outcome()
        self.releases = Releases()
        self.told: list[UUID] = []
        self._lock = threading.Lock()

    def go(self) -> None:
        started = time.perf_counter()
        self.until = started + self.load.seconds
        with ThreadPoolExecutor(self.load.threads) as threads:
            list(threads.map(self._thread, range(self.load.threads)))
        self.outcome.seconds = time.perf_counter() - started

    def _thread(self, number: int) -> None:
        dice = random.Random(self.load.seed * 1000 + number)  # noqa: S311 not a secret
        waiting = list(self.people[number :: self.load.threads])
        try:
            while waiting and time.perf_counter() < self.until:
                person = dice.choice(waiting)
                if not self._one(person, dice):
                    waiting.remove(person)
        finally:
            connection.close()

    def _one(self, person: Enrolment, dice: random.Random) -> bool:
        """One claim and what comes of it; False when there is nothing more for this person."""
        if dice.random() < self.load.die:
            return self._die(person)
        before = self.releases.moment()
        found = claim_assignment(enrolment=person)
        if isinstance(found, Nothing):
            self._check_nothing(person, found, before)
            return False
        with self._lock:
            self.outcome.claims += 1
            self.told.append(found.pk)
        return self._act(person, found, dice)

    def _die(self, person: Enrolment) -> bool:
        """The client vanishes with its claim not yet committed."""
        self._did("die")
        with suppress(OperationalError, InterfaceError), connection.execute_wrapper(_vanish):
            claim_assignment(enrolment=person)
        connection.close()
        return True

    def _check_nothing(self, person: Enrolment, reason: Nothing, before: tuple[int, bool]) -> None:
        parameters = {"enrolment": person.pk, "cohort": person.cohort_id}
        misled = reason is Nothing.NOTHING_LEFT and has_room(parameters)
        quiet = before[1] and self.releases.moment() == before
        with self._lock:
            self.outcome.did[reason] += 1
            self.outcome.misled += misled and quiet

    def _act(self, person: Enrolment, held: Assignment, dice: random.Random) -> bool:
        load, die = self.load, dice.random()
        acts = [(load.skip, _skip), (load.go_silent, _go_silent), (load.leave, _leave)]
        for share, act in acts:
            if die < share:
                with self.releases.one():
                    act(person, held)
                self._did(act.__name__)
                return act is not _leave
            die -= share
        _finish(person, held)
        self._did("finish")
        return True

    def _did(self, name: str) -> None:
        with self._lock:
            self.outcome.did[name.strip("_")] += 1


def _vanish(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    """Close the line between a claim's statement and its commit."""
    result = execute(sql, *rest)
    if "INSERT INTO annotation_assignment" in sql and connection.connection is not None:
        connection.connection.pgconn.finish()
    return result


def _skip(person: Enrolment, held: Assignment) -> None:
    # A sweep steps over a locked row, so another thread's may end a silence that came before this.
    with suppress(NoRoom):
        skip_assignment(enrolment=person, assignment_id=held.pk, reason=SkipReason.OTHER)


def _go_silent(person: Enrolment, held: Assignment) -> None:
    past = timezone.now() - timedelta(seconds=1)
    found = Assignment.objects.filter(pk=held.pk, enrolment=person, state="open")
    found.update(deadline=past)
    sweep_assignments()


def _leave(person: Enrolment, held: Assignment) -> None:
    assert held.enrolment_id == person.pk
    withdraw(enrolment=person)


def _finish(person: Enrolment, held: Assignment) -> None:
    """What the end of a conversation does to its assignment."""
    with transaction.atomic():
        lock_person(person.pk)
        Assignment.objects.filter(pk=held.pk, state="open").update(
            state="submitted", deadline=None, ended_at=timezone.now()
        )


def run(*, cohort: Cohort, people: Sequence[Enrolment], load: Load) -> Outcome:
    """Run the load on a cohort and count what went wrong. People have study and cohort loaded."""
    running = Run(people, load)
    running.go()
    return audit(cohort, running)


def audit(cohort: Cohort, running: Run) -> Outcome:
    """Count the faults in the rows that the load left behind."""
    outcome = running.outcome
    held = Q(assignments__state__in=["open", "submitted"], assignments__surplus=False)
    cells = PromptCell.objects.filter(cohort=cohort).annotate(held=Count("assignments", held))
    outcome.over_target = cells.filter(held__gt=F("overlap")).count()
    outcome.miscounted = cells.exclude(taken=F("held")).count()
    given = Assignment.objects.filter(cohort=cohort, cell__isnull=False)
    pairs = given.values("enrolment", "cell").annotate(times=Count("pk"))
    outcome.twice = pairs.filter(times__gt=1).count()
    stored = set(Assignment.objects.filter(cohort=cohort).values_list("pk", flat=True))
    outcome.lost = len(set(running.told) - stored)
    return outcome

"""Claims by many annotators at once: what goes wrong under a mixed load, and the rate.

The load is that of the tests: annotators finish, skip, go silent until they expire, withdraw, and
clients die with a claim not yet committed. The rate is a fixed number of claims by as many threads
as there are annotators, each on a connection that it keeps, in rounds that alternate with a bare
claim. Two rounds of each are not counted: in the first the tables are empty, and PostgreSQL plans
for empty tables; after it they are analysed, as autovacuum does within a minute, and in the second
each connection plans anew.

The bare claim is what anyone would write first: in one transaction, by the same driver, it adds one
to any row that has room and that nobody else is claiming (`FOR UPDATE SKIP LOCKED LIMIT 1`), and
inserts a row into a table with two columns and no trigger. It knows nothing of people, so it may
give somebody the same prompt twice; it prefers no prompt, draws no arm, and records no draw.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Barrier
from typing import Any
from uuid import uuid4

import psycopg
from django.db import connection
from django.db.models.functions import Random
from django.utils import timezone

from annotation.assigning import Nothing, claim_assignment
from annotation.models import Assignment, PromptCell
from bench.report import Row, beside_limit, bounded
from bench.servers import Servers
from exports.synthetic.copying import copy
from studies.models import Cohort, Enrolment
from tests import factories
from tests.annotation.claim_load import Load, run

PROMPTS, OVERLAP, THREADS = 2000, 3, 64
PEOPLE = 12 * THREADS
UNCOUNTED, ROUNDS, PER_THREAD = 2, 5, 12
Line = psycopg.Connection[tuple[Any, ...]]
BARE_TABLES = """
    DROP TABLE IF EXISTS bare_assignment, bare_cell;
    CREATE TABLE bare_cell (id uuid PRIMARY KEY, taken int NOT NULL, overlap int NOT NULL);
    CREATE TABLE bare_assignment (id uuid PRIMARY KEY, cell uuid NOT NULL, at timestamptz NOT NULL);
"""
BARE_CLAIM = """
    UPDATE bare_cell SET taken = taken + 1 WHERE id = (
        SELECT id FROM bare_cell WHERE taken < overlap FOR UPDATE SKIP LOCKED LIMIT 1
    ) RETURNING id
"""
BARE_INSERT = "INSERT INTO bare_assignment (id, cell, at) VALUES (%s, %s, now())"


def measure(servers: Servers) -> Iterator[Row]:
    outcome = run(cohort=(made := make_cohort()), people=make_people(made), load=mixed_load())
    for name in ("over_target", "twice", "lost", "misled", "miscounted"):
        count = getattr(outcome, name)
        what = f"claims, {name.replace('_', ' ')} of {outcome.claims}"
        yield bounded(row=what, figure=count, unit="claims", at_most=0)
    yield rate(servers)


def mixed_load() -> Load:
    return Load(threads=THREADS, seconds=45)


# --- The rate -------------------------------------------------------------------------------------


def rate(servers: Servers) -> Row:
    cohort = make_cohort()
    people = make_people(cohort)
    make_bare_table()
    analyze()
    ours, bare = [], []
    with ThreadPoolExecutor(THREADS) as threads, bare_lines(servers.database_url) as lines:
        for number in range(UNCOUNTED + ROUNDS):
            bare.append(claims_a_second(threads, bare_thread(lines)))
            ours.append(claims_a_second(threads, our_thread(people)))
            finish_all(cohort)
            if number == 0:
                analyze()
        list(threads.map(close_own, range(THREADS)))
    return beside_limit(
        row="claims, rate",
        unit="claims/s",
        ours=ours[UNCOUNTED:],
        limits=bare[UNCOUNTED:],
        at_least=0.4,
    )


@contextmanager
def bare_lines(database_url: str) -> Iterator[list[Line]]:
    with ExitStack() as opened:
        yield [opened.enter_context(psycopg.connect(database_url)) for _ in range(THREADS)]


def close_own(_: int) -> None:
    connection.close()


def claims_a_second(threads: ThreadPoolExecutor, work: Callable[[int, Barrier], float]) -> float:
    """The threads connect first and begin together; the time is until the last of them is over."""
    begin = Barrier(THREADS)
    seconds = max(threads.map(lambda number: work(number, begin), range(THREADS)))
    return THREADS * PER_THREAD / seconds


def our_thread(people: Sequence[Enrolment]) -> Callable[[int, Barrier], float]:
    """Django keeps the connection of each thread from round to round, as it does in the server."""

    def work(number: int, begin: Barrier) -> float:
        connection.ensure_connection()
        begin.wait()
        started = time.perf_counter()
        for person in people[number::THREADS]:
            if isinstance(claim_assignment(enrolment=person), Nothing):
                raise RuntimeError("the places were not enough")
        return time.perf_counter() - started

    return work


def bare_thread(lines: Sequence[Line]) -> Callable[[int, Barrier], float]:
    def work(number: int, begin: Barrier) -> float:
        begin.wait()
        started = time.perf_counter()
        for _ in range(PER_THREAD):
            bare_claim(lines[number])
        return time.perf_counter() - started

    return work


def bare_claim(line: Line) -> None:
    found = line.execute(BARE_CLAIM).fetchone()
    if found is None:
        raise RuntimeError("the places were not enough")
    line.execute(BARE_INSERT, [uuid4(), found[0]])
    line.commit()


def finish_all(cohort: Cohort) -> None:
    """Between rounds: everybody has finished, and may claim again."""
    held = Assignment.objects.filter(cohort=cohort, state=Assignment.State.OPEN)
    held.update(state=Assignment.State.SUBMITTED, deadline=None, ended_at=timezone.now())


# --- Rows to claim --------------------------------------------------------------------------------


def make_cohort() -> Cohort:
    cohort = factories.world(prompts=PROMPTS, overlap=OVERLAP, conversations=1000).cohort
    # Anywhere on the circle, as a study that is loaded has them.
    PromptCell.objects.filter(cohort=cohort).update(shuffle_key=Random())
    return cohort


def make_people(cohort: Cohort) -> list[Enrolment]:
    for _ in range(PEOPLE):
        factories.sitting(factories.enrolment(cohort), target=1000)
    return list(Enrolment.objects.filter(cohort=cohort).select_related("study", "cohort"))


def analyze() -> None:
    """What autovacuum does a minute later anyway."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def make_bare_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE_TABLES)
    rows = ((uuid4(), 0, OVERLAP) for _ in range(PROMPTS))
    copy(table="bare_cell", columns="id taken overlap", rows=rows)

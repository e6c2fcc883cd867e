"""How much room a worker process has."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from sampling.claiming import Claim
from sampling.models import CandidateSet
from sampling.running import Runs

PERSON, PREFETCH = CandidateSet.Priority.PERSON, CandidateSet.Priority.PREFETCH


def claim(priority: int = PERSON, streams: int = 1) -> Claim:
    return Claim(uuid.uuid4(), 1, uuid.uuid4(), 0, streams, priority)


@given(st.integers(1, 200))
def test_a_quarter_of_the_threads_stays_free_of_sets_made_ahead(limit: int) -> None:
    runs = Runs(limit=limit)
    while runs.has_room() and runs.has_room_for_prefetch():
        runs.begin(claim(PREFETCH))

    ahead = len(runs.all())
    assert ahead == 1 if limit < 3 else limit - ahead >= limit / 4


def test_a_full_process_has_no_room_until_a_run_ends() -> None:
    runs = Runs(limit=2)
    first, _ = runs.begin(claim()), runs.begin(claim())
    assert not runs.has_room()

    runs.end(first)

    assert runs.has_room()


def test_open_streams_are_counted() -> None:
    runs = Runs()
    before = runs.streams_left()
    run = runs.begin(claim(streams=4))

    assert runs.streams_left() == before - 4
    runs.end(run)
    assert runs.streams_left() == before


def test_a_process_that_stops_has_no_room() -> None:
    runs = Runs()
    runs.stopping.set()

    assert not runs.has_room()


class Job:
    cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


def test_work_of_a_run_that_was_cancelled_before_it_began_stops_at_once() -> None:
    runs, job = Runs(), Job()
    run = runs.begin(claim())

    runs.cancel(run)
    runs.attach(run, job)

    assert job.cancelled


def test_closing_streams_are_not_interrupted_by_a_second_cancel() -> None:
    runs, job = Runs(), Job()
    run = runs.begin(claim())
    runs.attach(run, job)

    runs.cancel(run)
    runs.cancel(run)

    assert job.cancelled == 1

"""The watch: heartbeat, cancel, takeover, progress, and an orderly end."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from sampling import claiming, generating, watching
from sampling.models import CandidateSet, Seat
from sampling.running import runs
from sampling.watching import Watch
from tests.sampling.conftest import Engine
from tests.sampling.test_generating import state, under_way, until


@pytest.fixture
def watch(engine: Engine) -> Iterator[Watch]:
    made = Watch()
    made.start()
    yield made
    made.drain(grace=0)
    made.join(10)
    assert not made.alive


def long_ago(*sets: CandidateSet) -> None:
    past = timezone.now() - timedelta(seconds=60)
    CandidateSet.objects.filter(pk__in=[one.pk for one in sets]).update(requested_at=past)


def test_work_that_nobody_was_told_of_is_found(engine: Engine, watch: Watch) -> None:
    asked = engine.ask()

    until(lambda: state(asked) == "ready")


def test_what_the_bell_may_still_find_is_left_to_it(engine: Engine) -> None:
    asked = engine.ask()

    watching.start_unclaimed()

    assert state(asked) == "pending"


def test_all_that_finds_room_is_started_at_once(engine: Engine) -> None:
    engine.server.order("stall", times=None, seconds=0.2)
    sets = [engine.ask() for _ in range(3)]
    long_ago(*sets)

    watching.start_unclaimed()

    assert sorted(state(one) for one in sets) == ["generating", "generating", "pending"]
    until(lambda: {state(one) for one in sets} == {"ready"})
    until(lambda: not runs.all())


def test_a_lease_is_renewed_while_its_set_is_made(engine: Engine) -> None:
    engine.server.order("stall", times=1, seconds=0.5)
    asked = engine.ask()
    with under_way():
        asked.refresh_from_db()
        before = asked.lease_until
        watching.renew_leases()
        asked.refresh_from_db()
        assert before
        assert asked.lease_until
        assert asked.lease_until > before
    assert state(asked) == "ready"


def test_a_run_whose_lease_cannot_be_renewed_stops_in_time(engine: Engine) -> None:
    engine.server.order("stall", times=None)
    asked = engine.ask()
    with under_way():
        until(lambda: len(engine.server.open()) == 4)
        for run in runs.all():
            run.lease_ends = 0.0
        watching.stop_lapsed()

    assert {entry["finish"] for entry in engine.server.wait_for(4)} == {"client closed"}
    assert state(asked) == "generating"  # its next worker takes it over
    assert not Seat.objects.exists()


def test_progress_is_written_down(engine: Engine) -> None:
    engine.server.order("stall", nth=4, seconds=1)
    asked = engine.ask()
    with under_way():
        until(lambda: runs.all() and runs.all()[0].progress == 3)
        watching.tell_progress()
        asked.refresh_from_db()
        assert (asked.state, asked.progress) == ("generating", 3)


def test_a_stopping_process_gives_back_what_still_runs(engine: Engine) -> None:
    engine.server.order("stall", times=None)
    asked = engine.ask()
    watch = Watch()
    with under_way():
        until(lambda: len(engine.server.open()) == 4)
        watch.start()
        watch.drain(grace=0)
        watch.join(10)

    assert (state(asked), asked.attempt_log[0]["outcome"]) == ("pending", "returned")
    assert not Seat.objects.exists()


def test_the_watch_outlives_a_database_that_is_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, away = watching.beat, threading.Event()

    def beat() -> None:
        if not away.is_set():
            away.set()
            raise OperationalError("gone")
        real()

    monkeypatch.setattr(watching, "beat", beat)
    asked = engine.ask()
    watch = Watch()
    watch.start()

    until(lambda: state(asked) == "ready")

    assert away.is_set()
    watch.drain(grace=5)
    watch.join(10)
    assert not watch.alive


def test_the_watch_leaves_a_database_that_never_answers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PATIENCE", 1.0)
    real = watching.beat
    frozen: list[int] = []

    def beat() -> None:
        if not frozen:
            frozen.append(connection.connection.info.backend_pid)
            os.kill(frozen[0], signal.SIGSTOP)
        real()

    monkeypatch.setattr(watching, "beat", beat)
    watch = Watch()
    watch.start()
    try:
        until(lambda: frozen)
        asked = engine.ask()
        until(lambda: state(asked) == "ready")
    finally:
        os.kill(frozen[0], signal.SIGCONT)
        watch.drain(grace=5)
        watch.join(10)
    assert not watch.alive


def test_the_watch_leaves_a_database_that_never_answers_while_it_claims(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PATIENCE", 1.0)
    real = claiming.claim_next
    frozen: list[int] = []

    def claim_next(**room: Any) -> Any:
        if not frozen:
            connection.ensure_connection()
            frozen.append(connection.connection.info.backend_pid)
            os.kill(frozen[0], signal.SIGSTOP)
        return real(**room)

    monkeypatch.setattr(generating, "claim_next", claim_next)
    asked = engine.ask()
    long_ago(asked)
    watch = Watch()
    watch.start()
    try:
        until(lambda: state(asked) == "ready")
    finally:
        os.kill(frozen[0], signal.SIGCONT)
        watch.drain(grace=5)
        watch.join(10)
    assert not watch.alive


def test_the_watch_never_waits_for_a_thread_that_claims(engine: Engine) -> None:
    asked = engine.ask()
    long_ago(asked)
    began = time.monotonic()

    with runs.claiming:
        watching.start_unclaimed()

    assert time.monotonic() - began < generating.CLAIM_PATIENCE / 2
    assert state(asked) == "pending"


def test_leases_are_watched_while_the_database_never_answers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.settings.SET_LEASE = 2
    engine.server.order("stall", times=None)
    engine.ask()
    hanging, released = threading.Event(), threading.Event()

    def beat() -> None:
        hanging.set()
        released.wait(20)

    monkeypatch.setattr(watching, "beat", beat)
    watch = Watch()
    watch.start()
    hanging.wait(10)
    with under_way():
        until(lambda: len(engine.server.open()) == 4)
        until(lambda: not runs.all())
    released.set()
    watch.drain(grace=0)
    watch.join(10)

    assert {entry["finish"] for entry in engine.server.wait_for(4)} == {"client closed"}


def test_a_thread_that_hangs_while_claiming_holds_nobody_up(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generating, "CLAIM_PATIENCE", 0.05)
    engine.ask()
    with runs.claiming:
        assert generating.begin() is None


def test_a_fault_of_ours_does_not_end_the_watch(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[Any] = []

    def beat() -> None:
        beats.append(None)
        raise ZeroDivisionError

    monkeypatch.setattr(watching, "beat", beat)
    monkeypatch.setattr(watching, "PERIOD", 0.05)
    watch = Watch()
    watch.start()

    until(lambda: len(beats) > 2)
    watch.drain(grace=0)
    watch.join(10)
    assert not watch.alive

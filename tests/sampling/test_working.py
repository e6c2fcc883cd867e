"""Worker processes that are killed, stopped, and left without broker or database."""

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from config.supervisor import postgres, valkey
from config.supervisor.postgres import Postgres
from config.supervisor.valkey import Valkey
from sampling.models import Candidate, CandidateSet, Endpoint, ModelCall, Seat
from tests import factories, racing
from tests.sampling.conftest import Engine
from tests.sampling.workers import Workers, becomes, until, workers

CALLS = 4  # of an attempt


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test's own, which it may stop."""
    with valkey.running(tmp_path / "valkey", throwaway=True) as server:
        yield server


@pytest.fixture
def pool(engine: Engine, broker: Valkey, tmp_path: Path) -> Iterator[Workers]:
    """Workers on the private broker, which our bell does not reach: their watch finds work."""
    with workers(
        tmp_path,
        DATABASE_URL=os.environ["DATABASE_URL"],
        REDIS_URL=broker.url,
        MODEL_ALLOWLIST=engine.server.base_url,
        SET_LEASE="3",
        WORKER_GRACE="1",
    ) as made:
        yield made


def test_a_worker_killed_before_the_claim_leaves_the_set_to_the_next(
    engine: Engine, pool: Workers
) -> None:
    first = pool.start().wait_ready()
    with transaction.atomic():
        Endpoint.objects.select_for_update().get(pk=engine.endpoint.pk)
        with racing.runners("anna") as (anna,):
            asked = anna.do(engine.ask)
            until(lambda: anna.do(WAITING_FOR_A_LOCK)[0][0] > 0)
            first.kill()

    pool.start()

    assert becomes(asked, "ready").attempt == 1
    assert len(engine.server.log()) == CALLS


WAITING_FOR_A_LOCK = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_a_worker_killed_at_the_first_token_is_replaced_after_its_lease(
    engine: Engine, pool: Workers
) -> None:
    engine.server.order("stall", after=1, times=CALLS)
    first = pool.start()
    asked = engine.ask()
    until(lambda: len(engine.server.open()) == CALLS, what=first.log.read_text)

    first.kill()
    pool.start()

    ready = becomes(asked, "ready")
    assert [entry["outcome"] for entry in ready.attempt_log] == ["expired", "ready"]
    assert len(engine.server.log()) == 2 * CALLS
    assert not Seat.objects.exists()


def test_a_hundred_sets_of_a_killed_worker_are_made_by_another(
    engine: Engine, pool: Workers
) -> None:
    hundred, lease = 100, 5
    Endpoint.objects.update(seats=hundred)
    plan = engine.another_plan(
        first_turn={"strategy": "nc_single"},  # one stream each
        deadlines={"first_byte": 300, "between_chunks": 300, "total": 600},  # on busy cores, too
    )
    engine.server.order("stall", times=hundred, after=1)
    sets = [engine.ask(plan) for _ in range(hundred)]
    settings = {"threads": hundred, "SET_LEASE": str(lease), "WORKER_STREAMS": str(hundred)}
    first = pool.start(**settings)  # type: ignore[arg-type]
    until(lambda: len(engine.server.open()) == hundred, what=first.log.read_text)
    pool.start(**settings).wait_ready()  # type: ignore[arg-type]

    first.kill()
    killed_at = timezone.now()
    until(lambda: CandidateSet.objects.filter(state="ready").count() == hundred)

    for one in sets:
        one.refresh_from_db()
    assert {outcomes(one) for one in sets} == {("expired", "ready")}
    assert Candidate.objects.count() == 4 * hundred
    assert len({entry["request_id"] for entry in engine.server.log()}) == 2 * hundred
    assert len(engine.server.log()) == 2 * hundred
    calls = ModelCall.objects.aggregate(begun=Min("started_at"), over=Max("ended_at"))
    last = max(one.ready_at for one in sets if one.ready_at)
    assert last - killed_at <= timedelta(seconds=lease + 5) + (calls["over"] - calls["begun"])


def outcomes(one: CandidateSet) -> tuple[str, ...]:
    return tuple(entry["outcome"] for entry in one.attempt_log)


def test_a_worker_killed_between_store_and_publish_loses_nothing(
    engine: Engine, pool: Workers, broker: Valkey
) -> None:
    first = pool.start().wait_ready()
    broker.child.process.send_signal(19)  # type: ignore[union-attr] # SIGSTOP: publishing hangs
    asked = engine.ask()
    becomes(asked, "ready")
    first.kill()
    broker.child.process.send_signal(18)  # type: ignore[union-attr] # SIGCONT

    pool.start().wait_ready()

    assert becomes(asked, "ready").attempt == 1
    assert (Candidate.objects.count(), len(engine.server.log())) == (4, CALLS)


def test_a_broker_that_was_flushed_delays_and_loses_nothing(engine: Engine, pool: Workers) -> None:
    sets = [engine.ask() for _ in range(3)]

    pool.start()  # its broker holds no message

    assert {becomes(one, "ready").attempt for one in sets} == {1}


def test_without_a_broker_generation_goes_on(engine: Engine, pool: Workers, broker: Valkey) -> None:
    worker = pool.start().wait_ready()
    broker.kill()

    before = becomes(engine.ask(), "ready")
    broker.start()
    after = becomes(engine.ask(), "ready")

    assert (before.attempt, after.attempt) == (1, 1)
    assert worker.terminate() == 0


def test_a_worker_can_start_and_stop_without_a_broker(
    engine: Engine, pool: Workers, broker: Valkey
) -> None:
    broker.kill()
    worker = pool.start()

    becomes(engine.ask(), "ready")

    assert worker.terminate() == 0


def test_sigterm_gives_back_what_is_not_finished_in_time(engine: Engine, pool: Workers) -> None:
    engine.server.order("stall", times=CALLS)
    worker = pool.start()
    asked = engine.ask()
    until(lambda: len(engine.server.open()) == CALLS, what=worker.log.read_text)

    assert worker.terminate() == 0

    pending = becomes(asked, "pending")
    assert pending.attempt_log[0]["outcome"] == "returned"
    assert not Seat.objects.exists()
    assert {entry["finish"] for entry in engine.server.wait_for(CALLS)} == {"client closed"}


def test_sigterm_lets_a_set_finish_within_the_grace(engine: Engine, pool: Workers) -> None:
    engine.server.order("stall", times=CALLS, seconds=1)
    worker = pool.start(WORKER_GRACE="20")
    asked = engine.ask()
    until(lambda: len(engine.server.open()) == CALLS, what=worker.log.read_text)

    assert worker.terminate() == 0

    assert becomes(asked, "ready").attempt == 1


def test_two_workers_share_the_seats_of_an_endpoint(engine: Engine, pool: Workers) -> None:
    engine.server.order("stall", times=None, after=1, seconds=0.2)
    sets = [engine.ask() for _ in range(6)]
    pool.start()
    pool.start()
    most = 0
    while not all(one.state == "ready" for one in sets):
        most = max(most, len(engine.server.open()))
        for one in sets:
            one.refresh_from_db()

    assert most <= engine.endpoint.seats
    assert len(engine.server.log()) == 6 * CALLS


# --- The database ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """A server of this module's own, which a test may crash."""
    with tempfile.TemporaryDirectory(prefix="counterpoint-crash-") as directory:
        Path(directory).chmod(0o711)  # the server's account passes through it
        with postgres.running(Path(directory) / "pg", throwaway=True) as server:
            yield server


@pytest.fixture
def moved(engine: Engine, database: Postgres) -> Iterator[Engine]:
    """The same rows on a database server that the test may crash."""
    settings = connection.settings_dict
    before = {"HOST": settings["HOST"], "NAME": settings["NAME"]}
    connection.close()
    settings.update(HOST=str(database.sockets), NAME="counterpoint")
    call_command("migrate", verbosity=0, interactive=False)
    row = factories.endpoint(base_url=engine.server.base_url, model=engine.server.model, seats=8)
    plan = factories.plan(endpoints=[row])
    yield Engine(engine.server, row, plan, engine.settings)
    connection.close()
    settings.update(before)


def crash(database: Postgres, *, while_away: float = 0.0) -> None:
    connection.close()
    database.kill()
    time.sleep(while_away)
    database.start()


def test_a_database_that_restarts_while_streams_run_costs_no_attempt(
    moved: Engine, pool: Workers, database: Postgres
) -> None:
    moved.server.order("stall", times=CALLS, seconds=3)
    worker = pool.start(DATABASE_URL=database.url, SET_LEASE="15")
    asked = moved.ask()
    until(lambda: len(moved.server.open()) == CALLS, what=worker.log.read_text)

    crash(database)

    assert becomes(asked, "ready").attempt == 1
    assert len(moved.server.log()) == CALLS


def test_a_database_that_is_away_at_the_moment_of_storing_costs_no_attempt(
    moved: Engine, pool: Workers, database: Postgres
) -> None:
    moved.server.order("stall", times=CALLS, seconds=1)
    worker = pool.start(DATABASE_URL=database.url, SET_LEASE="15")
    asked = moved.ask()
    until(lambda: len(moved.server.open()) == CALLS, what=worker.log.read_text)

    crash(database, while_away=2.5)

    assert becomes(asked, "ready").attempt == 1
    assert len(moved.server.log()) == CALLS
    assert asked.candidates.count() == 4

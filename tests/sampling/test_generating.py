"""From a request to stored rows, and what happens when something goes wrong on the way."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.models import Sum

from config.requests import RequestIdFilter, request_id_is
from sampling import breaker, generating, storing, tasks, watching
from sampling.models import Candidate, CandidateSet, Endpoint, ModelCall, Plan, Seat
from sampling.requesting import drop_candidate_sets
from sampling.running import runs
from tests import factories
from tests.sampling.conftest import Engine, plan_body

PREFETCH = CandidateSet.Priority.PREFETCH


def apart(work: Callable[[], Any]) -> Callable[[], Any]:
    """The work with its thread's database connection closed at the end."""

    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return run


@contextmanager
def under_way(*, sets: int = 1) -> Iterator[list[Any]]:
    """Make sets in threads of their own: begun inside the block, over after it."""
    with ThreadPoolExecutor(sets) as threads:
        begun = [threads.submit(apart(generating.work)) for _ in range(sets)]
        until(lambda: len(runs.all()) == sets and all(run.job for run in runs.all()))
        yield begun


def until(fact: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def due_now() -> None:
    """Pauses between attempts are over."""
    CandidateSet.objects.filter(state="pending").update(not_before=factories.in_hours(-1))


def test_a_set_that_was_asked_for_is_made(engine: Engine) -> None:
    asked = engine.ask()

    made = generating.work()

    asked.refresh_from_db()
    assert (made, asked.state, asked.progress) == (1, "ready", 4)
    assert [one.slot for one in asked.candidates.order_by("slot")] == [0, 1, 2, 3]
    assert asked.attempt_log[0]["outcome"] == "ready"
    assert not Seat.objects.exists()


def test_each_candidate_names_the_call_that_wrote_it(engine: Engine) -> None:
    asked = engine.ask()
    generating.work()

    sent = {entry["request_id"]: entry for entry in engine.server.log()}
    for one in asked.candidates.all():
        assert one.call
        logged = sent[f"{asked.pk}.1.{one.call.n}"]
        assert one.call.request == logged["body"]
        assert one.text in one.call.raw


@pytest.mark.parametrize("task", [tasks.generate, tasks.prefetch])
def test_a_task_that_runs_twice_makes_a_set_once(engine: Engine, task: Any) -> None:
    asked = engine.ask()

    assert task(set_id=str(asked.pk)) == 1
    assert task(set_id=str(asked.pk)) == 0
    assert Candidate.objects.count() == 4
    assert len(engine.server.log()) == 4


def test_one_thread_goes_on_with_what_waits(engine: Engine) -> None:
    sets = [engine.ask() for _ in range(3)]

    assert generating.work() == 3
    assert {state(one) for one in sets} == {"ready"}


def state(one: CandidateSet) -> str:
    one.refresh_from_db()
    return one.state


def test_after_some_rounds_a_thread_rings_for_the_next(engine: Engine, redis: Any) -> None:
    for _ in range(3):
        engine.ask()
    before = redis.llen("generate")

    assert generating.work(rounds=2) == 2

    assert redis.llen("generate") == before + 1


BROKEN = {
    "endpoint_unavailable": ["hang_up", "reset", "status_500", "status_503"],
    "endpoint_busy": ["status_429"],
    "broken_stream": [
        *("cut", "end_early", "no_finish_reason", "no_done", "html"),
        *("error_in_stream", "error_in_body", "malformed_chunk", "malformed_body"),
    ],
    "answer_ended": ["ended_by_server"],
    "answer_too_large": ["huge"],
    "unusable_text": ["bad_escapes"],
    "guard_rejected": ["empty", "white_space", "error_text"],
}
BREAKS = [(name, outcome) for outcome, names in BROKEN.items() for name in names]


@pytest.mark.parametrize(("behaviour", "outcome"), BREAKS)
def test_a_passing_fault_costs_an_attempt_and_no_set(
    engine: Engine, behaviour: str, outcome: str
) -> None:
    engine.server.order(behaviour)
    asked = engine.ask()
    generating.work(rounds=1)  # the pause may be nearly nothing
    assert (state(asked), asked.attempt_log[0]["outcome"]) == ("pending", outcome)
    assert not Candidate.objects.exists()

    due_now()
    generating.work()

    assert (state(asked), asked.attempt) == ("ready", 2), (asked.attempt_log, asked.guard)
    assert asked.calls.filter(attempt=1).exists()


def test_what_the_guard_found_in_an_earlier_attempt_is_kept_with_it(engine: Engine) -> None:
    engine.server.order("empty")
    asked = engine.ask()
    generating.work(rounds=1)
    due_now()
    generating.work()

    assert (state(asked), asked.guard and asked.guard["passed"]) == ("ready", True)
    first, last = asked.attempt_log
    assert [one["measure"] for one in first["findings"]] == ["empty"]
    assert "findings" not in last


def test_the_plans_next_endpoint_writes_what_the_guard_refused_of_the_first(
    engine: Engine,
) -> None:
    engine.server.order("empty")
    asked = engine.ask(engine.another_plan(engine.endpoint, engine.row()))
    generating.work(rounds=1)
    due_now()
    generating.work()

    assert (state(asked), asked.endpoint_rank, asked.attempt) == ("ready", 1, 2)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("status_400", "context_too_long"),
        ("status_401", "endpoint_misconfigured"),
        ("status_404", "endpoint_misconfigured"),
    ],
)
def test_a_fault_that_no_try_can_mend_fails_the_set(
    engine: Engine, behaviour: str, reason: str
) -> None:
    engine.server.order(behaviour)
    asked = engine.ask()

    generating.work()

    assert (state(asked), asked.reason, asked.attempt) == ("failed", reason, 1)


@pytest.mark.parametrize("behaviour", ["hang_before_headers", "hang_before_first_token", "stall"])
def test_an_endpoint_that_says_nothing_is_left_at_its_deadline(
    engine: Engine, behaviour: str
) -> None:
    engine.server.order(behaviour)
    short = {"connect": 0.2, "first_byte": 0.2, "between_chunks": 0.2, "total": 5.0}
    asked = engine.ask(engine.another_plan(deadlines=short))

    generating.work()

    assert (state(asked), asked.attempt_log[0]["outcome"]) == ("pending", "endpoint_timeout")


def test_when_its_attempts_are_spent_a_set_fails_with_a_reason(engine: Engine) -> None:
    engine.server.order("hang_up", times=None)
    asked = engine.ask()
    for _ in range(4):
        due_now()
        generating.work()

    assert (state(asked), asked.reason, asked.attempt) == ("failed", "endpoint_unavailable", 3)
    assert asked.calls.exists()
    assert not Candidate.objects.exists()


def test_a_refused_connection_is_tried_again_later(engine: Engine) -> None:
    dead = engine.row(base_url="http://127.0.0.1:9/v1")
    engine.settings.MODEL_ALLOWLIST.append("http://127.0.0.1:9")
    asked = engine.ask(engine.another_plan(dead))

    generating.work()

    assert (state(asked), asked.attempt_log[0]["outcome"]) == ("pending", "endpoint_unavailable")


def absent(engine: Engine, **body: Any) -> CandidateSet:
    """A set whose plan leads to where nobody is."""
    dead = engine.row(base_url="http://127.0.0.1:9/v1")
    engine.settings.MODEL_ALLOWLIST.append("http://127.0.0.1:9")
    return engine.ask(engine.another_plan(dead, **body))


def try_it(times: int) -> None:
    for _ in range(times):
        due_now()
        Endpoint.objects.update(open_until=None, failures=0)
        generating.work(rounds=1)


def test_an_absent_endpoint_costs_no_attempt_within_the_plans_patience(engine: Engine) -> None:
    asked = absent(engine, attempts=1)

    try_it(3)

    assert (state(asked), asked.attempt) == ("pending", 3)
    assert {entry["counts"] for entry in asked.attempt_log} == {False}


def test_when_the_patience_is_over_an_absence_counts(engine: Engine) -> None:
    asked = absent(engine, attempts=2, patience=60)
    try_it(1)
    asked.refresh_from_db()
    asked.attempt_log[0]["started_at"] = factories.in_hours(-1).isoformat()
    asked.save(update_fields=["attempt_log"])

    try_it(2)

    assert (state(asked), asked.reason) == ("failed", "endpoint_unavailable")
    assert [entry.get("counts", True) for entry in asked.attempt_log] == [False, True, True]


def test_without_patience_the_first_absence_counts(engine: Engine) -> None:
    asked = absent(engine, attempts=1, patience=0)

    try_it(1)

    assert (state(asked), asked.reason) == ("failed", "endpoint_unavailable")


def test_the_plans_next_endpoint_serves_when_the_first_is_away(engine: Engine) -> None:
    dead = engine.row(base_url="http://127.0.0.1:9/v1")
    engine.settings.MODEL_ALLOWLIST.append("http://127.0.0.1:9")
    asked = engine.ask(engine.another_plan(dead, engine.endpoint))
    for _ in range(2):
        due_now()
        generating.work()

    assert state(asked) == "ready"
    served = [entry["endpoint"] for entry in asked.attempt_log]
    assert served == [dead.name, engine.endpoint.name]


def test_an_address_that_is_not_allowed_fails_at_once(engine: Engine) -> None:
    engine.settings.MODEL_ALLOWLIST = []
    asked = engine.ask()

    generating.work()

    assert (state(asked), asked.reason) == ("failed", "endpoint_misconfigured")
    assert engine.server.log() == []


def test_an_endpoint_that_is_not_needed_may_be_set_up_wrongly(engine: Engine) -> None:
    wrong = engine.row(base_url="$NOT_SET")
    asked = engine.ask(engine.another_plan(engine.endpoint, wrong))

    generating.work()

    assert state(asked) == "ready", asked.reason
    assert not Endpoint.objects.filter(failures__gt=0).exists()


def test_a_fallback_that_is_set_up_wrongly_is_blamed_itself(engine: Engine) -> None:
    engine.server.order("hang_up", times=4)
    wrong = engine.row(base_url="$NOT_SET")
    asked = engine.ask(engine.another_plan(engine.endpoint, wrong))
    for _ in range(3):
        due_now()
        generating.work(rounds=1)

    assert state(asked) == "ready"
    outcomes = [(entry["endpoint"], entry["outcome"]) for entry in asked.attempt_log]
    assert outcomes == [
        (engine.endpoint.name, "endpoint_unavailable"),
        (wrong.name, "endpoint_misconfigured"),
        (engine.endpoint.name, "ready"),
    ]
    assert Endpoint.objects.get(pk=wrong.pk).failures == 1


def test_a_filter_of_the_endpoint_never_opens_its_breaker(engine: Engine) -> None:
    engine.server.order("ended_by_server", times=None)
    asked = engine.ask(engine.another_plan(attempts=breaker.THRESHOLD + 1))
    for _ in range(breaker.THRESHOLD + 1):
        due_now()
        generating.work(rounds=1)

    assert (state(asked), asked.reason) == ("failed", "answer_ended")
    assert Endpoint.objects.get(pk=engine.endpoint.pk).failures == 0


def test_a_plan_that_cannot_be_used_any_more_fails_its_sets(engine: Engine) -> None:
    asked = engine.ask()
    Plan.objects.update(body={"k": 4, "first_turn": {"strategy": "forgotten"}})

    generating.work()

    assert (state(asked), asked.reason) == ("failed", "internal")


def test_an_endpoint_that_keeps_failing_is_left_in_peace(engine: Engine) -> None:
    engine.server.order("hang_up", times=None)
    for _ in range(8):
        engine.ask()

    for _ in range(8):
        generating.work()

    endpoint = Endpoint.objects.get(pk=engine.endpoint.pk)
    assert endpoint.open_until
    # Five attempts, of five sets or of fewer: a pause between two may be nearly nothing.
    assert CandidateSet.objects.aggregate(tried=Sum("attempt"))["tried"] == 5


def test_answers_that_the_guard_refuses_are_kept_and_never_shown(engine: Engine) -> None:
    engine.server.order("empty", times=None)
    asked = engine.ask()

    generating.work(rounds=1)  # a pause before the next attempt may be nearly nothing

    assert state(asked) == "pending"
    assert asked.guard
    assert not asked.guard["passed"]
    assert ModelCall.objects.filter(set=asked).count() == 4


def test_a_set_that_is_dropped_stops_its_streams(engine: Engine) -> None:
    engine.server.order("stall", times=None)
    asked = engine.ask()
    with under_way():
        until(lambda: len(engine.server.open()) == 4)
        drop_candidate_sets([asked.pk])
        watching.renew_leases()

    assert (state(asked), asked.reason) == ("failed", "not_wanted")
    assert {entry["finish"] for entry in engine.server.wait_for(4)} == {"client closed"}
    assert not Seat.objects.exists()


def test_a_person_takes_the_seats_of_a_set_made_ahead(engine: Engine) -> None:
    Endpoint.objects.update(seats=4)
    engine.server.order("stall", contains="ahead")
    ahead = engine.ask(text="ahead of time", priority=PREFETCH, shared=True)
    with under_way() as begun:
        until(lambda: engine.server.open())
        person = engine.ask(text="now")
        assert generating.work() == 0
        watching.renew_leases()
        assert begun[0].result(10) == 3  # the one that was cut short, the person's, and it again

    assert (state(person), person.attempt) == ("ready", 1)
    assert (state(ahead), ahead.attempt) == ("ready", 2)
    assert [entry["outcome"] for entry in ahead.attempt_log] == ["preempted", "ready"]


def test_a_set_that_was_taken_over_is_stored_by_one_only(engine: Engine) -> None:
    engine.server.order("stall", times=4, seconds=1)
    asked = engine.ask()
    with under_way():
        CandidateSet.objects.filter(pk=asked.pk).update(attempt=2)

    assert state(asked) == "generating"
    assert not Candidate.objects.exists()


def test_storing_waits_for_a_database_that_is_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = storing.store_ready, []

    def away_at_first(*given: Any) -> None:
        tries.append(given)
        if len(tries) < 3:
            raise OperationalError("the database system is shutting down")
        real(*given)

    monkeypatch.setattr(storing, "store_ready", away_at_first)
    monkeypatch.setattr(generating, "RETRY_STORING", 0.01)
    asked = engine.ask()

    generating.work()

    assert (state(asked), len(tries), asked.attempt) == ("ready", 3, 1)


def test_a_commit_whose_answer_was_lost_is_not_stored_twice(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = storing.store_ready, []

    def answer_lost(*given: Any) -> None:
        real(*given)
        tries.append(given)
        if len(tries) < 2:
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(storing, "store_ready", answer_lost)
    monkeypatch.setattr(generating, "RETRY_STORING", 0.01)
    asked = engine.ask()

    generating.work()

    assert (state(asked), Candidate.objects.count(), len(tries)) == ("ready", 4, 2)


def test_a_request_can_be_followed_to_its_calls_by_the_log(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with request_id_is("request-of-mine"), caplog.at_level(logging.INFO):
        caplog.handler.addFilter(RequestIdFilter())
        asked = engine.ask()
        generating.work(rounds=1)

    lines = {line.getMessage(): line.__dict__ for line in caplog.records}
    begun, done = lines["asked for a set"], lines["written"]
    assert begun["request_id"] == "request-of-mine"
    assert begun["set"] == done["set"] == str(asked.pk)
    called = {entry["request_id"].rpartition(".")[0] for entry in engine.server.log()}
    assert called == {f"{done['set']}.{done['attempt']}"}


def test_the_log_tells_why_a_set_could_not_be_stored_and_none_of_its_text(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE sampling_candidate ADD CONSTRAINT too_strict CHECK (text = '') NOT VALID"
        )
    try:
        asked = engine.ask()
        generating.work(rounds=1)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE sampling_candidate DROP CONSTRAINT too_strict")

    written = [str(answer) for answer in asked.calls.values_list("raw", flat=True)]
    assert (state(asked), asked.attempt_log[0]["outcome"]) == ("pending", "unusable_text")
    assert "IntegrityError 23514 too_strict" in caplog.text
    assert "Failing row" not in caplog.text
    assert all(text[:20] not in caplog.text for text in written)


def test_with_the_lease_nearly_over_a_result_is_dropped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(storing, "store_ready", away)
    engine.settings.SET_LEASE = 1
    asked = engine.ask()

    assert generating.work() >= 1

    assert state(asked) == "generating"  # until the lease runs out


def test_a_fault_of_ours_is_raised_and_costs_only_an_attempt(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    asked = engine.ask()
    with monkeypatch.context() as patch:
        patch.setattr(generating, "draw_set", broken)
        with pytest.raises(ZeroDivisionError):
            generating.work()
    assert (state(asked), asked.attempt_log[0]["outcome"]) == ("pending", "internal")

    due_now()
    generating.work()
    assert state(asked) == "ready"


def test_many_threads_make_every_set_once_within_the_seats(engine: Engine) -> None:
    engine.settings.WORKER_STREAMS = 100
    sets = [engine.ask() for _ in range(12)]
    most = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            most.append(len(engine.server.open()))

    looking = threading.Thread(target=look)
    looking.start()
    with ThreadPoolExecutor(16) as threads:
        made = sum(threads.map(lambda _: apart(generating.work)(), range(16)))
    over.set()
    looking.join()

    assert made == 12
    assert {state(one) for one in sets} == {"ready"}
    assert max(most) <= 8
    assert Candidate.objects.count() == 48


def test_a_thread_that_waits_to_claim_leaves_its_connection_to_the_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generating, "CLAIM_PATIENCE", 0.01)

    def wait_after_storing() -> object:
        Plan.objects.exists()
        generating.begin()
        return connection.connection

    with runs.claiming, ThreadPoolExecutor(1) as threads:
        held = threads.submit(apart(wait_after_storing)).result()

    assert held is None


def test_a_stopping_process_claims_nothing(engine: Engine) -> None:
    engine.ask()
    runs.stopping.set()

    assert generating.work() == 0


def test_one_prompt_at_one_endpoint_of_one_seat_still_gets_all_its_answers(engine: Engine) -> None:
    Endpoint.objects.update(seats=1)
    asked = engine.ask(engine.another_plan(**plan_body()))

    generating.work()

    assert state(asked) == "ready"

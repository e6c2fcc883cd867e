"""Runs of the lab: asked for as rows, made by workers, and safe to ring for twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from sampling import plans, tasks
from sampling.errors import BadRequest
from sampling.lab import asking, making
from sampling.models import CandidateSet, LabRun, LabSet, Seat
from sampling.running import runs
from studies.models import Audit
from tests import factories
from tests.sampling.conftest import Engine
from tests.sampling.lab_runs import asked, question, way


def make(run: LabRun, engine: Engine) -> int:
    """What a worker does when the bell rings."""
    return tasks.make_lab_sets(run_id=str(run.pk), endpoint_id=str(engine.endpoint.pk))


def told(row: LabSet) -> Any:
    """What is stored as the set's result."""
    assert row.result
    return row.result


def states(run: LabRun) -> list[str]:
    return list(run.sets.order_by("place").values_list("state", flat=True))


@pytest.mark.django_db
def test_a_run_has_every_way_on_every_endpoint_for_every_question() -> None:
    ends = [factories.endpoint(), factories.endpoint()]
    questions = [question(language="en"), question(language="fr")]

    run = asked(*ends, questions=questions, ways=[way("independent"), way("persona")])

    made = run.sets.order_by("place").values_list("language", "way", "endpoint__name")
    assert list(made) == [
        (one.language, name, end.name)
        for one in questions
        for name in ("independent", "persona")
        for end in ends
    ]
    assert Audit.objects.get(action="lab.ask").payload["sets"] == 8


@pytest.mark.django_db
def test_all_ways_answer_a_question_with_one_seed_and_another_question_has_another() -> None:
    run = asked(questions=[question(), question(language="fr")], ways=[way(), way("persona")])

    seeds = list(run.sets.order_by("place").values_list("seed", flat=True))
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]


@pytest.mark.django_db
def test_a_run_rings_once_for_each_endpoint_after_the_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        asked(factories.endpoint(), factories.endpoint())

    assert len(callbacks) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("n", [0, asking.MOST_SETS + 1])
def test_a_run_of_nothing_or_of_too_much_is_refused(n: int) -> None:
    with pytest.raises(BadRequest, match="1 to 400"):
        asked(questions=[question()] * n)
    assert not LabRun.objects.exists()


@pytest.mark.django_db
def test_a_batch_draws_the_same_prompts_for_one_seed_in_all_their_languages() -> None:
    study = factories.study()
    for _ in range(6):
        factories.prompt(study, languages=("en", "fr"))

    draws = [
        asking.questions_of(study, languages=["en", "fr"], n=3, seed=seed) for seed in (1, 1, 2)
    ]

    keys = [[one.key for one in draw] for draw in draws]
    assert keys[0] == keys[1] != keys[2]
    assert [one.language for one in draws[0]] == ["en", "fr"] * 3


@pytest.mark.django_db
def test_only_the_newest_version_of_a_prompt_is_asked() -> None:
    study = factories.study()
    factories.prompt(study, key="one", version=1)
    newest = factories.prompt(study, key="one", version=2)

    [text] = asking.texts_of(study)

    assert text.prompt_id == newest.pk


def test_a_worker_makes_the_sets_of_a_run_with_their_calls(engine: Engine) -> None:
    run = asked(engine.endpoint, ways=[way("independent"), way("nc_single")])

    assert make(run, engine) == 2

    [one, other] = run.sets.order_by("place")
    assert (one.state, other.state) == ("ready", "ready")
    assert [len(told(row)["calls"]) for row in (one, other)] == [4, 1]
    assert len(told(one)["candidates"]) == 4
    assert one.plan_sha256 == plans.sha256(plans.of_strategy("independent"))
    assert not CandidateSet.objects.exists()


def test_the_task_run_twice_makes_nothing_twice(engine: Engine) -> None:
    run = asked(engine.endpoint)
    make(run, engine)
    before = run.sets.get()

    assert make(run, engine) == 0

    after = run.sets.get()
    assert (after.result, after.attempt) == (before.result, 1)
    assert len(engine.server.log()) == 4


def test_a_set_that_somebody_is_making_is_left_alone(engine: Engine) -> None:
    run = asked(engine.endpoint)
    LabSet.objects.update(
        state="making", attempt=1, lease_until=timezone.now() + timedelta(seconds=20)
    )

    assert make(run, engine) == 0
    assert states(run) == ["making"]


def test_a_set_whose_maker_was_killed_is_made_by_the_next(engine: Engine) -> None:
    run = asked(engine.endpoint)
    LabSet.objects.update(
        state="making", attempt=1, lease_until=timezone.now() - timedelta(seconds=1)
    )

    assert make(run, engine) == 1
    assert states(run) == ["ready"]


def test_a_set_that_was_interrupted_too_often_fails_and_the_next_is_made(engine: Engine) -> None:
    run = asked(engine.endpoint, ways=[way("independent"), way("persona")])
    LabSet.objects.filter(place=0).update(
        state="making",
        attempt=making.ATTEMPTS,
        lease_until=timezone.now() - timedelta(seconds=1),
    )

    make(run, engine)

    [one, _] = run.sets.order_by("place")
    assert states(run) == ["failed", "ready"]
    assert told(one)["reason"] == "interrupted"


def test_an_endpoint_that_fails_is_a_result_and_not_tried_again(engine: Engine) -> None:
    engine.server.order("status_500", times=None)
    run = asked(engine.endpoint)

    make(run, engine)
    sent = len(engine.server.log())  # the first refusal gives up those that were not sent yet
    make(run, engine)

    row = run.sets.get()
    assert (row.state, told(row)["reason"]) == ("failed", "endpoint_unavailable")
    assert told(row)["candidates"] == []
    assert 1 <= sent == len(engine.server.log()) <= 4


def test_an_endpoint_that_is_not_allowed_is_never_called(engine: Engine) -> None:
    engine.settings.MODEL_ALLOWLIST = []
    run = asked(engine.endpoint)

    make(run, engine)

    assert told(run.sets.get())["reason"] == "endpoint_misconfigured"
    assert engine.server.log() == []


def test_a_result_that_comes_after_the_set_was_lost_is_dropped(engine: Engine) -> None:
    run = asked(engine.endpoint)
    claim = making._claim(run.pk, engine.endpoint.pk)
    assert claim
    LabSet.objects.update(attempt=2)

    making._conduct(claim)

    row = run.sets.get()
    assert (row.state, row.attempt, row.result) == ("making", 2, None)


def test_a_worker_that_stops_gives_its_set_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "RENEW_SECONDS", 0.05)
    engine.server.order("hang_before_headers", times=None)
    run = asked(engine.endpoint)
    claim = making._claim(run.pk, engine.endpoint.pk)
    assert claim
    runs.stopping.set()

    making._conduct(claim)

    row = run.sets.get()
    assert (row.state, row.attempt) == ("waiting", 0)
    assert make(run, engine) == 0


def test_a_lease_is_renewed_while_a_set_is_made(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "RENEW_SECONDS", 0.05)
    seen: list[Any] = []
    renewed = making._renewed

    def watched(claim: making.Claim) -> bool:
        seen.append(claim)
        return renewed(claim)

    monkeypatch.setattr(making, "_renewed", watched)
    engine.server.order("stall", times=None, after=1, seconds=0.3)  # longer than a renewal
    run = asked(engine.endpoint)

    make(run, engine)

    assert states(run) == ["ready"]
    assert seen


def test_people_keep_their_seats(engine: Engine) -> None:
    run = asked(engine.endpoint)
    held = factories.candidate_set(engine.plan, state="generating")
    Seat.objects.create(
        set=held,
        endpoint=engine.endpoint,
        attempt=1,
        streams=7,
        lease_until=factories.in_hours(1),
    )

    claim = making._claim(run.pk, engine.endpoint.pk)

    assert claim
    assert claim.streams == 1


@pytest.mark.django_db
def test_a_run_stands_still_when_its_bell_was_lost_and_not_before() -> None:
    run = asked()
    assert not asking.stands_still(run)

    LabRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    run.refresh_from_db()

    assert asking.stands_still(run)
    assert asking.go_on(run) == 1

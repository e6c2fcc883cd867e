"""Asking for candidate sets."""

from collections.abc import Iterator

import pytest
from celery import Celery
from django.db import transaction
from redis import Redis

from config.celery import app as our_app
from sampling.errors import BadRequest
from sampling.models import CandidateSet, Plan
from sampling.requesting import drop_candidate_sets, request_candidate_set
from tests import factories, racing

Priority = CandidateSet.Priority
QUESTION = [factories.user("What is a good life?")]


@pytest.fixture
def plan(transactional_db: None, redis: Redis) -> Plan:
    return factories.plan(k=3, endpoints=[factories.endpoint()])


@pytest.fixture
def no_broker() -> Iterator[None]:
    nowhere = Celery("nowhere", broker="redis://127.0.0.1:1/0")
    nowhere.conf.broker_transport_options = our_app.conf.broker_transport_options
    nowhere.set_current()
    yield
    our_app.set_current()


def ask(plan: Plan, *, shared: bool = True, **traits: object) -> CandidateSet:
    fields = {"context": QUESTION, "language": "en", **traits}
    return request_candidate_set(plan=plan, shared=shared, **fields)  # type: ignore[arg-type]


def test_a_new_set_carries_what_the_plan_says(plan: Plan) -> None:
    asked = ask(plan)

    assert (asked.state, asked.k, asked.streams, asked.replica) == ("pending", 3, 3, 0)
    assert asked.study_id == plan.study_id


def test_a_set_carries_its_prompt_and_goes_by_its_category(plan: Plan) -> None:
    chosen = factories.plan(
        plan.study,
        body={
            "k": 3,
            "first_turn": {"strategy": "independent"},
            "by_category": {"facts": {"strategy": "nc_single"}},
        },
    )
    facts = factories.prompt(plan.study, category="facts")

    asked, plain = ask(chosen, prompt=facts), ask(chosen, language="fr")

    assert (asked.prompt, asked.category, asked.streams) == (facts, "facts", 1)
    assert (plain.prompt, plain.category, plain.streams) == (None, "", 3)


def test_a_shared_set_is_found_by_the_next_who_asks(plan: Plan) -> None:
    assert ask(plan).pk == ask(plan).pk
    assert ask(plan, language="fr").pk != ask(plan).pk


def test_two_who_ask_for_a_shared_set_at_once_get_the_same(plan: Plan) -> None:
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        first = anna.do(ask, plan)
        bruno.start(ask, plan)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert bruno.result().pk == first.pk


def test_unshared_sets_of_one_question_have_replicas_and_seeds_of_their_own(plan: Plan) -> None:
    sets = [ask(plan, shared=False) for _ in range(3)]

    assert [one.replica for one in sets] == [0, 1, 2]
    assert len({one.seed for one in sets}) == 3


def test_two_unshared_requests_at_once_get_different_replicas(plan: Plan) -> None:
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        first = anna.do(ask, plan, shared=False)
        bruno.start(ask, plan, shared=False)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert bruno.result().replica == first.replica + 1


def test_a_shared_set_that_failed_is_asked_for_anew(plan: Plan) -> None:
    failed = ask(plan)
    CandidateSet.objects.filter(pk=failed.pk).update(state="failed", reason="endpoint_timeout")

    again = ask(plan)

    assert again.replica == failed.replica + 1
    assert again.seed != failed.seed
    assert ask(plan).pk == again.pk


def test_a_further_replica_is_a_set_of_its_own(plan: Plan) -> None:
    second = ask(plan, replica=1)

    assert second.pk != ask(plan, replica=0).pk
    assert ask(plan, replica=1).pk == second.pk


def test_the_same_question_in_another_run_of_the_study_has_the_same_seed(plan: Plan) -> None:
    first = ask(plan, shared=False)
    other_study = factories.study(seed=plan.study.seed)
    same_plan = factories.plan(other_study, body=plan.body)

    assert ask(same_plan, shared=False).seed == first.seed
    assert 0 <= first.seed < 2**63


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [(2, 0, 0), (2, 1, 1), (1, 1, 1), (0, 2, 0)],
)
def test_the_more_urgent_priority_counts(plan: Plan, before: int, asked: int, after: int) -> None:
    first = ask(plan, priority=before)

    ask(plan, priority=asked)

    first.refresh_from_db()
    assert first.priority == after


def test_a_set_under_way_becomes_urgent_too(plan: Plan) -> None:
    running = ask(plan, priority=Priority.PREFETCH)
    lease = factories.in_hours(1)
    CandidateSet.objects.filter(pk=running.pk).update(state="generating", lease_until=lease)

    ask(plan, priority=Priority.PERSON)

    running.refresh_from_db()
    assert running.priority == Priority.PERSON


def test_the_bell_rings_only_after_the_commit(plan: Plan, redis: Redis) -> None:
    with transaction.atomic():
        ask(plan)
        assert redis.llen("generate") == 0

    assert redis.llen("generate") == 1


def test_a_request_that_is_rolled_back_rings_no_bell(plan: Plan, redis: Redis) -> None:
    with transaction.atomic():
        ask(plan)
        transaction.set_rollback(True)

    assert redis.llen("generate") == 0


def test_a_set_made_ahead_rings_the_other_bell(plan: Plan, redis: Redis) -> None:
    ask(plan, priority=Priority.PREFETCH)

    assert (redis.llen("generate"), redis.llen("prefetch")) == (0, 1)


def test_a_ready_set_rings_no_bell(plan: Plan, redis: Redis) -> None:
    ready = factories.ready_set(plan, context=QUESTION, shared=True)

    assert ask(plan).pk == ready.pk
    assert redis.llen("generate") == 0


def test_a_broker_that_is_away_keeps_nobody_from_asking(plan: Plan, no_broker: None) -> None:
    assert ask(plan).state == "pending"


@pytest.mark.parametrize("context", [[], [factories.assistant("I speak last.")]])
def test_a_context_that_does_not_end_with_the_user_is_refused(
    plan: Plan, context: list[dict[str, str]]
) -> None:
    with pytest.raises(BadRequest):
        ask(plan, context=context)


def test_sets_that_nobody_needs_any_more_fail_unless_they_are_shared(plan: Plan) -> None:
    own, shared = ask(plan, shared=False), ask(plan)

    assert drop_candidate_sets([own.pk, shared.pk]) == 1

    own.refresh_from_db()
    shared.refresh_from_db()
    assert (own.state, own.reason, shared.state) == ("failed", "not_wanted", "pending")


def test_dropping_a_ready_set_changes_nothing(plan: Plan) -> None:
    ready = factories.ready_set(plan)

    assert drop_candidate_sets([ready.pk]) == 0

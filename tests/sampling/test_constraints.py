"""Every rule of the tables of `sampling`, broken by raw SQL."""

from uuid import uuid4

import pytest
from django.db.models import Model
from django.utils import timezone
from psycopg.types.json import Jsonb

from sampling.models import CandidateScore, CandidateSet, StanceList
from tests import factories
from tests.breaking import (
    Case,
    Change,
    breaks,
    breaks_each,
    copy,
    delete,
    refused,
    settle,
    sql,
    update,
)

pytestmark = pytest.mark.django_db


def _simulated_in_plan() -> Model:
    return factories.plan(endpoints=[factories.endpoint()]).plan_endpoints.get()


def _generating() -> CandidateSet:
    return factories.candidate_set(state="generating")


def _shared() -> CandidateSet:
    return factories.candidate_set(shared=True)


def _seat() -> Model:
    made = _generating()
    return made.seats.create(
        endpoint=factories.endpoint(), attempt=1, streams=4, lease_until=factories.in_hours(1)
    )


def _token_use() -> Model:
    return _generating().token_uses.create(
        endpoint=factories.endpoint(), attempt=1, tokens=9, at=timezone.now()
    )


def _lab_run() -> Model:
    return factories.lab_set().run


WRONG: list[Case] = [
    ("endpoint_has_seats", factories.endpoint, {"seats": 0}),
    ("endpoint_has_tokens", factories.endpoint, {"tokens_per_minute": 0}),
    ("endpoint_kind_known", factories.endpoint, {"kind": "human"}),
    ("endpoint_serves_known", factories.endpoint, {"serves": "tea"}),
    ("set_k_in_range", factories.candidate_set, {"k": 1}),
    ("set_k_in_range", factories.candidate_set, {"k": 9}),
    ("set_opens_streams", factories.candidate_set, {"streams": 0}),
    ("set_spare_unshared", _shared, {"spare": True}),
    ("set_reason_when_failed", factories.candidate_set, {"state": "failed"}),
    ("set_reason_when_failed", factories.candidate_set, {"reason": "broken"}),
    ("set_lease_when_generating", factories.candidate_set, {"state": "generating"}),
    ("set_lease_when_generating", _generating, {"state": "pending"}),
    ("set_last_slot_when_ready", factories.candidate_set, {"last_slot": 3}),
    ("set_last_slot_when_ready", factories.candidate_set, {"state": "ready"}),
    ("seat_has_streams", _seat, {"streams": 0}),
    ("stance_list_language_known", factories.stance_list, {"language": "de"}),
    ("stance_list_has_stances", factories.stance_list, {"stances": {}}),
    ("stance_list_has_stances", factories.stance_list, {"stances": Jsonb(["Alone."])}),
    ("set_linked_by_its_prompt", factories.candidate_set, {"stance_list_id": uuid4()}),
    ("lab_run_kind_known", _lab_run, {"kind": "many"}),
    ("lab_set_state_known", factories.lab_set, {"state": "lost"}),
    ("lab_set_lease_when_making", factories.lab_set, {"state": "making"}),
    ("lab_set_lease_when_making", factories.lab_set, {"lease_until": timezone.now()}),
    ("lab_set_result_when_over", factories.lab_set, {"state": "failed"}),
    ("lab_set_result_when_over", factories.lab_set, {"ended_at": timezone.now()}),
    ("candidate_score_is_logprob", factories.candidate_score, {"logprob": 0.5}),
    ("candidate_score_is_logprob", factories.candidate_score, {"logprob": float("nan")}),
    ("candidate_score_is_logprob", factories.candidate_score, {"logprob": float("-inf")}),
    ("candidate_score_has_tokens", factories.candidate_score, {"n_tokens": 0}),
    ("reader_mark_verdict_known", factories.reader_mark, {"verdict": "splendid"}),
]
TWICE: list[Case] = [
    ("sampling_endpoint_name_key", factories.endpoint, {}),
    ("plan_version", factories.plan, {}),
    ("plan_endpoint_rank", _simulated_in_plan, {}),
    ("arm_name", factories.arm, {}),
    ("model_call_n", factories.model_call, {}),
    ("seat_once", _seat, {}),
    ("token_use_once", _token_use, {}),
    ("stance_list_once", factories.stance_list, {}),
    ("lab_set_place", factories.lab_set, {}),
    ("reader_mark_once", factories.reader_mark, {}),
    ("candidate_score_once", factories.candidate_score, {}),
]


@breaks_each(WRONG)
def test_a_value_that_means_nothing_is_refused(name: str, make: type, change: Change) -> None:
    row = make()
    with refused(name):
        # What never changes can only be wrong from the start.
        if "k" in change or isinstance(row, StanceList | CandidateScore):
            copy(row, **change)
        else:
            update(row, **change)


@breaks_each(TWICE)
def test_what_is_unique_cannot_be_there_twice(name: str, make: type, change: Change) -> None:
    row = make()
    with refused(name):
        copy(row, **change)


@breaks("set_state_known")
def test_a_set_is_in_a_state_that_is_known() -> None:
    with refused("set_state_known"):
        update(factories.candidate_set(), state="thinking")


@breaks("set_context_messages")
def test_a_set_answers_messages_that_end_with_the_users() -> None:
    made = factories.candidate_set()
    with refused("set_context_messages"):
        copy(made, context=[factories.user("Hello?"), factories.assistant("Hello.")])
    with refused("set_context_messages"):
        copy(made, erased_at=timezone.now())


# --- Whole sets -----------------------------------------------------------------------------------


@breaks("set_has_last_candidate")
def test_a_set_is_not_ready_without_its_candidates() -> None:
    made = factories.candidate_set()
    with refused("set_has_last_candidate"):
        update(made, state="ready", last_slot=3, ready_at=timezone.now())


@breaks("set_last_slot_is_k")
def test_a_set_of_four_is_not_ready_with_three() -> None:
    made = factories.candidate_set()
    with refused("set_last_slot_is_k"):
        update(made, state="ready", last_slot=2, ready_at=timezone.now())


@breaks("candidate_after_previous")
def test_there_is_no_gap_before_a_candidate() -> None:
    candidate = factories.ready_set().candidates.get(slot=3)
    other = factories.candidate_set()
    with refused("candidate_after_previous"):
        copy(candidate, set_id=other.pk)


@breaks("candidate_of_ready_set")
def test_candidates_exist_only_in_ready_sets() -> None:
    candidate = factories.ready_set().candidates.get(slot=0)
    for state in ("pending", "generating", "failed"):
        other = factories.candidate_set(state=state)
        with refused("candidate_of_ready_set"):
            copy(candidate, set_id=other.pk)


@breaks("candidate_k_of_set", "candidate_slot_in_range")
def test_there_are_never_more_candidates_than_k() -> None:
    made = factories.ready_set()
    last = made.candidates.get(slot=3)
    with refused("candidate_k_of_set"):
        copy(last, slot=4, k=5, text="One more.")
    with refused("candidate_slot_in_range"):
        copy(last, slot=4, text="One more.")


@breaks("candidate_slot", "candidate_distinct")
def test_each_candidate_has_its_own_place_and_its_own_words() -> None:
    first = factories.ready_set().candidates.get(slot=0)
    with refused("candidate_slot"):
        copy(first, text="Other words.")
    with refused("candidate_distinct"):
        factories.ready_set(texts=["The same.", "Another.", "The same.", "A third."])


@breaks("candidate_not_empty")
@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\u2003\u3000"])
def test_a_candidate_has_words(blank: str) -> None:
    with refused("candidate_not_empty"):
        factories.ready_set(texts=["One.", "Two.", blank, "Four."])


@breaks("candidate_not_born_erased")
def test_a_candidate_is_not_stored_as_erased() -> None:
    first = factories.ready_set().candidates.get(slot=0)
    with refused("candidate_not_born_erased"):
        copy(first, text="", erased_at=timezone.now())


@breaks("candidate_erased_is_blank")
def test_an_erased_candidate_keeps_no_words() -> None:
    first = factories.ready_set().candidates.get(slot=0)
    settle()
    sql("ALTER TABLE sampling_candidate DISABLE TRIGGER candidate_never_changes")
    with refused("candidate_erased_is_blank"):
        update(first, erased_at=timezone.now())
    update(first, erased_at=timezone.now(), text="")


@breaks("candidate_never_changes")
def test_a_candidate_is_never_changed_or_removed() -> None:
    first = factories.ready_set().candidates.get(slot=0)
    with refused("candidate_never_changes"):
        update(first, text="Something nicer.")
    with refused("candidate_never_changes"):
        delete(first)


@breaks("candidate_call_of_set")
def test_a_candidate_comes_from_a_call_of_its_own_set() -> None:
    first = factories.ready_set().candidates.get(slot=0)
    foreign = factories.model_call()
    settle()
    sql("ALTER TABLE sampling_candidate DISABLE TRIGGER candidate_never_changes")
    with refused("candidate_call_of_set"):
        update(first, call_id=foreign.pk)
    update(first, call_id=factories.model_call(first.set).pk)


@breaks("model_call_never_changes")
@pytest.mark.parametrize(
    "change", [{"raw": "Something nicer."}, {"finish_reason": "stop"}, {"attempt": 2}]
)
def test_what_an_endpoint_was_asked_and_answered_is_kept(change: Change) -> None:
    call = factories.model_call()
    with refused("model_call_never_changes"):
        update(call, **change)
    with refused("model_call_never_changes"):
        delete(call)


@breaks("candidate_score_never_changes")
def test_a_score_is_never_changed_and_can_be_taken_again() -> None:
    score = factories.candidate_score()
    with refused("candidate_score_never_changes"):
        update(score, logprob=-1.0)

    delete(score)
    assert factories.candidate_score(score.candidate).pk


@breaks("set_asked_once")
@pytest.mark.parametrize(
    "change",
    [
        {"context": [factories.user("Another question?")]},
        {"context_sha256": "0"},
        {"language": "fr"},
        {"k": 5},
        {"seed": 8},
        {"shared": True},
        {"replica": 1},
    ],
)
def test_what_a_set_was_asked_with_never_changes(change: Change) -> None:
    with refused("set_asked_once"):
        update(factories.candidate_set(), **change)


@breaks("set_asked_once")
def test_a_set_that_is_ready_or_failed_stays_so() -> None:
    ready, failed = factories.ready_set(), factories.candidate_set(state="failed")
    with refused("set_asked_once"):
        update(ready, state="pending", last_slot=None, ready_at=None)
    with refused("set_asked_once"):
        update(failed, state="pending", reason=None)


@breaks("candidate_k_of_set")
def test_a_ready_set_cannot_be_removed_under_its_candidates() -> None:
    with refused("candidate_k_of_set"):
        delete(factories.ready_set())


@breaks("set_shared_once")
def test_there_is_one_shared_set_for_one_question() -> None:
    made = factories.candidate_set(shared=True)
    with refused("set_shared_once"):
        copy(made)

    copy(made, replica=1)
    copy(made, state="failed", reason="broken")
    copy(made, shared=False)
    copy(made, retired_at=timezone.now())
    assert CandidateSet.objects.count() == 5


# --- Where a set comes from -----------------------------------------------------------------------


def _linked() -> CandidateSet:
    stances = factories.stance_list()
    return factories.candidate_set(stances.plan, prompt=stances.prompt, stance_list=stances)


@breaks("stance_list_plan_of_study", "stance_list_prompt_of_study", "set_prompt_of_study")
def test_plan_prompt_and_stances_are_of_one_study() -> None:
    stances, elsewhere = factories.stance_list(), factories.stance_list()
    with refused("stance_list_plan_of_study"):
        copy(stances, plan_id=elsewhere.plan_id)
    with refused("stance_list_prompt_of_study"):
        copy(stances, prompt_id=elsewhere.prompt_id)
    with refused("set_prompt_of_study"):
        copy(factories.candidate_set(), prompt_id=elsewhere.prompt_id)


@breaks("set_stances_of_plan_and_prompt")
def test_a_set_writes_the_stances_of_its_own_plan_and_prompt() -> None:
    linked, other = _linked(), factories.stance_list()
    assert linked.stance_list
    with refused("set_stances_of_plan_and_prompt"):
        copy(linked, stance_list_id=other.pk)
    with refused("set_stances_of_plan_and_prompt"):
        copy(linked, prompt_id=factories.prompt(linked.stance_list.plan.study).pk)


@breaks("stance_list_never_changes")
def test_stances_are_never_changed_or_removed() -> None:
    made = factories.stance_list()
    with refused("stance_list_never_changes"):
        update(made, stances=Jsonb(["One.", "Another."]))
    with refused("stance_list_never_changes"):
        delete(made)


@breaks("set_origin_never_changes")
def test_where_a_set_comes_from_never_changes() -> None:
    linked = _linked()
    with refused("set_origin_never_changes"):
        update(linked, category="money")
    with refused("set_origin_never_changes"):
        update(linked, prompt_id=None, stance_list_id=None)
    with refused("set_origin_never_changes"):
        update(linked, stance_list_id=None)


@breaks("set_origin_never_changes")
def test_stances_are_given_to_a_set_before_it_is_ready() -> None:
    stances = factories.stance_list()
    free = factories.candidate_set(stances.plan, prompt=stances.prompt, state="generating")
    update(free, stance_list_id=stances.pk)

    ready = factories.ready_set(stances.plan, prompt=stances.prompt)
    with refused("set_origin_never_changes"):
        update(ready, stance_list_id=stances.pk)


# --- Plans ----------------------------------------------------------------------------------------


@breaks("plan_of_study", "plan_endpoint_of_plan", "plan_endpoint_of_endpoint")
def test_nobody_lies_about_the_kind_of_a_study_or_an_endpoint() -> None:
    row = factories.plan(endpoints=[factories.endpoint()]).plan_endpoints.get()
    with refused("plan_of_study"):
        copy(row.plan, study_kind="real", version="other")
    with refused("plan_endpoint_of_plan"):
        update(row, study_kind="demo")
    with refused("plan_endpoint_of_endpoint"):
        update(row, endpoint_kind="model")


@breaks("plan_endpoint_real_never_simulated")
def test_a_real_study_has_no_simulated_endpoint() -> None:
    plan = factories.plan(factories.study(kind="real"))
    with refused("plan_endpoint_real_never_simulated"):
        factories.plan(plan.study, endpoints=[factories.endpoint(kind="simulated")])


@breaks("plan_of_study", "plan_endpoint_of_endpoint")
def test_a_study_or_an_endpoint_does_not_change_its_kind_later() -> None:
    endpoint = factories.endpoint()
    study = factories.plan(endpoints=[endpoint]).study
    with refused("plan_of_study"):
        update(study, kind="real")
    with refused("plan_endpoint_of_endpoint"):
        update(endpoint, kind="model")


@breaks("set_plan_of_study", "arm_plan_of_study", "arm_cohort_of_study")
def test_plans_and_cohorts_are_of_the_same_study() -> None:
    made, arm, elsewhere = factories.candidate_set(), factories.arm(), factories.cohort()
    foreign = factories.plan(elsewhere.study)
    with refused("set_plan_of_study"):
        copy(made, plan_id=foreign.pk)
    with refused("arm_plan_of_study"):
        update(arm, plan_id=foreign.pk)
    with refused("arm_cohort_of_study"):
        update(arm, cohort_id=elsewhere.pk)


@breaks("plan_frozen")
def test_a_frozen_plan_stays_as_it_is() -> None:
    plan = factories.plan(frozen=True)
    with refused("plan_frozen"):
        update(plan, body={"k": 2})
    with refused("plan_frozen"):
        update(plan, frozen_at=None)
    with refused("plan_frozen"):
        delete(plan)


@breaks("plan_endpoint_frozen")
def test_the_endpoints_of_a_frozen_plan_are_frozen_with_it() -> None:
    study, endpoint = factories.study(), factories.endpoint()
    frozen = factories.plan(study, endpoints=[endpoint], frozen=True).plan_endpoints.get()
    free = factories.plan(study, endpoints=[endpoint]).plan_endpoints.get()
    with refused("plan_endpoint_frozen"):
        update(frozen, endpoint_id=factories.endpoint().pk)
    with refused("plan_endpoint_frozen"):
        delete(frozen)
    with refused("plan_endpoint_frozen"):
        copy(frozen, rank=1)
    with refused("plan_endpoint_frozen"):
        update(free, plan_id=frozen.plan_id, rank=1)
    with refused("plan_endpoint_frozen"):
        update(frozen, plan_id=free.plan_id, rank=1)


@breaks("arm_fixed_while_open")
def test_the_arms_of_an_open_study_stand_still() -> None:
    world, resting = factories.world(), factories.world(state="paused")
    with refused("arm_fixed_while_open"):
        update(world.arm, share=2)
    with refused("arm_fixed_while_open"):
        delete(world.arm)
    with refused("arm_fixed_while_open"):
        copy(world.arm, name="second")
    with refused("arm_fixed_while_open"):
        update(
            resting.arm,
            study_id=world.study.pk,
            cohort_id=world.cohort.pk,
            plan_id=world.plan.pk,
            name="second",
        )


@breaks("plan_comes_frozen", "study_opens_frozen_plans")
def test_an_open_study_has_frozen_plans_only() -> None:
    world, draft = factories.world(), factories.world(state="paused")
    with refused("plan_comes_frozen"):
        copy(world.plan, version="other", frozen_at=None)
    with refused("plan_comes_frozen"):
        update(factories.plan(), study_id=world.study.pk)
    factories.plan(draft.study)
    with refused("study_opens_frozen_plans"):
        sql("UPDATE studies_study SET state = 'open' WHERE id = %s", [draft.study.pk])

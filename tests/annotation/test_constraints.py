"""Every rule of the tables of `annotation`, broken by raw SQL."""

from datetime import timedelta

import pytest
from django.db.models import Model
from django.utils import timezone
from psycopg.types.range import Range

from annotation.models import ComparisonMark, Draft, PromptCell, Submission, Turn
from tests import factories
from tests.breaking import (
    Case,
    Change,
    breaks,
    breaks_each,
    copy,
    delete,
    held,
    refused,
    settle,
    sql,
    update,
)

pytestmark = pytest.mark.django_db


def _assignment() -> Model:
    return factories.assignment(factories.world())


def _conversation() -> Model:
    return factories.conversation(factories.world())


def _waiting_turn() -> Model:
    return factories.turn(factories.world(), ready=False)


def _draft() -> Model:
    person = factories.enrolment()
    return Draft.objects.create(enrolment=person, form="message", body={})


NOW = timezone.now()
WRONG: list[Case] = [
    ("assignment_state_known", _assignment, {"state": "lost", "deadline": None}),
    ("assignment_deadline_when_open", _assignment, {"deadline": None}),
    ("assignment_deadline_when_open", _assignment, {"state": "submitted"}),
    ("conversation_ended_with_reason", _conversation, {"ended_at": NOW}),
    ("conversation_ended_with_reason", _conversation, {"ended_reason": "finished"}),
    ("turn_shown_with_order", _waiting_turn, {"shown_at": NOW}),
    ("turn_shown_with_order", _waiting_turn, {"display_order": [0, 1, 2, 3]}),
    ("turn_order_is_permutation", _waiting_turn, {"display_order": [0, 1, 2]}),
    ("turn_order_is_permutation", _waiting_turn, {"display_order": [0, 1, 2, 2]}),
    ("turn_order_is_permutation", _waiting_turn, {"display_order": [1, 2, 3, 4]}),
    ("turn_order_is_permutation", _waiting_turn, {"display_order": [0, 1, 2, None]}),
    ("turn_order_is_permutation", _waiting_turn, {"display_order": [[0, 1], [2, 3]]}),
    ("break_ends_after_it_began", factories.a_break, {"ended_at": NOW - timedelta(hours=1)}),
    ("comparison_revision_first", factories.judged_turn, {"revision": 0}),
    ("comparison_outcome_known", factories.judged_turn, {"outcome": "maybe", "chosen_id": None}),
    ("comparison_chosen_only", factories.judged_turn, {"outcome": "none"}),
    ("comparison_chosen_only", factories.judged_turn, {"outcome": "tie"}),
    ("comparison_chosen_only", factories.judged_turn, {"chosen_id": None}),
    ("comparison_carries_chosen", factories.judged_turn, {"carried_id": None}),
    ("comparison_layout_known", factories.judged_turn, {"layout": "heap"}),
    ("comparison_viewport_known", factories.judged_turn, {"viewport": "watch"}),
    ("comparison_reach_in_percent", factories.judged_turn, {"reach": [0, 50, 100, 101]}),
    ("comparison_reach_in_percent", factories.judged_turn, {"reach": [0, 50, None, 100]}),
    ("comparison_reach_in_percent", factories.judged_turn, {"reach": [50]}),
    ("comparison_reach_in_percent", factories.judged_turn, {"reach": [[0, 50], [50, 100]]}),
    *(
        ("mark_says_what_its_kind_says", factories.comparison_mark, change)
        for change in (
            {"kind": "praise"},
            {"candidate_id": None},
            {"value": 3},
            {"reason": "it is long"},
            {"kind": "strength", "candidate_id": None, "value": 5},
            {"kind": "strength", "candidate_id": None},
            {"kind": "reason", "candidate_id": None},
            {"kind": "sentence"},
            {"kind": "sentence", "span": Range(4, 4)},
            {"kind": "sentence", "span": Range(-1, 4)},
            {"kind": "sentence", "span": Range(4, None)},
            {"kind": "should_say", "reason": "More"},
        )
    ),
]
TWICE: list[Case] = [
    ("draft_form", _draft, {}),
    ("break_one_open", factories.a_break, {}),
    ("prompt_cell_once", factories.cell, {}),
    ("annotation_conversation_assignment_id_key", _conversation, {}),
    ("turn_number", _waiting_turn, {}),
    ("comparison_current", factories.judged_turn, {"revision": 2}),
    ("comparison_revision", factories.judged_turn, {"superseded_at": NOW}),
    ("mark_once", factories.comparison_mark, {}),
    ("mark_once", lambda: factories.comparison_mark(slot=None, kind="strength", value=2), {}),
]


@breaks_each(WRONG)
def test_a_value_that_means_nothing_is_refused(name: str, make: type, change: Change) -> None:
    row = make()
    with refused(name):
        if name.startswith(
            ("comparison", "mark")
        ):  # never changes, so that it can only be born wrong
            copy(row, **change)
        else:
            update(row, **change)


@breaks_each(TWICE)
def test_what_is_unique_cannot_be_there_twice(name: str, make: type, change: Change) -> None:
    row = make()
    with refused(name):
        copy(row, **change)


# --- Overlap: leases and finished conversations never exceed it -----------------------------------


@breaks("prompt_cell_overlap")
def test_a_place_too_many_is_refused() -> None:
    world = factories.world(overlap=1)
    first = factories.assignment(world)
    with refused("prompt_cell_overlap"):
        factories.assignment(world)

    update(first, state="expired", deadline=None)
    factories.assignment(world)
    with refused("prompt_cell_overlap"):
        update(first, state="open", deadline=factories.in_hours(1))


@breaks("prompt_cell_overlap")
def test_overlap_cannot_be_set_below_what_is_taken() -> None:
    world = factories.world(overlap=2)
    factories.assignment(world)
    with refused("prompt_cell_overlap"):
        update(world.cell, overlap=0)


@breaks("prompt_cell_overlap")
def test_a_surplus_counts_again_only_if_there_is_room() -> None:
    world = factories.world(overlap=1)
    factories.assignment(world)
    surplus = factories.assignment(world, surplus=True, state="submitted")
    with refused("prompt_cell_overlap"):
        update(surplus, surplus=False)


@breaks("assignment_counts_claim")
def test_a_claim_counts_whatever_becomes_of_it() -> None:
    world = factories.world(overlap=2)
    for number, state in enumerate(("open", "skipped", "submitted"), start=1):
        factories.assignment(world, claim_no=number, state=state)
    assert (PromptCell.objects.get().claims, PromptCell.objects.get().taken) == (3, 2)
    held("assignment_counts_claim")


@breaks("assignment_keeps_taken")
def test_taken_is_what_is_open_and_submitted_whatever_happens() -> None:
    world = factories.world(overlap=3)
    made = [factories.assignment(world) for _ in range(3)]
    steps = [("expired", 2), ("open", 3), ("submitted", 3), ("withdrawn", 2)]
    for state, taken in steps:
        deadline = factories.in_hours(1) if state == "open" else None
        update(made[0], state=state, deadline=deadline)
        assert PromptCell.objects.get().taken == taken
    delete(made[1])
    assert PromptCell.objects.get().taken == 1
    held("assignment_keeps_taken")


@breaks("assignment_goes_forward")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("skipped", "open"),
        ("withdrawn", "submitted"),
        ("submitted", "open"),
        ("expired", "submitted"),
    ],
)
def test_an_assignment_never_goes_back(before: str, after: str) -> None:
    made = factories.assignment(factories.world(), state=before)
    deadline = factories.in_hours(1) if after == "open" else None
    with refused("assignment_goes_forward"):
        update(made, state=after, deadline=deadline)


@breaks("assignment_goes_forward")
def test_what_lost_its_place_is_not_opened_again() -> None:
    made = factories.assignment(factories.world(), state="expired", surplus=True)
    with refused("assignment_goes_forward"):
        update(made, state="open", deadline=factories.in_hours(1))


@breaks("prompt_cell_counted", "prompt_cell_starts_empty")
def test_nobody_counts_by_hand() -> None:
    world = factories.world()
    factories.assignment(world)
    with refused("prompt_cell_counted"):
        update(world.cell, taken=0)
    with refused("prompt_cell_starts_empty"):
        copy(world.cell, taken=1, prompt_id=factories.prompt(factories.study()).pk)


@breaks("assignment_one_open", "assignment_cell_once")
def test_a_person_has_one_open_assignment_and_a_prompt_once() -> None:
    world = factories.world(prompts=2)
    sitting = factories.person(world)
    first = factories.assignment(world, by=sitting)
    with refused("assignment_one_open"):
        factories.assignment(world, by=sitting, cell=world.cells[1])
    update(first, state="skipped", deadline=None)
    with refused("assignment_cell_once"):
        factories.assignment(world, by=sitting)


@breaks("assignment_never_moves")
@pytest.mark.parametrize("column", ["claim_no", "p_prompt", "p_arm"])
def test_the_draw_of_an_assignment_is_not_rewritten(column: str) -> None:
    assignment = factories.assignment(factories.world(), claim_no=7, p_prompt=0.5, p_arm=0.5)
    with refused("assignment_never_moves"):
        update(assignment, **{column: 1})


@breaks("assignment_never_moves")
def test_an_assignment_stays_with_its_person_and_cell() -> None:
    world = factories.world(prompts=2)
    assignment, other = factories.assignment(world), factories.person(world)
    with refused("assignment_never_moves"):
        update(assignment, cell_id=world.cells[1].pk)
    with refused("assignment_never_moves"):
        update(assignment, enrolment_id=other.enrolment_id, sitting_id=other.pk)


@breaks("assignment_probabilities")
@pytest.mark.parametrize("change", [{"p_prompt": 0.0}, {"p_prompt": 1.1}, {"p_arm": -0.1}])
def test_a_probability_is_one(change: Change) -> None:
    with refused("assignment_probabilities"):
        factories.assignment(factories.world(), **change)


# --- Country and language come from the enrolment alone -------------------------------------------


@breaks(
    "assignment_cohort_of_enrolment",
    "assignment_cell_of_cohort",
    "assignment_arm_of_cohort",
    "assignment_sitting_of_enrolment",
)
def test_everything_of_an_assignment_is_of_one_cohort_and_person() -> None:
    here, there = factories.world(), factories.world(language="fr", country="FR")
    sitting = factories.person(here)
    stranger = factories.person(here)
    with refused("assignment_cohort_of_enrolment"):
        factories.assignment(there, by=sitting)
    with refused("assignment_cell_of_cohort"):
        factories.assignment(here, by=sitting, cell=there.cell)
    assignment = factories.assignment(here, by=sitting)
    with refused("assignment_arm_of_cohort"):
        copy(assignment, arm_id=there.arm.pk, state="expired", deadline=None, cell_id=None)
    with refused("assignment_sitting_of_enrolment"):
        copy(assignment, sitting_id=stranger.pk, state="expired", deadline=None, cell_id=None)


@breaks("arm_kept_for_assignments", "arm_stays_for_assignments")
def test_an_arm_with_assignments_is_neither_removed_nor_moved() -> None:
    world = factories.world()
    factories.assignment(world)
    elsewhere = factories.cohort(world.study, slug="elsewhere")
    update(world.study, state="paused")
    with refused("arm_kept_for_assignments"):
        delete(world.arm)
    with refused("arm_stays_for_assignments"):
        update(world.arm, cohort_id=elsewhere.pk)


@breaks("prompt_cell_cohort_of_study", "prompt_cell_prompt_of_study")
def test_a_cell_joins_a_cohort_and_a_prompt_of_one_study() -> None:
    cell, elsewhere = factories.cell(), factories.cell()
    with refused("prompt_cell_cohort_of_study"):
        copy(cell, cohort_id=elsewhere.cohort_id)
    with refused("prompt_cell_prompt_of_study"):
        copy(cell, prompt_id=elsewhere.prompt_id)


# --- Conversations and turns ----------------------------------------------------------------------


@breaks("conversation_stamped_by_its_study")
def test_a_conversation_has_the_version_and_the_plan_of_its_own_study() -> None:
    world, other = factories.world(), factories.world()
    assignment = factories.assignment(world)
    with refused("conversation_stamped_by_its_study"):
        factories.conversation(other, under=assignment)
    with refused("conversation_stamped_by_its_study"):
        factories.conversation(world, under=assignment, plan_id=other.plan.pk)


@breaks("conversation_stamped_once")
def test_the_stamps_of_a_conversation_stay() -> None:
    world = factories.world()
    talk = factories.conversation(world)
    other = factories.plan(factories.study())
    with refused("conversation_stamped_once"):
        update(talk, plan_id=other.pk)
    with refused("conversation_stamped_once"):
        update(talk, study_version_id=factories.study_version().pk)
    with refused("conversation_stamped_once"):
        update(talk, app_version="another")


@breaks("conversation_stamped_once")
@pytest.mark.parametrize("reason", ["finished", "none", "skipped", "withdrawn"])
def test_a_conversation_that_ended_does_not_begin_again(reason: str) -> None:
    talk = factories.conversation(factories.world())
    update(talk, ended_at=NOW, ended_reason=reason)
    with refused("conversation_stamped_once"):
        update(talk, ended_at=None, ended_reason=None)


def test_an_expired_conversation_may_go_on_when_the_person_comes_back() -> None:
    talk = factories.conversation(factories.world())
    update(talk, ended_at=NOW, ended_reason="expired")

    update(talk, ended_at=None, ended_reason=None)

    talk.refresh_from_db()
    assert talk.ended_at is None


@breaks("turn_before_end", "comparison_before_end")
def test_a_conversation_that_ended_takes_no_turn_and_no_judgement() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    update(judged.conversation, ended_at=NOW, ended_reason="finished")
    with refused("turn_before_end"):
        factories.turn(world, after=judged)
    with refused("comparison_before_end"):
        update(judged, superseded_at=NOW)
    with refused("comparison_before_end"):
        copy(judged, revision=2)


@breaks("turn_k_of_set")
def test_a_turn_knows_how_many_candidates_its_set_has() -> None:
    turn = factories.turn(factories.world(), ready=False)
    with refused("turn_k_of_set"):
        update(turn, k=3)


@breaks("turn_follows_comparison", "turn_carries_candidate")
def test_only_the_first_turn_follows_nothing() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    second = factories.turn(world, after=judged)
    with refused("turn_follows_comparison"):
        _wronged(second, prev_comparison_id=None)
    with refused("turn_carries_candidate"):
        _wronged(second, carried_id=None)


@breaks("turn_after_current_comparison")
def test_a_turn_follows_the_comparison_that_counts_of_the_turn_before() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    second = factories.turn(world, after=judged)
    with refused("turn_after_current_comparison"):
        _wronged(second, number=2)
    with refused("turn_after_current_comparison"):
        _wronged(second, carried_id=judged.turn.set.candidates.get(slot=1).pk)
    with refused("turn_after_current_comparison"):
        update(judged, superseded_at=NOW)


@breaks("turn_after_current_comparison")
def test_a_deferred_check_refuses_it_all_the_same() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    factories.turn(world, after=judged)
    with refused("turn_after_current_comparison"):
        sql("SET CONSTRAINTS turn_after_current_comparison DEFERRED")
        update(judged, superseded_at=NOW)


@breaks("annotation_turn_prev_comparison_id_key")
def test_a_comparison_is_followed_once() -> None:
    world = factories.world()
    second = factories.turn(world, after=factories.judged_turn(world))
    with refused("annotation_turn_prev_comparison_id_key"):
        settle()
        sql("ALTER TABLE annotation_turn DROP CONSTRAINT turn_number")  # it would refuse as well
        copy(second)


@breaks("turn_after_current_comparison")
def test_nothing_follows_none_of_these() -> None:
    world = factories.world()
    turn = factories.turn(world)
    judged = factories.comparison(turn, choice=None)
    second = factories.turn(world, after=factories.judged_turn(world))
    with refused("turn_after_current_comparison"):
        _wronged(second, conversation_id=turn.conversation_id, prev_comparison_id=judged.pk)


@breaks("turn_has_message")
def test_a_turn_has_a_message() -> None:
    turn = factories.turn(factories.world(), ready=False)
    with refused("turn_has_message"):
        _wronged(turn, message="")


@breaks("turn_context_unbroken")
def test_a_set_that_answers_something_else_is_refused() -> None:
    world = factories.world()
    turn = factories.turn(world, ready=False)
    context, plan = turn.set.context, world.plan
    others = [
        factories.candidate_set(plan),
        factories.candidate_set(plan, context=[factories.assistant("Hi."), *context]),
        factories.candidate_set(plan, context=context, language="fr"),
        factories.candidate_set(factories.plan(), context=context),
    ]
    for other in others:
        with refused("turn_context_unbroken"):
            update(turn, set_id=other.pk)


@breaks("turn_context_unbroken")
def test_the_first_message_is_the_prompts() -> None:
    world = factories.world()
    with refused("turn_context_unbroken"):
        factories.turn(world, message="Something that nobody asked for?")


@breaks("turn_context_unbroken")
def test_a_prompt_without_a_text_in_the_language_lets_no_other_words_in() -> None:
    world = factories.world(state="draft")
    french = factories.prompt(world.study, languages=["fr"])
    mute = factories.cell(world.cohort, of_prompt=french)
    assignment = factories.assignment(world, cell=mute)
    talk = factories.conversation(world, under=assignment)
    with refused("turn_context_unbroken"):
        factories.turn(world, within=talk, message="Anything at all?")


@breaks("turn_context_unbroken")
def test_the_next_context_holds_the_carried_words_and_the_new_message() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    before = judged.turn.set.context
    other = judged.turn.set.candidates.get(slot=1)
    for context in (
        [*before, factories.assistant(other.text), factories.user("And why?")],
        [*before, factories.user("And why?")],
        [factories.user("And why?")],
    ):
        made = factories.ready_set(world.plan, context=context)
        with refused("turn_context_unbroken"):
            factories.turn(world, after=judged, message="And why?", answered_by=made)


@breaks("turn_set_once")
@pytest.mark.parametrize(
    "change",
    [
        {"message": "Other words"},
        {"number": 1},
        {"asks_explanation": True},
        {"asked_at": NOW},
        {"shown_at": NOW},
        {"display_order": [3, 2, 1, 0]},
        {"layout": "grid"},
        {"showing_no": 2},
        {"shown_at": None, "display_order": None, "showing_no": None},
    ],
)
def test_the_words_of_a_turn_and_what_was_shown_stay(change: Change) -> None:
    turn = factories.turn(factories.world())
    with refused("turn_set_once"):
        update(turn, **change)


@breaks("turn_set_once")
def test_a_turn_that_was_shown_keeps_its_set() -> None:
    world = factories.world()
    shown = factories.turn(world)
    other = factories.ready_set(world.plan, context=shown.set.context)
    with refused("turn_set_once"):
        update(shown, set_id=other.pk)


@breaks("submission_append_only")
def test_the_answer_to_a_form_is_never_changed_or_forgotten() -> None:
    person = factories.enrolment()
    Submission.objects.create(enrolment=person, key="k", kind="message", result={"turn_no": 1})
    with refused("submission_append_only"):
        sql("UPDATE annotation_submission SET result = '{}'")
    with refused("submission_append_only"):
        sql("DELETE FROM annotation_submission")


# --- Comparisons ----------------------------------------------------------------------------------


@breaks("comparison_of_shown_turn", "comparison_of_ready_set")
def test_only_a_ready_set_that_was_shown_can_be_judged() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    unseen = factories.turn(world, shown=False)
    with refused("comparison_of_shown_turn"):
        _judge(judged, unseen)
    waiting = factories.turn(world, within=factories.conversation(world), ready=False)
    update(waiting, shown_at=NOW, display_order=[0, 1, 2, 3], showing_no=1)
    with refused("comparison_of_ready_set"):
        _judge(judged, waiting)


@breaks("comparison_of_shown_turn")
def test_a_comparison_names_its_own_turn_and_set() -> None:
    judged = factories.judged_turn()
    other = factories.judged_turn()
    for lie in (
        {"turn_no": 1},
        {"conversation_id": other.conversation_id},
        {"set_id": other.set_id, "chosen_id": other.chosen_id, "carried_id": other.carried_id},
    ):
        with refused("comparison_of_shown_turn"):
            copy(judged, revision=2, superseded_at=NOW, **lie)


@breaks("comparison_chosen_of_set", "comparison_carried_of_set")
def test_what_was_chosen_is_a_candidate_of_the_set() -> None:
    judged, other = factories.judged_turn(), factories.judged_turn()
    past = {"revision": 2, "superseded_at": NOW}
    with refused("comparison_chosen_of_set"):
        copy(judged, chosen_id=other.chosen_id, carried_id=other.chosen_id, **past)
    with refused("comparison_carried_of_set"):
        copy(judged, outcome="none", chosen_id=None, carried_id=other.chosen_id, **past)


@breaks("comparison_carries_chosen")
def test_the_conversation_goes_on_from_what_was_chosen() -> None:
    judged = factories.judged_turn()
    other = judged.turn.set.candidates.get(slot=1)
    with refused("comparison_carries_chosen"):
        copy(judged, revision=2, superseded_at=NOW, carried_id=other.pk)


@breaks("comparison_superseded_once", "comparison_never_deleted")
def test_a_comparison_is_never_edited_or_removed() -> None:
    judged = factories.judged_turn()
    other = judged.turn.set.candidates.get(slot=1).pk
    for change in (
        {"explanation": "I thought again."},
        {"chosen_id": other, "carried_id": other},
        {"submitted_at": NOW},
        {"superseded_at": NOW, "explanation": "I thought again."},
    ):
        with refused("comparison_superseded_once"):
            update(judged, **change)
    with refused("comparison_never_deleted"):
        delete(judged)


@breaks("comparison_superseded_once")
def test_what_was_superseded_never_counts_again() -> None:
    judged = factories.judged_turn()
    update(judged, superseded_at=NOW)
    with refused("comparison_superseded_once"):
        update(judged, superseded_at=None)
    with refused("comparison_superseded_once"):
        update(judged, superseded_at=timezone.now())


@breaks("turn_shown_never_deleted")
def test_an_exposure_is_kept_though_nobody_judged_it() -> None:
    world = factories.world()
    shown = factories.turn(world)
    with refused("turn_shown_never_deleted"):
        delete(shown)

    waiting = factories.turn(world, ready=False)
    delete(waiting)
    assert list(Turn.objects.all()) == [shown]


def _wronged(turn: Model, **columns: object) -> None:
    """Change a turn past the triggers that guard it: the constraint alone must hold."""
    settle()
    for trigger in ("turn_context_unbroken", "turn_set_once"):
        sql(f"ALTER TABLE annotation_turn DISABLE TRIGGER {trigger}")
    update(turn, **columns)


def _judge(like: Model, turn: Turn) -> None:
    """A judgement "none of these" of a turn, made like another row."""
    copy(
        like,
        turn_id=turn.pk,
        conversation_id=turn.conversation_id,
        set_id=turn.set_id,
        outcome="none",
        chosen_id=None,
        carried_id=None,
    )


# --- Drafts ---------------------------------------------------------------------------------------


@breaks("draft_goes_forward")
def test_a_draft_is_overwritten_by_a_newer_one_only() -> None:
    row = _draft()
    with refused("draft_goes_forward"):
        update(row, body={"text": "older"})

    update(row, body={"text": "newer"}, revision=2)


# --- Reports --------------------------------------------------------------------------------------


@breaks("report_candidate_of_set")
def test_a_reported_candidate_is_of_the_set_that_was_shown() -> None:
    turn = factories.turn(factories.world())
    with refused("report_candidate_of_set"):
        factories.report(turn, candidate=factories.ready_set().candidates.get(slot=0))


@breaks("report_of_what_is_shown", "report_order_is_permutation", "report_k_of_set")
def test_a_report_tells_what_the_turn_shows_as_it_shows_it() -> None:
    turn = factories.turn(factories.world())
    waiting = factories.turn(factories.world(), shown=False)
    with refused("report_of_what_is_shown"):
        factories.report(turn, display_order=[3, 2, 1, 0])
    with refused("report_of_what_is_shown"):
        sql(
            "INSERT INTO annotation_report (id, turn_id, set_id, k, candidate_id, display_order,"
            " layout, showing_no, asked_at, shown_at, reason, created_at)"
            " SELECT gen_random_uuid(), %s, set_id, k, id, '{0,1,2,3}', '', 1, now(), now(),"
            " 'other', now() FROM sampling_candidate WHERE set_id = %s AND slot = 0",
            [waiting.pk, waiting.set_id],
        )

    sql("ALTER TABLE annotation_report DISABLE TRIGGER USER")
    with refused("report_order_is_permutation"):
        factories.report(turn, display_order=[0, 1, 2, 2])
    made = factories.report(turn)
    settle()
    with refused("report_k_of_set"):
        update(made, k=3, display_order=[0, 1, 2])


@breaks("report_once", "report_reason_known")
def test_a_candidate_is_reported_once_in_a_turn_for_a_reason_there_is() -> None:
    made = factories.report()
    with refused("report_once"):
        copy(made)
    with refused("report_reason_known"):
        factories.report(reason="boring")


@breaks("report_append_only")
def test_a_report_stays_as_it_is() -> None:
    made = factories.report()
    with refused("report_append_only"):
        update(made, reason="other")
    with refused("report_append_only"):
        delete(made)


@breaks("turn_set_once", "comparison_of_shown_turn")
def test_a_turn_goes_on_with_another_set_only_after_a_report_and_before_a_judgement() -> None:
    world = factories.world()
    turn = factories.turn(world)
    other = factories.ready_set(world.plan, context=turn.set.context)
    anew = {"shown_at": None, "display_order": None, "showing_no": None, "layout": ""}
    exchanged = {**anew, "set_id": other.pk, "asked_at": timezone.now()}
    with refused("turn_set_once"):
        update(turn, **exchanged)

    factories.report(turn)
    with refused("turn_set_once"):
        update(turn, **anew, asked_at=timezone.now())
    with refused("turn_set_once"):
        update(turn, **exchanged, asks_explanation=True)
    judged = factories.comparison(turn)
    with refused("comparison_of_shown_turn"):
        update(turn, **exchanged)

    second = factories.turn(world)
    factories.report(second)
    other = factories.ready_set(world.plan, context=second.set.context)
    update(second, **{**exchanged, "set_id": other.pk, "asked_at": timezone.now()})
    assert judged.turn_id == turn.pk


# --- Repeats --------------------------------------------------------------------------------------


@breaks("assignment_repeats_own")
def test_only_an_own_finished_conversation_of_a_prompt_is_repeated() -> None:
    world = factories.world()
    sitting = factories.person(world)
    goes_on = factories.assignment(world, by=sitting)
    of_others = factories.assignment(world, state="submitted")
    own = factories.assignment(world, by=sitting, own=True, state="submitted")
    for original in (goes_on, of_others, own):
        with refused("assignment_repeats_own"):
            factories.assignment(world, by=sitting, own=True, repeat_of=original, state="submitted")


@breaks(
    "assignment_repeated_once",
    "assignment_repeat_has_no_cell",
    "assignment_keeps_repeat",
    "assignment_repeat_of_assignment",
)
def test_a_conversation_is_repeated_once_outside_the_overlap_and_for_good() -> None:
    world = factories.world(prompts=2)
    sitting = factories.person(world)
    original = factories.assignment(world, by=sitting, state="submitted")
    repeat = factories.assignment(world, by=sitting, own=True, repeat_of=original)
    with refused("assignment_repeated_once"):
        factories.assignment(world, by=sitting, own=True, repeat_of=original, state="submitted")
    with refused("assignment_keeps_repeat"):
        update(repeat, repeat_of_id=None)
    with refused("assignment_repeat_of_assignment"):
        delete(original)

    other = factories.person(world)
    first = factories.assignment(world, by=other, state="submitted")
    with refused("assignment_repeat_has_no_cell"):
        factories.assignment(world, by=other, cell=world.cells[1], repeat_of=first)
    world.cell.refresh_from_db()
    assert world.cell.taken == 2


@breaks("turn_context_unbroken")
def test_a_repeat_asks_what_the_original_asked() -> None:
    world = factories.world()
    sitting = factories.person(world)
    original = factories.assignment(world, by=sitting, state="submitted")
    repeat = factories.assignment(world, by=sitting, own=True, repeat_of=original)
    talk = factories.conversation(world, under=repeat)
    with refused("turn_context_unbroken"):
        factories.turn(world, within=talk, message="Something of my own")

    factories.turn(world, within=talk, message=factories.opening(world.prompts[0]))


# --- Marks: of the comparison's own set, and as fixed as the comparison ---------------------------


@breaks("mark_of_comparison", "mark_candidate_of_set")
def test_a_mark_is_of_its_comparison_and_of_its_set() -> None:
    mark = factories.comparison_mark()
    other = factories.judged_turn()
    with refused("mark_of_comparison"):
        copy(mark, comparison_id=other.pk)
    with refused("mark_candidate_of_set"):
        copy(mark, candidate_id=other.set.candidates.get(slot=1).pk)


@breaks("mark_fits_its_comparison")
def test_a_mark_fits_what_was_judged() -> None:
    chosen = factories.judged_turn()
    length = len(chosen.set.candidates.get(slot=2).text)
    factories.comparison_mark(chosen, slot=2, kind="sentence", span=Range(0, length))
    none = factories.comparison(factories.turn(factories.world()), choice=None)
    for judged, mark in (
        (chosen, {"kind": "ruled_out", "slot": 0}),
        (chosen, {"kind": "tied"}),
        (chosen, {"kind": "should_say", "slot": None, "reason": "More"}),
        (chosen, {"kind": "sentence", "slot": 1, "span": Range(0, length + 1)}),
        (none, {"kind": "strength", "slot": None, "value": 1}),
    ):
        with refused("mark_fits_its_comparison"):
            factories.comparison_mark(judged, **mark)


@breaks("mark_never_changes")
def test_a_mark_is_never_edited_or_removed() -> None:
    mark = factories.comparison_mark()
    with refused("mark_never_changes"):
        update(mark, kind="expanded")
    with refused("mark_never_changes"):
        delete(mark)
    assert ComparisonMark.objects.get() == mark


@pytest.mark.parametrize(
    "change",
    [
        {"changes": 3},
        {"pastes": 1},
        {"reach": [1, 2, 3, 4]},
        {"layout": "grid"},
        {"interface_lang": "hi"},
    ],
)
@breaks("comparison_superseded_once")
def test_what_was_measured_stays(change: Change) -> None:
    with refused("comparison_superseded_once"):
        update(factories.judged_turn(), superseded_at=NOW, **change)

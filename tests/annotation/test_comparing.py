"""Storing a comparison, correcting it, and everything that must be refused."""

from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from annotation.comparing import Judgement, store_comparison
from annotation.drafts import comparison_form, read_draft, save_draft
from annotation.measuring import Measures
from annotation.models import Assignment, Comparison, Submission
from annotation.refusals import (
    BadText,
    ExplanationNeeded,
    NotNow,
    OutOfOrder,
    StaleRevision,
    SubmissionConflict,
    TooLate,
    Unknown,
    UnknownChoice,
)
from annotation.scenes import Stage, read_conversation
from annotation.submitting import BadKey
from studies.models import Study
from tests import factories
from tests.annotation.talking import joined, judge, opened, say, shown, shown_first_turn

pytestmark = pytest.mark.django_db

ASKED = {"rule": "always", "min_words": 0}


def test_a_choice_is_stored_with_what_governed_it() -> None:
    enrolment, scene = shown_first_turn(factories.world(explanation=ASKED))
    stored = judge(enrolment, scene, place=1, explanation=" It is kind. ")
    comparison = Comparison.objects.get()
    assert (stored.comparison_id, stored.revision, stored.ended) == (comparison.pk, 1, False)
    assert comparison.chosen_id == comparison.carried_id == scene.last.candidates[1].id
    assert comparison.explanation == "It is kind."
    assert comparison.app_version


def test_a_second_identical_submit_returns_the_first_answer() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    first = judge(enrolment, scene, key="a")
    assert judge(enrolment, scene, key="a") == first
    assert Comparison.objects.count() == Submission.objects.count() == 1


def test_the_same_key_with_another_body_shows_what_counts() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, place=1, key="a")
    with pytest.raises(SubmissionConflict) as refusal:
        judge(enrolment, scene, place=2, key="a")
    assert refusal.value.current is not None
    assert (refusal.value.current.letter, refusal.value.current.revision) == ("B", 1)


def test_a_stale_revision_shows_what_counts() -> None:
    enrolment, scene = shown_first_turn(factories.world(explanation=ASKED))
    judge(enrolment, scene, place=3, explanation="Because.")
    with pytest.raises(StaleRevision) as refusal:
        judge(enrolment, scene, place=0, revision=0)
    assert refusal.value.current is not None
    assert (refusal.value.current.letter, refusal.value.current.explanation) == ("D", "Because.")


def test_a_correction_supersedes_what_counted() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, place=0)
    stored = judge(enrolment, scene, place=1, revision=1)
    old, new = Comparison.objects.order_by("revision")
    assert old.superseded_at is not None
    assert (new.pk, new.revision, new.superseded_at) == (stored.comparison_id, 2, None)
    judged = read_conversation(
        enrolment=enrolment, conversation_id=scene.conversation_id
    ).last.judged
    assert judged is not None
    assert judged.letter == "B"


def test_after_the_next_message_a_correction_comes_too_late() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, place=1)
    say(enrolment, scene)
    with pytest.raises(TooLate) as refusal:
        judge(enrolment, scene, place=0, revision=1)
    assert refusal.value.current is not None
    assert refusal.value.current.letter == "B"


def test_the_last_turn_finishes_the_conversation() -> None:
    enrolment, scene = shown_first_turn(factories.world(turns={"min": 1, "max": 1}))
    assert scene.is_last_turn
    assert judge(enrolment, scene).ended
    with pytest.raises(TooLate):
        judge(enrolment, scene, place=1, revision=1)
    assert Assignment.objects.get().state == "submitted"


def test_none_of_these_ends_the_conversation_and_counts() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    assert judge(enrolment, scene, place=None).ended
    comparison = Comparison.objects.get()
    assert (comparison.outcome, comparison.chosen, comparison.carried) == ("none", None, None)
    assert comparison.conversation.ended_reason == "none"
    assert comparison.conversation.assignment.state == "submitted"


def test_the_same_submit_after_the_end_still_returns_the_first_answer() -> None:
    world = factories.world(turns={"min": 1, "max": 1}, conversations=1)
    enrolment, scene = shown_first_turn(world)
    first = judge(enrolment, scene, key="a")
    enrolment.refresh_from_db()
    assert enrolment.state == "complete"
    assert judge(enrolment, scene, key="a") == first


def test_a_candidate_of_another_set_is_no_choice() -> None:
    world = factories.world()
    enrolment, scene = shown_first_turn(world)
    other = factories.ready_set(world.plan).candidates.first()
    assert other is not None
    for choice in (str(other.pk), "tie", "", "A", str(uuid4())):
        with pytest.raises(UnknownChoice):
            store_comparison(
                enrolment=enrolment,
                conversation_id=scene.conversation_id,
                turn_no=0,
                judgement=Judgement(choice=choice),
                revision=0,
                idempotency_key=uuid4().hex,
            )
    assert not Comparison.objects.exists()


def test_somebody_elses_turn_is_unknown() -> None:
    world = factories.world()
    _, scene = shown_first_turn(world)
    with pytest.raises(Unknown):
        judge(joined(world), scene)


@pytest.mark.parametrize("turn_no", [1, 7])
def test_a_turn_that_is_not_there_is_out_of_order(turn_no: int) -> None:
    enrolment, scene = shown_first_turn(factories.world())
    with pytest.raises(OutOfOrder):
        judge(enrolment, scene, turn_no=turn_no)


def test_a_turn_that_was_not_shown_is_out_of_order() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    with pytest.raises(OutOfOrder):
        store_comparison(
            enrolment=enrolment,
            conversation_id=talk.pk,
            turn_no=0,
            judgement=Judgement(choice="none"),
            revision=0,
            idempotency_key="a",
        )


@pytest.mark.parametrize("key", ["", "k" * 65, "clé", "a\nb"])
def test_a_form_needs_a_key(key: str) -> None:
    enrolment, scene = shown_first_turn(factories.world())
    with pytest.raises(BadKey):
        store_comparison(
            enrolment=enrolment,
            conversation_id=scene.conversation_id,
            turn_no=0,
            judgement=Judgement(choice="none"),
            revision=0,
            idempotency_key=key,
        )


# --- Explanations


def test_an_explanation_that_is_asked_for_needs_its_words() -> None:
    world = factories.world(explanation={"rule": "always", "min_words": 3})
    enrolment, scene = shown_first_turn(world)
    with pytest.raises(ExplanationNeeded) as refusal:
        judge(enrolment, scene, explanation="It is")
    assert (refusal.value.needed, refusal.value.given) == (3, 2)
    assert judge(enrolment, scene, explanation="मुझे यह पसंद है").revision == 1


def test_only_choices_need_words_where_the_rule_says_so() -> None:
    world = factories.world(explanation={"rule": "chosen", "min_words": 3})
    enrolment, scene = shown_first_turn(world)
    with pytest.raises(ExplanationNeeded):
        judge(enrolment, scene)
    assert judge(enrolment, scene, place=None).ended


@pytest.mark.parametrize(("place", "kept"), [(None, "Why not?"), (0, "")])
def test_an_explanation_that_nobody_asked_for_is_kept_after_none_only(
    place: int | None, kept: str
) -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, place=place, explanation="Why not?")
    assert Comparison.objects.get().explanation == kept


def test_an_explanation_that_cannot_be_stored_is_refused() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    with pytest.raises(BadText, match="nul"):
        judge(enrolment, scene, explanation="a\x00b")
    assert judge(enrolment, scene, explanation="\u200b \n").revision == 1
    assert Comparison.objects.get().explanation == ""


# --- States around it


def test_a_paused_study_takes_the_judgement_of_what_was_shown() -> None:
    world = factories.world()
    enrolment, scene = shown_first_turn(world)
    Study.objects.filter(pk=world.study.pk).update(state="paused")
    assert judge(enrolment, scene).revision == 1


def test_a_closed_study_takes_nothing() -> None:
    world = factories.world()
    enrolment, scene = shown_first_turn(world)
    Study.objects.filter(pk=world.study.pk).update(state="closed")
    with pytest.raises(NotNow, match="closed"):
        judge(enrolment, scene)


def test_a_comparison_moves_the_deadline_and_forgets_the_draft() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    form = comparison_form(scene.last.id, 0)
    save_draft(enrolment=enrolment, form=form, fields={"explanation": "Beca"})
    before = Assignment.objects.get().deadline
    judge(enrolment, scene)
    after = Assignment.objects.get().deadline
    assert before is not None
    assert after is not None
    assert after > before
    assert read_draft(enrolment=enrolment, form=form).fields == {}


def test_measured_times_are_kept_and_nonsense_is_not() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    choice = str(scene.last.candidates[0].id)
    for revision, first_choice_ms, visible_ms in [(0, 5, 1_500), (1, -4, 10**15)]:
        store_comparison(
            enrolment=enrolment,
            conversation_id=scene.conversation_id,
            turn_no=0,
            judgement=Judgement(
                choice,
                measures=Measures(first_choice_ms=first_choice_ms, visible_ms=visible_ms),
            ),
            revision=revision,
            idempotency_key=str(revision),
        )
    first, second = Comparison.objects.order_by("revision")
    assert 0 < (first.visible_ms or 0) <= 1_500
    assert second.visible_ms is None
    assert first.first_choice_at is not None
    assert first.first_choice_at <= first.submitted_at
    assert second.first_choice_at is None


def test_a_comparison_takes_at_most_nine_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    enrolment, scene = shown_first_turn(factories.world(turns={"min": 1, "max": 1}))
    with django_assert_max_num_queries(9):
        judge(enrolment, scene)


def test_a_comparison_in_the_middle_takes_five_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    enrolment, scene = shown_first_turn(factories.world())
    with django_assert_max_num_queries(5):
        judge(enrolment, scene)
    scene = shown(enrolment, scene.conversation_id)
    assert scene.stage is Stage.JUDGED

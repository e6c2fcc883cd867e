"""Skipping one conversation, and leaving a study."""

import pytest

from annotation.assigning import Nothing, claim_assignment
from annotation.drafts import save_draft
from annotation.leaving import SkipReason, skip_assignment, withdraw
from annotation.models import Draft, PromptCell
from annotation.refusals import BadReason, NotNow, TooLate, Unknown
from sampling.models import CandidateSet
from studies.models import Audit, Enrolment
from tests import factories
from tests.annotation.talking import (
    claimed,
    finished,
    joined,
    judge,
    opened,
    say,
    shown_first_turn,
    sitting_of,
)

pytestmark = pytest.mark.django_db


def test_a_skip_gives_the_place_back_and_keeps_what_was_stored() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    skipped = skip_assignment(
        enrolment=enrolment, assignment_id=scene.assignment_id, reason=SkipReason.UNCOMFORTABLE
    )
    assert (skipped.state, skipped.reason) == ("skipped", "uncomfortable")
    assert skipped.conversation.ended_reason == "skipped"
    assert skipped.conversation.comparisons.count() == 1
    assert PromptCell.objects.get().taken == 0


def test_skipping_twice_is_skipping_once() -> None:
    enrolment = joined(factories.world())
    assignment = claimed(enrolment)
    for _ in range(2):
        skip_assignment(enrolment=enrolment, assignment_id=assignment.pk, reason="other")
    assert PromptCell.objects.get().taken == 0


def test_a_skip_drops_the_set_that_only_this_person_waits_for() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    say(enrolment, scene)
    skip_assignment(enrolment=enrolment, assignment_id=scene.assignment_id, reason="other")
    assert CandidateSet.objects.get(shared=False).state == "failed"


def test_a_shared_set_goes_on_when_one_person_skips() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    skip_assignment(enrolment=enrolment, assignment_id=talk.assignment_id, reason="other")
    assert CandidateSet.objects.get().state == "pending"


def test_what_cannot_be_skipped_is_refused() -> None:
    world = factories.world(prompts=2)
    enrolment = joined(world)
    done = finished(enrolment)
    with pytest.raises(TooLate):
        skip_assignment(enrolment=enrolment, assignment_id=done.assignment_id, reason="other")
    with pytest.raises(BadReason):
        skip_assignment(enrolment=enrolment, assignment_id=done.assignment_id, reason="bored")
    with pytest.raises(Unknown):
        skip_assignment(enrolment=joined(world), assignment_id=done.assignment_id, reason="other")


def test_leaving_gives_every_place_back() -> None:
    world = factories.world(prompts=2)
    enrolment = joined(world)
    finished(enrolment)
    opened(enrolment)
    sitting = withdraw(enrolment=enrolment)
    assert sitting is not None
    assert (enrolment.state, sitting.state, sitting.exit_code) == (
        "withdrawn",
        "partial",
        "partial",
    )
    assert set(enrolment.assignments.values_list("state", flat=True)) == {"withdrawn"}
    assert set(PromptCell.objects.values_list("taken", flat=True)) == {0}


def test_leaving_before_anything_was_finished_returns_the_sitting() -> None:
    enrolment = joined(factories.world())
    opened(enrolment)
    sitting = withdraw(enrolment=enrolment)
    assert sitting is not None
    assert (sitting.state, sitting.exit_code) == ("returned", "withdrawn")


def test_leaving_after_the_end_keeps_the_completed_sitting() -> None:
    world = factories.world(conversations=1, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    finished(enrolment)
    withdraw(enrolment=enrolment)
    assert (enrolment.state, sitting_of(enrolment).state) == ("withdrawn", "complete")


def test_leaving_twice_is_leaving_once_and_is_on_record() -> None:
    enrolment = joined(factories.world())
    save_draft(enrolment=enrolment, form="message:x", fields={"text": "I thi"})
    withdraw(enrolment=enrolment)
    withdraw(enrolment=enrolment)
    assert Audit.objects.get().actor == f"annotator:{enrolment.pseudonym}"
    assert not Draft.objects.exists()


def test_leaving_before_the_questionnaire_needs_no_sitting() -> None:
    enrolment = factories.enrolment(state="consented")
    assert withdraw(enrolment=enrolment) is None
    assert Enrolment.objects.get().state == "withdrawn"


def test_whoever_left_gets_and_sends_nothing() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    withdraw(enrolment=enrolment)
    assert claim_assignment(enrolment=enrolment) is Nothing.OVER
    with pytest.raises((NotNow, TooLate)):
        judge(enrolment, scene)

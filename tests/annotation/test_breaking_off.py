"""What nobody waits for any more is not written."""

import pytest
from django.utils import timezone

from annotation.assigning import claim_assignment
from annotation.breaking_off import drop_sets_of_closed_studies
from annotation.models import Assignment, Conversation, Turn
from annotation.prefetching import fill_open_cohorts
from annotation.scenes import Stage, read_conversation
from annotation.sweeping import sweep_assignments, sweep_sittings
from annotation.tasks import sweep_expired
from console import opening
from sampling.models import CandidateSet
from studies.models import Enrolment, Sitting, Study
from tests import factories
from tests.annotation import talking

pytestmark = pytest.mark.django_db


def waiting(**rules: object) -> tuple[Enrolment, Conversation, Turn]:
    """An annotator who waits for the answers of their second turn."""
    enrolment, scene = talking.shown_first_turn(factories.world(**rules))  # type: ignore[arg-type]
    talking.judge(enrolment, scene)
    talking.say(enrolment, scene)
    talk = Conversation.objects.get(pk=scene.conversation_id)
    return enrolment, talk, talk.turns.get(number=1)


def let_time_run_out() -> None:
    Assignment.objects.filter(state="open").update(deadline=timezone.now())
    assert sweep_assignments() == 1


def reason(turn: Turn) -> str | None:
    return CandidateSet.objects.values_list("reason", flat=True).get(turns=turn)


def test_a_lease_that_ran_out_drops_the_set_that_was_waited_for() -> None:
    _, _, turn = waiting()
    let_time_run_out()

    assert reason(turn) == "not_wanted"


def test_a_shared_set_stays_when_one_of_its_people_is_gone() -> None:
    talk = talking.opened(talking.joined(factories.world()))
    let_time_run_out()

    assert talk.turns.get().set.state == "pending"


@pytest.mark.parametrize("sets", ["shared", "fresh"])
def test_whoever_comes_back_in_time_gets_their_answers_after_all(sets: str) -> None:
    enrolment, talk, turn = waiting(sets=sets)
    let_time_run_out()
    claim_assignment(enrolment=enrolment)

    turn.refresh_from_db()
    assert (turn.set.state, turn.set.reason) == ("pending", None)
    assert turn.set.prompt == talk.turns.get(number=0).set.prompt is not None
    scene = read_conversation(enrolment=enrolment, conversation_id=talk.pk)
    assert scene.stage is Stage.WAITING


def test_whoever_comes_back_to_a_fresh_first_set_gets_another() -> None:
    enrolment = talking.joined(factories.world(sets="fresh"))
    talk = talking.opened(enrolment)
    dropped = talk.turns.get().set
    let_time_run_out()
    dropped.refresh_from_db()
    assert dropped.reason == "not_wanted"
    claim_assignment(enrolment=enrolment)

    assert talk.turns.get().set != dropped
    assert talk.turns.get().set.state == "pending"


def test_a_sitting_that_ran_out_drops_the_set_that_was_waited_for() -> None:
    _, talk, turn = waiting()
    Sitting.objects.update(deadline=timezone.now())
    assert sweep_sittings() == 1

    talk.refresh_from_db()
    assert (talk.ended_reason, reason(turn)) == ("expired", "not_wanted")


def test_a_place_that_was_given_away_drops_the_set_as_well() -> None:
    world = factories.world(overlap=1)
    enrolment = talking.joined(world)
    talking.opened(enrolment)
    let_time_run_out()
    talking.claimed(talking.joined(world))
    CandidateSet.objects.filter(state="pending").update(state="failed", reason="not_wanted")
    claim_assignment(enrolment=enrolment)

    assert Assignment.objects.get(enrolment=enrolment).surplus


def test_closing_a_study_drops_everything_that_it_still_asks_for() -> None:
    _, _, turn = waiting()
    fill_open_cohorts()
    untouched = factories.candidate_set()  # of a study that goes on
    opening.close(study=turn.conversation.study_version.study, by="researcher:anna")

    assert reason(turn) == "not_wanted"
    unfinished = CandidateSet.objects.filter(state__in=["pending", "generating"])
    assert list(unfinished) == [untouched]


def test_a_sweep_finds_the_sets_of_a_closed_study_and_may_run_twice() -> None:
    _, _, turn = waiting()
    lease = factories.in_hours(1)
    CandidateSet.objects.filter(turns=turn).update(state="generating", lease_until=lease)
    Study.objects.update(state="closed")
    sweep_expired()
    sweep_expired()

    assert reason(turn) == "not_wanted"
    assert drop_sets_of_closed_studies() == 0


def test_a_set_of_a_closed_study_that_no_annotator_waits_for_is_left_alone() -> None:
    mine = factories.candidate_set()
    Study.objects.update(state="closed")

    assert drop_sets_of_closed_studies() == 0
    mine.refresh_from_db()
    assert mine.state == "pending"


def test_a_pause_drops_nothing() -> None:
    _, _, turn = waiting()
    Study.objects.update(state="paused")
    sweep_expired()

    assert reason(turn) is None

"""Two at once, in an order that the test forces: nobody wins twice, and nothing is lost."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.assigning import Nothing, claim_assignment
from annotation.conversing import finish_conversation, follow
from annotation.leaving import skip_assignment, withdraw
from annotation.models import Assignment, Comparison, Conversation, PromptCell, Turn
from annotation.opening import open_conversation, open_own_conversation
from annotation.refusals import NotNow, Opened, StaleRevision, SubmissionConflict, TooLate
from annotation.scenes import Stage
from annotation.sweeping import sweep_assignments
from sampling.models import CandidateSet
from tests import factories, racing
from tests.annotation.talking import (
    claimed,
    joined,
    judge,
    opened,
    reloaded,
    say,
    shown_first_turn,
    write_set,
)
from tests.breaking import refuser
from tests.racing import Runner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair(valkey_url: str) -> Iterator[tuple[Runner, Runner]]:
    with racing.runners("anna", "bruno") as (anna, bruno):
        yield anna, bruno


# --- Claims


def test_of_two_claims_for_the_last_place_one_gets_it(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world(overlap=1)
    first, second = joined(world), joined(world)
    anna.begin()
    anna.do(claim_assignment, enrolment=first)
    bruno.start(claim_assignment, enrolment=second)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() is Nothing.NOTHING_LEFT
    assert PromptCell.objects.get().taken == 1


def test_an_arm_outlives_a_claim_that_is_not_stored_yet(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world()
    person = joined(world)
    anna.begin()
    anna.do(claim_assignment, enrolment=person)
    anna.do("UPDATE studies_study SET state = 'paused'")
    bruno.start("DELETE FROM sampling_arm")
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert refuser(bruno.fault()) == "arm_kept_for_assignments"


def test_a_place_that_comes_back_while_one_waits_is_theirs(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world(overlap=1)
    first, second = joined(world), joined(world)
    anna.begin()
    anna.do(claim_assignment, enrolment=first)
    bruno.start(claim_assignment, enrolment=second)
    bruno.expect_blocked(by=anna)
    anna.rollback()
    assert isinstance(bruno.result(), Assignment)


def test_a_busy_prompt_is_passed_over(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world(prompts=2, overlap=1)
    first, second = joined(world), joined(world)
    anna.begin()
    held = anna.do(claim_assignment, enrolment=first)
    found = bruno.do(claim_assignment, enrolment=second)
    anna.commit()
    assert found.cell_id != held.cell_id


def test_two_tabs_that_claim_get_one_assignment(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world(prompts=3))
    anna.begin()
    first = anna.do(claim_assignment, enrolment=enrolment)
    bruno.start(claim_assignment, enrolment=reloaded(enrolment))
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert Assignment.objects.count() == 1


def test_own_prompts_drawn_at_once_get_numbers_of_their_own(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world(own_prompt_share=1.0)
    first, second = joined(world), joined(world)
    anna.begin()
    anna.do(claim_assignment, enrolment=first)
    bruno.start(claim_assignment, enrolment=second)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result().claim_no == 2


def test_whoever_leaves_while_claiming_holds_nothing(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world())
    anna.begin()
    anna.do(claim_assignment, enrolment=enrolment)
    bruno.start(withdraw, enrolment=reloaded(enrolment))
    bruno.expect_blocked(by=anna)
    anna.commit()
    bruno.result()
    assert Assignment.objects.get().state == "withdrawn"
    assert PromptCell.objects.get().taken == 0


def test_whoever_has_left_claims_nothing(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world())
    anna.begin()
    anna.do(withdraw, enrolment=enrolment)
    bruno.start(claim_assignment, enrolment=reloaded(enrolment))
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() is Nothing.OVER
    assert not Assignment.objects.exists()


# --- Comparisons


def test_the_same_form_sent_twice_at_once_is_answered_alike(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    anna.begin()
    first = anna.do(judge, enrolment, scene, key="a")
    bruno.start(judge, enrolment, scene, key="a")
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert Comparison.objects.count() == 1


def test_the_same_key_with_another_choice_at_once_is_refused(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    anna.begin()
    anna.do(judge, enrolment, scene, key="a", place=0)
    bruno.start(judge, enrolment, scene, key="a", place=1)
    bruno.expect_blocked(by=anna)
    anna.commit()
    fault = bruno.fault()
    assert isinstance(fault, SubmissionConflict)
    assert fault.current is not None
    assert fault.current.letter == "A"


def test_of_two_tabs_the_second_is_shown_what_counts(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    anna.begin()
    anna.do(judge, enrolment, scene, place=0)
    bruno.start(judge, enrolment, scene, place=1)
    bruno.expect_blocked(by=anna)
    anna.commit()
    fault = bruno.fault()
    assert isinstance(fault, StaleRevision)
    assert fault.current is not None
    assert (fault.current.letter, fault.current.revision) == ("A", 1)


def test_a_correction_behind_the_next_message_comes_too_late(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    anna.begin()
    anna.do(say, enrolment, scene)
    bruno.start(judge, enrolment, scene, place=1, revision=1)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert isinstance(bruno.fault(), TooLate)
    assert Comparison.objects.get().superseded_at is None


def test_a_message_behind_a_correction_goes_on_from_the_correction(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    anna.begin()
    anna.do(judge, enrolment, scene, place=1, revision=1)
    bruno.start(say, enrolment, scene)
    bruno.expect_blocked(by=anna)
    anna.commit()
    bruno.result()
    turn = Turn.objects.get(number=1)
    assert turn.carried_id == scene.last.candidates[1].id


def test_a_correction_behind_the_end_comes_too_late(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world(turns={"min": 1, "max": 3}))
    judge(enrolment, scene)
    anna.begin()
    anna.do(finish_conversation, enrolment=enrolment, conversation_id=scene.conversation_id)
    bruno.start(judge, enrolment, scene, place=1, revision=1)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert isinstance(bruno.fault(), TooLate)


def test_an_end_behind_a_correction_keeps_the_correction(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world(turns={"min": 1, "max": 3}))
    judge(enrolment, scene)
    anna.begin()
    anna.do(judge, enrolment, scene, place=1, revision=1)
    bruno.start(finish_conversation, enrolment=enrolment, conversation_id=scene.conversation_id)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result().ended_reason == "finished"
    assert Comparison.objects.get(superseded_at=None).revision == 2


# --- Messages


def test_the_same_message_sent_twice_at_once_is_one_turn(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    anna.begin()
    first = anna.do(say, enrolment, scene, key="a")
    bruno.start(say, enrolment, scene, key="a")
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert Turn.objects.count() == CandidateSet.objects.count() == 2


def test_the_same_own_message_sent_twice_at_once_opens_once(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world(own_prompt_share=1.0))
    form = {
        "enrolment": enrolment,
        "assignment_id": claimed(enrolment).pk,
        "text": "Is it so?",
        "idempotency_key": "a",
    }
    anna.begin()
    first = anna.do(open_own_conversation, **form)
    bruno.start(open_own_conversation, **form)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert Conversation.objects.count() == 1


def test_of_two_own_messages_sent_at_once_the_second_is_told_and_not_lost(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world(own_prompt_share=1.0))
    form = {"enrolment": enrolment, "assignment_id": claimed(enrolment).pk}
    anna.begin()
    anna.do(open_own_conversation, **form, text="Is it so?", idempotency_key="a")
    bruno.start(open_own_conversation, **form, text="Or so?", idempotency_key="b")
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert isinstance(bruno.fault(), Opened)
    assert (Turn.objects.get().message, CandidateSet.objects.count()) == ("Is it so?", 1)


def test_two_tabs_that_open_a_prompt_at_once_open_one_conversation(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world())
    form = {"enrolment": enrolment, "assignment": claimed(enrolment)}
    anna.begin()
    first = anna.do(open_conversation, **form)
    bruno.start(open_conversation, **form)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert (Conversation.objects.count(), Turn.objects.count()) == (1, 1)


# --- Showing


def test_two_tabs_that_open_at_once_show_one_order(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    write_set(Turn.objects.get().set_id)
    anna.begin()
    first = anna.do(follow, enrolment=enrolment, conversation_id=talk.pk)
    bruno.start(follow, enrolment=enrolment, conversation_id=talk.pk)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert CandidateSet.objects.get().showings == 1


def test_two_people_shown_a_set_at_once_get_numbers_of_their_own(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    world = factories.world()
    first, second = joined(world), joined(world)
    talks = [opened(first), opened(second)]
    write_set(CandidateSet.objects.get().pk)
    anna.begin()
    anna.do(follow, enrolment=first, conversation_id=talks[0].pk)
    bruno.start(follow, enrolment=second, conversation_id=talks[1].pk)
    bruno.expect_blocked(by=anna)
    anna.commit()
    bruno.result()
    shown = dict(Turn.objects.values_list("showing_no", "display_order"))
    assert shown.keys() == {1, 2}
    assert shown[1] != shown[2]


def test_a_page_behind_a_skip_shows_the_end_where_its_set_was_retired(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    write_set(Turn.objects.get().set_id)
    CandidateSet.objects.update(retired_at=timezone.now())
    anna.begin()
    anna.do(skip_assignment, enrolment=enrolment, assignment_id=talk.assignment_id, reason="other")
    bruno.start(follow, enrolment=enrolment, conversation_id=talk.pk)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result().stage is Stage.ENDED


# --- Leases


def let_time_run_out() -> None:
    Assignment.objects.update(deadline=timezone.now() - timedelta(seconds=1))


def test_the_sweep_passes_over_somebody_who_is_busy(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    let_time_run_out()
    anna.begin()
    anna.do(judge, enrolment, scene)
    assert bruno.do(sweep_assignments) == 0
    anna.commit()
    assert bruno.do(sweep_assignments) == 0
    assert Assignment.objects.get().state == "open"


def test_a_judgement_behind_the_sweep_opens_its_assignment_again(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world(overlap=1))
    let_time_run_out()
    anna.begin()
    assert anna.do(sweep_assignments) == 1
    bruno.start(judge, enrolment, scene)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result().revision == 1
    assert Assignment.objects.get().state == "open"
    assert PromptCell.objects.get().taken == 1


def test_two_sweeps_at_once_give_a_place_back_once(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    claimed(joined(factories.world()))
    let_time_run_out()
    anna.begin()
    assert anna.do(sweep_assignments) == 1
    assert bruno.do(sweep_assignments) == 0
    anna.commit()
    assert PromptCell.objects.get().taken == 0


def test_a_place_given_back_at_once_reaches_whoever_waits(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world(prompts=1, overlap=1)
    first, second = joined(world), joined(world)
    held = claimed(first)
    anna.begin()
    anna.do(skip_assignment, enrolment=first, assignment_id=held.pk, reason="other")
    # The place is not free before the skip is stored, so this is true when it is said.
    assert bruno.do(claim_assignment, enrolment=second) is Nothing.NOTHING_LEFT
    anna.commit()
    assert PromptCell.objects.get().taken == 0


def test_a_judgement_behind_leaving_is_not_stored(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    anna.begin()
    anna.do(withdraw, enrolment=enrolment)
    bruno.start(judge, reloaded(enrolment), scene)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert isinstance(bruno.fault(), (NotNow, TooLate))
    assert not Comparison.objects.exists()

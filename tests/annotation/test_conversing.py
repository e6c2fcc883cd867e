"""Opening a conversation, going on with it, finishing it."""

import pytest
from pytest_django import DjangoAssertNumQueries

from annotation.conversing import finish_conversation, follow, retry_set
from annotation.models import Assignment, Conversation, Turn
from annotation.opening import open_conversation, open_own_conversation
from annotation.refusals import (
    BadText,
    NotNow,
    OutOfOrder,
    SubmissionConflict,
    TooLate,
    Unknown,
)
from annotation.scenes import Stage, read_conversation
from annotation.turns import Sent, asks_explanation
from sampling.models import CandidateSet
from studies.models import Enrolment, Study
from studies.rules import rules_of
from tests import factories
from tests.annotation.talking import (
    claimed,
    finished,
    joined,
    judge,
    opened,
    say,
    shown,
    shown_first_turn,
    sitting_of,
)

pytestmark = pytest.mark.django_db


def own_assignment() -> tuple[Enrolment, Assignment]:
    enrolment = joined(factories.world(own_prompt_share=1.0))
    return enrolment, claimed(enrolment)


def open_with(enrolment: Enrolment, assignment: Assignment, text: str, *, key: str) -> Sent:
    return open_own_conversation(
        enrolment=enrolment, assignment_id=assignment.pk, text=text, idempotency_key=key
    )


# --- Opening


def test_a_conversation_opens_with_its_prompt_and_asks_for_a_shared_set() -> None:
    world = factories.world()
    talk = opened(joined(world))
    turn = talk.turns.get()
    assert turn.message == factories.opening(world.prompts[0])
    assert (turn.set.shared, turn.set.state, turn.set.language) == (True, "pending", "en")
    assert (talk.plan_id, talk.study_version_id) == (world.plan.pk, world.version.pk)


def test_every_set_of_a_conversation_carries_its_prompt() -> None:
    world = factories.world()
    enrolment, scene = shown_first_turn(world)
    judge(enrolment, scene)
    say(enrolment, scene)
    CandidateSet.objects.filter(state="pending").update(state="failed", reason="guard_rejected")
    retry_set(enrolment=enrolment, conversation_id=scene.conversation_id)

    [prompt] = world.prompts
    carried = CandidateSet.objects.values_list("prompt", "category")
    assert list(carried) == [(prompt.pk, prompt.category)] * 3


def test_an_own_opening_has_no_prompt() -> None:
    enrolment, assignment = own_assignment()
    open_with(enrolment, assignment, "What should I do?", key="k")

    asked = CandidateSet.objects.get()
    assert (asked.prompt, asked.category) == (None, "")


def test_opening_again_returns_the_conversation_that_is_there() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    assert opened(enrolment) == talk
    assert CandidateSet.objects.count() == 1


def test_two_annotators_of_a_prompt_share_its_set() -> None:
    world = factories.world()
    first, second = opened(joined(world)), opened(joined(world))
    assert first.turns.get().set_id == second.turns.get().set_id


def test_somebody_elses_assignment_is_unknown() -> None:
    world = factories.world()
    theirs = claimed(joined(world))
    with pytest.raises(Unknown):
        open_conversation(enrolment=joined(world), assignment=theirs)


def test_a_paused_study_opens_no_conversation() -> None:
    world = factories.world()
    enrolment = joined(world)
    assignment = claimed(enrolment)
    Study.objects.filter(pk=world.study.pk).update(state="paused")
    with pytest.raises(NotNow, match="paused"):
        open_conversation(enrolment=enrolment, assignment=assignment)


def test_an_own_message_opens_a_conversation_with_a_set_of_its_own() -> None:
    enrolment, assignment = own_assignment()
    sent = open_with(enrolment, assignment, " Is it so? ", key="a")
    turn = Turn.objects.get(conversation=sent.conversation_id)
    assert (turn.message, turn.set.shared) == ("Is it so?", False)


def test_the_same_own_message_sent_twice_opens_one_conversation() -> None:
    enrolment, assignment = own_assignment()
    first = open_with(enrolment, assignment, "Is it so?", key="a")
    assert open_with(enrolment, assignment, "Is it so?", key="a") == first
    with pytest.raises(SubmissionConflict):
        open_with(enrolment, assignment, "Or is it not?", key="a")


def test_a_second_own_message_comes_too_late() -> None:
    enrolment, assignment = own_assignment()
    open_with(enrolment, assignment, "Is it so?", key="a")
    with pytest.raises(TooLate):
        open_with(enrolment, assignment, "Or is it not?", key="b")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \n\u200b", "empty"),
        ("a\x00b", "nul"),
        ("a\ud800", "surrogate"),
        ("a\x07", "control"),
        ("ab" * 2001, "too_long"),
    ],
)
def test_a_message_that_cannot_be_stored_is_refused_with_a_reason(text: str, code: str) -> None:
    enrolment, assignment = own_assignment()
    with pytest.raises(BadText) as refusal:
        open_with(enrolment, assignment, text, key="a")
    assert refusal.value.code == code
    assert not Conversation.objects.exists()


def test_opening_takes_at_most_five_queries_when_its_set_is_ready(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    world = factories.world()
    shown_first_turn(world)
    enrolment = joined(world)
    assignment = claimed(enrolment)
    with django_assert_max_num_queries(5):
        open_conversation(enrolment=enrolment, assignment=assignment)


# --- Showing


def test_a_ready_set_is_shown_once_in_an_order_that_stays() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    again = follow(enrolment=enrolment, conversation_id=scene.conversation_id)
    turn = Turn.objects.get()
    assert scene.stage is Stage.JUDGE
    assert again == scene
    assert (turn.showing_no, turn.set.showings, turn.layout) == (1, 1, "")
    assert [shown.letter for shown in scene.last.candidates] == ["A", "B", "C", "D"]


def test_reading_shows_nothing() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    scene = read_conversation(enrolment=enrolment, conversation_id=talk.pk)
    assert (scene.stage, scene.last.candidates) == (Stage.WAITING, ())


def test_each_showing_of_a_shared_set_has_the_next_number() -> None:
    world = factories.world(overlap=4)
    orders = [shown_first_turn(world)[1].last.candidates for _ in range(4)]
    assert set(Turn.objects.values_list("showing_no", flat=True)) == {1, 2, 3, 4}
    # A block of the square: everybody sees another one first.
    assert len({order[0].text for order in orders}) == 4


def test_own_sets_are_balanced_over_the_turns_of_one_person() -> None:
    enrolment = joined(
        factories.world(own_prompt_share=1.0, conversations=4, turns={"min": 1, "max": 1})
    )
    for number in range(4):
        text = f"Question {number}?"
        sent = open_with(enrolment, claimed(enrolment), text, key=str(number))
        judge(enrolment, shown(enrolment, sent.conversation_id))
    orders = Turn.objects.values_list("display_order", flat=True)
    assert {order[0] for order in orders if order} == {0, 1, 2, 3}


def test_a_foreign_conversation_is_unknown() -> None:
    world = factories.world()
    talk = opened(joined(world))
    with pytest.raises(Unknown):
        follow(enrolment=joined(world), conversation_id=talk.pk)


def test_a_page_takes_at_most_five_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    shown(enrolment, talk.pk)
    with django_assert_max_num_queries(3):
        follow(enrolment=enrolment, conversation_id=talk.pk)


# --- Going on


def test_the_next_turn_answers_the_whole_conversation() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, place=2)
    sent = say(enrolment, scene, "Why so?")
    turn = Turn.objects.get(number=sent.turn_no)
    assert [said["content"] for said in turn.set.context] == [
        scene.last.message,
        scene.last.candidates[2].text,
        "Why so?",
    ]
    assert turn.set.shared is False


def test_a_message_sent_twice_is_one_turn() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    first = say(enrolment, scene, key="a")
    assert say(enrolment, scene, key="a") == first
    with pytest.raises(SubmissionConflict):
        say(enrolment, scene, "Something else", key="a")
    assert Turn.objects.count() == 2


def test_a_message_before_the_judgement_is_out_of_order() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    with pytest.raises(OutOfOrder):
        say(enrolment, scene)


def test_a_message_while_the_next_set_is_written_is_out_of_order() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    say(enrolment, scene)
    with pytest.raises(OutOfOrder):
        say(enrolment, scene, "In another tab")


def test_a_paused_study_takes_no_message() -> None:
    world = factories.world()
    enrolment, scene = shown_first_turn(world)
    judge(enrolment, scene)
    Study.objects.filter(pk=world.study.pk).update(state="paused")
    with pytest.raises(NotNow, match="paused"):
        say(enrolment, scene)


def test_a_message_takes_at_most_eleven_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    with django_assert_max_num_queries(11):
        say(enrolment, scene)


def test_a_failed_set_is_replaced_once() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    CandidateSet.objects.update(state="failed", reason="endpoint_unavailable")
    assert follow(enrolment=enrolment, conversation_id=talk.pk).stage is Stage.FAILED
    first = retry_set(enrolment=enrolment, conversation_id=talk.pk)
    second = retry_set(enrolment=enrolment, conversation_id=talk.pk)
    assert first.stage is Stage.WAITING
    assert first.last.set_id == second.last.set_id
    assert CandidateSet.objects.count() == 2


# --- Finishing


def test_finishing_needs_as_many_turns_as_the_study_asks_for() -> None:
    enrolment, scene = shown_first_turn(factories.world(turns={"min": 2, "max": 3}))
    judge(enrolment, scene)
    with pytest.raises(OutOfOrder):
        finish_conversation(enrolment=enrolment, conversation_id=scene.conversation_id)


def test_finishing_counts_for_the_prompt_and_twice_is_once() -> None:
    world = factories.world(turns={"min": 1, "max": 3})
    enrolment, scene = shown_first_turn(world)
    judge(enrolment, scene)
    first = finish_conversation(enrolment=enrolment, conversation_id=scene.conversation_id)
    second = finish_conversation(enrolment=enrolment, conversation_id=scene.conversation_id)
    assert first.ended_reason == "finished"
    assert second.ended_at == first.ended_at
    assert first.assignment.state == "submitted"
    world.cell.refresh_from_db()
    assert world.cell.taken == 1


def test_the_last_conversation_of_a_sitting_completes_it() -> None:
    world = factories.world(prompts=2, conversations=2)
    enrolment = joined(world)
    finished(enrolment)
    assert sitting_of(enrolment).state == "open"
    finished(enrolment)
    enrolment.refresh_from_db()
    assert (sitting_of(enrolment).exit_code, enrolment.state) == ("complete", "complete")


def test_a_finished_conversation_takes_no_message() -> None:
    enrolment = joined(factories.world())
    talk = finished(enrolment)
    scene = read_conversation(enrolment=enrolment, conversation_id=talk.pk)
    assert scene.stage is Stage.ENDED
    with pytest.raises(TooLate):
        say(enrolment, scene)


# --- The explanation


@pytest.mark.parametrize(("rule", "asked"), [("never", False), ("always", True), ("chosen", True)])
def test_the_rule_says_which_turns_ask_why(rule: str, *, asked: bool) -> None:
    version = factories.study_version(explanation={"rule": rule, "min_words": 1})
    assert asks_explanation(rules_of(version), "seed", version.pk, 0) is asked


def test_a_share_of_the_turns_asks_why_the_same_ones_every_time() -> None:
    version = factories.study_version(explanation={"rule": "share", "share": 0.3})
    rules = rules_of(version)
    drawn = [asks_explanation(rules, "seed", version.pk, turn) for turn in range(2000)]
    assert drawn == [asks_explanation(rules, "seed", version.pk, turn) for turn in range(2000)]
    assert 0.25 < sum(drawn) / 2000 < 0.35

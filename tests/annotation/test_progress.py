"""What an annotator should do next: every state has its step."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.leaving import withdraw
from annotation.progress import Do, Stage, next_step, read_conversation
from studies.models import Enrolment, Sitting, Study
from tests import factories
from tests.annotation.talking import (
    claimed,
    finished,
    joined,
    judge,
    opened,
    reloaded,
    say,
    shown,
    shown_first_turn,
)

pytestmark = pytest.mark.django_db


def test_after_consent_comes_the_questionnaire() -> None:
    world = factories.world()
    enrolment = factories.enrolment(world.cohort, state="consented")
    step = next_step(reloaded(enrolment))
    assert (step.do, step.sitting) == (Do.ANSWER, None)


def test_whoever_has_nothing_open_starts() -> None:
    step = next_step(joined(factories.world(conversations=2)))
    assert (step.do, step.number, step.target, step.done) == (Do.START, 1, 2, 0)


def test_a_claimed_prompt_that_was_not_opened_is_started() -> None:
    enrolment = joined(factories.world())
    assignment = claimed(enrolment)
    step = next_step(enrolment)
    assert (step.do, step.assignment_id) == (Do.START, assignment.pk)


def test_a_claimed_own_prompt_is_written() -> None:
    enrolment = joined(factories.world(own_prompt_share=1.0))
    assignment = claimed(enrolment)
    step = next_step(enrolment)
    assert (step.do, step.assignment_id) == (Do.WRITE, assignment.pk)


def test_an_open_conversation_goes_on() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    step = next_step(enrolment)
    assert (step.do, step.conversation_id) == (Do.CONVERSE, talk.pk)


def test_after_a_finished_conversation_comes_the_next() -> None:
    enrolment = joined(factories.world(prompts=2, conversations=2))
    finished(enrolment)
    step = next_step(enrolment)
    assert (step.do, step.number, step.done) == (Do.START, 2, 1)


def test_a_paused_study_waits_and_a_closed_one_is_over() -> None:
    world = factories.world()
    enrolment = joined(world)
    for state, do in [("paused", Do.WAIT), ("closed", Do.LEAVE)]:
        Study.objects.filter(pk=world.study.pk).update(state=state)
        assert next_step(enrolment).do is do


def test_a_sitting_past_its_deadline_is_over() -> None:
    enrolment = joined(factories.world())
    Sitting.objects.update(deadline=timezone.now())
    step = next_step(enrolment)
    assert (step.do, step.exit_code) == (Do.LEAVE, "timeout")


def test_a_complete_sitting_says_so() -> None:
    enrolment = joined(factories.world(conversations=1, turns={"min": 1, "max": 1}))
    finished(enrolment)
    step = next_step(enrolment)
    assert (step.do, step.exit_code, step.done) == (Do.LEAVE, "complete", 1)
    assert step.sitting is not None
    assert step.sitting.enrolment == enrolment


def test_whoever_left_has_left() -> None:
    enrolment = joined(factories.world())
    withdraw(enrolment=enrolment)
    assert next_step(enrolment).exit_code == "withdrawn"


@pytest.mark.parametrize(
    "state", [state for state in Enrolment.State if state not in ("consented", "enrolled")]
)
def test_every_final_state_leaves(state: str) -> None:
    enrolment = joined(factories.world())
    Enrolment.objects.update(state=state)
    assert next_step(enrolment).do is Do.LEAVE


def test_a_step_takes_one_query_however_much_was_done(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    enrolment = joined(factories.world(prompts=6, conversations=6, turns={"min": 1, "max": 1}))
    for _ in range(5):
        finished(enrolment)
    with django_assert_num_queries(1):
        next_step(enrolment)


def test_a_conversation_is_read_in_three_queries_at_every_length(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    enrolment, scene = shown_first_turn(factories.world(turns={"min": 1, "max": 3}))
    for _ in range(2):
        with django_assert_num_queries(3):
            read_conversation(enrolment=enrolment, conversation_id=scene.conversation_id)
        judge(enrolment, scene)
        say(enrolment, scene)
        scene = shown(enrolment, scene.conversation_id)


def test_a_scene_says_what_is_possible() -> None:
    enrolment, scene = shown_first_turn(factories.world(turns={"min": 1, "max": 2}))
    assert (scene.can_send_message, scene.can_finish, scene.can_correct) == (False, False, False)
    judge(enrolment, scene, place=1)
    scene = read_conversation(enrolment=enrolment, conversation_id=scene.conversation_id)
    assert (scene.can_send_message, scene.can_finish, scene.can_correct) == (True, True, True)
    assert scene.last.carried == scene.last.candidates[1]
    say(enrolment, scene)
    scene = shown(enrolment, scene.conversation_id)
    assert scene.is_last_turn
    assert (scene.number, scene.target, scene.language) == (1, 2, "en")
    assert scene.stage is Stage.JUDGE


def test_a_prompt_of_several_messages_shows_what_came_before() -> None:
    world = factories.world(state="draft")
    said = [
        factories.user("I sing."),
        factories.assistant("How nice."),
        factories.user("Should I stop?"),
    ]
    longer = factories.prompt(world.study, languages=[])
    longer.texts.create(language="en", messages=said)
    world.cells[0].delete()
    factories.cell(world.cohort, of_prompt=longer)
    type(longer).objects.filter(pk=longer.pk).update(frozen_at=timezone.now())
    Study.objects.filter(pk=world.study.pk).update(state="open")
    enrolment = joined(world)
    scene = read_conversation(enrolment=enrolment, conversation_id=opened(enrolment).pk)
    assert scene.opening == tuple(said[:2])
    assert scene.last.message == "Should I stop?"

"""What an annotator should do next: every state has its step."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.leaving import withdraw
from annotation.steps import Do, next_step
from studies.models import Enrolment, Sitting, Study
from tests import factories
from tests.annotation.talking import (
    claimed,
    finished,
    joined,
    opened,
    reloaded,
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

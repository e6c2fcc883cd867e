"""A conversation as its page shows it: what is read, and what may be done."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.scenes import Stage, read_conversation
from studies.models import Study
from tests import factories
from tests.annotation.talking import (
    joined,
    judge,
    opened,
    say,
    shown,
    shown_first_turn,
)

pytestmark = pytest.mark.django_db


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

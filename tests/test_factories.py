"""The factories make what they promise."""

import pytest

from annotation.models import PromptCell
from studies.rules import current_rules
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "fr", "it", "pt", "hi"])
def test_a_world_takes_a_judgement_and_goes_on_from_it(language: str) -> None:
    world = factories.world(language=language)
    first = factories.judged_turn(world)
    second = factories.comparison(factories.turn(world, after=first), choice=3)

    assert second.turn_no == 1
    assert [message["role"] for message in second.turn.set.context] == ["user", "assistant", "user"]
    assert PromptCell.objects.get(pk=world.cell.pk).taken == 1


def test_a_turn_may_wait_for_its_set() -> None:
    turn = factories.turn(factories.world(), ready=False)

    assert turn.set.state == "pending"
    assert turn.shown_at is None


def test_an_own_prompt_has_no_cell() -> None:
    world = factories.world()
    talk = factories.conversation(world, under=factories.assignment(world, own=True))

    assert factories.turn(world, within=talk).set.context[0]["content"].startswith("Something")


def test_the_rules_of_a_world_can_be_read() -> None:
    world = factories.world(turns={"min": 1, "max": 4}, conversations=5)

    assert current_rules(world.study).turns_max == 4
    assert factories.person(world).target == 5


@pytest.mark.parametrize(
    "make",
    [
        factories.study,
        factories.study_version,
        factories.cohort,
        factories.prompt,
        factories.enrolment,
        factories.invitation,
        factories.consent_record,
        factories.answer,
        factories.sitting,
        factories.endpoint,
        factories.plan,
        factories.arm,
        factories.candidate_set,
        factories.ready_set,
        factories.model_call,
        factories.cell,
        factories.researcher,
    ],
)
def test_every_factory_works_with_nothing_given(make: object) -> None:
    assert callable(make)
    assert make().pk

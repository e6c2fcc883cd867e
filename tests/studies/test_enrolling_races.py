"""Two arrivals at once: a personal link lets one person in, and a form makes one person."""

from collections.abc import Iterator

import pytest

from studies import access
from studies.answering import answer_page
from studies.enrolling import LinkUsed, give_consent
from studies.models import Enrolment, Invitation, Sitting
from studies.questionnaires import Sheet
from studies.stages import Stage, Where, take_step
from tests import factories, racing
from tests.racing import Runner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair() -> Iterator[tuple[Runner, Runner]]:
    with racing.runners("anna", "bruno") as (anna, bruno):
        yield anna, bruno


def found(token: str) -> Invitation:
    invitation = access.find_invitation(token)
    assert invitation is not None
    return invitation


def test_a_personal_link_lets_one_of_two_in(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world()
    [token] = access.invite_personally(world.cohort)
    form = {"document": world.consent, "ui_language": "en"}
    anna.begin()
    anna.do(give_consent, invitation=found(token), arrival="a", **form)
    bruno.start(give_consent, invitation=found(token), arrival="b", **form)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert isinstance(bruno.fault(), LinkUsed)
    assert Enrolment.objects.count() == 1


def test_a_consent_form_sent_twice_at_once_makes_one_person(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world()
    token = access.invite_openly(world.cohort)
    form = {"document": world.consent, "ui_language": "en", "arrival": "a"}
    anna.begin()
    first = anna.do(give_consent, invitation=found(token), **form)
    bruno.start(give_consent, invitation=found(token), **form)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert Enrolment.objects.count() == 1


def test_a_questionnaire_sent_twice_at_once_opens_one_sitting(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    world = factories.world()
    person = factories.enrolment(world.cohort, state="consented")
    factories.consent_record(person, document=world.consent)

    def step(held: Enrolment, where: Where) -> Sheet | None:
        return answer_page(held, where, page="", posted={"age_band": ["55+"]})

    anna.begin()
    assert anna.do(take_step, person, step) is Stage.BEGUN
    bruno.start(take_step, person, step)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() is Stage.WORK
    assert Sitting.objects.count() == 1

"""Records and answers of one person at the same moment: what is agreed to is never overlooked."""

from collections.abc import Iterator

import pytest

from studies.consenting import change_mind
from studies.models import Enrolment, SensitiveAnswer
from tests import factories, racing
from tests.breaking import copy, refuser
from tests.racing import Runner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair() -> Iterator[tuple[Runner, Runner]]:
    with racing.runners("anna", "bruno") as (anna, bruno):
        yield anna, bruno


def test_two_records_at_once_both_count(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    person = factories.enrolment()
    text = factories.consent_document(person.study, purposes=["take_part", "recontact"])
    anna.begin()
    anna.do(factories.consent_record, person, document=text)
    bruno.start(factories.consent_record, person, document=text, purpose="recontact")
    bruno.expect_blocked(by=anna)
    anna.commit()
    bruno.result()

    assert Enrolment.objects.get().purposes == ["recontact", "take_part"]


def test_a_sensitive_answer_waits_for_a_change_of_mind_and_is_refused(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    given = factories.sensitive_answer()
    anna.begin()
    document = given.enrolment.consent_records.all()[0].document
    anna.do(
        change_mind,
        enrolment=given.enrolment,
        document=document,
        answers={"sensitive_questions": False},
    )
    bruno.start(copy, given)
    bruno.expect_blocked(by=anna)
    anna.commit()

    assert refuser(bruno.fault()) == "sensitive_answer_agreed_to"
    assert not SensitiveAnswer.objects.exists()

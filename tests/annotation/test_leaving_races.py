"""Leaving while something else happens: nothing of what was deleted comes back."""

from collections.abc import Iterator

import pytest

from annotation.departing import depart_by_code
from annotation.drafts import save_draft
from annotation.enquiring import ask
from annotation.erasing import erase_person
from annotation.models import Break, Draft, Turn
from annotation.refusals import NotNow, TooLate
from annotation.resting import take_break
from sampling.models import CandidateSet
from studies import withdrawal_codes
from studies.models import Audit, Enquiry
from studies.withdrawal_codes import UsedCode, make_code
from tests import factories, racing
from tests.annotation.talking import joined, judge, say, shown_first_turn
from tests.breaking import refuser
from tests.racing import Runner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair(valkey_url: str) -> Iterator[tuple[Runner, Runner]]:
    with racing.runners("anna", "bruno") as (anna, bruno):
        yield anna, bruno


def test_a_message_under_way_is_erased_with_the_rest(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    anna.begin()
    anna.do(say, enrolment, scene, "The quokka?")
    bruno.start(erase_person, enrolment=enrolment, by="test")
    bruno.expect_blocked(by=anna)
    anna.commit()
    bruno.result()
    assert not Turn.objects.filter(message__contains="quokka").exists()
    assert not CandidateSet.objects.filter(context__contains=[{"role": "user"}], erased_at=None)[
        1:
    ].exists()


def test_what_is_sent_while_the_words_are_erased_is_not_stored(
    pair: tuple[Runner, Runner],
) -> None:
    anna, bruno = pair
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    anna.begin()
    anna.do(erase_person, enrolment=enrolment, by="test")
    bruno.start(say, enrolment, scene, "The quokka?")
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert isinstance(bruno.fault(), NotNow | TooLate)
    assert Turn.objects.count() == 1


def test_neither_a_draft_nor_a_question_outlives_an_erasure(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world())
    anna.begin()
    anna.do(erase_person, enrolment=enrolment, by="test")
    bruno.start(save_draft, enrolment=enrolment, form="message:x", fields={"text": "Quokka"})
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() is False
    bruno.start(ask, enrolment=enrolment, text="Quokka?")
    assert isinstance(bruno.fault(), TooLate)
    assert not Draft.objects.exists()
    assert not Enquiry.objects.exists()


def test_a_code_is_used_once_by_two_at_the_same_moment(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    code = withdrawal_codes.letters_of(make_code(enrolment=joined(factories.world())).pk)
    anna.begin()
    anna.do(depart_by_code, typed=code, extent="stop")
    bruno.start(depart_by_code, typed=code, extent="delete")
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert isinstance(bruno.fault(), UsedCode)
    assert Audit.objects.count() == 1


def test_two_tabs_take_one_break(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    enrolment = joined(factories.world())
    anna.begin()
    anna.do(take_break, enrolment=enrolment)
    bruno.start(take_break, enrolment=enrolment)
    bruno.expect_blocked(by=anna)
    anna.commit()
    bruno.result()
    assert Break.objects.count() == 1


def test_two_raw_breaks_at_once_are_refused_by_the_database(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    sitting = factories.sitting()
    anna.begin()
    anna.do(factories.a_break, sitting)
    bruno.start(factories.a_break, sitting)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert refuser(bruno.fault()) == "break_one_open"

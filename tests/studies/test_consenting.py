"""Purposes are agreed to apart, and a changed text asks again."""

import pytest

from annotation.agreeing import agree as agree_to
from studies import consenting
from studies.consenting import DocumentChanged, PurposesUnanswered, agrees_to, change_mind
from studies.models import (
    ConsentDocument,
    ConsentRecord,
    Enrolment,
    SensitiveAnswer,
    Sitting,
    Study,
)
from studies.rules import current_rules
from studies.stages import Stage, take_step, whereabouts
from tests import factories
from tests.factories import World
from tests.studies.asking import ORIGIN, PURPOSES, agree, answer, asking_world, consented

pytestmark = pytest.mark.django_db


def changed(world: World) -> ConsentDocument:
    """A second version of the text, and rules that name it."""
    document = factories.consent_document(
        world.study, version=2, body="It has changed.", purposes=PURPOSES
    )
    Study.objects.filter(pk=world.study.pk).update(state="paused")
    factories.study_version(world.study, n=2, frozen=True, consent_version=2)
    Study.objects.filter(pk=world.study.pk).update(state="open")
    return document


def read(person: Enrolment) -> ConsentDocument:
    """The text that this person read."""
    return ConsentRecord.objects.filter(enrolment=person)[0].document


def test_each_purpose_has_a_record_of_its_own() -> None:
    person = consented(asking_world([]))
    agree(person, "public_release")

    assert sorted(ConsentRecord.objects.values_list("purpose", "granted")) == [
        ("public_release", True),
        ("sensitive_questions", False),
        ("take_part", True),
    ]
    assert person.purposes == ["public_release", "take_part"]
    assert agrees_to(person, "public_release")


def test_a_purpose_without_an_answer_is_named_and_nothing_stored() -> None:
    world = asking_world([])
    person = consented(world)
    given = {"public_release": True}
    with pytest.raises(PurposesUnanswered) as refusal:
        take_step(person, lambda *held: agree_to(*held, document=world.consent, answers=given))
    assert refusal.value.purposes == ["sensitive_questions"]
    assert ConsentRecord.objects.count() == 1


def test_a_no_to_what_the_work_needs_is_a_way_out_with_its_code() -> None:
    person = consented(asking_world([], purposes=["take_part", "conversations"]))
    agree(person)

    assert person.state == "no_consent"
    assert Sitting.objects.get().exit_code == "no_consent"


def test_answering_again_changes_nothing() -> None:
    person = consented(asking_world([]))
    for _ in range(2):
        agree(person, "public_release")

    assert ConsentRecord.objects.count() == 3


def test_a_changed_text_asks_for_everything_again_also_at_work() -> None:
    world = asking_world([])
    person = factories.person(world).enrolment
    document = changed(world)

    where = whereabouts(person)
    assert (where.stage, list(where.purposes)) == (Stage.CONSENT, document.purposes)
    assert agree(person, "public_release") is Stage.WORK
    assert not consenting.is_due(person, current_rules(world.study))


def test_an_old_text_can_no_longer_be_agreed_to() -> None:
    world = asking_world([])
    person = consented(world)
    changed(world)
    with pytest.raises(DocumentChanged):
        agree(person, *PURPOSES, version=1)


def test_who_takes_back_the_consent_to_sensitive_questions_takes_back_the_answers() -> None:
    person = consented(asking_world([ORIGIN]))
    agree(person, "sensitive_questions")
    answer(person, origin="american")
    change_mind(enrolment=person, document=read(person), answers={"sensitive_questions": False})

    assert not agrees_to(person, "sensitive_questions")
    assert not SensitiveAnswer.objects.exists()


def test_a_change_of_mind_adds_a_record_for_what_differs_and_nothing_else() -> None:
    person = consented(asking_world([]))
    agree(person)
    answers = {"public_release": True, "sensitive_questions": False, "recontact": True}
    change_mind(enrolment=person, document=read(person), answers=answers)

    assert person.purposes == ["public_release", "take_part"]
    assert ConsentRecord.objects.count() == 4


def test_what_the_work_needs_is_taken_back_by_withdrawing_only() -> None:
    person = consented(asking_world([]))
    change_mind(enrolment=person, document=read(person), answers={"take_part": False})

    assert agrees_to(person, "take_part")


def test_a_mind_is_changed_under_the_version_that_was_answered_last() -> None:
    world = asking_world([])
    person = consented(world)
    later = changed(world)
    with pytest.raises(DocumentChanged):
        change_mind(enrolment=person, document=later, answers={"public_release": True})

    assert ConsentRecord.objects.count() == 1

"""What researchers see of annotators, answer them and decide about them."""

import pytest
from django.test import Client

from annotation.erasing import erase_person
from console.annotators import STATES
from studies.models import Audit, Decision, Enquiry, Enrolment, Study
from tests import factories
from tests.annotation.talking import joined
from tests.annotation.visiting import page

pytestmark = pytest.mark.django_db


def signed_in(*studies: Study) -> Client:
    client = Client()
    client.force_login(factories.researcher(*studies))
    return client


def test_messages_of_ones_own_studies_wait_for_an_answer() -> None:
    mine, foreign = factories.world(), factories.world()
    factories.enquiry(joined(mine), text="When am I paid?")
    factories.enquiry(joined(foreign), text="A secret of theirs.")

    words = page(signed_in(mine.study).get("/console/enquiries/")).words

    assert "When am I paid?" in words
    assert "Their pages are in English." in words
    assert "A secret of theirs." not in words


def test_an_answer_is_stored_once() -> None:
    world = factories.world()
    enquiry = factories.enquiry(joined(world))
    client = signed_in(world.study)
    form = page(client.get("/console/enquiries/")).form_to("/answer/")

    first = client.post(form.action, {**form.fields, "text": "On Friday."})
    second = client.post(form.action, {**form.fields, "text": "Never."})

    enquiry.refresh_from_db()
    assert (first.status_code, second.status_code) == (303, 409)
    assert enquiry.answer == "On Friday."


def test_an_answer_without_words_is_asked_for_again() -> None:
    world = factories.world()
    enquiry = factories.enquiry(joined(world))
    response = signed_in(world.study).post(
        f"/console/enquiries/{enquiry.pk}/answer/", {"text": " "}
    )
    assert response.status_code == 422
    assert Enquiry.objects.get().answer == ""


def test_foreign_messages_and_people_are_not_there() -> None:
    foreign = joined(factories.world())
    enquiry = factories.enquiry(foreign)
    client = signed_in(factories.world().study)
    answers = [
        client.post(f"/console/enquiries/{enquiry.pk}/answer/", {"text": "Hello."}),
        client.get(f"/console/annotators/{foreign.pk}/"),
        client.post(f"/console/annotators/{foreign.pk}/", {"kind": "other", "reason": "So."}),
    ]
    assert [one.status_code for one in answers] == [404] * 3
    assert (
        "Nobody in your studies"
        in page(client.get(f"/console/annotators/?pseudonym={foreign.pseudonym}")).words
    )


def test_a_payment_is_decided_audited_and_shown() -> None:
    world = factories.world(pay={"amount": 3, "currency": "EUR", "per": "conversation"})
    person = joined(world)
    client = signed_in(world.study)
    found = client.get(f"/console/annotators/?pseudonym={person.pseudonym}")
    said = {"kind": "paid", "amount": "3.50", "currency": "EUR", "reason": "For your time."}

    response = client.post(found["Location"], said)

    assert response.status_code == 303
    shown = page(client.get(found["Location"])).words
    assert "Paid · €3.50" in shown
    assert "At work" in shown
    assert Audit.objects.get().action == "decision.paid"


def test_every_state_of_a_person_has_a_name() -> None:
    assert set(STATES) == set(Enrolment.State)


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "paid", "reason": "So."},
        {"kind": "paid", "amount": "0", "currency": "EUR", "reason": "So."},
        {"kind": "paid", "amount": "3", "currency": "euro", "reason": "So."},
        {"kind": "excluded", "reason": " "},
        {"kind": "liked", "reason": "So."},
        {"kind": "other", "reason": "a\x00b"},
    ],
)
def test_half_a_decision_is_asked_again(said: dict[str, str]) -> None:
    world = factories.world()
    person = joined(world)
    response = signed_in(world.study).post(f"/console/annotators/{person.pk}/", said)
    assert response.status_code == 422
    assert not Decision.objects.exists()


def test_nothing_is_decided_about_somebody_whose_words_are_deleted() -> None:
    world = factories.world()
    person = joined(world)
    erase_person(enrolment=person, by="test")
    response = signed_in(world.study).post(
        f"/console/annotators/{person.pk}/", {"kind": "other", "reason": "So."}
    )
    assert response.status_code == 422
    assert not Decision.objects.exists()

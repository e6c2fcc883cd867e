"""The pages between consent and work: purposes, questions, tutorial, and the way through them."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from studies.models import Answer, ConsentRecord, Enrolment, SensitiveAnswer, TutorialTry
from tests import factories
from tests.annotation.visiting import Page, browser_of, page, send
from tests.studies.asking import (
    ORIGIN,
    PURPOSES,
    SPEAKS,
    WHERE,
    YEAR,
    agree,
    answer,
    asking_world,
    consented,
)
from tests.studies.test_consenting import changed
from tests.studies.test_practising import TUTORIAL

pytestmark = pytest.mark.django_db

WORDS = {**WHERE, "ask_if": None, "lines": True}


def shown(client: Client, address: str) -> Page:
    response = client.get(address)
    assert response.status_code == 200, response.headers.get("Location")
    return page(response)


def asked(*questions: dict[str, Any], **traits: Any) -> tuple[Enrolment, Client]:
    """Somebody who stands before these questions, and their browser."""
    traits = {"purposes": ["take_part"], **traits}
    person = consented(asking_world(questions, **traits))
    return person, browser_of(person)


def test_the_whole_way_from_consent_to_work_by_forms_alone() -> None:
    person = consented(asking_world([YEAR, ORIGIN], tutorial=TUTORIAL))
    client = browser_of(person)
    followed = []
    for address, fields in [
        ("/questions/", {"year_of_birth": "1990"}),
        ("/consent/", {"purpose-sensitive_questions": "yes", "purpose-public_release": "no"}),
        ("/questions/", {"origin": "american"}),
        ("/tutorial/", {"choice": "1"}),
        ("/tutorial/", {"what": "yes"}),
    ]:
        response = send(client, shown(client, address).forms[0], **fields)
        followed.append((response.status_code, response.headers["Location"]))

    assert followed == [
        (303, "/consent/"),
        (303, "/questions/"),
        (303, "/tutorial/"),
        (303, "/tutorial/?done=practice-1"),
        (303, "/instructions/"),
    ]
    person.refresh_from_db()
    assert (person.state, person.purposes) == ("enrolled", ["sensitive_questions", "take_part"])
    assert client.get("/work/").status_code == 303


@pytest.mark.parametrize(
    ("stage", "leads_to"),
    [("questions", "/questions/"), ("consent", "/consent/"), ("tutorial", "/tutorial/")],
)
def test_every_page_of_another_stage_leads_to_the_persons_own(stage: str, leads_to: str) -> None:
    person = consented(asking_world([YEAR], tutorial=TUTORIAL))
    client = browser_of(person)
    if stage != "questions":
        answer(person, year_of_birth="1990")
    if stage == "tutorial":
        agree(person)
    addresses = ["/questions/", "/consent/", "/tutorial/", "/instructions/", "/work/", "/closing/"]
    for address in addresses:
        response = client.get(address, follow=True)
        assert response.status_code == 200
        last = response.redirect_chain[-1][0] if response.redirect_chain else address
        assert last == leads_to, address


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Please write something first."),
        ("x" * 41, "This is too long: at most 40 characters"),
        ("a\x00b", "characters that cannot be stored"),
        ("a\x1bb", "characters that cannot be stored"),
        ("a" + "\u0301" * 10_000, "characters that cannot be stored"),
    ],
)
def test_a_text_that_is_not_taken_is_told_at_its_field_and_kept(typed: str, told: str) -> None:
    person, client = asked(WORDS)
    response = client.post("/questions/", {"first_language": typed})

    assert response.status_code == 422
    assert told in page(response).words
    assert page(response).forms[0].fields["first_language"] == typed
    assert 'aria-invalid="true"' in response.content.decode()
    assert not Answer.objects.filter(enrolment=person).exists()


def test_a_lone_surrogate_is_refused() -> None:
    _, client = asked(WORDS)
    response = client.post(
        "/questions/",
        "first_language=a%ED%A0%80b",
        content_type="application/x-www-form-urlencoded",
    )

    assert response.status_code == 422


@pytest.mark.parametrize(
    "typed", ["<script>alert(1)</script>", "\u202eabc\u202c", "👩‍👩‍👧‍👦 हिन्दी"]
)
def test_any_other_text_is_stored_as_it_is_and_shown_harmless(typed: str) -> None:
    _, client = asked(WORDS, SPEAKS)
    response = client.post("/questions/", {"first_language": typed})

    assert page(response).forms[0].fields["first_language"] == typed
    assert "<script>alert" not in response.content.decode()
    client.post("/questions/", {"first_language": typed, "languages": "a"})
    assert Answer.objects.get(key="first_language").value == typed


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("soon", "whole number"),
        ("1899", "not smaller than 1900"),
        ("2026", "not larger than 2025"),
    ],
)
def test_a_number_that_is_not_taken_is_told_and_kept(typed: str, told: str) -> None:
    _, client = asked(YEAR)
    response = client.post("/questions/", {"year_of_birth": typed})

    assert response.status_code == 422
    assert told in page(response).words
    assert f'value="{typed}"' in response.content.decode()


def test_choices_are_kept_and_named_in_a_summary_that_leads_to_them() -> None:
    _, client = asked(SPEAKS, WORDS)
    response = client.post("/questions/", {"languages": ["a", "prefer_not_to_say"]})
    chosen = [
        given["value"] for given in page(response).having("checked") if given["name"] == "languages"
    ]

    assert response.status_code == 422
    assert set(chosen) == {"a", "prefer_not_to_say"}
    assert "goes with no other" in page(response).words
    links = [given["href"] for given in page(response).having("href")]
    assert {"#question-languages", "#question-first_language"} <= set(links)


def test_an_option_of_another_country_cannot_be_sent() -> None:
    person, client = asked(ORIGIN, purposes=["take_part", "sensitive_questions"])
    agree(person, "sensitive_questions")
    first = shown(client, "/questions/")
    response = client.post("/questions/", {"origin": "french"})

    assert first.forms[0].options["origin"] == ["american", "prefer_not_to_say"]
    assert response.status_code == 422
    assert not SensitiveAnswer.objects.exists()


def test_a_sensitive_page_cannot_be_sent_without_the_consent() -> None:
    person, client = asked(SPEAKS, ORIGIN, purposes=["take_part", "sensitive_questions"])
    for _ in range(2):
        response = client.post("/questions/", {"page": "sensitive", "origin": "american"})
        assert (response.status_code, response.headers["Location"]) == (
            303,
            "/consent/" if not ConsentRecord.objects.filter(granted=False) else "/questions/",
        )
        agree(person)

    assert not SensitiveAnswer.objects.exists()


def test_back_shows_what_was_answered_and_lets_it_be_changed() -> None:
    _, client = asked(SPEAKS, WHERE)
    client.post("/questions/", {"languages": "a"})
    back = next(
        given["href"]
        for given in shown(client, "/questions/").having("href")
        if "page=" in given["href"]
    )
    earlier = shown(client, back)

    assert [given["value"] for given in earlier.having("checked")] == ["a"]
    send(client, earlier.forms[0], languages="b")
    assert Answer.objects.get().value == ["b"]


def test_a_purpose_without_an_answer_is_told_and_the_others_kept() -> None:
    person = consented(asking_world([]))
    client = browser_of(person)
    response = client.post("/consent/", {"purpose-public_release": "no"})
    fields = page(response).forms[0].fields

    assert response.status_code == 422
    assert fields["purpose-public_release"] == "no"
    assert "purpose-sensitive_questions" not in fields
    assert ConsentRecord.objects.count() == 1


def test_purposes_submit_yes_and_no_in_every_language() -> None:
    person = consented(asking_world([]))
    client = browser_of(person)
    for code, _ in settings.LANGUAGES:
        Enrolment.objects.update(ui_language=code)
        form = shown(client, "/consent/").forms[0]
        assert form.options["purpose-public_release"] == ["yes", "no"]


def test_explicit_consent_names_who_runs_the_models() -> None:
    world = asking_world([], purposes=["take_part", "conversations"])
    world.endpoint.operator, world.endpoint.country = "Example Labs", "Finland"
    world.endpoint.retention = "Nothing is kept."
    world.endpoint.save()
    words = shown(browser_of(consented(world)), "/consent/").words

    assert "Example Labs" in words
    assert "Finland" in words
    assert "Nothing is kept." in words


def test_a_no_to_a_needed_purpose_leads_to_the_closing_page() -> None:
    person = consented(asking_world([], purposes=["take_part", "conversations"]))
    client = browser_of(person)
    response = client.post("/consent/", {"purpose-conversations": "no"}, follow=True)

    assert response.redirect_chain[-1][0] == "/closing/"
    assert "You are not taking part" in page(response).words


def test_a_consent_of_another_study_is_not_taken() -> None:
    person = consented(asking_world([]))
    foreign = factories.consent_document(purposes=["take_part", "recontact"])
    response = browser_of(person).post(
        "/consent/", {"document": str(foreign.pk), "purpose-recontact": "yes"}
    )

    assert response.status_code == 422
    assert person.consent_records.count() == 1


def test_a_changed_text_stands_before_the_work_until_it_is_answered() -> None:
    world = asking_world([])
    person = factories.person(world).enrolment
    client = browser_of(person)
    changed(world)
    assert client.get("/work/").headers["Location"] == "/consent/"
    reading = shown(client, "/consent/")
    assert "It has changed." in reading.words
    yes = dict.fromkeys(reading.forms[0].options, "yes")

    assert send(client, reading.forms[0], **yes).headers["Location"] == "/work/"
    assert client.get("/work/").headers["Location"] != "/consent/"


def test_who_does_not_agree_to_a_changed_text_has_left() -> None:
    world = asking_world([])
    person = factories.person(world).enrolment
    client = browser_of(person)
    changed(world)
    form = shown(client, "/consent/").forms[0]
    send(client, form, **dict.fromkeys(form.options, "no"))
    person.refresh_from_db()

    assert person.state == "withdrawn"
    assert shown(client, "/closing/")


def test_a_text_that_changed_while_it_was_read_is_shown_anew() -> None:
    world = asking_world([])
    person = factories.person(world).enrolment
    changed(world)
    fields = {"document": str(world.consent.pk), "purpose-take_part": "yes"}
    response = browser_of(person).post("/consent/", fields)

    assert response.status_code == 409
    assert "It has changed." in page(response).words


def test_a_mind_can_be_changed_later_from_the_help_page() -> None:
    person = factories.person(asking_world([])).enrolment
    agree_later = ("sensitive_questions", "public_release")
    client = browser_of(person)
    links = [given["href"] for given in shown(client, "/help/").having("href")]
    form = shown(client, "/consent/change/").forms[0]
    response = send(client, form, **{f"purpose-{purpose}": "yes" for purpose in agree_later})
    person.refresh_from_db()

    assert "/consent/change/" in links
    assert response.headers["Location"] == "/work/"
    assert person.purposes == ["public_release", "sensitive_questions", "take_part"]
    assert shown(client, "/consent/change/").forms[0].fields["purpose-public_release"] == "yes"


def test_a_changed_mind_is_recorded_under_the_text_that_was_read() -> None:
    world = asking_world([])
    french = factories.consent_document(world.study, locale="fr", purposes=PURPOSES, body="Oui ?")
    person = factories.person(world, ui_language="fr").enrolment
    client = browser_of(person)
    form = shown(client, "/consent/change/").forms[0]
    send(client, form, **{"purpose-public_release": "yes"})

    assert ConsentRecord.objects.get(purpose="public_release").document == french


def test_a_mind_changed_under_another_version_than_the_one_answered_is_asked_anew() -> None:
    world = asking_world([])
    person = factories.person(world).enrolment
    later = changed(world)
    fields = {"document": str(later.pk), "purpose-public_release": "yes"}
    response = browser_of(person).post("/consent/change/", fields)
    form = page(response).forms[0]

    assert response.status_code == 409
    assert form.fields["document"] == str(world.consent.pk)
    assert form.fields["purpose-public_release"] == "yes"


def test_a_practice_explains_what_was_chosen() -> None:
    _, client = asked(tutorial=TUTORIAL)
    response = client.post("/tutorial/", {"item": "practice-1", "choice": "1"}, follow=True)

    assert "You chose B" in page(response).words


def test_a_practice_without_a_choice_says_so() -> None:
    _, client = asked(tutorial=TUTORIAL)

    assert client.post("/tutorial/", {"item": "practice-1"}).status_code == 422


def test_a_check_failed_once_says_why_and_failed_twice_is_a_paid_way_out() -> None:
    person, client = asked(tutorial={"check": TUTORIAL["check"]})
    failed = {"item": "check", "what": "no"}
    first = client.post("/tutorial/", failed, follow=True)
    second = client.post("/tutorial/", failed, follow=True)

    assert "try once more" in page(first).words
    assert second.redirect_chain[-1][0] == "/closing/"
    assert "Your part in this study" in page(second).words
    assert TutorialTry.objects.filter(enrolment=person).count() == 2


def test_a_reading_stands_in_the_language_of_the_task() -> None:
    text = {"en": "A short text.", "fr": "Un court texte."}
    reading = {"cohorts": ["us-en"], "text": text, "questions": TUTORIAL["check"]}
    _, client = asked(tutorial={"reading": reading})
    Enrolment.objects.update(ui_language="fr")

    assert "A short text." in shown(client, "/tutorial/").words


def test_pages_before_the_work_keep_to_their_budget(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    person = consented(asking_world([YEAR, ORIGIN], tutorial=TUTORIAL))
    client = browser_of(person)
    for address, fields in [
        ("/questions/", {"year_of_birth": "1990"}),
        ("/consent/", {"purpose-sensitive_questions": "yes", "purpose-public_release": "yes"}),
        ("/questions/", {"origin": "american"}),
        ("/tutorial/", {"choice": "1"}),
        ("/tutorial/", {"what": "yes"}),
    ]:
        with django_assert_max_num_queries(8):
            form = shown(client, address).forms[0]
        with django_assert_max_num_queries(12):
            send(client, form, **fields)


def test_somebody_at_work_pays_nothing_for_the_stages_before(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    person = factories.person(asking_world([YEAR])).enrolment
    client = browser_of(person)
    client.get("/work/")
    with django_assert_num_queries(2):  # who asks, and what is next
        client.get("/work/")

"""My work: what was done and earned, decisions, messages with their answers, own data as a file."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from annotation.enquiring import LIMIT, MOST_OPEN, answer
from annotation.erasing import ERASURES, erase_person
from annotation.leaving import withdraw
from annotation.models import Comparison, Draft
from annotation.own_data import NOT_THEIRS, PARTS, read_own_data
from annotation.refusals import BadText, TooLate
from studies.models import Audit, Enquiry, Enrolment
from tests import factories
from tests.annotation.talking import finished, joined, judge, say, shown_first_turn
from tests.annotation.visiting import Page, browser_of, page, send
from tests.studies.asking import asking_world, consented
from tests.studies.test_practising import TUTORIAL

pytestmark = pytest.mark.django_db

PAY = {"amount": 3.5, "currency": "EUR", "per": "conversation"}
ONE_TURN = {"min": 1, "max": 1}
# Of a comparison's columns: keys, and what has another name in a person's own data.
TOLD_OTHERWISE = {
    *("id", "turn_id", "conversation_id", "turn_no", "set_id", "current_id"),
    *("chosen_id", "carried_id", "superseded_at"),
}


def words(enrolment: Enrolment) -> str:
    return page(browser_of(enrolment).get("/my-work/")).words


def test_it_says_what_was_done_earned_paid_and_is_to_come() -> None:
    world = factories.world(prompts=3, conversations=3, pay=PAY, turns=ONE_TURN)
    enrolment = joined(world)
    for _ in range(2):
        finished(enrolment)
    factories.decision(enrolment, amount=2, currency="EUR", reason="For the first part.")

    seen = words(enrolment)

    assert "Conversations finished 2 2 of 3 this time" in seen
    for money in ("€7.00", "€2.00", "€5.00", "€3.50 a conversation"):
        assert money in seen
    assert "For the first part." in seen


def test_finished_conversations_are_still_paid_after_leaving() -> None:
    world = factories.world(prompts=2, pay=PAY, turns=ONE_TURN)
    enrolment = joined(world)
    finished(enrolment)
    withdraw(enrolment=enrolment)
    assert "Earned €3.50" in words(enrolment)


def test_pay_by_the_hour_counts_minutes() -> None:
    world = factories.world(pay={"amount": 12, "currency": "USD", "per": "hour"}, turns=ONE_TURN)
    enrolment = joined(world)
    finished(enrolment)
    seen = words(enrolment)
    assert "Minutes counted 1" in seen
    assert "Earned $0.20 $12.00 an hour" in seen


def test_pay_may_differ_by_country_and_be_for_the_whole_sitting() -> None:
    there = {"US": {"amount": 9, "currency": "USD"}}
    pay = {"amount": 8, "currency": "EUR", "per": "sitting", "by_country": there}
    world = factories.world(prompts=2, conversations=1, pay=pay, turns=ONE_TURN)
    enrolment = joined(world)
    assert "Earned $0.00 $9.00 for all conversations" in words(enrolment)
    finished(enrolment)
    assert "Earned $9.00" in words(enrolment)


@pytest.mark.parametrize(
    ("pay", "minutes", "earned"),
    [
        ({"amount": 12, "currency": "USD", "per": "hour"}, None, "$1.00"),
        ({"amount": 12, "currency": "USD", "per": "hour", "check_minutes": 10}, 20, "$2.00"),
        ({"amount": 3, "currency": "USD", "per": "conversation"}, 30, "$1.00"),
    ],
)
def test_a_failed_check_is_paid_and_says_so_with_a_code(
    pay: dict[str, Any], minutes: int | None, earned: str
) -> None:
    check = {"check": TUTORIAL["check"]}
    world = asking_world(
        [], purposes=["take_part"], tutorial=check, pay=pay, minutes=minutes, conversations=2
    )
    client = browser_of(consented(world))
    sentence = f"you are paid {earned} for your time."
    assert sentence in page(client.get("/tutorial/")).words
    for _ in range(2):
        client.post("/tutorial/", {"item": "check", "what": "no"})

    seen = page(client.get("/closing/"))
    assert f"You are paid {earned} for your time." in seen.words
    assert [one["data-outcome"] for one in seen.having("data-outcome")] == ["quality_term"]
    assert "completion-code" in [one["id"] for one in seen.having("id")]
    assert f"Earned {earned}" in page(client.get("/my-work/")).words


def test_a_study_without_pay_promises_none_for_its_check() -> None:
    check = {"check": TUTORIAL["check"]}
    world = asking_world([], purposes=["take_part"], tutorial=check)
    seen = page(browser_of(consented(world)).get("/tutorial/"))
    assert "the study ends here for you." in seen.words


def test_a_study_without_pay_speaks_of_none() -> None:
    assert "Earned" not in words(joined(factories.world()))


def test_the_page_keeps_to_its_budget(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    world = factories.world(prompts=3, pay=PAY, turns=ONE_TURN)
    enrolment = joined(world)
    for _ in range(2):
        finished(enrolment)
        factories.enquiry(enrolment)
    client = browser_of(enrolment)
    with django_assert_max_num_queries(8):
        client.get("/my-work/")
    with django_assert_max_num_queries(8):
        client.get("/pause/")


# --- Messages -------------------------------------------------------------------------------------


def ask(client: Client, text: str) -> Any:
    return send(client, page(client.get("/my-work/")).form_to("/enquiry/"), text=text)


def test_a_message_is_kept_and_its_answer_comes_to_the_page() -> None:
    enrolment = joined(factories.world())
    client = browser_of(enrolment)
    assert ask(client, "When am I paid?").status_code == 303
    assert "No answer yet." in words(enrolment)

    answer(enquiry=Enquiry.objects.get(), text="On Friday.", by=factories.researcher())

    assert "On Friday." in words(enrolment)
    assert Audit.objects.get().action == "enquiry.answer"


def test_a_message_sent_twice_is_one() -> None:
    client = browser_of(joined(factories.world()))
    for _ in range(2):
        ask(client, "When am I paid?")
    assert Enquiry.objects.count() == 1


def test_a_message_is_answered_once() -> None:
    enquiry = factories.enquiry()
    answer(enquiry=enquiry, text="On Friday.", by=factories.researcher())
    with pytest.raises(TooLate):
        answer(enquiry=enquiry, text="Never.", by=factories.researcher())
    with pytest.raises(BadText):
        answer(enquiry=factories.enquiry(), text=" ", by=factories.researcher())


@pytest.mark.parametrize("text", [" ", "a\x00b", "x" * (LIMIT + 1)])
def test_a_message_that_cannot_be_stored_is_asked_for_again_with_its_text(text: str) -> None:
    response = browser_of(joined(factories.world())).post("/my-work/enquiry/", {"text": text})
    assert response.status_code == 422
    assert response.context["text"] == text
    assert not Enquiry.objects.exists()


def test_a_message_with_bytes_that_are_no_text_is_refused() -> None:
    said = b"text=what+I+meant+%ED%A0%80"
    kind = "application/x-www-form-urlencoded"
    response = browser_of(joined(factories.world())).post("/my-work/enquiry/", said, kind)
    assert response.status_code == 422
    assert not Enquiry.objects.exists()


def test_so_many_messages_may_wait_at_once() -> None:
    enrolment = joined(factories.world())
    for _ in range(MOST_OPEN):
        factories.enquiry(enrolment, text=f"Question {factories.number()}")
    response = ask(browser_of(enrolment), "And one more?")
    assert response.status_code == 422
    assert "wait for an answer" in page(response).words


def test_nothing_new_is_kept_of_somebody_whose_words_are_deleted() -> None:
    enrolment = joined(factories.world())
    erase_person(enrolment=enrolment, by="test")
    client = browser_of(enrolment)
    assert client.post("/my-work/enquiry/", {"text": "Hello?"}).status_code == 303
    assert not Enquiry.objects.exists()


def draft_of(shown: Page, text: str) -> tuple[str, dict[str, str]]:
    """What the page's script sends while a message is typed: where to, and what."""
    given = next(shown.having("data-draft"))
    writing = {"form": given["data-form"], "writer": "a" * 24, "seen": "0"}
    return given["data-draft"], {**writing, "draft_revision": "1", "text": text}


@pytest.mark.parametrize("state", ["enrolled", "complete"])
def test_what_is_typed_to_the_researchers_is_kept_until_it_is_sent(
    state: str, django_assert_num_queries: Any
) -> None:
    enrolment = factories.person(factories.world(), state=state).enrolment
    client = browser_of(enrolment)
    address, typed = draft_of(page(client.get("/my-work/")), "When am I")
    with django_assert_num_queries(1):
        assert client.post(address, typed).status_code == 204
    shown = page(browser_of(enrolment).get("/my-work/"))
    assert shown.form_to("/enquiry/").fields["text"] == "When am I"

    send(client, shown.form_to("/enquiry/"), text="When am I paid?")
    assert not Draft.objects.exists()
    assert client.post(address, {**typed, "draft_revision": "2"}).json() == {"outcome": "late"}
    assert page(client.get("/my-work/")).form_to("/enquiry/").fields["text"] == ""


def test_a_message_that_is_posted_without_a_session_is_kept() -> None:
    enrolment = joined(factories.world())
    form = page(browser_of(enrolment).get("/my-work/")).form_to("/enquiry/")
    send(Client(), form, text="When am I paid?")
    assert Draft.objects.get().body == {"text": "When am I paid?"}


def test_of_somebody_who_has_left_no_message_is_kept_before_it_is_sent() -> None:
    enrolment = joined(factories.world())
    client = browser_of(enrolment)
    address, typed = draft_of(page(client.get("/my-work/")), "Goodbye")
    withdraw(enrolment=enrolment)

    assert client.post(address, typed).status_code == 409
    assert not Draft.objects.exists()
    assert not list(page(client.get("/my-work/")).having("data-draft"))


# --- Own data -------------------------------------------------------------------------------------


def test_the_file_holds_what_the_person_wrote_and_chose_and_nobody_elses_words() -> None:
    world = factories.world(explanation={"rule": "always", "min_words": 0})
    other, scene = shown_first_turn(world)
    judge(other, scene, explanation="Theirs.")
    enrolment, scene = shown_first_turn(world)
    judge(enrolment, scene, place=2, explanation="Because of कल.")
    say(enrolment, scene, "And then?")
    factories.answer(enrolment)
    factories.enquiry(enrolment)

    response = browser_of(enrolment).get("/my-work/data/")
    found = json.loads(response.content)

    assert "attachment" in response["Content-Disposition"]
    assert response["Cache-Control"] == "no-store"
    assert [one["letter"] for one in found["comparison"]] == ["C"]
    assert found["comparison"][0]["explanation"] == "Because of कल."
    assert [one["message"] for one in found["turn"]] == [None, "And then?"]
    assert found["consentrecord"][0]["granted"]
    assert found["answer"][0]["value"] == "18-34"
    text = response.content.decode()
    assert "Theirs." not in text
    assert "Answer 0 of" not in text
    assert other.pseudonym not in text


def test_the_file_holds_all_that_was_measured_in_the_order_of_the_letters() -> None:
    world = factories.world()
    turn = factories.turn(world, display_order=[2, 0, 3, 1])
    factories.comparison(turn, choice=3, reach=[10, 20, 30, 40], changes=1, pastes=2)
    enrolment = turn.conversation.assignment.enrolment
    factories.tutorial_try(enrolment)
    factories.quota_place(enrolment)

    found = read_own_data(enrolment)

    [judged] = found["comparison"]
    assert (judged["letter"], judged["went_on_from"]) == ("C", "C")
    assert (judged["reach"], judged["changes"], judged["pastes"]) == ([30, 10, 40, 20], 1, 2)
    assert found["turn"][0]["display_order"] == [2, 0, 3, 1]
    assert found["tutorialtry"][0]["passed"]
    assert found["quotaplace"][0]["state"] == "reserved"
    columns = {field.attname for field in Comparison._meta.concrete_fields}
    assert columns - judged.keys() == TOLD_OTHERWISE, "give it a column in annotation.own_data"


def test_strangers_get_no_file(client: Client) -> None:
    assert client.get("/my-work/data/").status_code == 403


def test_what_is_erased_as_somebodys_words_is_in_their_file() -> None:
    erased = {erasure.table for erasure in ERASURES}
    assert erased - PARTS.keys() == NOT_THEIRS, "give it a part in annotation.own_data"

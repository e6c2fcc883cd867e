"""Forms that come late: their assignment is over, their turn has passed, their person has left."""

import pytest
from django.test import Client
from django.utils import timezone

from annotation import drafts
from annotation.leaving import skip_assignment, withdraw
from annotation.models import Assignment, Comparison, Conversation, Draft, Turn
from annotation.sweeping import sweep_assignments
from sampling.models import CandidateSet
from studies.models import Enrolment, Study
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Form, Page, browser_of, page, send

pytestmark = pytest.mark.django_db

ALWAYS = {"rule": "always", "min_words": 3, "question": {"en": "Why?"}}
TOO_LONG = "mine " * 1000
BAD = "mine\x07"


class Talk:
    """An annotator in a conversation, and their browser without scripting."""

    def __init__(self, **rules: object) -> None:
        self.world = factories.world(prompts=2, overlap=1, **rules)  # type: ignore[arg-type]
        self.enrolment, self.scene = talking.shown_first_turn(self.world)
        self.client = browser_of(self.enrolment)
        self.address = f"/conversation/{self.scene.conversation_id}/"

    def page(self) -> Page:
        return page(self.client.get(self.address))

    def form(self, ending: str) -> Form:
        return self.page().form_to(ending)

    def candidate(self, place: int = 0) -> str:
        return str(self.scene.last.candidates[place].id)


def writer() -> tuple[Enrolment, Client, Form]:
    """An annotator with the form for a question of their own."""
    world = factories.world(own_prompt_share=1.0, conversations=3)
    enrolment = talking.joined(world)
    client = browser_of(enrolment)
    client.get("/work/")
    return enrolment, client, page(client.get("/work/")).form_to("/message/")


def let_time_run_out() -> None:
    Assignment.objects.filter(state="open").update(deadline=timezone.now())
    assert sweep_assignments() == 1


def shown_again(response: object) -> list[str]:
    """The texts of the page's fields, those to copy from and those to send again."""
    markup = response.content.decode()  # type: ignore[attr-defined]
    return [part.split("</textarea>")[0].lstrip("\n") for part in markup.split("<textarea")[1:]]


def shows(response: object, text: str) -> bool:
    return any(text.strip() in one for one in shown_again(response))


# --- A question of one's own ----------------------------------------------------------------------


@pytest.mark.parametrize("text", [TOO_LONG, BAD])
def test_an_own_question_for_an_assignment_that_is_over_is_answered_by_a_page(text: str) -> None:
    enrolment, client, form = writer()
    skip_assignment(enrolment=enrolment, assignment_id=Assignment.objects.get().pk, reason="other")
    response = send(client, form, text=text)

    assert response.status_code == 422
    assert shows(response, text)
    assert page(response).words.count("Go on")


def test_an_own_question_that_is_valid_and_late_is_shown_without_a_false_reason() -> None:
    enrolment, client, form = writer()
    skip_assignment(enrolment=enrolment, assignment_id=Assignment.objects.get().pk, reason="other")
    response = send(client, form, text="Is it too late?")

    assert response.status_code == 409
    assert shows(response, "Is it too late?")
    assert "opened with another message" not in page(response).words


def test_an_invalid_own_question_is_still_there_after_the_time_ran_out() -> None:
    _, client, form = writer()
    let_time_run_out()
    response = send(client, form, text=TOO_LONG)
    assert response.status_code == 422
    assert shows(response, TOO_LONG)

    client.get("/work/")
    assert (
        page(client.get("/work/")).form_to("/message/").fields["text"].strip() == TOO_LONG.strip()
    )


def test_an_own_question_for_somebody_elses_assignment_answers_404_whatever_it_says() -> None:
    _, _, form = writer()
    stranger = browser_of(factories.person(factories.world()).enrolment)

    for text in ("", BAD, "Valid?"):
        assert send(stranger, form, text=text).status_code == 404


def test_an_invalid_own_question_to_a_paused_study_is_kept() -> None:
    _, client, form = writer()
    Study.objects.update(state="paused")
    response = send(client, form, text=TOO_LONG)

    assert response.status_code == 200
    assert "having a break" in page(response).words
    assert Draft.objects.get().body["text"] == TOO_LONG


# --- Texts that were refused, where their form is no more -----------------------------------------


def test_an_invalid_message_to_an_expired_conversation_is_shown_and_waits_in_its_form() -> None:
    talk = Talk()
    talking.judge(talk.enrolment, talk.scene)
    form = talk.form("/message/")
    let_time_run_out()
    response = send(talk.client, form, text=TOO_LONG)

    assert response.status_code == 422
    assert "This is too long" in page(response).words
    assert shows(response, TOO_LONG)
    talk.client.get("/work/")
    assert talk.form("/message/").fields["text"].strip() == TOO_LONG.strip()


def test_an_invalid_message_after_the_next_one_was_sent_is_shown() -> None:
    talk = Talk()
    talking.judge(talk.enrolment, talk.scene)
    form = talk.form("/message/")
    talking.say(talk.enrolment, talk.scene)
    response = send(talk.client, form, text=BAD + " unsent")

    assert response.status_code == 422
    assert shows(response, "unsent")


def test_a_refused_judgement_of_an_earlier_turn_never_fills_the_form_of_the_next() -> None:
    talk = Talk(explanation=ALWAYS)
    form = talk.form("/comparison/")
    talking.judge(talk.enrolment, talk.scene, explanation="of my family")
    talking.say(talk.enrolment, talk.scene)
    talking.shown(talk.enrolment, talk.scene.conversation_id)
    response = send(
        talk.client, form, choice=talk.candidate(), explanation=BAD, idempotency_key="k" * 32
    )

    assert response.status_code == 422
    assert shows(response, "mine")
    assert page(response).form_to("/comparison/").fields["explanation"] == ""


def test_an_explanation_without_a_choice_is_kept_in_its_form() -> None:
    talk = Talk(explanation=ALWAYS)
    response = send(talk.client, talk.form("/comparison/"), explanation="Because of my family")

    assert response.status_code == 422
    assert "Please choose one of the answers" in page(response).words
    kept = page(response).form_to("/comparison/").fields
    assert kept["explanation"] == "Because of my family"


def test_an_invalid_explanation_of_a_finished_conversation_is_shown() -> None:
    talk = Talk(explanation=ALWAYS, turns={"min": 1, "max": 1})
    form = talk.form("/comparison/")
    talking.judge(talk.enrolment, talk.scene, explanation="of my family")
    response = send(
        talk.client, form, choice=talk.candidate(), explanation=BAD, idempotency_key="k" * 32
    )

    assert response.status_code == 422
    assert shows(response, "mine")
    assert "This conversation is finished" in page(response).words


def test_all_the_words_of_a_judgement_that_came_too_late_are_shown() -> None:
    talk = Talk(turns={"min": 1, "max": 3}, comparing={"should_have_said": True})
    form = talk.form("/comparison/")
    talking.judge(talk.enrolment, talk.scene)
    talking.say(talk.enrolment, talk.scene)
    said = {"explanation": "Of my village", "should_say": "That we decide together"}
    response = send(talk.client, form, choice="none", **said)

    assert response.status_code == 409
    assert all(shows(response, words) for words in said.values())


# --- Drafts of a correction -----------------------------------------------------------------------


def test_a_correction_posted_without_a_session_is_shown_again_and_open() -> None:
    talk = Talk(explanation=ALWAYS)
    talking.judge(talk.enrolment, talk.scene, explanation="of my family")
    form = talk.form("/comparison/")
    send(Client(), form, choice=talk.candidate(2), explanation="It is about me instead")

    kept = talk.form("/comparison/").fields
    assert (kept["choice"], kept["explanation"]) == (talk.candidate(2), "It is about me instead")
    assert any(tag == "details" and "open" in given for tag, given in talk.page().elements)


def test_without_a_draft_the_correction_holds_what_counts_and_is_folded() -> None:
    talk = Talk(explanation=ALWAYS)
    talking.judge(talk.enrolment, talk.scene, explanation="of my family")

    kept = talk.form("/comparison/").fields
    assert (kept["choice"], kept["explanation"]) == (talk.candidate(), "of my family")
    assert not any(tag == "details" and "open" in given for tag, given in talk.page().elements)


def test_a_correction_that_was_sent_leaves_no_draft() -> None:
    talk = Talk(explanation=ALWAYS)
    talking.judge(talk.enrolment, talk.scene, explanation="of my family")
    form = talk.form("/comparison/")
    send(Client(), form, choice=talk.candidate(2), explanation="It is about me instead")
    assert send(talk.client, talk.form("/comparison/")).status_code == 303

    assert not Draft.objects.exists()
    assert str(Comparison.objects.get(superseded_at=None).chosen_id) == talk.candidate(2)


# --- Forms that nobody will see again -------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
def test_a_text_for_a_form_that_was_sent_before_is_there_to_be_copied(known: bool) -> None:
    talk = Talk()
    talking.judge(talk.enrolment, talk.scene)
    form = talk.form("/message/")
    assert send(talk.client, form, text="The first one").status_code == 303
    form.fields["idempotency_key"] = "k" * 16
    response = send(talk.client if known else Client(), form, text="The second one")

    assert response.status_code == (409 if known else 403)
    assert shows(response, "The second one")
    assert not Draft.objects.exists()


def test_a_text_for_a_study_that_is_closed_is_there_to_be_copied() -> None:
    talk = Talk()
    talking.judge(talk.enrolment, talk.scene)
    form = talk.form("/message/")
    Study.objects.update(state="closed")
    response = send(talk.client, form, text="What I meant")

    assert response.status_code == 200
    assert shows(response, "What I meant")


# --- People who have left -------------------------------------------------------------------------


def test_a_text_posted_after_withdrawal_is_not_stored_and_can_be_copied() -> None:
    talk = Talk()
    talking.judge(talk.enrolment, talk.scene)
    form = talk.form("/message/")
    withdraw(enrolment=talk.enrolment)

    for client in (talk.client, Client()):
        response = send(client, form, text="Do not store me")
        assert shows(response, "Do not store me")
        assert "is kept" not in page(response).words
    assert not Draft.objects.exists()


def test_drafts_of_a_person_who_left_are_refused() -> None:
    talk = Talk()
    withdraw(enrolment=talk.enrolment)

    assert not drafts.save_draft(enrolment=talk.enrolment, form="message:1", fields={"text": "a"})
    assert not Draft.objects.exists()


# --- Answers that never came ----------------------------------------------------------------------


def failed_second_turn(**turns: int) -> Talk:
    talk = Talk(turns=turns)
    talking.judge(talk.enrolment, talk.scene)
    talking.say(talk.enrolment, talk.scene)
    sets = CandidateSet.objects.filter(turns=Turn.objects.get(number=1))
    sets.update(state="failed", reason="guard_rejected")
    return talk


def test_a_conversation_with_turns_enough_can_be_finished_when_its_next_set_failed() -> None:
    talk = failed_second_turn(min=1, max=3)
    assert talk.page().forms[0].action.endswith("/retry/")
    response = send(talk.client, talk.form("/finish/"))

    assert (response.status_code, response.headers["Location"]) == (303, "/work/")
    assert Conversation.objects.get().ended_reason == "finished"
    assert Assignment.objects.get().state == "submitted"


def test_a_failed_set_before_there_are_turns_enough_offers_no_finish() -> None:
    talk = failed_second_turn(min=2, max=3)

    assert not [form for form in talk.page().forms if form.action.endswith("/finish/")]
    assert talk.client.post(f"{talk.address}finish/").status_code == 409


def test_a_set_that_is_only_waited_for_offers_no_finish() -> None:
    talk = Talk(turns={"min": 1, "max": 3})
    talking.judge(talk.enrolment, talk.scene)
    talking.say(talk.enrolment, talk.scene)

    assert not [form for form in talk.page().forms if form.action.endswith("/finish/")]
    assert talk.client.post(f"{talk.address}finish/").status_code == 409


@pytest.mark.parametrize("state", ["pending", "generating"])
def test_whoever_waits_may_skip(state: str) -> None:
    talk = Talk()
    talking.judge(talk.enrolment, talk.scene)
    talking.say(talk.enrolment, talk.scene)
    if state == "generating":
        lease = factories.in_hours(1)
        CandidateSet.objects.filter(state="pending").update(state=state, lease_until=lease)
    form = talk.form("/skip/")

    assert send(talk.client, form, reason="technical").headers["Location"] == "/work/"
    assert Conversation.objects.get().ended_reason == "skipped"
    assert CandidateSet.objects.filter(state="failed", reason="not_wanted").count() == 1

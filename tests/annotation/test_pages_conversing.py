from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from annotation.models import Assignment, Comparison, Conversation, Draft, Turn
from annotation.scenes import Scene
from annotation.views.presenting import notices_of_plan
from sampling.models import Endpoint
from studies.access import digest
from studies.models import Enrolment, Study
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Page, browser_of, page, send
from tests.factories import World

pytestmark = pytest.mark.django_db


class Visit:
    """An annotator in front of their first comparison, with a browser without scripting."""

    def __init__(self, world: World) -> None:
        self.enrolment, self.scene = talking.shown_first_turn(world)
        self.client = browser_of(self.enrolment)
        self.address = f"/conversation/{self.scene.conversation_id}/"

    def page(self) -> Page:
        return page(self.client.get(self.address))

    def candidate(self, place: int = 0) -> str:
        return str(self.scene.last.candidates[place].id)

    def choose(self, place: int = 0, **changes: str) -> None:
        form = self.page().form_to("/comparison/")
        assert send(self.client, form, choice=self.candidate(place), **changes).status_code == 303

    def say(self, text: str = "And then?") -> None:
        assert send(self.client, self.page().form_to("/message/"), text=text).status_code == 303

    def show(self) -> Scene:
        self.scene = talking.shown(self.enrolment, self.scene.conversation_id)
        return self.scene


@pytest.fixture
def visit() -> Visit:
    return Visit(factories.world())


# --- The form contract ----------------------------------------------------------------------------


def test_the_comparison_is_the_first_form_and_every_field_is_rendered(visit: Visit) -> None:
    form = visit.page().forms[0]

    assert form.action.endswith("/comparison/")
    assert {"idempotency_key", "revision", "csrfmiddlewaretoken"} <= form.fields.keys()
    assert form.fields["revision"] == "0"
    assert form.options["choice"] == [visit.candidate(place) for place in range(4)] + ["none"]


def test_candidates_are_articles_in_their_display_order(visit: Visit) -> None:
    articles = list(visit.page().having("data-candidate"))

    assert [one["data-candidate"] for one in articles] == [visit.candidate(n) for n in range(4)]


def test_every_text_says_its_language_and_finds_its_direction() -> None:
    visit = Visit(factories.world(language="hi", country="IN"))
    texts = [one for one in visit.page().having("lang") if one.get("dir") == "auto"]

    assert len(texts) >= 5  # the message and four answers
    # The title of the study is there in English only.
    assert [one["lang"] for one in texts if one["lang"] != "hi"] == ["en"]


def test_a_choice_is_stored_and_leads_to_the_message_form(visit: Visit) -> None:
    visit.choose(1)
    shown = visit.page()

    assert str(Comparison.objects.get().chosen_id) == visit.candidate(1)
    assert shown.forms[0].action.endswith("/message/")
    assert "You chose B. You can change it until you send the next message." in shown.words


def test_a_form_sent_twice_is_stored_once(visit: Visit) -> None:
    form = visit.page().form_to("/comparison/")
    for _ in range(2):
        response = send(visit.client, form, choice=visit.candidate())
        assert (response.status_code, response.headers["Location"]) == (303, visit.address)

    assert Comparison.objects.count() == 1


def test_the_same_key_with_another_choice_shows_what_counts_and_one_button(visit: Visit) -> None:
    form = visit.page().form_to("/comparison/")
    send(visit.client, form, choice=visit.candidate(0))
    response = send(visit.client, form, choice=visit.candidate(2))

    assert response.status_code == 422
    assert "What counts: you chose A." in page(response).words
    change = page(response).forms[0]
    assert send(visit.client, change).status_code == 303
    current = Comparison.objects.get(superseded_at=None)
    assert (str(current.chosen_id), current.revision) == (visit.candidate(2), 2)


def test_a_stale_revision_shows_what_counts_and_one_button(visit: Visit) -> None:
    stale = visit.page().form_to("/comparison/")
    visit.choose(0)
    response = send(visit.client, stale, choice=visit.candidate(3))

    assert response.status_code == 409
    assert "What counts: you chose A." in page(response).words
    assert page(response).forms[0].fields["choice"] == visit.candidate(3)
    assert Comparison.objects.count() == 1


def test_a_correction_supersedes_until_the_next_message(visit: Visit) -> None:
    visit.choose(0)
    form = visit.page().form_to("/comparison/")
    assert (form.fields["revision"], form.fields["choice"]) == ("1", visit.candidate(0))
    assert send(visit.client, form, choice=visit.candidate(1)).status_code == 303
    visit.say()

    late = send(visit.client, form, choice=visit.candidate(2), idempotency_key=uuid4().hex)
    assert late.status_code == 409
    assert str(Comparison.objects.get(superseded_at=None).chosen_id) == visit.candidate(1)


def test_a_choice_of_another_set_is_refused(visit: Visit) -> None:
    other = factories.ready_set()
    form = visit.page().form_to("/comparison/")
    response = send(visit.client, form, choice=str(other.candidates.first().pk))  # type: ignore[union-attr]

    assert response.status_code == 422
    assert "Please choose one of the answers" in page(response).words
    assert not Comparison.objects.exists()


def test_a_form_without_a_choice_keeps_the_page(visit: Visit) -> None:
    response = send(visit.client, visit.page().form_to("/comparison/"))

    assert response.status_code == 422
    assert page(response).forms[0].action.endswith("/comparison/")


def test_somebody_elses_turn_answers_404(visit: Visit) -> None:
    stranger = browser_of(factories.person(factories.world()).enrolment)
    form = visit.page().form_to("/comparison/")

    assert stranger.get(visit.address).status_code == 404
    assert send(stranger, form, choice=visit.candidate()).status_code == 404
    assert stranger.post(f"{visit.address}message/", {"text": "x"}).status_code in (404, 422)


def test_a_turn_out_of_order_is_a_conflict(visit: Visit) -> None:
    form = visit.page().form_to("/comparison/")
    form.action = form.action.replace("/0/", "/1/")

    assert send(visit.client, form, choice=visit.candidate()).status_code in (404, 409)


def test_the_addresses_of_forms_lead_back_when_they_are_reloaded(visit: Visit) -> None:
    for ending in ("0/comparison/", "message/", "finish/", "retry/"):
        response = visit.client.get(visit.address + ending)
        assert (response.status_code, response.headers["Location"]) == (302, visit.address)


# --- Explanations ---------------------------------------------------------------------------------

ALWAYS = {
    "rule": "always",
    "min_words": 3,
    "question": {"en": "What made you choose this answer?"},
    "none_question": {"en": "What is missing?"},
}


def test_an_explanation_that_is_missing_is_asked_for_with_the_choice_kept() -> None:
    visit = Visit(factories.world(explanation=ALWAYS))
    form = visit.page().form_to("/comparison/")
    response = send(visit.client, form, choice=visit.candidate(2), explanation="Two words")

    assert response.status_code == 422
    shown = page(response).form_to("/comparison/")
    assert "in at least 3 words" in page(response).words
    assert (shown.fields["choice"], shown.fields["explanation"]) == (
        visit.candidate(2),
        "Two words",
    )


def test_an_explanation_is_stored_as_it_was_written() -> None:
    visit = Visit(factories.world(explanation=ALWAYS))
    visit.choose(0, explanation="  It <b>speaks</b> for me\nand mine. ")

    assert Comparison.objects.get().explanation == "It <b>speaks</b> for me\nand mine."
    assert "<b>speaks</b>" not in visit.client.get(visit.address).content.decode()


def test_without_the_rule_there_is_a_field_after_none_only(visit: Visit) -> None:
    shown = visit.page()
    assert shown.form_to("/comparison/").fields["explanation"] == ""
    why = next(one for one in shown.having("class") if one["class"] == "why")
    assert why["data-for"] == "none"


# --- Messages and the end -------------------------------------------------------------------------


def test_a_message_makes_the_next_turn_and_waits(visit: Visit) -> None:
    visit.choose()
    visit.say("What if he cannot pay?")
    shown = visit.page()

    assert Turn.objects.count() == 2
    assert "What if he cannot pay?" in shown.words
    assert next(shown.having("data-set-state"))["data-set-state"] == "pending"


def test_a_message_sent_twice_is_one_turn(visit: Visit) -> None:
    visit.choose()
    form = visit.page().form_to("/message/")
    for _ in range(2):
        assert send(visit.client, form, text="And then?").status_code == 303

    assert Turn.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Please write something first."),
        ("  \n\t ", "Please write something first."),
        ("word " * 5000, "This is too long"),
        ("before\x00after", "characters that cannot be stored"),
        ("before\x07after", "characters that cannot be stored"),
    ],
)
def test_a_message_that_cannot_be_stored_is_kept_in_its_form(
    visit: Visit, text: str, words: str
) -> None:
    visit.choose()
    response = send(visit.client, visit.page().form_to("/message/"), text=text)

    assert response.status_code == 422
    assert words in page(response).words
    assert Turn.objects.count() == 1
    if text.isprintable():
        assert page(response).form_to("/message/").fields["text"] == text


def test_a_lone_surrogate_is_refused_with_words(visit: Visit) -> None:
    visit.choose()
    form = visit.page().form_to("/message/")
    body = urlencode({**form.fields, "text": b"before\xed\xa0\x80after"})
    kind = "application/x-www-form-urlencoded"
    response = visit.client.post(form.action, body, content_type=kind)

    assert response.status_code == 422
    assert "characters that cannot be stored" in page(response).words
    assert Turn.objects.count() == 1


def test_finish_appears_once_there_are_turns_enough(visit: Visit) -> None:
    visit.choose()
    assert not [form for form in visit.page().forms if form.action.endswith("/finish/")]
    assert visit.client.post(f"{visit.address}finish/").status_code == 409
    visit.say()
    visit.show()
    visit.choose()
    response = send(visit.client, visit.page().form_to("/finish/"))

    assert (response.status_code, response.headers["Location"]) == (303, "/work/")
    assert Assignment.objects.get().state == "submitted"


def test_the_last_turn_says_beforehand_that_it_cannot_be_corrected(visit: Visit) -> None:
    for _ in range(2):
        visit.choose()
        visit.say()
        visit.show()
    form = visit.page().form_to("/comparison/")
    assert "once sent, your choice cannot be changed" in visit.page().words

    assert send(visit.client, form, choice=visit.candidate()).headers["Location"] == "/work/"
    again = send(visit.client, form, choice=visit.candidate(1), idempotency_key=uuid4().hex)
    assert again.status_code == 409
    assert "This conversation is finished" in page(again).words


def test_none_of_these_ends_the_conversation(visit: Visit) -> None:
    response = send(visit.client, visit.page().form_to("/comparison/"), choice="none")

    assert response.headers["Location"] == "/work/"
    assert Conversation.objects.get().ended_reason == "none"


def test_a_skip_needs_a_reason_and_gives_the_next_conversation() -> None:
    visit = Visit(factories.world(prompts=2))
    form = visit.page().form_to("/skip/")

    assert send(visit.client, form).status_code == 422
    assert send(visit.client, form, reason="uncomfortable").headers["Location"] == "/work/"
    assert visit.client.get("/work/").headers["Location"] != visit.address


def test_somebody_elses_conversation_cannot_be_skipped(visit: Visit) -> None:
    stranger = browser_of(factories.person(factories.world()).enrolment)

    assert send(stranger, visit.page().form_to("/skip/"), reason="other").status_code == 404


# --- Pauses and lost sessions ---------------------------------------------------------------------


def test_a_message_to_a_paused_study_is_kept_and_said_so(visit: Visit) -> None:
    visit.choose()
    form = visit.page().form_to("/message/")
    Study.objects.update(state="paused")
    response = send(visit.client, form, text="And my mother?")

    assert response.status_code == 200
    assert "having a break" in page(response).words
    Study.objects.update(state="open")
    assert visit.page().form_to("/message/").fields["text"] == "And my mother?"


def test_a_text_posted_without_a_session_comes_back_by_the_return_link(visit: Visit) -> None:
    visit.choose()
    form = visit.page().form_to("/message/")
    stranger = Client()
    response = send(stranger, form, text="Do not lose me")

    assert response.status_code == 403
    assert "What you have just written is kept" in page(response).words
    Enrolment.objects.filter(pk=visit.enrolment.pk).update(return_token_sha256=digest("back"))
    stranger.get("/return/back/")
    shown = page(stranger.get("/work/", follow=True))
    assert shown.form_to("/message/").fields["text"] == "Do not lose me"


def test_a_choice_posted_without_a_session_comes_back_as_well() -> None:
    visit = Visit(factories.world(explanation=ALWAYS))
    form = visit.page().form_to("/comparison/")
    send(Client(), form, choice=visit.candidate(1), explanation="Because of my family")

    kept = visit.page().form_to("/comparison/").fields
    assert (kept["choice"], kept["explanation"]) == (
        visit.candidate(1),
        "Because of my family",
    )


def test_a_refused_form_token_keeps_the_text_on_the_page_and_in_the_draft(visit: Visit) -> None:
    visit.choose()
    form = visit.page().form_to("/message/")
    strict = Client(enforce_csrf_checks=True)
    response = send(strict, form, text="Kept both ways")

    assert response.status_code == 403
    assert page(response).forms[0].fields["text"] == "Kept both ways"
    assert page(response).forms[0].action == form.action
    assert Draft.objects.get().body["text"] == "Kept both ways"


def test_a_forged_draft_token_keeps_nothing(visit: Visit) -> None:
    visit.choose()
    form = visit.page().form_to("/message/")
    response = send(Client(), form, text="x", draft="forged")

    assert not Draft.objects.exists()
    assert "could not be stored. Copy it" in page(response).words


# --- The notice about the model -------------------------------------------------------------------


def test_the_page_says_in_plain_words_which_model_answers(visit: Visit) -> None:
    notice = {"en": "These answers are made up.", "fr": "Ces réponses sont inventées."}
    endpoint = Endpoint.objects.get(plan_endpoints__plan=visit.scene.plan_id)
    endpoint.notice = notice
    endpoint.save(update_fields=["notice"])
    notices_of_plan.cache_clear()

    assert notice["en"] in visit.page().words
    Enrolment.objects.update(ui_language="fr")
    assert notice["fr"] in visit.page().words
    Enrolment.objects.update(ui_language="hi")
    assert notice["en"] in visit.page().words


def test_the_interface_language_changes_and_the_task_language_does_not(visit: Visit) -> None:
    form = page(visit.client.get(f"/language/?next={visit.address}")).forms[0]
    response = send(visit.client, form, language="hi")

    assert (response.status_code, response.headers["Location"]) == (303, visit.address)
    shown = visit.page()
    assert next(given for tag, given in shown.elements if tag == "html")["lang"] == "hi"
    assert {one["lang"] for one in shown.having("lang") if one.get("dir") == "auto"} == {"en"}


def test_the_language_form_leads_nowhere_else() -> None:
    for address in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        response = Client().post("/language/", {"language": "it", "next": address})
        assert response.headers["Location"] == "/work/"
    assert Client().post("/language/", {"language": "xx"}).status_code == 422


def test_without_scripts_the_way_to_the_languages_takes_along_what_is_typed(visit: Visit) -> None:
    visit.choose()
    form = visit.page().form_to("/message/")
    [way] = [
        one["formaction"]
        for one in visit.page().having("formaction")
        if "language" in one["formaction"]
    ]
    response = visit.client.post(way, {**form.fields, "text": "Half a sen"})

    assert (response.status_code, response["Location"]) == (303, way)
    assert page(visit.client.get(way)).forms[0].fields["next"] == visit.address
    assert visit.page().form_to("/message/").fields["text"] == "Half a sen"
    assert settings.LANGUAGES

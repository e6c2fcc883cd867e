"""Opening messages of one's own: guidance, what is pointed out before sending, help."""

from typing import Any

import pytest
import yaml

from annotation import distress
from annotation.distress import speaks_of_self_harm
from annotation.models import Conversation, Draft, Submission, Turn
from studies.models import Audit
from studies.models.study import Language
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Form, at_most, browser_of, page, send

pytestmark = pytest.mark.django_db

OWN = {
    "limit": 100,
    "guidance": {"US": {"en": "Ask about **your town**."}},
    "helplines": {
        "US": [{"name": "Night Listeners", "contact": "555 0100", "hours": {"en": "all night"}}],
        "IN": [{"name": "Elsewhere", "contact": "555 0199"}],
    },
}
PAIN = "Should I tell them that I want to die?"


class Writing:
    """An annotator in front of the form for a question of their own."""

    def __init__(self, **rules: Any) -> None:
        world = factories.world(own_prompt_share=1.0, conversations=3, own_prompts=OWN, **rules)
        self.enrolment = talking.joined(world)
        self.client = browser_of(self.enrolment)
        self.client.get("/work/")

    def form(self) -> Form:
        return page(self.client.get("/work/")).form_to("/message/")

    def send(self, text: str, **changes: str) -> Any:
        return send(self.client, self.form(), text=text, **changes)


def test_the_guidance_of_the_country_stands_above_the_form() -> None:
    shown = page(Writing().client.get("/work/")).words

    assert "Ask about your town." in shown
    assert "At most 100 characters." in shown


def test_the_limit_counts_what_people_see_as_characters() -> None:
    writing = Writing()
    assert writing.send("क्षि" * 101).status_code == 422
    assert writing.send("क्षि" * 100).status_code == 303


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("May I give anna@posta.example to a friend?", "an e-mail address"),
        ("Whose number is +1 415 555 0134, and why?", "a phone number"),
    ],
)
def test_personal_data_is_pointed_out_and_may_be_sent_all_the_same(text: str, told: str) -> None:
    writing = Writing()
    response = writing.send(text)

    assert response.status_code == 422
    assert told in page(response).words
    form = page(response).form_to("/message/")
    assert form.fields["text"] == text
    assert not Turn.objects.exists()
    assert send(writing.client, form, anyway="yes").status_code == 303
    assert Turn.objects.get().message == text


def test_a_question_that_repeats_an_own_earlier_one_is_pointed_out() -> None:
    writing = Writing(turns={"min": 1, "max": 1})
    writing.send("Is honesty a duty?")
    talk = Conversation.objects.get()
    talking.judge(writing.enrolment, talking.shown(writing.enrolment, talk.pk))
    writing.client.get("/work/")
    response = writing.send("  is honesty a DUTY ?!")

    assert response.status_code == 422
    assert "You have begun another conversation with these words." in page(response).words
    assert writing.send("Is honesty a gift?").status_code == 303


def test_looking_at_a_question_first_keeps_within_the_budget_of_statements() -> None:
    writing = Writing()
    form = writing.form()
    with at_most(12):
        assert send(writing.client, form, text="Is honesty a duty?").status_code == 303


def test_sending_the_same_form_twice_is_no_repetition() -> None:
    writing = Writing()
    form = writing.form()
    first, second = (send(writing.client, form, text="Is honesty a duty?") for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]


def test_a_question_about_self_harm_leads_to_help_and_nothing_is_stored() -> None:
    writing = Writing()
    response = writing.send(PAIN)

    words = page(response).words
    assert response.status_code == 422
    assert "Night Listeners · 555 0100 · all night" in words
    assert "Elsewhere" not in words
    assert not any(model.objects.exists() for model in (Turn, Draft, Submission, Audit))
    form = page(response).form_to("/message/")
    assert (form.fields["text"], form.fields["anyway"]) == (PAIN, "yes")
    assert next(page(response).having("data-draft"))["data-form"].startswith("message:")
    assert send(writing.client, form).status_code == 303


def test_help_is_there_in_a_study_that_names_no_helplines() -> None:
    world = factories.world(own_prompt_share=1.0)
    client = browser_of(talking.joined(world))
    client.get("/work/")
    shown = send(client, page(client.get("/work/")).form_to("/message/"), text=PAIN)

    assert "call the emergency number of your country" in page(shown).words


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Lately I DON’T want to live…"),
        ("fr", "j'ai envie\nde mourir"),
        ("it", "Non voglio piu vivere"),
        ("pt", "Às vezes quero morrer."),
        ("hi", "मैं मरना चाहती हूँ"),
        ("hi", "i want to kill myself"),
        ("en", "Some nights I wish I could disappear."),
        ("fr", "Je voudrais m’ouvrir les veines"),
        ("fr", "j’aimerais ne plus me reveiller"),
        ("it", "Vorrei non svegliarmi piu"),
        ("it", "penso di tagliarmi le vene"),
        ("it", "come smetto con il mio autolesionismo?"),
        ("pt", "Penso em tirar minha própria vida"),
        ("pt", "quero por fim à minha vida"),
        ("pt", "Preferia estar morta."),
        ("pt", "me matar de trabalhar, ou só me matar?"),
        ("hi", "मैं फाँसी लगा लूँ?"),
        ("hi", "मैं मरना चाहता हूं"),
        ("hi", "मैं ख\u093cुद को ख\u093cत्म कर दूँगा"),
        ("hi", "मैं \u0959ुद को नु\u0958सान पहुँचाता हूँ"),
        ("hi", "ख\u093cुदकुशी करना चाहता हूँ"),
        ("hi", "खुद को खत्\u200cम कर लूँ"),
    ],
)
def test_phrases_are_found_however_they_are_typed(language: str, text: str) -> None:
    assert speaks_of_self_harm(text, language=language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Is assisted suicide ever right?"),
        ("en", "My plants want to diet"),
        ("en", "Who killed Caesar?"),
        ("fr", "Dois-je me tuer à la tâche pour ma famille ?"),
        ("it", "L’autolesionismo tra i giovani è in aumento?"),
        ("it", "Vale la pena ammazzarmi di lavoro?"),
        ("pt", "Vale a pena me matar de trabalhar?"),
        ("pt", "Quem decide sobre a minha própria vida?"),
        ("hi", "क्या इच्छामृत्यु कभी सही हो सकती है?"),
    ],
)
def test_a_question_of_opinion_or_a_figure_of_speech_is_left_alone(
    language: str, text: str
) -> None:
    assert not speaks_of_self_harm(text, language=language)


def test_every_language_of_the_data_has_its_phrases() -> None:
    read = yaml.safe_load(distress.PHRASES.read_text(encoding="utf-8"))
    figures = read.pop(distress.FIGURES)

    assert set(read) == set(Language.values) >= set(figures)
    assert all(len(distress.phrases(one)) == len(read[one]) > 15 for one in read)


def test_nothing_is_pointed_out_about_the_messages_that_follow() -> None:
    world = factories.world()
    world.endpoint.notice = {"en": "These answers are made up."}
    world.endpoint.save(update_fields=["notice"])
    enrolment, scene = talking.shown_first_turn(world)
    talking.judge(enrolment, scene)
    shown = browser_of(enrolment).get(f"/conversation/{scene.conversation_id}/")

    assert "all the same" not in page(shown).words

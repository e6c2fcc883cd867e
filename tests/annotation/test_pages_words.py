"""Words that depend on who wrote what, and on which form has to be mended."""

import pytest
import regex
from django.test import Client, RequestFactory

from annotation.models import Conversation
from annotation.refusals import NoSkips
from annotation.scenes import Scene
from annotation.views import wording
from config.pages import csrf_failure
from sampling.models import Endpoint
from studies.models import Enrolment
from tests import factories
from tests.annotation.talking import joined, judge, say, shown, shown_first_turn
from tests.annotation.visiting import browser_of, page, send
from tests.factories import World

pytestmark = pytest.mark.django_db


def talk_of(scene: Scene) -> str:
    return f"/conversation/{scene.conversation_id}/"


def at_first_answers(**rules: object) -> tuple[World, Enrolment, Client, Scene]:
    world = factories.world(**rules)  # type: ignore[arg-type]
    enrolment, scene = shown_first_turn(world)
    return world, enrolment, browser_of(enrolment), scene


def test_what_the_study_asks_is_not_called_the_words_of_the_person() -> None:
    _, enrolment, client, scene = at_first_answers()
    first = page(client.get(talk_of(scene))).words
    judge(enrolment, scene)
    say(enrolment, scene)
    shown(enrolment, scene.conversation_id)
    second = page(client.get(talk_of(scene))).words

    assert ("The question" in first, "You asked" in first) == (True, False)
    # Folded, the question; at work, the person's own words.
    assert ("The question" in second, "You asked" in second) == (True, True)


def test_an_opening_of_ones_own_is_called_ones_own() -> None:
    enrolment = joined(factories.world(own_prompt_share=1.0))
    client = browser_of(enrolment)
    form = page(client.get("/work/", follow=True)).form_to("/message/")
    sent = send(client, form, text="What is a good life?")
    waiting = page(client.get(sent.headers["Location"])).words
    scene = shown(enrolment, Conversation.objects.get().pk)

    assert scene.last.is_given is False
    assert "The question" not in waiting
    assert "You asked" in page(client.get(talk_of(scene))).words


def test_a_report_that_leaves_something_out_is_mended_where_it_stands() -> None:
    _, _, client, scene = at_first_answers()
    form = page(client.get(talk_of(scene))).form_to("/report/")
    refused = send(client, form, reason="hateful", then="leave")
    again = page(refused).form_to("/report/")

    assert refused.status_code == 422
    assert (again.fields["reason"], again.fields["then"]) == ("hateful", "leave")
    assert "Which answer? Please choose one of the answers." in page(refused).words
    assert "“None of these represents me”" not in page(refused).words


def test_of_two_texts_the_one_that_is_too_long_is_marked() -> None:
    comparing = {"should_have_said": True}
    asks = {"rule": "always", "min_words": 1}
    _, _, client, scene = at_first_answers(comparing=comparing, explanation=asks)
    form = page(client.get(talk_of(scene))).form_to("/comparison/")
    refused = send(client, form, choice="none", explanation="So.", should_say="x" * 2001)

    assert [one["name"] for one in page(refused).having("aria-invalid")] == ["should_say"]


def test_after_none_nothing_is_called_chosen() -> None:
    _, enrolment, client, scene = at_first_answers()
    judge(enrolment, scene, place=None)
    words = page(client.get(talk_of(scene))).words

    assert "None of these represents you." in words
    assert "the answer you chose" not in words


def test_a_report_without_its_reason_is_told_so_at_that_question() -> None:
    _, _, client, scene = at_first_answers()
    form = page(client.get(talk_of(scene))).form_to("/report/")
    refused = send(client, form, candidate=str(scene.last.candidates[0].id), then="stay")

    assert "What is wrong with it? Please choose a reason." in page(refused).words
    assert refused.content.decode().count('class="option wrong"') == len(form.options["reason"])


@pytest.mark.parametrize(("choice", "lacks"), [("tie", "tied"), ("none", "continue_from")])
def test_what_is_missing_beside_the_choice_is_marked(choice: str, lacks: str) -> None:
    rules = {"after_none": "continue_from", "explanation": {"rule": "never"}}
    _, _, client, scene = at_first_answers(comparing={"tie": True}, **rules)
    form = page(client.get(talk_of(scene))).form_to("/comparison/")
    refused = send(client, form, choice=choice)
    marked = regex.findall(r'class="chip wrong"><input[^>]* name="(\w+)"', refused.content.decode())

    assert refused.status_code == 422
    assert marked == [lacks] * 4


def test_a_tie_is_not_asked_about_one_answer() -> None:
    why = {"rule": "always", "min_words": 0, "question": {"en": "What made you choose this one?"}}
    comparing = {"tie": True, "reasons": "general-1"}
    _, _, client, scene = at_first_answers(explanation=why, comparing=comparing)
    shown = page(client.get(talk_of(scene)))
    told = [one for one in shown.having("data-for") if "tie" in one["data-for"].split()]

    assert "What speaks for your choice? Tick all that apply." in shown.words
    assert "What made you choose this one?Why?" in shown.words  # the one or the other is seen
    assert len(told) == 3  # which of them, the question, and the foot


def test_an_opening_that_came_second_is_not_called_an_answer() -> None:
    enrolment = joined(factories.world(own_prompt_share=1.0))
    client = browser_of(enrolment)
    form = page(client.get("/work/", follow=True)).form_to("/message/")
    send(client, form, text="What is a good life?")
    second = page(send(client, form, text="What is a good death?")).words

    assert "This can no longer be changed" in second
    assert "Your first answer counts" not in second


def test_a_lost_form_without_words_is_told_of_none() -> None:
    said = []
    for posted in ({}, {"text": "Mine."}):
        request = RequestFactory().post("/pause/", posted)
        said.append("What you wrote is still here" in csrf_failure(request).content.decode())

    assert said == [False, True]


def test_countries_are_named_in_the_language_of_the_pages() -> None:
    world = factories.world(purposes=["take_part", "conversations"])
    Endpoint.objects.update(operator="Aula Labs", country="FR")
    client = browser_of(joined(world, ui_language="hi"))

    assert "फ़्रांस" in page(client.get("/privacy/")).words
    assert "FR" not in page(client.get("/privacy/")).words
    Endpoint.objects.update(country="somewhere safe")
    assert "somewhere safe" in page(client.get("/privacy/")).words


def test_nobody_is_told_how_many_they_skipped_where_nobody_may() -> None:
    assert wording.fault(NoSkips(0)) == "In this study no conversation can be skipped."
    assert "You have skipped 2 conversations" in wording.fault(NoSkips(2))

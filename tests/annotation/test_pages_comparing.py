"""The comparison form on the page: what it offers, and what no tampering gets through."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.html import escape

from annotation.marks import marks_of
from annotation.models import Comparison, ComparisonMark, Conversation, Turn
from studies.reason_lists import GENERAL_1
from tests import factories
from tests.annotation.talking import joined, opened, write_set
from tests.annotation.test_pages_conversing import Visit
from tests.annotation.visiting import Form, browser_of, page, send
from tests.factories import World

pytestmark = pytest.mark.django_db

WHY = {
    "rule": "always",
    "min_words": 2,
    "question": {"en": "Why this one?"},
    "none_question": {"en": "What is missing?"},
}
EVERYTHING: dict[str, Any] = {
    "explanation": {**WHY, "example": {"en": "Say what it saw that the others did not."}},
    "after_none": "continue_from",
    "comparing": {
        "tie": True,
        "strength": True,
        "sentences": True,
        "should_have_said": True,
        "reasons": "general-1",
        "layouts": {"narrow": ["pager", "stack"]},
    },
}
TEXTS = [
    ("", 422),
    ("Two words " * 2000, 422),
    ("bell\x07 and more", 422),
    ("nul\x00 and more", 422),
    ("a" + "\u0301" * 10_000, 422),
    ("why \u202eright to left\u202c now", 303),
    ("<script>alert(1)</script> and <b>more</b>", 303),
    ("family 👨‍👩‍👧‍👦 matters 🏳️‍🌈 here", 303),
    ("मुझे यह पसंद है", 303),
]


def before_the_answers(world: World, texts: Sequence[str] = ()) -> tuple[Client, Conversation]:
    """A browser on a conversation whose answers are written, and were not shown yet."""
    enrolment = joined(world)
    talk = opened(enrolment)
    write_set(talk.turns.get().set_id, texts)
    return browser_of(enrolment), talk


def comparison(visit: Visit) -> Form:
    return visit.page().form_to("/comparison/")


@pytest.mark.parametrize(("text", "status"), TEXTS)
def test_an_explanation_is_stored_as_it_is_or_refused_with_the_text_kept(
    text: str, status: int
) -> None:
    visit = Visit(factories.world(explanation=WHY))
    response = send(visit.client, comparison(visit), choice=visit.candidate(), explanation=text)

    assert response.status_code == status
    if status == 303:
        assert Comparison.objects.get().explanation == text
        return
    assert not Comparison.objects.exists()
    kept = page(response).form_to("/comparison/").fields
    assert kept["choice"] == visit.candidate()
    if text.isprintable():
        assert kept["explanation"] == text


@pytest.mark.parametrize(("text", "status"), TEXTS)
def test_a_message_is_stored_as_it_is_or_refused_with_the_text_kept(text: str, status: int) -> None:
    visit = Visit(factories.world())
    visit.choose()
    response = send(visit.client, visit.page().form_to("/message/"), text=text)

    assert response.status_code == status
    if status == 303:
        said = Turn.objects.latest("number").message
        shown = visit.client.get(visit.address).content.decode()
        assert said == text
        assert escape(text) in shown
        return
    assert Turn.objects.count() == 1
    if text.isprintable():
        assert page(response).form_to("/message/").fields["text"] == text


@pytest.mark.parametrize("field", ["explanation", "should_say", "reason", "sentence"])
def test_a_lone_surrogate_is_refused_in_every_field(field: str) -> None:
    visit = Visit(factories.world(**EVERYTHING))
    form = comparison(visit)
    body = urlencode({**form.fields, "choice": "none", field: b"before\xed\xa0\x80after"})
    kind = "application/x-www-form-urlencoded"
    response = visit.client.post(form.action, body, content_type=kind)

    assert response.status_code == 422
    assert not Comparison.objects.exists()


def test_tampered_order_cohort_and_measures_change_nothing() -> None:
    visit = Visit(factories.world())
    order = list(visit.scene.last.candidates)
    response = send(
        visit.client,
        comparison(visit),
        choice=visit.candidate(2),
        display_order="3,2,1,0",
        cohort=str(uuid4()),
        country="FR",
        visible_ms="999999999",
        first_choice_ms="٣",
        changes="-1",
        pastes="7",
        reach="100 100 999 1",
        layout="heap",
        viewport="<b>",
    )
    stored = Comparison.objects.get()

    assert response.status_code == 303
    assert stored.chosen_id == order[2].id
    assert (stored.visible_ms, stored.first_choice_at, stored.changes) == (None, None, None)
    assert (stored.pastes, stored.reach, stored.layout, stored.viewport) == (None, None, "", "")


def test_what_was_measured_is_stored() -> None:
    visit = Visit(factories.world())
    said = {"reach": "100 90 80 70", "layout": "pager", "viewport": "phone", "changes": "2"}
    send(visit.client, comparison(visit), choice=visit.candidate(), **said)
    stored = Comparison.objects.get()
    slots = stored.turn.display_order or []

    assert [(stored.reach or [])[slot] for slot in slots] == [100, 90, 80, 70]
    assert (stored.layout, stored.viewport, stored.changes) == ("pager", "phone", 2)


def test_two_tabs_with_different_choices_and_one_of_them_is_told() -> None:
    visit = Visit(factories.world(**EVERYTHING))
    first, second = comparison(visit), comparison(visit)
    said = {"explanation": "It is mine", "reason": ["general-1/tone", "general-1/values"]}
    assert send(visit.client, first, choice=visit.candidate(0), **said).status_code == 303
    response = send(visit.client, second, choice=visit.candidate(1), **said)

    assert response.status_code == 409
    assert "What counts: you chose A." in page(response).words
    change = page(response).forms[0]
    assert send(visit.client, change, reason=said["reason"]).status_code == 303
    counting = Comparison.objects.get(superseded_at=None)
    assert str(counting.chosen_id) == visit.candidate(1)
    assert counting.marks.filter(kind="reason").count() == 2


# --- What the form offers -------------------------------------------------------------------------


def test_the_form_offers_what_the_study_asks_and_nothing_else() -> None:
    plain = comparison(Visit(factories.world()))
    whole = Visit(factories.world(**EVERYTHING))
    full = comparison(whole)

    assert plain.options.keys() == {"choice"}
    assert plain.boxes.keys() == {"ruled_out"}
    assert full.options["choice"][-2:] == ["none", "tie"]
    assert full.options.keys() == {"choice", "continue_from", "strength"}
    assert full.boxes.keys() == {"ruled_out", "tied", "reason", "sentence"}
    assert "Say what it saw that the others did not." in whole.page().words
    assert "Fits my values" in whole.page().words


def test_a_turn_that_does_not_ask_why_offers_reasons_for_none_of_them_only() -> None:
    visit = Visit(factories.world(**{**EVERYTHING, "explanation": {"rule": "never"}}))
    form = comparison(visit)
    assert form.boxes.keys() == {"ruled_out", "tied", "reason"}
    assert form.boxes["reason"] == list(GENERAL_1.codes("none"))

    said = {"reason": "general-1/wrong", "explanation": "It is not so", "should_say": ""}
    said["continue_from"] = visit.candidate()
    assert send(visit.client, form, choice="none", **said).status_code == 303
    stored = Comparison.objects.get()
    assert stored.explanation == "It is not so"
    assert [mark.reason for mark in marks_of(stored.pk)] == ["general-1/wrong"]


def test_only_long_texts_have_a_fold() -> None:
    visit = Visit(factories.world())
    assert "expanded" not in comparison(visit).boxes

    texts = ["word " * 240, "word " * 241, "short", "also short"]
    client, talk = before_the_answers(factories.world(), texts=texts)
    shown = page(client.get(f"/conversation/{talk.pk}/"))
    assert len(shown.form_to("/comparison/").boxes["expanded"]) == 1


def test_a_refused_form_holds_all_that_was_said() -> None:
    visit = Visit(factories.world(**EVERYTHING))
    ruled_out, sentence = visit.candidate(3), comparison(visit).boxes["sentence"][0]
    said = {
        "choice": "none",
        "explanation": "It is not mine",
        "ruled_out": ruled_out,
        "sentence": sentence,
        "reason": "general-1/wrong",
        "should_say": "Ask my mother.",
        "changes": "2",
    }
    response = send(visit.client, comparison(visit), **said)
    kept = page(response).form_to("/comparison/").fields

    assert response.status_code == 422
    assert "which answer the conversation shall go on from" in page(response).words
    assert {name: kept[name] for name in said} == said


def test_after_none_the_page_goes_on_from_the_one_that_was_named() -> None:
    visit = Visit(factories.world(**EVERYTHING))
    said = {"explanation": "They miss it", "continue_from": visit.candidate(1)}
    send(visit.client, comparison(visit), choice="none", **said)
    shown = visit.page()

    assert "You chose none of them, and go on from B." in shown.words
    assert "The answer you go on from" in shown.words
    correction = shown.form_to("/comparison/").fields
    assert (correction["choice"], correction["continue_from"]) == ("none", visit.candidate(1))


def test_a_correction_keeps_what_was_said_before() -> None:
    visit = Visit(factories.world(**EVERYTHING))
    said = {"explanation": "It is mine", "strength": "2", "reason": "general-1/tone"}
    send(visit.client, comparison(visit), choice=visit.candidate(0), **said)
    send(visit.client, visit.page().form_to("/comparison/"), choice=visit.candidate(1))

    kinds = ComparisonMark.objects.filter(comparison__superseded_at=None)
    assert set(kinds.values_list("kind", flat=True)) == {"strength", "reason"}


def test_a_correction_keeps_what_was_ruled_out_but_the_one_now_chosen() -> None:
    visit = Visit(factories.world())
    ruled_out = [visit.candidate(place) for place in (1, 2)]
    send(visit.client, comparison(visit), choice=visit.candidate(0), ruled_out=ruled_out)
    markup = visit.page()
    held = [one["value"] for one in markup.having("value") if one.get("name") == "ruled_out"]
    form = markup.form_to("/comparison/")
    send(visit.client, form, choice=visit.candidate(1), ruled_out=held)

    assert sorted(held) == sorted(ruled_out)
    left = ComparisonMark.objects.get(comparison__superseded_at=None)
    assert (left.kind, str(left.candidate_id)) == ("ruled_out", visit.candidate(2))


def test_a_draft_of_a_correction_stands_over_what_was_said_before() -> None:
    visit = Visit(factories.world(**EVERYTHING))
    said = {"explanation": "It is mine", "strength": "2", "reason": "general-1/tone"}
    send(visit.client, comparison(visit), choice=visit.candidate(0), **said)
    form = visit.page().form_to("/comparison/")
    send(Client(), form, choice=visit.candidate(1), explanation="No, it is")  # its session is lost
    held = visit.page().form_to("/comparison/").fields

    assert (held["choice"], held["explanation"]) == (visit.candidate(1), "No, it is")
    assert (held["strength"], held["reason"]) == ("2", "general-1/tone")


def test_pasting_is_counted_on_the_page_of_whoever_agreed_to_that() -> None:
    visit = Visit(factories.world(purposes=["take_part", "paste_telemetry"]))
    assert not list(visit.page().having("data-pastes"))
    document = visit.enrolment.study.consent_documents.get()
    factories.consent_record(visit.enrolment, document=document, purpose="paste_telemetry")
    assert list(visit.page().having("data-pastes"))
    send(visit.client, comparison(visit), choice=visit.candidate(), pastes="2")

    assert Comparison.objects.get().pastes == 2


@pytest.mark.parametrize("number", [1, 40_000, 10**12])
def test_a_turn_that_nobody_has_is_refused(number: int) -> None:
    visit = Visit(factories.world())
    form = comparison(visit)
    form.action = form.action.replace("/0/", f"/{number}/")

    assert send(visit.client, form, choice=visit.candidate()).status_code in (404, 409)
    assert not Comparison.objects.exists()


# --- Layouts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "screen", "narrow", "layout"),
    [
        ({}, "", "?1", "stack"),
        ({}, "", "?0", "grid"),
        ({}, "narrow", "?0", "stack"),  # a small window on a desk
        ({}, "wide", "", "grid"),
        (EVERYTHING, "narrow", "", "pager"),
        (EVERYTHING, "nonsense", "?0", "grid"),
    ],
)
def test_the_layout_is_the_studys_for_that_screen_and_is_recorded(
    rules: dict[str, Any], screen: str, narrow: str, layout: str
) -> None:
    client, talk = before_the_answers(factories.world(**rules))
    client.cookies["screen"] = screen
    address = f"/conversation/{talk.pk}/"
    response = client.get(address, headers={"Sec-CH-UA-Mobile": narrow})

    assert next(page(response).having("data-layout"))["data-layout"] == layout
    assert talk.turns.get().layout == layout


@pytest.mark.parametrize(
    ("layouts", "drawn", "recorded"),
    [({}, "grid", ""), ({"wide": ["stack"]}, "stack", "stack")],
)
def test_a_layout_that_nothing_tells_is_recorded_as_unknown(
    layouts: dict[str, Any], drawn: str, recorded: str
) -> None:
    client, talk = before_the_answers(factories.world(comparing={"layouts": layouts}))
    responses = [client.get(f"/conversation/{talk.pk}/") for _reload in range(2)]

    for response in responses:
        assert next(page(response).having("data-layout"))["data-layout"] == drawn
    assert talk.turns.get().layout == recorded

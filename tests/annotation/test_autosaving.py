"""Drafts of open pages: kept by one statement, agreed on between two pages, never too late."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from annotation.autosaving import MOVES_AFTER, Outcome, Typed, keep_in_conversation
from annotation.drafts import FIELDS, LIMIT, save_draft
from annotation.leaving import withdraw
from annotation.models import Assignment, Draft
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Page, browser_of, page
from tests.racing import runners

pytestmark = pytest.mark.django_db

ONE, OTHER = "a" * 24, "b" * 24
EVERYTHING = {
    "tie": True,
    "strength": True,
    "sentences": True,
    "should_have_said": True,
    "reasons": "general-1",
}
ALWAYS = {"rule": "always", "min_words": 1, "question": {"en": "Why?"}}


class Typing:
    """An annotator in front of four answers, and what their open pages send while they type."""

    def __init__(self, **rules: Any) -> None:
        self.enrolment, self.scene = talking.shown_first_turn(
            factories.world(explanation=ALWAYS, **rules)
        )
        self.client = browser_of(self.enrolment)
        self.address = f"/conversation/{self.scene.conversation_id}/draft/"
        self.form = f"comparison:{self.scene.last.id}:0"

    def send(
        self, explanation: str = "Beca", *, client: Client | None = None, **changes: object
    ) -> Any:
        fields = {
            "form": self.form,
            "writer": ONE,
            "seen": 0,
            "draft_revision": 1,
            "explanation": explanation,
            **changes,
        }
        return (client or self.client).post(self.address, fields)

    def page(self) -> Page:
        return page(self.client.get(f"/conversation/{self.scene.conversation_id}/"))


def test_a_draft_is_in_its_field_in_any_browser() -> None:
    typing = Typing()
    assert typing.send("Because of my").status_code == 204

    shown = page(browser_of(typing.enrolment).get(typing.address.removesuffix("draft/")))
    form = shown.form_to("/comparison/")
    assert form.fields["explanation"] == "Because of my"
    [given] = shown.having("data-draft")
    assert (given["data-draft"], given["data-form"]) == (typing.address, typing.form)
    assert (given["data-revision"], given["data-writer"]) == ("1", ONE)


def test_a_draft_costs_one_statement(django_assert_num_queries: Any) -> None:
    typing = Typing()
    with django_assert_num_queries(1):
        assert typing.send().status_code == 204


def test_a_draft_moves_the_lease_on_as_a_message_does() -> None:
    typing = Typing()
    soon = timezone.now() + timedelta(seconds=2 * MOVES_AFTER)
    Assignment.objects.update(deadline=soon)
    typing.send()

    assert Assignment.objects.get().deadline > soon + timedelta(minutes=10)  # type: ignore[operator]


def test_the_same_page_overwrites_its_drafts_in_their_order() -> None:
    typing = Typing()
    typing.send("Because", draft_revision=3)
    assert typing.send("Bec", draft_revision=2).status_code == 204  # it was overtaken on its way

    assert Draft.objects.get().body == {"explanation": "Because"}


def test_a_page_that_has_not_seen_the_other_ones_draft_is_told_of_it() -> None:
    typing = Typing()
    typing.send("mine", writer=ONE)
    refused = typing.send("theirs", writer=OTHER)

    assert refused.status_code == 409
    assert refused.json() == {"outcome": "newer", "revision": 1, "fields": {"explanation": "mine"}}
    assert typing.send("ours", writer=OTHER, seen=1, draft_revision=2).status_code == 204
    assert typing.send("mine again", writer=ONE, seen=1, draft_revision=2).status_code == 409
    assert Draft.objects.get().body == {"explanation": "ours"}


@pytest.mark.django_db(transaction=True)
def test_of_two_pages_that_send_at_the_same_moment_one_is_current() -> None:
    typing = Typing()
    with runners("one", "other") as (one, other):
        one.begin()
        assert one.do(keep, typing, ONE) is Outcome.KEPT
        other.start(keep, typing, OTHER)
        other.expect_blocked(by=one)
        one.commit()
        assert other.result() is Outcome.NEWER

    assert Draft.objects.get().body == {"explanation": ONE}


def keep(typing: Typing, writer: str) -> Outcome:
    typed = Typed(typing.form, writer, 1, 0, {"explanation": writer})
    return keep_in_conversation(
        enrolment_id=typing.enrolment.pk,
        conversation_id=typing.scene.conversation_id,
        typed=typed,
    ).outcome


def test_a_form_that_was_sent_takes_no_draft() -> None:
    typing = Typing()
    typing.send("Because of my")
    talking.judge(typing.enrolment, typing.scene, explanation="Because of my family")
    late = typing.send("Because of my f", draft_revision=2)

    assert (late.status_code, late.json()) == (409, {"outcome": "late"})
    assert not Draft.objects.exists()
    assert typing.page().form_to("/comparison/").fields["explanation"] == "Because of my family"


def test_the_draft_of_a_message_is_forgotten_when_it_is_sent() -> None:
    typing = Typing()
    talking.judge(typing.enrolment, typing.scene, explanation="Why not")
    typing.form = f"message:{typing.scene.last.id}"
    assert typing.send("And if", text="And if").status_code == 204
    assert typing.page().form_to("/message/").fields["text"] == "And if"

    talking.say(typing.enrolment, typing.scene, "And if not?")
    assert typing.send(text="And if not", draft_revision=2).json() == {"outcome": "late"}
    scene = talking.shown(typing.enrolment, typing.scene.conversation_id)
    talking.judge(typing.enrolment, scene, explanation="Why not")
    assert typing.page().form_to("/message/").fields["text"] == ""


def test_an_own_opening_message_is_kept_until_it_is_sent() -> None:
    enrolment = talking.joined(factories.world(own_prompt_share=1.0))
    client, held = browser_of(enrolment), talking.claimed(enrolment)
    fields = {
        "form": f"message:{held.pk}",
        "writer": ONE,
        "seen": 0,
        "draft_revision": 1,
        "text": "Is it",
    }
    assert client.post(f"/work/{held.pk}/draft/", fields).status_code == 204
    form = page(client.get("/work/")).form_to("/message/")
    assert form.fields["text"] == "Is it"

    client.post(form.action, {**form.fields, "text": "Is it right?"})
    late = client.post(f"/work/{held.pk}/draft/", {**fields, "draft_revision": 2})
    assert (late.status_code, Draft.objects.count()) == (409, 0)


def test_drafts_belong_to_the_person_of_the_conversation() -> None:
    typing = Typing()
    stranger = browser_of(factories.person(factories.world()).enrolment)

    assert typing.send(client=stranger).status_code == 404
    assert typing.send(client=Client()).status_code == 403
    own = stranger.post(f"/work/{Assignment.objects.get().pk}/draft/", {"form": typing.form})
    assert own.status_code in (404, 422)
    assert not Draft.objects.exists()


def test_whoever_has_left_leaves_no_draft_behind() -> None:
    typing = Typing()
    withdraw(enrolment=typing.enrolment)

    assert typing.send().status_code == 409
    assert not Draft.objects.exists()


def test_what_was_posted_without_a_session_is_newer_than_what_was_seen() -> None:
    typing = Typing()
    typing.send("Beca")
    save_draft(enrolment=typing.enrolment, form=typing.form, fields={"explanation": "Because"})

    assert typing.send("Becau", writer=OTHER, seen=1, draft_revision=2).status_code == 409
    assert Draft.objects.get().body == {"explanation": "Because"}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"explanation": "a" * (LIMIT + 1)}, 413),
        ({"writer": ""}, 422),
        ({"writer": "'; --" + "a" * 10}, 422),
        ({"seen": "-1"}, 422),
        ({"draft_revision": "9" * 12}, 422),
        ({"form": "x" * 200}, 422),
        ({"form": f"message:{uuid4()}"}, 409),  # a form of that name is not on the page
    ],
)
def test_a_draft_that_cannot_be_kept_is_refused(changes: Any, status: int) -> None:
    typing = Typing()

    assert typing.send(**changes).status_code == status
    assert not Draft.objects.exists()


def test_what_no_row_can_hold_is_left_out_of_a_draft() -> None:
    typing = Typing()
    typing.send("a\x00b" + "ُ" * 10_000 + "‮<b>👩‍👩‍👧‍👧")

    assert Draft.objects.get().body["explanation"].startswith("ab")
    assert "&lt;b&gt;" in typing.client.get(typing.address.removesuffix("draft/")).content.decode()


def test_what_was_ticked_is_there_in_any_browser_and_what_was_unticked_is_not() -> None:
    typing = Typing(comparing=EVERYTHING, after_none="continue_from")
    form = typing.page().form_to("/comparison/")
    a, b = (str(shown.id) for shown in typing.scene.last.candidates[:2])
    sentences = form.boxes["sentence"][:2]
    ticked: dict[str, Any] = {
        "choice": "tie",
        "continue_from": a,
        "strength": "3",
        "tied": f"{a} {b}",
        "ruled_out": b,
        "reason": "general-1/tone general-1/clear",
        "sentence": " ".join(sentences),
        "should_say": "Two words",
    }
    typing.send(**ticked)
    kept = marked(page(browser_of(typing.enrolment).get(typing.address.removesuffix("draft/"))))
    typing.send(**ticked | {"reason": "", "sentence": sentences[1]}, draft_revision=2)

    assert kept == {
        value for name in ticked if name != "should_say" for value in ticked[name].split()
    }
    assert typing.page().form_to("/comparison/").fields["should_say"] == "Two words"
    assert marked(typing.page()) == kept - set(ticked["reason"].split()) - {sentences[0]}


def test_what_was_unticked_of_a_correction_stays_so() -> None:
    typing = Typing(comparing=EVERYTHING)
    form = typing.page().form_to("/comparison/")
    a = str(typing.scene.last.candidates[0].id)
    said = {"choice": a, "explanation": "So", "reason": ["general-1/tone", "general-1/clear"]}
    typing.client.post(form.action, {**form.fields, **said})
    typing.form = typing.form.removesuffix("0") + "1"
    typing.send("So it is", choice=a, reason="general-1/clear", strength="2")

    assert marked(typing.page()) >= {"general-1/clear", "2"}
    assert "general-1/tone" not in marked(typing.page())


def marked(shown: Page) -> set[str]:
    """The values of all that is ticked on a page, and would be kept."""
    return {one["value"] for one in shown.having("checked") if one["name"] in FIELDS}


def test_only_what_a_person_types_or_chooses_is_kept_of_a_form() -> None:
    typing = Typing()
    typing.send("Beca", choice="none", url="/elsewhere/", revision="7")

    assert Draft.objects.get().body == {"explanation": "Beca", "choice": "none"}

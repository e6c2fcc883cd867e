"""Whatever is posted to an annotator's address, in whatever state: no error of ours.

The addresses come from the URLconf, so that a new one is tried without a line here.
"""

from collections.abc import Iterator
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from annotation.models import Comparison, Report
from annotation.urls import urlpatterns
from studies.models import Answer, ConsentRecord, TutorialTry
from tests import factories
from tests.annotation import talking
from tests.annotation.test_pages_comparing import TEXTS
from tests.annotation.visiting import browser_of, page
from tests.factories import World
from tests.studies.asking import YEAR, agree, answer, asking_world, consented
from tests.studies.test_practising import TUTORIAL, tried

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
FIELDS = (
    "text choice explanation should_say idempotency_key revision continue_from strength tied reason"
    " sentence ruled_out expanded candidate then form writer seen draft_revision draft layout reach"
    " visible_ms changes code language next consent document page item done anyway"
).split()
KNOWN = {"csrfmiddlewaretoken", "document", "page", "item"}  # what a form says by itself
ODD = ["", "a\x00b", "\ud800", "9" * 30, "x" * 5000, "none", "00000000-0000-0000-0000-000000000000"]
BODIES = [
    b"",
    b"%\xff=%",
    *(urlencode(dict.fromkeys(FIELDS, odd), errors="surrogatepass").encode() for odd in ODD),
]


def addresses(ids: dict[str, UUID]) -> Iterator[str]:
    """Every annotator's address, with these ids, and with an id that nobody has."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        names = pattern.pattern.converters.keys()
        for known in (ids, dict.fromkeys(ids, uuid4())) if names else ({},):
            more = {"token": "nobodys-token", "turn_no": 0, **known}
            yield reverse(str(pattern.name), kwargs={name: more[name] for name in names})


def rules_of_everything() -> World:
    return factories.world(
        prompts=3,
        after_none="continue_from",
        comparing={"tie": True, "strength": True, "sentences": True, "should_have_said": True},
    )


def judged() -> tuple[Client, dict[str, UUID]]:
    """Before a message and a correction."""
    enrolment, scene = talking.shown_first_turn(rules_of_everything())
    talking.judge(enrolment, scene)
    ids = {"conversation_id": scene.conversation_id, "assignment_id": scene.assignment_id}
    return browser_of(enrolment), ids


def writing() -> tuple[Client, dict[str, UUID]]:
    """Before a question of one's own."""
    enrolment = talking.joined(factories.world(own_prompt_share=1.0))
    assignment = talking.claimed(enrolment)
    return browser_of(enrolment), {"conversation_id": uuid4(), "assignment_id": assignment.pk}


def preparing(*done: str) -> Client:
    """Before a question that must be answered, the purposes, or a practice of the tutorial."""
    person = consented(asking_world([{**YEAR, "required": True}], tutorial=TUTORIAL))
    if "questions" in done:
        answer(person, year_of_birth="1990")
    if "purposes" in done:
        agree(person)
    if "practice" in done:
        tried(person, "practice-1", choice="0")
    return browser_of(person)


PREPARING = {
    "/questions/": (),
    "/consent/": ("questions",),
    "/tutorial/": ("questions", "purposes"),
    "/tutorial/?check": ("questions", "purposes", "practice"),
}
STEPS = (Answer, ConsentRecord, TutorialTry)


@pytest.mark.parametrize("stage", ["judged", "writing"])
def test_odd_bodies_are_answered_and_judge_nothing(stage: str) -> None:
    client, ids = writing() if stage == "writing" else judged()
    before = Comparison.objects.count()
    for address in addresses(ids):
        assert client.get(address).status_code < 500, address
        for body in BODIES:
            response = client.post(address, body, content_type=FORM)
            assert response.status_code < 500, (address, body[:80])

    assert Comparison.objects.count() == before
    assert not Report.objects.exists()


@pytest.mark.parametrize("address", PREPARING)
def test_odd_answers_are_no_step_towards_the_work(address: str) -> None:
    """The page's own form, with everything in it that a person fills in made odd."""
    client = preparing(*PREPARING[address])
    form = page(client.get(address)).forms[0]
    asked = [*form.options, *form.boxes, *(n for n in form.fields if n not in KNOWN)]
    before = [model._default_manager.count() for model in STEPS]
    assert asked
    for odd in (*ODD, *(text for text, _ in TEXTS)):
        filled = urlencode({**form.fields, **dict.fromkeys(asked, odd)}, errors="surrogatepass")
        response = client.post(form.action, filled, content_type=FORM)
        assert response.status_code == 422, odd[:80]
        assert "<script>alert" not in response.content.decode()

    assert [model._default_manager.count() for model in STEPS] == before

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
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of
from tests.factories import World

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
FIELDS = (
    "text choice explanation should_say idempotency_key revision continue_from strength tied reason"
    " sentence ruled_out expanded candidate then form writer seen draft_revision draft layout reach"
    " visible_ms changes code language next consent document page item done anyway"
).split()
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

"""How much one person may do: in a sitting, in a day, in all. Held by the claim itself."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.assigning import Nothing, claim_assignment, may_go_on_at
from annotation.claiming import claim_cell, claim_own
from annotation.models import Assignment
from annotation.standing import standing
from studies.models import Enrolment
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of, page
from tests.breaking import sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(valkey_url: str) -> Enrolment:
    """Two conversations in 24 hours, of the three of a sitting, are done."""
    made = joined(conversations=3, limits={"per_day": 2})
    for _ in range(2):
        talking.finished(made)
    return made


def joined(**rules: Any) -> Enrolment:
    return talking.joined(factories.world(prompts=5, **rules))


def parameters(of: Enrolment) -> dict[str, object]:
    """What the claiming statement is given, past all that looks before it."""
    seen = standing(of.pk)
    now = timezone.now()
    return {
        "id": uuid4(),
        "enrolment": of.pk,
        "cohort": of.cohort_id,
        "sitting": of.sittings.latest("created_at").pk,
        "seed": of.study.seed,
        "start": 0.5,
        "draw": "{}",
        "deadline": now + timedelta(hours=2),
        "now": now,
        "done": seen.done,
        "held": seen.held,
        "had": seen.had,
    }


def begun(hours_ago: float) -> None:
    """Everything was begun so long ago. The database keeps the time of a claim, so by hand."""
    sql("UPDATE annotation_assignment SET created_at = %s", [factories.in_hours(-hours_ago)])


def test_the_day_is_any_24_hours_and_says_when_one_may_go_on(person: Enrolment) -> None:
    begun(hours_ago=20)
    assert claim_assignment(enrolment=person) is Nothing.DAY_LIMIT
    until = may_go_on_at(standing(person.pk))
    assert until is not None
    assert timedelta(hours=3) < until - timezone.now() <= timedelta(hours=4)
    begun(hours_ago=24.1)
    assert isinstance(claim_assignment(enrolment=person), Assignment)


def test_the_page_of_a_reached_limit_says_when_to_come_again(person: Enrolment) -> None:
    response = browser_of(person).get("/work/")
    assert response.status_code == 200
    assert "That is enough for today" in page(response).words
    assert "You can go on from" in page(response).words
    assert "/return/" in page(response).words


def test_the_limit_does_not_touch_a_conversation_that_is_open(person: Enrolment) -> None:
    begun(hours_ago=25)
    first = talking.claimed(person)
    assert claim_assignment(enrolment=person) == first


def test_skipped_and_expired_conversations_count_for_no_limit(valkey_url: str) -> None:
    person = joined(conversations=2, limits={"per_day": 1})
    for state in ("skipped", "expired"):
        talking.claimed(person)
        Assignment.objects.filter(state="open").update(state=state, deadline=None, surplus=True)
    assert isinstance(claim_assignment(enrolment=person), Assignment)


@pytest.mark.parametrize("claim", [claim_cell, claim_own])
def test_nothing_is_claimed_when_the_person_did_more_since_they_were_looked_at(
    valkey_url: str, claim: object
) -> None:
    """The day's limit and the prompts that they had were judged by that look."""
    assert callable(claim)
    person = joined(conversations=3)
    looked_at = parameters(person)
    talking.finished(person)
    assert claim(looked_at) is None
    assert claim(parameters(person)) is not None


@pytest.mark.parametrize("claim", [claim_cell, claim_own])
def test_the_claiming_statement_itself_holds_the_target_and_the_persons_limit(
    person: Enrolment, claim: object
) -> None:
    assert callable(claim)
    Enrolment.objects.update(max_conversations=2)
    assert claim(parameters(person)) is None
    Enrolment.objects.update(max_conversations=3)
    person.sittings.update(target=2)
    assert claim(parameters(person)) is None
    person.sittings.update(target=3)
    assert claim(parameters(person)) is not None


def test_no_conversation_is_claimed_in_a_sitting_that_is_over(person: Enrolment) -> None:
    person.sittings.update(state="complete", exit_code="complete")
    assert claim_cell(parameters(person)) is None


def test_the_limit_of_a_person_is_stamped_when_they_enrol_and_completes_them(
    valkey_url: str,
) -> None:
    person = joined(conversations=2, limits={"per_person": 1})
    Enrolment.objects.update(max_conversations=1)  # as enrolling does; see test_pages_panels
    talking.finished(talking.reloaded(person))
    person.refresh_from_db()
    assert person.state == "complete"

"""Skipping within the study's limit: what counts, and how the page tells it."""

import pytest
from django.utils import timezone

from annotation.leaving import skip_assignment, withdraw
from annotation.models import Assignment, PromptCell, Turn
from annotation.refusals import NoSkips
from annotation.reporting import report_candidate
from annotation.sweeping import break_off_sitting, sweep_assignments
from studies.models import Enrolment
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of, page, send
from tests.factories import World

pytestmark = pytest.mark.django_db


def skip(enrolment: Enrolment, *, seen: bool = True) -> None:
    """Open a conversation, see its answers or not, and skip it."""
    talk = talking.opened(enrolment)
    if seen:
        talking.shown(enrolment, talk.pk)
    skip_assignment(enrolment=enrolment, assignment_id=talk.assignment_id, reason="other")


def world(skips: int) -> World:
    return factories.world(prompts=6, conversations=6, skips=skips)


def test_so_many_conversations_as_the_study_allows_may_be_skipped() -> None:
    enrolment = talking.joined(world(2))
    skip(enrolment)
    skip(enrolment)
    with pytest.raises(NoSkips):
        skip(enrolment)

    assert Assignment.objects.filter(state="skipped").count() == 2
    assert Turn.objects.filter(shown_at__isnull=False).count() == 3


def test_a_study_without_a_limit_lets_people_skip() -> None:
    enrolment = talking.joined(factories.world(prompts=3))
    for _ in range(3):
        skip(enrolment)


def test_what_never_came_or_was_reported_counts_for_nothing() -> None:
    enrolment = talking.joined(world(1))
    skip(enrolment, seen=False)
    scene = talking.shown(enrolment, talking.opened(enrolment).pk)
    report_candidate(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        candidate_id=scene.last.candidates[0].id,
        reason="other",
        leave=True,
    )
    skip(enrolment)
    skip(enrolment, seen=False)
    with pytest.raises(NoSkips):
        skip(enrolment)


def test_the_limit_is_told_on_the_page_and_to_a_form_that_comes_all_the_same() -> None:
    enrolment = talking.joined(world(1))
    client = browser_of(enrolment)
    talk = talking.opened(enrolment)
    talking.shown(enrolment, talk.pk)
    address = f"/conversation/{talk.pk}/"
    before = page(client.get(address)).form_to("/skip/")
    send(client, before, reason="other")
    talk = talking.opened(enrolment)
    talking.shown(enrolment, talk.pk)
    shown = page(client.get(f"/conversation/{talk.pk}/"))

    assert "You have skipped a conversation, and this study allows no more." in shown.words
    assert not [form for form in shown.forms if form.action.endswith("/skip/")]
    late = client.post(f"/work/{talk.assignment_id}/skip/", {"reason": "other"})
    assert late.status_code == 409
    assert "this study allows no more" in page(late).words


def test_answers_that_never_come_can_be_given_up_beyond_the_limit() -> None:
    enrolment = talking.joined(world(0))
    client, talk = browser_of(enrolment), talking.opened(enrolment)
    form = page(client.get(f"/conversation/{talk.pk}/")).form_to("/skip/")

    assert send(client, form, reason="technical").status_code == 303


def test_the_limit_holds_for_a_question_of_ones_own() -> None:
    enrolment = talking.joined(factories.world(own_prompt_share=1.0, skips=0))
    client = browser_of(enrolment)
    client.get("/work/")

    assert "In this study no conversation can be skipped." in page(client.get("/work/")).words


@pytest.mark.parametrize("skips", [0, 1])
def test_skipping_after_leaving_opens_nothing_again(skips: int) -> None:
    enrolment, scene = talking.shown_first_turn(world(skips))
    Assignment.objects.update(deadline=timezone.now())
    sweep_assignments()
    withdraw(enrolment=enrolment)
    address = f"/work/{scene.assignment_id}/skip/"
    response = browser_of(enrolment).post(address, {"reason": "other"})

    assert response.status_code == 303
    assert Assignment.objects.get().state == "expired"
    assert not PromptCell.objects.filter(taken__gt=0).exists()


def test_what_expired_in_an_earlier_sitting_is_never_opened_again() -> None:
    enrolment = talking.joined(factories.world(own_prompt_share=1.0, conversations=3))
    old = talking.claimed(enrolment)
    break_off_sitting(old.sitting_id)
    talking.sitting_of(enrolment).__class__.objects.update(state="partial", exit_code="partial")
    factories.sitting(enrolment)
    now = talking.claimed(enrolment)
    client = browser_of(enrolment)
    said = {"text": "Is it so?", "idempotency_key": "k" * 8}
    answers = [
        client.post(f"/work/{old.pk}/message/", said),
        client.post(f"/work/{old.pk}/skip/", {"reason": "other"}),
    ]

    assert [answer.status_code for answer in answers] == [409, 303]
    assert Assignment.objects.get(state="open") == now

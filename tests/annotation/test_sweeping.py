"""Giving back what silent people hold."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.comparing import Judgement, store_comparison
from annotation.drafts import save_draft
from annotation.models import Assignment, PromptCell
from annotation.refusals import NoRoom
from annotation.scenes import Stage, read_conversation
from annotation.sweeping import end_late_sitting, sweep_assignments, sweep_sittings
from annotation.tasks import sweep_expired
from studies.models import Sitting
from tests import factories
from tests.annotation.talking import (
    claimed,
    joined,
    judge,
    opened,
    say,
    shown_first_turn,
    sitting_of,
)

pytestmark = pytest.mark.django_db


def let_time_run_out() -> None:
    Assignment.objects.filter(state="open").update(deadline=timezone.now() - timedelta(seconds=1))


def test_a_lease_past_its_deadline_gives_its_place_back() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    let_time_run_out()
    assert sweep_assignments() == 1
    assert sweep_assignments() == 0
    assert PromptCell.objects.get().taken == 0
    scene = read_conversation(enrolment=enrolment, conversation_id=talk.pk)
    assert scene.stage is Stage.EXPIRED


def test_a_lease_in_time_stays() -> None:
    claimed(joined(factories.world()))
    assert sweep_assignments() == 0
    assert Assignment.objects.get().state == "open"


def test_a_draft_keeps_the_lease() -> None:
    enrolment = joined(factories.world())
    claimed(enrolment)
    let_time_run_out()
    save_draft(enrolment=enrolment, form="message:x", fields={"text": "I thi"})
    assert sweep_assignments() == 0


def test_a_judgement_after_the_lease_opens_it_again() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    let_time_run_out()
    sweep_assignments()
    assert judge(enrolment, scene).revision == 1
    assert Assignment.objects.get().state == "open"
    assert say(enrolment, scene).turn_no == 1


def test_a_judgement_after_the_place_was_given_away_is_told_so() -> None:
    world = factories.world(overlap=1)
    enrolment, scene = shown_first_turn(world)
    let_time_run_out()
    sweep_assignments()
    claimed(joined(world))
    with pytest.raises(NoRoom):
        store_comparison(
            enrolment=enrolment,
            conversation_id=scene.conversation_id,
            turn_no=0,
            judgement=Judgement(choice="none"),
            revision=0,
            idempotency_key="a",
        )
    assert Assignment.objects.get(enrolment=enrolment).surplus


def test_a_sitting_past_its_deadline_ends_with_what_hangs_on_it() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    Sitting.objects.update(deadline=timezone.now())
    assert (sweep_sittings(), sweep_sittings()) == (1, 0)
    talk.refresh_from_db()
    enrolment.refresh_from_db()
    assert (talk.ended_reason, talk.assignment.state) == ("expired", "expired")
    assert (enrolment.state, sitting_of(enrolment).exit_code) == ("expired", "timeout")


def test_a_sitting_that_got_more_time_meanwhile_does_not_end() -> None:
    enrolment = joined(factories.world())
    opened(enrolment)
    sitting = sitting_of(enrolment)  # a sweep found it late; then its person asked for more time

    assert not end_late_sitting(sitting_id=sitting.pk, enrolment_id=enrolment.pk)
    assert Assignment.objects.get().state == "open"
    assert sitting_of(enrolment).state == "open"


def test_the_task_may_run_twice() -> None:
    claimed(joined(factories.world()))
    let_time_run_out()
    sweep_expired()
    sweep_expired()
    assert Assignment.objects.get().state == "expired"

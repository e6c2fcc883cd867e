"""Invariant 7: what people answered to is frozen, and a study opens onto nothing else."""

import pytest
from django.utils import timezone

from studies import auditing
from studies.models import Audit
from tests import factories, racing
from tests.breaking import copy, refuser, update

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()


def test_a_text_is_not_changed_while_its_prompt_freezes() -> None:
    prompt = factories.prompt()
    text = prompt.texts.get()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, prompt, frozen_at=NOW)
        bruno.start(update, text, messages=[factories.user("Something else?")])
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "prompt_text_frozen"


def test_a_prompt_freezes_only_after_a_change_of_its_text() -> None:
    prompt = factories.prompt()
    text = prompt.texts.get()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, text, messages=[factories.user("Something else?")])
        bruno.start(update, prompt, frozen_at=NOW)
        bruno.expect_blocked(by=anna)
        anna.commit()
        bruno.result()

    text.refresh_from_db()
    assert text.messages == [factories.user("Something else?")]


def test_no_endpoint_joins_a_plan_that_freezes() -> None:
    plan = factories.plan(endpoints=[factories.endpoint()])
    row = plan.plan_endpoints.get()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, plan, frozen_at=NOW)
        bruno.start(copy, row, rank=1)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "plan_endpoint_frozen"


@pytest.mark.parametrize(
    ("row", "change", "refusal"),
    [
        ("prompt", {"key": "new"}, "prompt_comes_frozen"),
        ("version", {"n": 2}, "study_version_comes_frozen"),
        ("plan", {"version": "new.1"}, "plan_comes_frozen"),
    ],
)
def test_nothing_unfrozen_slips_into_a_study_that_opens(
    row: str, change: dict[str, object], refusal: str
) -> None:
    world = factories.world(state="paused")
    original = {"prompt": world.prompts[0], "version": world.version, "plan": world.plan}[row]
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, world.study, state="open")
        bruno.start(copy, original, frozen_at=None, **change)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == refusal


def test_a_study_does_not_open_past_a_prompt_that_was_just_added() -> None:
    world = factories.world(state="paused")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(copy, world.prompts[0], key="new", frozen_at=None)
        bruno.start(update, world.study, state="open")
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "study_opens_frozen"


def test_a_study_does_not_open_past_a_plan_that_was_just_added() -> None:
    world = factories.world(state="paused")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(copy, world.plan, version="new.1", frozen_at=None)
        bruno.start(update, world.study, state="open")
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "study_opens_frozen_plans"


def test_arms_do_not_change_while_a_study_opens() -> None:
    world = factories.world(state="paused")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, world.study, state="open")
        bruno.start(update, world.arm, share=9)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "arm_fixed_while_open"


def test_the_trail_has_no_fork_when_two_act_at_once() -> None:
    act = {"by": "test", "action": "study.open", "on": "study:x"}
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(auditing.record, **act)
        bruno.start(auditing.record, **act)
        bruno.expect_blocked(by=anna)
        anna.commit()
        bruno.result()

    first, second = Audit.objects.order_by("seq")
    assert second.previous_sha256 == auditing.chain_hash(first)

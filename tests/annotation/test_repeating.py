"""Marked repeats: the same answers again, later, in another order; outside the overlap."""

from itertools import count
from typing import Any

import pytest

from annotation.assigning import claim_assignment
from annotation.conversing import follow
from annotation.models import Assignment, Comparison, PromptCell, Turn
from annotation.ordering import display_order
from annotation.scenes import Stage
from annotation.steps import Do, next_step
from sampling.models import CandidateSet
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of, page

pytestmark = pytest.mark.django_db

OFTEN = {"share": 1.0, "after": 2}


def world(**rules: Any) -> factories.World:
    rules = {"turns": {"min": 1, "max": 1}, "conversations": 9, "repeats": OFTEN, **rules}
    return factories.world(prompts=4, **rules)


def test_a_repeat_shows_the_first_answers_again_in_another_order() -> None:
    enrolment = talking.joined(world())
    talks = [talking.finished(enrolment) for _ in range(3)]
    again = talking.opened(enrolment)

    original = again.assignment.repeat_of
    assert original is not None
    assert original.conversation == talks[0]  # the only one that two others have followed
    scene = follow(enrolment=enrolment, conversation_id=again.pk)
    assert scene.stage is Stage.JUDGE
    before, now = talks[0].turns.get(), again.turns.get()
    assert (now.set_id, now.message) == (before.set_id, before.message)
    assert now.display_order != before.display_order
    talking.judge(enrolment, scene)
    assert Comparison.objects.count() == 4


def test_a_repeat_counts_for_the_person_and_in_no_overlap() -> None:
    enrolment = talking.joined(world())
    for _ in range(4):
        talking.finished(enrolment)

    assert next_step(enrolment).done == 4
    assert sum(PromptCell.objects.values_list("taken", flat=True)) == 3
    assert Assignment.objects.filter(repeat_of__isnull=False).count() == 1


def test_a_conversation_is_repeated_once_and_a_repeat_never() -> None:
    enrolment = talking.joined(world(repeats={"share": 1.0, "after": 1}))
    for _ in range(7):
        talking.finished(enrolment)

    repeats = Assignment.objects.filter(repeat_of__isnull=False)
    assert len(set(repeats.values_list("repeat_of", flat=True))) == repeats.count() > 1
    assert not repeats.filter(repeat_of__repeat_of__isnull=False).exists()


def test_a_study_that_asks_for_none_repeats_nothing() -> None:
    enrolment = talking.joined(world(repeats=None))
    for _ in range(4):
        talking.finished(enrolment)

    assert not Assignment.objects.filter(repeat_of__isnull=False).exists()


def test_a_reported_set_is_not_repeated() -> None:
    enrolment = talking.joined(world())
    first = talking.finished(enrolment)
    talking.finished(enrolment)
    talking.finished(enrolment)
    CandidateSet.objects.filter(turns__conversation=first).update(retired_at=factories.in_hours(0))

    assert talking.claimed(enrolment).repeat_of is None


@pytest.mark.parametrize("sets", ["shared", "fresh", {"replicas": 3}])
def test_repeats_work_by_pages_however_sets_are_shared(sets: Any) -> None:
    enrolment = talking.joined(world(sets=sets, turns={"min": 2, "max": 2}))
    for _ in range(3):
        talking.finished(enrolment)
    claim_assignment(enrolment=enrolment)  # a page that was closed right then
    assert next_step(enrolment).do is Do.START
    client = browser_of(enrolment)
    address = client.get("/work/")["Location"]
    shown = page(client.get(address))

    assert shown.form_to("/comparison/").options["choice"]
    last = Turn.objects.latest("asked_at")
    assert last.conversation.assignment.repeat_of is not None
    scene = follow(enrolment=enrolment, conversation_id=last.conversation_id)
    talking.judge(enrolment, scene)
    talking.say(enrolment, scene)
    assert talking.shown(enrolment, scene.conversation_id).last.number == 1


def test_a_repeat_never_has_the_order_of_its_original() -> None:
    enrolment = talking.joined(world())
    talks = [talking.finished(enrolment) for _ in range(3)]
    before, again = talks[0].turns.get(), talking.opened(enrolment)
    order = tuple(before.display_order or ())
    seed = f"{enrolment.study.seed}:{before.set_id}"
    same = next(n for n in count(2) if display_order(seed=seed, k=4, n=n) == order)
    CandidateSet.objects.filter(pk=before.set_id).update(showings=same - 1)
    follow(enrolment=enrolment, conversation_id=again.pk)

    now = again.turns.get()
    assert now.showing_no == same
    assert now.display_order == [*order[1:], order[0]]

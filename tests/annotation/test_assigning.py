"""Which conversation a person gets."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.assigning import Nothing, claim_assignment
from annotation.models import Assignment, Conversation, PromptCell
from annotation.sweeping import sweep_assignments
from sampling.models import Arm
from studies.models import Enrolment, Sitting, Study
from tests import factories
from tests.annotation.talking import (
    claimed,
    finished,
    joined,
    judge,
    opened,
    say,
    shown_first_turn,
    sitting_of,
)

pytestmark = pytest.mark.django_db


def expire(assignment: Assignment) -> None:
    past = timezone.now() - timedelta(minutes=1)
    Assignment.objects.filter(pk=assignment.pk).update(deadline=past)
    assert sweep_assignments() == 1


def test_a_claim_takes_a_place_and_says_how_it_was_drawn() -> None:
    world = factories.world(prompts=3)
    assignment = claimed(joined(world))
    assert assignment.cell is not None
    assert assignment.cell.taken == assignment.cell.claims == 1
    assert assignment.p_prompt == pytest.approx(gap_before(assignment.cell, world.cells))
    assert assignment.p_arm == 1
    assert assignment.draw["stratum"] == 0
    assert assignment.draw["way"] == "at once"
    assert assignment.draw["own"] is False
    assert 0 <= assignment.draw["start"] < 1


def gap_before(cell: PromptCell, among: Sequence[PromptCell]) -> float:
    """The part of the circle of shuffle keys from which a draw leads to this cell."""
    keys = sorted(one.shuffle_key for one in among)
    place = keys.index(cell.shuffle_key)
    return keys[place] - keys[place - 1] + (place == 0)


def test_the_start_of_a_draw_lies_in_the_gap_before_its_prompt() -> None:
    world = factories.world(prompts=6, overlap=10)
    for _ in range(12):
        left = [cell for cell in PromptCell.objects.order_by("taken") if cell.taken == least()]
        assignment = claimed(joined(world))
        cell = next(cell for cell in left if cell.pk == assignment.cell_id)
        gone = (cell.shuffle_key - assignment.draw["start"]) % 1
        assert gone <= assignment.p_prompt == pytest.approx(gap_before(cell, left))


def least() -> int:
    return min(PromptCell.objects.values_list("taken", flat=True))


def test_a_prompt_that_one_has_had_lends_its_part_to_the_next() -> None:
    world = factories.world(prompts=3, overlap=10, conversations=3, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    had = finished(enrolment).assignment.cell_id
    for other in world.cells:
        if other.pk != had:
            factories.assignment(world, cell=other, state="submitted")  # all are covered alike
    left = [cell for cell in world.cells if cell.pk != had]

    assignment = claimed(enrolment)

    assert assignment.cell is not None
    assert assignment.p_prompt == pytest.approx(gap_before(assignment.cell, left))


def test_the_last_prompt_left_is_drawn_for_sure() -> None:
    assert claimed(joined(factories.world(prompts=1))).p_prompt == 1


def test_an_open_assignment_comes_back() -> None:
    enrolment = joined(factories.world(prompts=3))
    assert claimed(enrolment) == claimed(enrolment)
    assert Assignment.objects.count() == 1


def test_the_least_covered_prompts_come_first() -> None:
    world = factories.world(prompts=4, overlap=3)
    for _ in range(8):
        claimed(joined(world))
    assert set(PromptCell.objects.values_list("taken", flat=True)) == {2}


def test_nobody_gets_a_prompt_twice() -> None:
    world = factories.world(prompts=3, conversations=3, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    for _ in range(3):
        finished(enrolment)
    assert Assignment.objects.values("cell").distinct().count() == 3


def test_a_skipped_prompt_does_not_come_back() -> None:
    world = factories.world(prompts=2)
    enrolment = joined(world)
    first = claimed(enrolment)
    Assignment.objects.update(state="skipped", deadline=None)
    assert claimed(enrolment).cell_id != first.cell_id


def test_prompts_that_are_full_or_retired_are_not_given() -> None:
    world = factories.world(prompts=2, overlap=1)
    claimed(joined(world))
    PromptCell.objects.filter(taken=0).update(retired_at=timezone.now())
    assert claim_assignment(enrolment=joined(world)) is Nothing.NOTHING_LEFT


def test_the_start_decides_where_the_walk_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    world = factories.world(prompts=4)
    for place, cell in enumerate(world.cells):
        PromptCell.objects.filter(pk=cell.pk).update(shuffle_key=place / 4)
    for start, place in [(0.3, 2), (0.9, 0)]:
        monkeypatch.setattr("annotation.assigning.random.random", lambda start=start: start)
        assignment = claimed(joined(world))
        assert assignment.cell_id == world.cells[place].pk


def test_nothing_left_completes_the_sitting() -> None:
    world = factories.world(prompts=1, conversations=5, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    finished(enrolment)
    assert claim_assignment(enrolment=enrolment) is Nothing.NOTHING_LEFT
    enrolment.refresh_from_db()
    assert (sitting_of(enrolment).exit_code, enrolment.state) == ("complete", "complete")


def test_a_reached_target_is_told_after_the_sitting_was_completed_by_it() -> None:
    world = factories.world(prompts=3, conversations=1, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    finished(enrolment)
    assert claim_assignment(enrolment=enrolment) is Nothing.OVER


def test_a_limit_of_the_person_ends_their_sitting() -> None:
    world = factories.world(prompts=3, conversations=3, turns={"min": 1, "max": 1})
    enrolment = joined(world, max_conversations=1)
    finished(enrolment)
    assert sitting_of(enrolment).state == "complete"


def test_a_target_that_was_lowered_ends_the_sitting_at_the_next_claim() -> None:
    world = factories.world(prompts=3, conversations=3, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    finished(enrolment)
    Sitting.objects.update(target=1)
    assert claim_assignment(enrolment=enrolment) is Nothing.TARGET_REACHED


@pytest.mark.parametrize(("state", "reason"), [("paused", "paused"), ("closed", "closed")])
def test_a_study_that_is_not_open_gives_nothing(state: str, reason: str) -> None:
    world = factories.world()
    enrolment = joined(world)
    Study.objects.filter(pk=world.study.pk).update(state=state)
    assert claim_assignment(enrolment=enrolment) == reason
    assert sitting_of(enrolment).state == "open"


@pytest.mark.parametrize("state", ["consented", "withdrawn", "complete", "expired"])
def test_whoever_is_not_enrolled_gets_nothing(state: str) -> None:
    enrolment = joined(factories.world())
    Enrolment.objects.filter(pk=enrolment.pk).update(state=state)
    assert claim_assignment(enrolment=enrolment) is Nothing.OVER


def test_a_sitting_past_its_deadline_ends_at_the_claim() -> None:
    enrolment = joined(factories.world())
    assignment = claimed(enrolment)
    Sitting.objects.update(deadline=timezone.now())
    assert claim_assignment(enrolment=enrolment) is Nothing.OVER
    assignment.refresh_from_db()
    assert (assignment.state, sitting_of(enrolment).exit_code) == ("expired", "timeout")


# --- Own prompts


def test_own_prompts_have_no_cell_and_numbers_of_their_cohort() -> None:
    world = factories.world(own_prompt_share=1.0)
    drawn = [claimed(joined(world)) for _ in range(3)]
    assert [assignment.cell_id for assignment in drawn] == [None, None, None]
    assert [assignment.claim_no for assignment in drawn] == [1, 2, 3]
    assert drawn[0].draw["own"] is True


def test_own_prompts_are_drawn_by_the_share() -> None:
    world = factories.world(prompts=1, overlap=1000, own_prompt_share=0.25)
    drawn = Counter(claimed(joined(world)).cell_id is None for _ in range(160))
    assert 22 <= drawn[True] <= 58  # five standard deviations around 40


# --- Arms


def test_arms_come_in_permuted_blocks_within_a_cell() -> None:
    world = factories.world(prompts=1, overlap=24, state="draft")
    other = Arm.objects.create(
        study=world.study, cohort=world.cohort, name="other", plan=world.plan, share=2
    )
    Study.objects.filter(pk=world.study.pk).update(state="open")
    drawn = [claimed(joined(world)) for _ in range(12)]
    for block in range(0, 12, 3):
        arms = Counter(assignment.arm_id for assignment in drawn[block : block + 3])
        assert arms == {world.arm.pk: 1, other.pk: 2}
    shares = {assignment.arm_id: assignment.p_arm for assignment in drawn}
    assert shares == {world.arm.pk: pytest.approx(1 / 3), other.pk: pytest.approx(2 / 3)}


def test_the_arm_can_be_told_from_the_seed_alone() -> None:
    world = factories.world(prompts=1, overlap=24, state="draft")
    other = Arm.objects.create(
        study=world.study, cohort=world.cohort, name="other", plan=world.plan
    )
    Study.objects.filter(pk=world.study.pk).update(state="open")
    parts = {"main:1": world.arm.pk, "other:1": other.pk}  # as many of each as its share
    for claim in range(6):
        block, place = divmod(claim, 2)
        names = {f"{world.study.seed}:{world.cell.pk}:{block}:{part}": part for part in parts}
        order = sorted(names, key=lambda name: hashlib.md5(name.encode()).hexdigest())  # noqa: S324
        assert claimed(joined(world)).arm_id == parts[names[order[place]]]


def two_plans() -> tuple[factories.World, Arm]:
    """An open study whose cohort has two arms with plans of their own; returns the second."""
    world = factories.world(prompts=1, overlap=8, turns={"min": 1, "max": 3}, state="draft")
    plan = factories.plan(world.study, endpoints=[world.endpoint], frozen=True)
    other = factories.arm(world.cohort, of_plan=plan, name="other")
    Study.objects.filter(pk=world.study.pk).update(state="open")
    return world, other


def test_the_arm_of_a_conversation_makes_all_its_turns() -> None:
    world, other = two_plans()
    drawn = set()
    for _ in range(4):
        enrolment, scene = shown_first_turn(world)
        judge(enrolment, scene)
        say(enrolment, scene)
        talk = Conversation.objects.get(pk=scene.conversation_id)
        arm = talk.assignment.arm
        drawn.add(arm.pk)

        assert talk.plan == arm.plan
        assert {turn.set.plan for turn in talk.turns.all()} == {arm.plan}
        assert talk.assignment.p_arm == 0.5
    assert drawn == {world.arm.pk, other.pk}


def test_an_arm_is_kept_when_the_person_comes_back() -> None:
    world, _ = two_plans()
    enrolment = joined(world)
    first = claimed(enrolment)
    expire(first)
    again = claimed(enrolment)

    assert (again.pk, again.arm_id, again.p_arm) == (first.pk, first.arm_id, first.p_arm)


# --- Coming back


def test_an_expired_assignment_opens_again_while_there_is_room() -> None:
    world = factories.world(overlap=1)
    enrolment = joined(world)
    first = opened(enrolment).assignment
    expire(first)
    assert PromptCell.objects.get().taken == 0
    again = claimed(enrolment)
    assert (again.pk, again.state, again.ended_at) == (first.pk, "open", None)
    assert PromptCell.objects.get().taken == 1


def test_without_room_what_was_stored_stays_as_surplus() -> None:
    world = factories.world(prompts=2, overlap=1)
    enrolment = joined(world)
    talk = opened(enrolment)
    expire(talk.assignment)
    for _ in range(2):
        claimed(joined(world))
    assert claim_assignment(enrolment=enrolment) is Nothing.NOTHING_LEFT
    talk.refresh_from_db()
    assert (talk.assignment.state, talk.assignment.surplus) == ("expired", True)
    assert talk.ended_reason == "expired"


def test_after_a_surplus_the_person_gets_another_prompt() -> None:
    world = factories.world(prompts=2, overlap=1)
    enrolment = joined(world)
    first = claimed(enrolment)
    expire(first)
    PromptCell.objects.filter(assignments=first).update(overlap=0)
    assert claimed(enrolment).cell_id != first.cell_id


def test_a_claim_takes_at_most_six_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    enrolment = joined(factories.world())
    with django_assert_max_num_queries(6):
        claimed(enrolment)

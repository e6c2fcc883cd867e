"""Invariants 2 and 3: one comparison counts, and the next turn follows the one that does."""

import pytest
from django.db import transaction
from django.utils import timezone

from annotation.models import Comparison, Turn
from tests import factories, racing
from tests.breaking import refuser, update

pytestmark = pytest.mark.django_db(transaction=True)


def correct(judged: Comparison, choice: int) -> None:
    """A correction that does not ask whether it is still allowed."""
    with transaction.atomic():
        update(judged, superseded_at=timezone.now())
        factories.comparison(judged.turn, choice=choice, revision=judged.revision + 1)


def end(judged: Comparison) -> None:
    update(judged.conversation, ended_at=timezone.now(), ended_reason="finished")


def test_two_tabs_judge_the_same_turn_and_one_judgement_counts() -> None:
    turn = factories.turn(factories.world())
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.comparison, turn, choice=0)
        bruno.start(factories.comparison, turn, choice=1)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) in {"comparison_current", "comparison_revision"}

    assert Comparison.objects.get().chosen == turn.set.candidates.get(slot=0)


def test_two_tabs_correct_the_same_judgement_and_one_correction_counts() -> None:
    judged = factories.judged_turn()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(correct, judged, 1)
        bruno.start(correct, judged, 2)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "comparison_superseded_once"

    counting = Comparison.objects.get(superseded_at=None)
    assert (counting.revision, counting.chosen) == (2, judged.turn.set.candidates.get(slot=1))


def test_the_next_message_first_then_the_correction_is_refused() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.turn, world, after=judged)
        bruno.start(correct, judged, 1)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "turn_after_current_comparison"

    assert Comparison.objects.get().superseded_at is None


def test_the_correction_first_then_the_next_message_is_refused() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(correct, judged, 1)
        bruno.start(factories.turn, world, after=judged)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "turn_after_current_comparison"

    assert Turn.objects.count() == 1


def test_two_tabs_send_the_next_message_and_one_is_stored() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.turn, world, after=judged)
        bruno.start(factories.turn, world, after=judged)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) in {"turn_number", "annotation_turn_prev_comparison_id_key"}

    assert Turn.objects.count() == 2


def test_the_end_first_then_the_correction_is_refused() -> None:
    judged = factories.judged_turn()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(end, judged)
        bruno.start(correct, judged, 1)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "comparison_before_end"


def test_the_end_first_then_the_next_message_is_refused() -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(end, judged)
        bruno.start(factories.turn, world, after=judged)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "turn_before_end"


def test_the_correction_first_then_the_end_waits_for_it() -> None:
    judged = factories.judged_turn()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(correct, judged, 1)
        bruno.start(end, judged)
        bruno.expect_blocked(by=anna)
        anna.commit()
        bruno.result()

    assert Comparison.objects.get(superseded_at=None).revision == 2


def test_two_tabs_judge_the_last_turn_and_neither_waits_for_the_other_forever() -> None:
    """A lock that both could share would be a deadlock: each judges, then ends the conversation."""
    turn = factories.turn(factories.world())

    def judge_and_end(choice: int) -> None:
        with transaction.atomic():
            end(factories.comparison(turn, choice=choice))

    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.pause_before("UPDATE annotation_conversation")
        anna.start(judge_and_end, 0)
        anna.expect_paused()
        bruno.start(judge_and_end, 1)
        bruno.expect_blocked(by=anna)
        anna.go_on()
        anna.result()
        assert refuser(bruno.fault()) == "comparison_before_end"


def test_a_set_is_exchanged_or_shown_but_not_both() -> None:
    world = factories.world()
    turn = factories.turn(world, shown=False)
    other = factories.ready_set(world.plan, context=turn.set.context)
    shown = {"shown_at": timezone.now(), "display_order": [0, 1, 2, 3], "showing_no": 1}
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, turn, **shown)
        bruno.start(update, turn, set_id=other.pk)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "turn_set_once"


def test_two_connections_say_the_same_of_an_answer_and_one_mark_is_stored() -> None:
    judged = factories.judged_turn()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.comparison_mark, judged)
        bruno.start(factories.comparison_mark, judged)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "mark_once"

    assert judged.marks.count() == 1

"""Invariant 4: open and submitted assignments of a prompt never exceed its overlap."""

import pytest

from annotation.models import Assignment, PromptCell
from tests import factories, racing
from tests.breaking import refuser, update

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_people_take_the_last_place_and_one_gets_it() -> None:
    world = factories.world(overlap=1)
    first, second = factories.person(world), factories.person(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.assignment, world, by=first)
        bruno.start(factories.assignment, world, by=second)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "prompt_cell_overlap"

    assert PromptCell.objects.get().taken == Assignment.objects.count() == 1


def test_a_place_that_is_given_back_meanwhile_goes_to_the_one_who_waits() -> None:
    world = factories.world(overlap=1)
    held, second = factories.assignment(world), factories.person(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, held, state="expired", deadline=None)
        bruno.start(factories.assignment, world, by=second)
        bruno.expect_blocked(by=anna)
        anna.commit()
        bruno.result()

    assert PromptCell.objects.get().taken == 1


def test_a_claim_that_is_rolled_back_leaves_its_place() -> None:
    world = factories.world(overlap=1)
    first, second = factories.person(world), factories.person(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.assignment, world, by=first)
        bruno.start(factories.assignment, world, by=second)
        bruno.expect_blocked(by=anna)
        anna.rollback()
        bruno.result()

    assert Assignment.objects.get().sitting == second


def test_somebody_who_comes_back_does_not_take_a_place_that_is_gone() -> None:
    world = factories.world(overlap=1)
    late, second = factories.assignment(world), factories.person(world)
    update(late, state="expired", deadline=None)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.assignment, world, by=second)
        bruno.start(update, late, state="open", deadline=factories.in_hours(1))
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "prompt_cell_overlap"


def test_overlap_is_not_lowered_under_a_claim() -> None:
    world = factories.world(overlap=1)
    first = factories.person(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.assignment, world, by=first)
        bruno.start(update, world.cell, overlap=0)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "prompt_cell_overlap"


def test_two_tabs_of_one_person_claim_and_one_assignment_is_open() -> None:
    world = factories.world(prompts=2)
    sitting = factories.person(world)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(factories.assignment, world, by=sitting, cell=world.cells[0])
        bruno.start(factories.assignment, world, by=sitting, cell=world.cells[1])
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "assignment_one_open"

    taken = PromptCell.objects.order_by("-taken").values_list("taken", flat=True)
    assert list(taken) == [1, 0]

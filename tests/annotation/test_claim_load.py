"""Claims under a mixed load on few places: nothing too much, nothing twice, nobody misled."""

import pytest

from annotation.models import PromptCell
from studies.models import Enrolment, Sitting
from tests import factories
from tests.annotation.claim_load import Load, run
from tests.factories import World

pytestmark = pytest.mark.django_db(transaction=True)


def crowd(of: World, count: int) -> list[Enrolment]:
    for _ in range(count):
        factories.sitting(factories.enrolment(of.cohort), target=1000)
    return list(Enrolment.objects.select_related("study", "cohort"))


@pytest.mark.parametrize("seed", [1, 2])
def test_sixteen_threads_on_small_cells_break_nothing(seed: int, valkey_url: str) -> None:
    world = factories.world(prompts=6, overlap=5)
    people = crowd(world, 48)
    outcome = run(cohort=world.cohort, people=people, load=Load(seed=seed, leave=0.05))
    assert outcome.faults == {}
    assert outcome.did["die"]
    assert outcome.did["nothing_left"]


def test_without_releases_every_place_is_filled(valkey_url: str) -> None:
    world = factories.world(prompts=5, overlap=6)
    people = crowd(world, 32)
    load = Load(skip=0, go_silent=0, leave=0, die=0.2)
    outcome = run(cohort=world.cohort, people=people, load=load)
    assert outcome.faults == {}
    assert set(PromptCell.objects.values_list("taken", flat=True)) == {6}
    assert Sitting.objects.filter(state="open").count() == 0

"""Sets made ahead of time belong to prompts, and never to persons."""

import pytest

from annotation.models import PromptCell
from annotation.prefetching import fill_open_cohorts
from annotation.tasks import fill_prefetch
from sampling.models import CandidateSet
from studies.models import Study
from tests import factories
from tests.annotation.talking import finished, joined, opened

pytestmark = pytest.mark.django_db


def test_as_many_sets_are_asked_for_as_there_are_people_at_work() -> None:
    world = factories.world(prompts=4)
    for _ in range(2):
        joined(world)
    assert fill_open_cohorts() == 2
    assert set(CandidateSet.objects.values_list("priority", "shared")) == {(2, True)}


def test_sets_made_ahead_carry_their_prompt() -> None:
    world = factories.world(prompts=1)
    joined(world)
    fill_open_cohorts()
    assert CandidateSet.objects.get().prompt == world.prompts[0]


def test_nobody_at_work_means_no_sets() -> None:
    world = factories.world(prompts=2, conversations=1, turns={"min": 1, "max": 1})
    finished(joined(world))
    before = CandidateSet.objects.count()
    assert fill_open_cohorts() == 0
    assert CandidateSet.objects.count() == before


def test_the_least_covered_prompts_come_first() -> None:
    world = factories.world(prompts=3)
    opened(joined(world))
    PromptCell.objects.update(overlap=2)
    fill_open_cohorts()
    ahead = CandidateSet.objects.filter(priority=2)
    drawn = PromptCell.objects.get(taken=1)
    assert ahead.count() == 1
    assert factories.opening(drawn.prompt) not in str(ahead.get().context)


def test_a_prompt_that_has_a_set_gets_no_other() -> None:
    world = factories.world(prompts=1)
    joined(world)
    assert (fill_open_cohorts(), fill_open_cohorts()) == (1, 0)


def test_a_set_that_failed_is_left_to_the_person_who_wants_it() -> None:
    world = factories.world(prompts=1)
    joined(world)
    fill_open_cohorts()
    CandidateSet.objects.update(state="failed", reason="endpoint_unavailable")
    assert fill_open_cohorts() == 0


def test_what_was_made_ahead_is_what_the_person_gets() -> None:
    world = factories.world(prompts=1)
    enrolment = joined(world)
    fill_open_cohorts()
    assert opened(enrolment).turns.get().set == CandidateSet.objects.get()


def test_a_study_that_is_not_open_gets_nothing() -> None:
    world = factories.world()
    joined(world)
    Study.objects.update(state="paused")
    assert fill_open_cohorts() == 0


def test_the_task_may_run_twice() -> None:
    joined(factories.world(prompts=1))
    fill_prefetch()
    fill_prefetch()
    assert CandidateSet.objects.count() == 1

"""Which set an assignment gets at its first turn: shared, one of several, or one of its own."""

import pytest
from django.db import connection

from annotation.conversing import retry_set
from annotation.models import Assignment, PromptCell, Turn
from annotation.prefetching import fill_open_cohorts
from sampling.further_sets import Question, take_spare_set
from sampling.messages import message
from sampling.models import CandidateSet
from sampling.prefetching import Wish, fill
from studies.models import Cohort
from tests import factories, racing
from tests.annotation import talking
from tests.annotation.visiting import browser_of, page
from tests.factories import World

pytestmark = pytest.mark.django_db


def openings(world: World, people: int) -> list[tuple[int, CandidateSet]]:
    """Claim number and first set of so many people, one after the other."""
    made = []
    for _ in range(people):
        talk = talking.opened(talking.joined(world))
        made.append((talk.assignment.claim_no, talk.turns.get().set))
    return made


def question(world: World) -> Question:
    context = [message("user", factories.opening(world.prompts[0], world.cohort.language))]
    return Question(world.plan, context, world.cohort.language)


# --- Shared ---------------------------------------------------------------------------------------


def test_without_the_option_everybody_sees_the_same_set() -> None:
    sets = {asked.pk for _, asked in openings(factories.world(), 3)}

    assert len(sets) == 1


# --- Replicas -------------------------------------------------------------------------------------


def test_replicas_are_dealt_out_by_the_number_of_the_claim() -> None:
    made = openings(factories.world(overlap=7, sets={"replicas": 3}), 7)

    assert {claim_no % 3 for claim_no, _ in made} == {0, 1, 2}
    assert all(asked.replica == claim_no % 3 and asked.shared for claim_no, asked in made)
    assert CandidateSet.objects.count() == 3
    assert len({asked.seed for _, asked in made}) == 3


def test_a_replica_that_failed_is_followed_by_the_next_number_of_its_group() -> None:
    world = factories.world(overlap=5, sets={"replicas": 2})
    (claim_no, first), _ = openings(world, 2)
    CandidateSet.objects.filter(pk=first.pk).update(state="failed", reason="guard_rejected")
    enrolment = Assignment.objects.get(claim_no=claim_no).enrolment
    talk = Turn.objects.get(set=first).conversation

    retry_set(enrolment=talking.reloaded(enrolment), conversation_id=talk.pk)
    again = talk.turns.get().set

    assert (again.replica, again.shared, again.state) == (first.replica + 2, True, "pending")
    assert again.seed != first.seed
    assert openings(world, 2)[0][1] == again  # of the third claim


def test_a_retired_replica_is_never_served() -> None:
    world = factories.world(overlap=5, sets={"replicas": 2})
    openings(world, 2)
    CandidateSet.objects.update(retired_at=factories.in_hours(0))

    for _, asked in openings(world, 2):
        assert asked.retired_at is None


def test_prefetch_makes_the_replica_that_the_next_claim_gets() -> None:
    world = factories.world(overlap=9, sets={"replicas": 2})
    for _ in range(3):
        enrolment = talking.joined(world)
        assert fill_open_cohorts() <= 1
        before = set(CandidateSet.objects.values_list("pk", flat=True))
        assert talking.opened(enrolment).turns.get().set_id in before


# --- Fresh ----------------------------------------------------------------------------------------


def test_fresh_sets_are_seen_by_one_person_each() -> None:
    made = openings(factories.world(sets="fresh"), 3)

    assert len({asked.pk for _, asked in made}) == 3
    assert not any(asked.shared for _, asked in made)
    assert len({asked.seed for _, asked in made}) == 3


def test_a_fresh_set_is_a_spare_one_where_there_is_one() -> None:
    world = factories.world(overlap=5, sets="fresh")
    enrolment = talking.joined(world)
    assert fill_open_cohorts() == 1
    spare = CandidateSet.objects.get(spare=True)

    taken = talking.opened(enrolment).turns.get().set
    assert taken == spare
    assert (taken.spare, taken.priority) == (False, 0)
    assert openings(world, 1)[0][1] != spare


def test_spare_sets_follow_the_people_at_work_and_the_room_that_is_left() -> None:
    world = factories.world(overlap=2, sets="fresh")
    for _ in range(5):
        talking.joined(world)

    for _ in range(5):
        fill_open_cohorts()
    assert CandidateSet.objects.filter(spare=True).count() == PromptCell.objects.get().overlap


def spares(asked: Question) -> tuple[CandidateSet, CandidateSet]:
    """Two spare sets of the question, the first one first."""
    wish = Wish(asked.plan, asked.context, asked.language, asked.prompt, spares=2)
    assert fill([wish]) == 1
    assert fill([wish, wish]) == 1
    first, second = CandidateSet.objects.filter(spare=True).order_by("replica")
    return first, second


def test_a_ready_spare_set_is_taken_before_one_that_is_being_made() -> None:
    world = factories.world(sets="fresh")
    asked = question(world)
    first, second = spares(asked)
    talking.write_set(second.pk)

    assert take_spare_set(asked) == second
    assert take_spare_set(asked) == first
    assert take_spare_set(asked) is None


def test_a_spare_set_that_failed_or_was_retired_is_not_taken() -> None:
    asked = question(factories.world(sets="fresh"))
    first, second = spares(asked)
    CandidateSet.objects.filter(pk=first.pk).update(state="failed", reason="guard_rejected")
    CandidateSet.objects.filter(pk=second.pk).update(retired_at=factories.in_hours(0))

    assert take_spare_set(asked) is None


def test_cohorts_that_share_a_plan_never_share_a_fresh_set() -> None:
    world = factories.world(sets="fresh")
    # A second pool of the same language, with the same plan and prompt.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE sampling_arm DISABLE TRIGGER arm_fixed_while_open")
    other = Cohort.objects.create(study=world.study, slug="in-en", country="IN", language="en")
    arm = factories.arm(other, of_plan=world.plan)
    cell = factories.cell(other, of_prompt=world.prompts[0])
    made = openings(world, 2)
    person = factories.person(World(**{**world.__dict__, "cohort": other, "arm": arm}))
    talk = talking.opened(talking.reloaded(person.enrolment))

    assert talk.assignment.cell_id == cell.pk
    assert talk.turns.get().set_id not in {asked.pk for _, asked in made}


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_never_take_the_same_spare_set() -> None:
    asked = question(factories.world(sets="fresh"))
    spares(asked)

    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        hers = anna.do(take_spare_set, asked)
        his = bruno.do(take_spare_set, asked)  # waits for nobody
        anna.commit()
        assert bruno.do(take_spare_set, asked) is None

    assert {hers.pk, his.pk} == set(CandidateSet.objects.values_list("pk", flat=True))


# --- What a conversation opens with ---------------------------------------------------------------


@pytest.mark.parametrize("sets", ["shared", {"replicas": 2}, "fresh"])
def test_an_annotator_who_comes_after_prefetching_sees_four_answers_at_once(sets: object) -> None:
    world = factories.world(sets=sets)
    enrolment = talking.joined(world)
    fill_open_cohorts()
    talking.write_set(CandidateSet.objects.get().pk)
    client = browser_of(enrolment)

    shown = page(client.get(client.get("/work/").headers["Location"]))
    assert len(list(shown.having("data-candidate"))) == 4
    assert CandidateSet.objects.count() == 1

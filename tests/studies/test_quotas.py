"""Places of a quota: reserved while somebody works, filled when they complete, never too many."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from studies.enrolling import end_sitting
from studies.models import Enrolment, QuotaCell, QuotaPlace, Sitting
from studies.questions import REFUSED
from studies.quotas import OTHERS, fits, reserve_by_answers, reserve_place, sweep_places, watched
from studies.recounting import recount, repair
from studies.stages import Stage
from tests import factories
from tests.breaking import sql, update
from tests.factories import World
from tests.studies.asking import ORIGIN, SPEAKS, agree, answer, asking_world, consented

pytestmark = pytest.mark.django_db
YOUNG, OLD = {"age_band": "18-34"}, {"age_band": "55+"}
KEYS = st.sampled_from(["age", "gender"])
VALUES = st.sampled_from(["a", "b", "c"])


@pytest.fixture
def world() -> World:
    """A cohort that wants one young person, and takes all others."""
    made = factories.world(questions=[{**factories.QUESTIONS[0], "quota": True}])
    quota = factories.quota_set(made.cohort)
    factories.quota_cell(
        quota, name="young", target=1, position=0, criteria={"age_band": ["18-34"]}
    )
    factories.quota_cell(quota, name=OTHERS, target=None, position=1)
    return made


def seated(of: World, answers: dict[str, str]) -> Enrolment:
    person = consented(of)
    answer(person, **{"age_band": REFUSED, **answers})
    return person


def counts() -> dict[str, int]:
    return dict(QuotaCell.objects.values_list("name", "taken"))


def complete(person: Enrolment) -> None:
    end_sitting(
        sitting_id=person.sittings.get(state="open").pk,
        state=Sitting.State.COMPLETE,
        exit_code=Sitting.ExitCode.COMPLETE,
    )


def run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    QuotaPlace.objects.filter(state="reserved").update(lease_until=past)


@given(st.dictionaries(KEYS, st.lists(VALUES, min_size=1)), st.dictionaries(KEYS, VALUES))
def test_criteria_are_met_by_one_wanted_answer_to_each(
    criteria: dict[str, list[str]], answers: dict[str, str]
) -> None:
    met = fits(criteria, answers)
    assert met == all(answers.get(key) in wanted for key, wanted in criteria.items())
    several = {key: [value, "z"] for key, value in answers.items()}
    assert fits(criteria, several) == met


def test_the_last_place_is_reserved_and_the_next_person_is_told_at_once(world: World) -> None:
    first, second = seated(world, YOUNG), seated(world, YOUNG)
    assert (first.state, second.state) == ("enrolled", "over_quota")
    over = second.sittings.get()
    assert (over.state, over.exit_code) == ("returned", "quota_full")
    assert counts() == {"young": 1, OTHERS: 0}


def test_whoever_fits_no_cell_is_never_turned_away(world: World) -> None:
    people = [seated(world, OLD) for _ in range(3)]
    assert {person.state for person in people} == {"enrolled"}
    assert counts() == {"young": 0, OTHERS: 3}


def test_an_answer_that_was_never_asked_for_chooses_no_cell() -> None:
    world = factories.world()
    quota = factories.quota_set(world.cohort)
    factories.quota_cell(quota, position=0, criteria={"gender": ["woman"]})
    factories.quota_cell(quota, name=OTHERS, target=None)
    seated(world, {**OLD, "gender": "woman"})
    assert QuotaPlace.objects.get().cell.name == OTHERS


def test_a_cohort_without_a_quota_reserves_nothing() -> None:
    assert reserve_place(enrolment=factories.enrolment(), answers=YOUNG)
    assert not QuotaPlace.objects.exists()


def test_reserving_twice_is_one_place(world: World) -> None:
    person = seated(world, YOUNG)
    assert reserve_by_answers(person)
    assert counts()["young"] == 1


def test_a_lease_that_ran_out_is_given_to_the_next_person(world: World) -> None:
    first = seated(world, YOUNG)
    run_out()
    assert (sweep_places(), sweep_places()) == (1, 0)
    second = seated(world, YOUNG)
    assert second.state == "enrolled"
    assert not reserve_by_answers(first)
    assert counts()["young"] == 1


def test_every_step_before_the_work_begins_the_lease_anew() -> None:
    questions = [{**factories.QUESTIONS[0], "quota": True}, SPEAKS, ORIGIN]
    made = asking_world(questions, purposes=["take_part", "sensitive_questions"])
    factories.quota_cell(factories.quota_set(made.cohort), name=OTHERS, target=None)
    person = consented(made)
    answer(person, age_band=REFUSED)
    run_out()
    stage = agree(person, "sensitive_questions")

    assert stage is Stage.QUESTIONS
    assert QuotaPlace.objects.filter(lease_until__gt=timezone.now()).count() == 1
    assert sweep_places() == 0


def test_who_comes_back_gets_their_place_again_if_there_is_room(world: World) -> None:
    person = seated(world, YOUNG)
    run_out()
    sweep_places()
    assert reserve_by_answers(person)
    assert QuotaPlace.objects.get().state == "reserved"


def test_a_place_is_filled_on_completion_and_given_back_on_leaving(world: World) -> None:
    first = seated(world, YOUNG)
    complete(first)
    assert QuotaPlace.objects.get().state == "filled"
    run_out()
    assert sweep_places() == 0
    update(first, state="withdrawn")
    assert counts()["young"] == 0


@pytest.mark.parametrize(("somebody_else", "state"), [(False, "filled"), (True, "released")])
def test_completing_after_the_lease_takes_the_place_up_or_stays_beside_the_quota(
    world: World,
    somebody_else: bool,
    state: str,
) -> None:
    late = seated(world, YOUNG)
    run_out()
    sweep_places()
    if somebody_else:
        seated(world, YOUNG)
    complete(late)
    late.refresh_from_db()
    assert (late.state, late.quota_place.state) == ("complete", state)
    assert counts()["young"] == 1
    assert recount(world.study).differences == []


def test_soft_targets_are_watched_and_turn_nobody_away(world: World) -> None:
    quota = world.cohort.quota_set
    assert quota is not None
    quota.soft = [{"name": "older", "criteria": {"age_band": ["55+"]}, "target": 1}]
    for person in [seated(world, OLD), seated(world, OLD), seated(world, YOUNG)]:
        complete(person)
    [soft] = watched(quota)
    assert (soft.people, soft.target) == (2, 1)


def test_a_recount_of_a_quota_at_work_finds_nothing(world: World) -> None:
    complete(seated(world, YOUNG))
    seated(world, OLD)
    seated(world, YOUNG)
    assert recount(world.study).differences == []


def test_a_recount_finds_what_a_hand_put_wrong_and_mends_it(world: World) -> None:
    done, gone, new = seated(world, YOUNG), seated(world, OLD), factories.enrolment(world.cohort)
    complete(done)
    sql("SET session_replication_role = replica")  # as in a restored dump: no trigger runs
    sql("UPDATE studies_quotacell SET taken = 9 WHERE name = %s", [OTHERS])
    update(gone, state="withdrawn")
    update(done.quota_place, state="released")
    sql("SET session_replication_role = DEFAULT")

    found = repair(study=world.study, by="command:test")

    assert len(found.counts) == 2
    assert {(wrong.pseudonym, wrong.rightly) for wrong in found.places} == {
        (done.pseudonym, "filled"),
        (gone.pseudonym, "released"),
    }
    assert counts() == {"young": 1, OTHERS: 0}
    assert recount(world.study).differences == [f"us: {new.pseudonym} has no place"]

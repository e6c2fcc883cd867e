"""Invariant 4 for people: reservations and completions of a quota cell never exceed its target;
and a panel's person is one person, however many browsers they come with at once."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from annotation.sitting_again import sit_again
from annotation.steps import Do, next_step
from studies import access
from studies.enrolling import decline_consent, give_consent
from studies.models import (
    ConsentRecord,
    Enrolment,
    Identity,
    Invitation,
    QuotaCell,
    QuotaPlace,
    Sitting,
)
from studies.panels import Arrival
from studies.quotas import OTHERS, sweep_places
from tests import factories, racing
from tests.breaking import refuser, update
from tests.factories import World
from tests.racing import Runner
from tests.studies.asking import answer

Result = TypeVar("Result")

pytestmark = pytest.mark.django_db(transaction=True)

AGES = ["18-24", "25-34", "35-44", "45-54", "55+"]
GENDERS = ["woman", "man", "other", "unsaid"]
TARGET, ARRIVALS, THREADS = 10, 500, 16


@pytest.fixture
def pair() -> Iterator[tuple[Runner, Runner]]:
    with racing.runners("anna", "bruno") as (anna, bruno):
        yield anna, bruno


def arrival(submission: str = "1", person: str = "p") -> Arrival:
    return Arrival("prolific", access.digest(person), access.digest(submission))


def link(world: World) -> Invitation:
    found = access.find_invitation(access.invite_by_panel(world.cohort, "prolific"))
    assert found is not None
    return found


# --- One person


def test_two_browsers_of_one_panel_identity_make_one_person(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world()
    form = {"invitation": link(world), "document": world.consent, "ui_language": "en"}
    anna.begin()
    first = anna.do(give_consent, arrival="a", arrived=arrival(), **form)
    bruno.start(give_consent, arrival="b", arrived=arrival("2"), **form)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert Enrolment.objects.count() == Identity.objects.count() == 1


def test_a_no_in_one_browser_does_not_undo_a_yes_in_another(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world()
    form = {"invitation": link(world), "document": world.consent, "ui_language": "en"}
    first = anna.do(give_consent, arrival="a", arrived=arrival(), **form)
    assert bruno.do(decline_consent, arrival="b", arrived=arrival(), **form) == first


def test_no_second_identity_gets_past_the_table(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    world = factories.world()
    one, other = factories.enrolment(world.cohort), factories.enrolment(world.cohort)
    anna.begin()
    anna.do(factories.identity, one, external_hmac="a" * 64)
    bruno.start(factories.identity, other, external_hmac="a" * 64)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert refuser(bruno.fault()) == "identity_one_person"


def test_a_new_submission_in_two_browsers_at_once_is_one_sitting(
    pair: tuple[Runner, Runner], valkey_url: str
) -> None:
    anna, bruno = pair
    world = factories.world()
    person = factories.person(world).enrolment
    anna.begin()
    first = anna.do(sit_again, enrolment=person, arrived=arrival("2"))
    bruno.start(sit_again, enrolment=person, arrived=arrival("2"))
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert bruno.result() == first
    assert Sitting.objects.filter(enrolment=person).count() == 2


# --- The last place


def test_two_people_come_for_the_last_place_and_one_gets_it(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    first, second = people(quota(target=1), 2)
    anna.begin()
    anna.do(answer, first, **answers(0))
    bruno.start(answer, second, **answers(0))
    bruno.expect_blocked(by=anna)
    anna.commit()
    bruno.result()
    assert (first.state, second.state) == ("enrolled", "over_quota")


def test_a_place_that_is_rolled_back_goes_to_the_one_who_waits(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    first, second = people(quota(target=1), 2)
    anna.begin()
    anna.do(answer, first, **answers(0))
    bruno.start(answer, second, **answers(0))
    bruno.expect_blocked(by=anna)
    anna.rollback()
    bruno.result()
    assert second.state == "enrolled"


def test_a_sweep_passes_by_whoever_is_busy(pair: tuple[Runner, Runner]) -> None:
    anna, _ = pair
    [person] = people(quota(), 1)
    answer(person, **answers(0))
    run_out()
    anna.begin()
    anna.do("SELECT FROM studies_enrolment FOR NO KEY UPDATE")
    assert sweep_places() == 0
    anna.commit()
    assert sweep_places() == 1


def test_a_target_is_not_lowered_under_a_reservation(pair: tuple[Runner, Runner]) -> None:
    anna, bruno = pair
    [person] = people(quota(target=1), 1)
    cell = QuotaCell.objects.get(name="c0")
    anna.begin()
    anna.do(answer, person, **answers(0))
    bruno.start(update, cell, target=0)
    bruno.expect_blocked(by=anna)
    anna.commit()
    assert refuser(bruno.fault()) == "quota_cell_target"


# --- 500 at once


def test_500_arrivals_at_once_fill_20_cells_of_10_and_none_above(valkey_url: str) -> None:
    world = quota(prompts=2, overlap=1000)
    crowd = people(world, ARRIVALS)
    rush(crowd)

    assert_full()
    assert pages(crowd) == {Do.START: 20 * TARGET, Do.LEAVE: ARRIVALS - 20 * TARGET}

    # A third of them go silent; theirs is given to people who come later, and to nobody twice.
    silent = list(QuotaPlace.objects.values_list("enrolment_id", flat=True).order_by("pk")[:66])
    run_out(silent)
    with ThreadPoolExecutor(4) as threads:
        swept = sum(threads.map(lambda _: in_thread(sweep_places), range(4)))
    assert swept == len(silent)
    rush(people(world, 200))
    assert_full()
    assert QuotaPlace.objects.filter(enrolment__in=silent, state="released").count() == len(silent)


def quota(*, target: int = TARGET, **traits: Any) -> World:
    """20 cells of age and gender in a world that asks for both."""
    asked = [question("age", AGES), question("gender", GENDERS)]
    world = factories.world(questions=asked, **traits)
    made = factories.quota_set(world.cohort)
    QuotaCell.objects.bulk_create(
        QuotaCell(
            quota_set=made,
            name=f"c{number}",
            position=number,
            target=target,
            criteria={key: [value] for key, value in answers(number).items()},
        )
        for number in range(20)
    )
    factories.quota_cell(made, name=OTHERS, target=None, position=99)
    return world


def question(key: str, values: list[str]) -> dict[str, object]:
    options = [{"value": value, "label": {"en": value}} for value in values]
    return {"key": key, "kind": "single", "label": {"en": key}, "quota": True, "options": options}


def answers(number: int) -> dict[str, str]:
    return {"age": AGES[number % 5], "gender": GENDERS[number // 5 % 4]}


def people(world: World, count: int) -> list[Enrolment]:
    """People who have consented, and will answer by their number."""
    made = [
        Enrolment(
            study=world.study,
            cohort=world.cohort,
            pseudonym=f"p{factories.number()}",
            return_token_sha256=access.digest(f"token {factories.number()}"),
            state="consented",
            ui_language="en",
        )
        for _ in range(count)
    ]
    Enrolment.objects.bulk_create(made)
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            enrolment=person,
            document=world.consent,
            purpose="take_part",
            granted=True,
            app_version="test",
        )
        for person in made
    )
    return made


def rush(crowd: list[Enrolment]) -> None:
    """Everybody answers at once; as many of each kind, in no order."""
    kinds = [(person, answers(number)) for number, person in enumerate(crowd)]
    random.Random(7).shuffle(kinds)  # noqa: S311 not a secret
    lots = [kinds[start::THREADS] for start in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda lot: in_thread(_arrive, lot), lots))


def _arrive(lot: list[tuple[Enrolment, dict[str, str]]]) -> None:
    for person, given in lot:
        answer(person, **given)


def in_thread(work: Callable[..., Result], *args: object) -> Result:
    """Run it, and give the thread's connection back."""
    try:
        return work(*args)
    finally:
        connection.close()


def run_out(people_: list[UUID] | None = None) -> None:
    held = QuotaPlace.objects.filter(state="reserved")
    if people_ is not None:
        held = held.filter(enrolment__in=people_)
    held.update(lease_until=timezone.now() - timedelta(seconds=1))


def assert_full() -> None:
    cells = QuotaCell.objects.exclude(name=OTHERS)
    assert set(cells.values_list("taken", flat=True)) == {TARGET}
    held = QuotaPlace.objects.exclude(state="released").values_list("cell", flat=True)
    assert set(Counter(held).values()) == {TARGET}


def pages(crowd: list[Enrolment]) -> dict[Do, int]:
    """How many are led to work, and how many to the page that says the quota is full."""
    told: Counter[Do] = Counter()
    for person in Enrolment.objects.filter(pk__in=[one.pk for one in crowd]):
        step = next_step(person)
        assert (step.exit_code == "quota_full") == (step.do is Do.LEAVE)
        told[step.do] += 1
    return dict(told)

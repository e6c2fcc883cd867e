"""Quota: how many people of each kind may take part, and the place that a person holds.

A place is reserved while somebody works, for as long as the quota set leases it, and renewed with
every step before the work and every conversation that they begin. It is filled when they complete,
and given back when they leave: the database does both (migration 0004). Everything about a place
runs under its person's lock, and nobody holds two cells at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from studies import questionnaires
from studies.models import Cohort, Enrolment, QuotaCell, QuotaPlace, QuotaSet
from studies.questions import Value

# The cell of whoever fits no other: it has no target, so that nobody is turned away for it.
OTHERS = "others"
# The cell of a quota that has one target for a whole country.
EVERYBODY = "everybody"
# How many places one sweep looks at; the next one, a minute later, takes the rest.
BATCH = 1000

Criteria = Mapping[str, Sequence[str]]

# The cell is locked before it is asked: whoever waited sees the count of those before them. Nobody
# is turned away from a place that somebody else only tried to take.
RESERVE = """
WITH cell AS (
    SELECT id FROM studies_quotacell
    WHERE id = %(cell)s AND retired_at IS NULL AND (target IS NULL OR taken < target)
    FOR NO KEY UPDATE
)
INSERT INTO studies_quotaplace AS place (id, cell_id, enrolment_id, state, lease_until)
SELECT %(id)s, cell.id, %(enrolment)s, 'reserved', %(lease)s FROM cell
ON CONFLICT (enrolment_id) DO UPDATE
    SET cell_id = EXCLUDED.cell_id, state = 'reserved', lease_until = EXCLUDED.lease_until
    WHERE place.state = 'released'
"""
# Somebody who is busy at this moment holds their row, and is not away: they are skipped.
RELEASE = """
WITH me AS (
    SELECT id FROM studies_enrolment WHERE id = %(enrolment)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE studies_quotaplace place SET state = 'released', lease_until = NULL
FROM me
WHERE place.enrolment_id = me.id AND place.state = 'reserved' AND place.lease_until <= %(now)s
"""
# Whoever goes on keeps their place for another lease.
RENEW = """
WITH me AS (SELECT id FROM studies_enrolment WHERE id = %(enrolment)s FOR NO KEY UPDATE)
UPDATE studies_quotaplace place
SET lease_until = %(now)s + make_interval(mins => quota.lease_minutes)
FROM me, studies_quotacell cell, studies_quotaset quota
WHERE place.enrolment_id = me.id AND place.state = 'reserved'
    AND cell.id = place.cell_id AND quota.id = cell.quota_set_id
"""


@transaction.atomic
def reserve_place(*, enrolment: Enrolment, answers: Mapping[str, Any]) -> bool:
    """Take the person's place in the cell of their answers; False when that cell is full.

    True for who has a place already, and in a cohort without a quota. Expects `enrolment.cohort`
    to be loaded, and the caller to hold the person's lock. Locks the cell.
    """
    quota_set_id = enrolment.cohort.quota_set_id
    if quota_set_id is None:
        return True
    cell = cell_for(quota_set_id=quota_set_id, answers=answers)
    with connection.cursor() as cursor:
        cursor.execute(
            RESERVE,
            {
                "id": uuid4(),
                "cell": cell.pk,
                "enrolment": enrolment.pk,
                "lease": timezone.now() + timedelta(minutes=cell.quota_set.lease_minutes),
            },
        )
        if cursor.rowcount:
            return True
    return has_place(enrolment)


def renew_place(enrolment_id: UUID) -> None:
    """Lease the person's place anew, where they hold one that is not filled. Locks the person."""
    with connection.cursor() as cursor:
        cursor.execute(RENEW, {"enrolment": enrolment_id, "now": timezone.now()})


def has_place(enrolment: Enrolment) -> bool:
    """Whether the person holds a place, or has used it. One query."""
    places = QuotaPlace.objects.filter(enrolment=enrolment)
    return places.exclude(state=QuotaPlace.State.RELEASED).exists()


def reserve_by_answers(enrolment: Enrolment) -> bool:
    """The same by the answers that the person gave; no query in a cohort without a quota, and one
    for who has a place already.

    Expects `study` to be loaded as well.
    """
    if enrolment.cohort.quota_set_id is None or has_place(enrolment):
        return True
    return reserve_place(enrolment=enrolment, answers=questionnaires.answers_of(enrolment))


def cell_for(*, quota_set_id: UUID, answers: Mapping[str, Any]) -> QuotaCell:
    """The first cell, in their order, whose criteria these answers meet, with its set. One query.

    Raises QuotaCell.DoesNotExist: a quota that was loaded from a study file has a cell for others.
    """
    cells = QuotaCell.objects.filter(quota_set_id=quota_set_id, retired_at=None)
    for cell in cells.select_related("quota_set").order_by("position"):
        if fits(cell.criteria, answers):
            return cell
    raise QuotaCell.DoesNotExist(f"quota {quota_set_id} has no cell for others")


def fits(criteria: Criteria, answers: Mapping[str, Any]) -> bool:
    """Whether each criterion has one of its values among the answers. No criterion fits everybody.

    An answer is a value, or several values of a question that takes several.
    """
    return all(not _values(answers.get(key)).isdisjoint(wanted) for key, wanted in criteria.items())


def _values(answer: Any) -> set[str]:
    if answer is None:
        return set()
    several = answer if isinstance(answer, list | tuple | set) else [answer]
    return {str(value) for value in several}


def sweep_places() -> int:
    """Give back the places whose lease ran out; returns how many. Safe to repeat, also at once."""
    now = timezone.now()
    late = QuotaPlace.objects.filter(state=QuotaPlace.State.RESERVED, lease_until__lte=now)
    people = late.order_by("lease_until").values_list("enrolment_id", flat=True)[:BATCH]
    return sum(_release(enrolment_id, now) for enrolment_id in people)


def _release(enrolment_id: UUID, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"enrolment": enrolment_id, "now": now})
        released: int = cursor.rowcount
    return released


@dataclass(frozen=True, slots=True)
class Watched:
    """A soft target, and how many people who completed meet it."""

    name: str
    target: int
    people: int


def watched(quota_set: QuotaSet) -> list[Watched]:
    """How far the soft targets are, which turn nobody away. Three queries."""
    if not quota_set.soft:
        return []
    people = _answers_of_complete(Cohort.objects.filter(quota_set=quota_set))
    return [
        Watched(
            name=entry["name"],
            target=entry["target"],
            people=sum(fits(entry["criteria"], answers) for answers in people),
        )
        for entry in quota_set.soft
    ]


def _answers_of_complete(cohorts: Iterable[Cohort]) -> list[dict[str, Value]]:
    complete = Enrolment.objects.filter(cohort__in=cohorts, state=Enrolment.State.COMPLETE)
    return questionnaires.answers_of_all(list(complete.values_list("pk", flat=True)))

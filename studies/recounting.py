"""Quotas recounted from facts: who has completed, who is at work, who has left.

The database keeps counters and places right by itself; this finds what a restored dump, a bulk load
or a hand in the database has put wrong, and can put it right.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from studies import auditing
from studies.models import Study

# A place is filled for who has completed a sitting, unless they withdrew; it may be reserved for
# who is at work; all others hold none. Who completed after their lease ran out, in a cell that is
# full, stays beside the quota.
PLACES = """
SELECT facts.place_id, facts.quota || '/' || facts.cell AS cell, facts.pseudonym, facts.state,
    facts.rightly
FROM (
    SELECT place.id AS place_id, quota.name AS quota, cell.name AS cell, enrolment.pseudonym,
        place.state,
        CASE
            WHEN enrolment.state = 'withdrawn' THEN 'released'
            WHEN EXISTS (SELECT FROM studies_sitting sitting
                WHERE sitting.enrolment_id = enrolment.id AND sitting.exit_code = 'complete')
            THEN CASE WHEN place.state = 'released' AND cell.target <= (
                SELECT count(*) FROM studies_quotaplace held
                WHERE held.cell_id = cell.id AND held.state <> 'released'
            ) THEN 'released' ELSE 'filled' END
            WHEN enrolment.state IN ('consented', 'enrolled') AND place.state = 'reserved'
            THEN 'reserved'
            ELSE 'released'
        END AS rightly
    FROM studies_quotaplace place
    JOIN studies_quotacell cell ON cell.id = place.cell_id
    JOIN studies_quotaset quota ON quota.id = cell.quota_set_id
    JOIN studies_enrolment enrolment ON enrolment.id = place.enrolment_id
    WHERE quota.study_id = %s
) facts
WHERE facts.state <> facts.rightly ORDER BY facts.rightly = 'filled', 2, 3
"""
COUNTERS = """
SELECT counted.id, quota.name || '/' || counted.name, counted.taken, counted.places
FROM (
    SELECT cell.id, cell.quota_set_id, cell.name, cell.taken,
        (SELECT count(*) FROM studies_quotaplace place
            WHERE place.cell_id = cell.id AND place.state <> 'released') AS places
    FROM studies_quotacell cell
) counted
JOIN studies_quotaset quota ON quota.id = counted.quota_set_id
WHERE quota.study_id = %s AND counted.taken <> counted.places ORDER BY 2
"""
WITHOUT_PLACE = """
SELECT enrolment.pseudonym, quota.name
FROM studies_enrolment enrolment
JOIN studies_cohort cohort ON cohort.id = enrolment.cohort_id
JOIN studies_quotaset quota ON quota.id = cohort.quota_set_id
WHERE enrolment.study_id = %s AND enrolment.state IN ('enrolled', 'complete')
    AND NOT EXISTS (SELECT FROM studies_quotaplace WHERE enrolment_id = enrolment.id)
ORDER BY 2, 1
"""
HOLD_PEOPLE = """
SELECT id FROM studies_enrolment WHERE study_id = %s ORDER BY id FOR NO KEY UPDATE
"""
SET_COUNT = """
UPDATE studies_quotacell SET taken = %(places)s
WHERE id = %(cell)s AND (target IS NULL OR target >= %(places)s)
"""
SET_PLACE = """
UPDATE studies_quotaplace place SET state = %(state)s, lease_until = NULL
WHERE place.id = %(place)s AND (%(state)s <> 'filled' OR place.state <> 'released' OR EXISTS (
    SELECT FROM studies_quotacell WHERE id = place.cell_id AND (target IS NULL OR taken < target)))
"""


@dataclass(frozen=True, slots=True)
class WrongPlace:
    """A place whose state is not what its person has done."""

    id: UUID
    cell: str
    pseudonym: str
    state: str
    rightly: str

    def __str__(self) -> str:
        return f"{self.cell}: the place of {self.pseudonym} is {self.state}, not {self.rightly}"


@dataclass(frozen=True, slots=True)
class WrongCount:
    """A cell that counts other than its places."""

    id: UUID
    cell: str
    taken: int
    places: int

    def __str__(self) -> str:
        return f"{self.cell}: counts {self.taken}, and has {self.places} places"


@dataclass(frozen=True, slots=True)
class Missing:
    """Somebody at work, or done, who was never asked for a place: the quota came after them."""

    pseudonym: str
    quota: str

    def __str__(self) -> str:
        return f"{self.quota}: {self.pseudonym} has no place"


@dataclass(frozen=True, slots=True)
class Recount:
    """What differs from the facts. A repair mends places and counts; who is missing stays so."""

    places: list[WrongPlace]
    counts: list[WrongCount]
    missing: list[Missing]

    @property
    def differences(self) -> list[str]:
        return [str(one) for one in (*self.places, *self.counts, *self.missing)]


def recount(study: Study) -> Recount:
    """Compare a study's quotas with the facts. Three queries; changes nothing."""
    return Recount(
        places=[WrongPlace(*row) for row in _rows(PLACES, study)],
        counts=[WrongCount(*row) for row in _rows(COUNTERS, study)],
        missing=[Missing(*row) for row in _rows(WITHOUT_PLACE, study)],
    )


@transaction.atomic
def repair(*, study: Study, by: str) -> Recount:
    """Put counts and places right, audited; returns what was wrong before.

    What cannot be without a cell over its target stays as it is: recount again to see it. Locks
    the study's people, so that nobody comes or goes meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD_PEOPLE, [study.pk])
        found = recount(study)
        cursor.execute("SET LOCAL counterpoint.recount = 'on'")
        for cell in found.counts:
            cursor.execute(SET_COUNT, {"cell": cell.id, "places": cell.places})
        cursor.execute("SET LOCAL counterpoint.recount = 'off'")
        # Those that are given back come first, and make room for those that are filled.
        for place in found.places:
            cursor.execute(SET_PLACE, {"place": place.id, "state": place.rightly})
    if found.places or found.counts:
        payload = {"differences": found.differences}
        auditing.record(by=by, action="quota.repair", on=f"study:{study.slug}", payload=payload)
    return found


def _rows(statement: str, study: Study) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [study.pk])
        rows: list[Any] = cursor.fetchall()
    return rows

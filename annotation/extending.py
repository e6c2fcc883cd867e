"""More time for somebody who needs it: nobody loses a conversation to a clock unasked."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from studies.models import Enrolment
from studies.rules import current_rules

# Under the person's lock. Whoever is in the middle of a conversation may finish it: a sitting that
# would be over sooner goes on with it. Between conversations the sitting alone is extended.
EXTEND = """
WITH person AS (
    SELECT id FROM studies_enrolment
    WHERE id = %(enrolment)s AND state = 'enrolled' FOR NO KEY UPDATE
),
moved AS (
    UPDATE annotation_assignment assignment SET deadline = greatest(deadline, %(deadline)s)
    FROM person
    WHERE assignment.enrolment_id = person.id AND assignment.state = 'open'
        AND assignment.deadline > %(now)s
    RETURNING assignment.deadline
)
UPDATE studies_sitting sitting
SET deadline = greatest(sitting.deadline, moved.deadline, %(deadline)s)
FROM person LEFT JOIN moved ON true
WHERE sitting.enrolment_id = person.id AND sitting.state = 'open' AND sitting.deadline > %(now)s
    AND (moved.deadline IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM annotation_assignment WHERE enrolment_id = person.id AND state = 'open'
    ))
RETURNING coalesce(moved.deadline, sitting.deadline), moved.deadline IS NULL
"""


class Extended(NamedTuple):
    """Until when: the open conversation or, where none is open, the sitting."""

    until: datetime
    is_sittings: bool


def extend_time(*, enrolment: Enrolment) -> Extended | None:
    """Begin the time of the person's open conversation anew, else of their sitting. Two queries.

    None when that time has run out already. Expects `enrolment.study` to be loaded.
    """
    now = timezone.now()
    minutes = current_rules(enrolment.study).assignment_minutes
    with connection.cursor() as cursor:
        cursor.execute(
            EXTEND,
            {
                "enrolment": enrolment.pk,
                "deadline": now + timedelta(minutes=minutes),
                "now": now,
            },
        )
        row = cursor.fetchone()
    return Extended(*row) if row else None

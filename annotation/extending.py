"""More time for somebody who needs it: nobody loses a conversation to a clock unasked."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from studies.models import Enrolment
from studies.rules import current_rules

# Under the person's lock. Whoever is in the middle of a conversation may finish it: a sitting that
# would be over sooner goes on with it.
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
    RETURNING assignment.sitting_id, assignment.deadline
)
UPDATE studies_sitting sitting SET deadline = greatest(sitting.deadline, moved.deadline)
FROM moved
WHERE sitting.id = moved.sitting_id AND sitting.state = 'open' AND sitting.deadline > %(now)s
RETURNING moved.deadline
"""


def extend_time(*, enrolment: Enrolment) -> datetime | None:
    """Begin the time of the person's open conversation anew; returns until when. Two queries.

    None when none is open or its time has run out already. Expects `enrolment.study` to be loaded.
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
    return row[0] if row else None

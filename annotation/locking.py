"""The one lock of the annotator's writes: everything about one person takes turns on their row.

Order: the enrolment first, then prompt cells (by id where there are several), then the one cell of
the person's quota, then the audit's chain. Nobody takes an enrolment's lock while holding a cell's,
nor a prompt's while holding a quota's, so that there is no deadlock. The constraints of the tables
hold without this lock as well; with it, a person's second tab waits instead of failing.
"""

from uuid import UUID

from django.db import connection


def lock_person(enrolment_id: UUID) -> str:
    """Wait for this person's turn, until the transaction ends; returns the enrolment's state."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM studies_enrolment WHERE id = %s FOR NO KEY UPDATE", [enrolment_id]
        )
        state: str = cursor.fetchone()[0]
    return state

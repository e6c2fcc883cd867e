"""How many conversations somebody has skipped, of those that count against the study's limit."""

from uuid import UUID

from django.db import connection

# Only what was skipped for itself: not what its answers never came for, nor what was reported.
SKIPPED = """
    SELECT count(*) FROM annotation_assignment gone
    WHERE gone.enrolment_id = {enrolment} AND gone.state = 'skipped' AND gone.reason <> 'reported'
        AND NOT EXISTS (SELECT FROM annotation_conversation talk
            JOIN annotation_turn turn ON turn.conversation_id = talk.id
            WHERE talk.assignment_id = gone.id AND turn.shown_at IS NULL)
"""


def skips_of(enrolment_id: UUID) -> int:
    """How many conversations the person has skipped of those that count. One query."""
    with connection.cursor() as cursor:
        cursor.execute(SKIPPED.format(enrolment="%s"), [enrolment_id])
        count: int = cursor.fetchone()[0]
    return count

"""Breaks: taking one, coming back, and going on without. Each is one statement under the person's
lock. A break holds nothing back: whoever sends something during one has it stored as ever.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from annotation.effort import worked_sql
from studies.models import Enrolment
from studies.rules import current_rules

# A break is offered after so much work since the last one, between two conversations.
OFFER_AFTER = timedelta(minutes=25)

# For where a person stands: since when they rest, and the work since they last did. Expects the
# aliases `enrolment`, `sitting` and `assignment` (the one to go on with), and looks at the work
# between conversations only.
RESTING = """
(SELECT began_at FROM annotation_break WHERE sitting_id = sitting.id AND ended_at IS NULL)
"""
WORKED_SINCE = f"""
CASE WHEN counts.done > 0 AND assignment.state IS DISTINCT FROM 'open' THEN ({
    worked_sql('''assignment.enrolment_id = enrolment.id AND assignment.sitting_id = sitting.id
        AND assignment.created_at >= coalesce((SELECT max(ended_at) FROM annotation_break
            WHERE sitting_id = sitting.id), '-infinity')''')
}) END
"""  # noqa: S608 all parts are constants

HELD = """
WITH person AS (
    SELECT id FROM studies_enrolment
    WHERE id = %(enrolment)s AND state = 'enrolled' FOR NO KEY UPDATE
),
moved AS (
    UPDATE annotation_assignment assignment SET deadline = %(deadline)s
    FROM person WHERE assignment.enrolment_id = person.id AND assignment.state = 'open'
)
"""
BEGIN = f"""
{HELD}
INSERT INTO annotation_break (id, sitting_id, began_at, ended_at)
SELECT %(id)s, sitting.id, %(now)s, CASE WHEN %(is_declined)s THEN %(now)s::timestamptz END
FROM person JOIN studies_sitting sitting ON sitting.enrolment_id = person.id
WHERE sitting.state = 'open'
ON CONFLICT (sitting_id) WHERE ended_at IS NULL DO NOTHING
"""  # noqa: S608 all parts are constants
END = f"""
{HELD}
UPDATE annotation_break SET ended_at = %(now)s
FROM person JOIN studies_sitting sitting ON sitting.enrolment_id = person.id
WHERE sitting_id = sitting.id AND annotation_break.ended_at IS NULL
"""  # noqa: S608 all parts are constants


def take_break(*, enrolment: Enrolment) -> None:
    """A break begins; during one it changes nothing. The lease begins anew. Two queries.

    Expects `enrolment.study` to be loaded. Somebody who is done or has left takes none.
    """
    _execute(BEGIN, enrolment, is_declined=False)


def decline_break(*, enrolment: Enrolment) -> None:
    """No break now: none is offered again until as much work has been done. Two queries."""
    _execute(BEGIN, enrolment, is_declined=True)


def end_break(*, enrolment: Enrolment) -> None:
    """The person is back; the lease begins anew. Changes nothing outside a break. Two queries."""
    _execute(END, enrolment)


def _execute(statement: str, enrolment: Enrolment, **parameters: Any) -> None:
    now = timezone.now()
    minutes = current_rules(enrolment.study).assignment_minutes
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "enrolment": enrolment.pk,
                "deadline": now + timedelta(minutes=minutes),
                "id": uuid4(),
                "now": now,
                **parameters,
            },
        )


class Place(NamedTuple):
    """Where a person is in the conversation that they have open, for the recap."""

    deadline: datetime
    turn: int | None  # counted from 1; None before the first
    message: str | None  # the last thing they said; None where the study's prompt is the last
    is_judged: bool | None
    letter: str | None  # of the choice that counts, as they saw it


PLACE = """
SELECT assignment.deadline, turn.number + 1,
    CASE WHEN turn.number > 0 OR assignment.cell_id IS NULL THEN turn.message END,
    comparison.id IS NOT NULL,
    chr(64 + array_position(turn.display_order,
        (SELECT slot FROM sampling_candidate WHERE id = comparison.chosen_id)::smallint))
FROM annotation_assignment assignment
LEFT JOIN annotation_conversation conversation ON conversation.assignment_id = assignment.id
LEFT JOIN LATERAL (
    SELECT * FROM annotation_turn WHERE conversation_id = conversation.id
    ORDER BY number DESC LIMIT 1
) turn ON true
LEFT JOIN annotation_comparison comparison
    ON comparison.turn_id = turn.id AND comparison.superseded_at IS NULL
WHERE assignment.enrolment_id = %s AND assignment.state = 'open'
"""


def open_place(enrolment_id: UUID) -> Place | None:
    """Where the person's open conversation stands; None when none is open. One query."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE, [enrolment_id])
        row = cursor.fetchone()
    return Place(*row) if row else None

"""How long somebody has worked, and how long the rest will take them, from what the server saw.

Work is the time between what a person did: claiming, asking, being shown, choosing, finishing. A
gap counts up to IDLE, because nobody knows what went on in it; the wait for answers that they had
asked for is ours, and counts up to LONGEST_WAIT.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from math import ceil
from time import monotonic
from uuid import UUID

from django.db import connection

from studies.rules import Rules

IDLE = timedelta(minutes=10)
LONGEST_WAIT = timedelta(minutes=30)
# A conversation that took longer than this had a break in it, and says nothing about pace.
LONGEST_TALK = timedelta(minutes=45)
KEPT_PACE = 600  # seconds that a cohort's pace is kept in memory
LATEST = 200  # conversations of a cohort that its pace is taken from


def worked_sql(assignments: str) -> str:
    """SQL for the time that went into these assignments (a condition on `assignment`)."""
    return f"""
    SELECT coalesce(sum(least(moment.at - moment.before, CASE WHEN moment.is_our_wait
        THEN interval '{LONGEST_WAIT.seconds} s' ELSE interval '{IDLE.seconds} s' END)),
        interval '0')
    FROM (
        SELECT event.at, event.is_our_wait,
            lag(event.at) OVER (PARTITION BY event.assignment_id ORDER BY event.at) AS before
        FROM (
            SELECT assignment.id AS assignment_id, one.at, one.is_our_wait
            FROM annotation_assignment AS assignment
            LEFT JOIN annotation_conversation AS talk ON talk.assignment_id = assignment.id
            LEFT JOIN annotation_turn AS turn ON turn.conversation_id = talk.id
            LEFT JOIN sampling_candidateset AS asked ON asked.id = turn.set_id
            LEFT JOIN annotation_comparison AS comparison ON comparison.turn_id = turn.id
            CROSS JOIN LATERAL (VALUES
                (assignment.created_at, false),
                (turn.asked_at, false),
                (CASE WHEN asked.ready_at > turn.asked_at THEN asked.ready_at END, true),
                (turn.shown_at, false),
                (comparison.submitted_at, false),
                (CASE WHEN assignment.state IN ('submitted', 'skipped')
                    THEN assignment.ended_at END, false)
            ) AS one (at, is_our_wait)
            WHERE ({assignments}) AND one.at IS NOT NULL
            GROUP BY 1, 2, 3
        ) AS event
    ) AS moment
    WHERE moment.before IS NOT NULL -- of nothing, least() makes the other one
    """  # noqa: S608 all parts are constants


WORKED = worked_sql("assignment.enrolment_id = %s")

# Of the last conversations that people of the cohort finished in one go.
COHORT_PACE = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM (
    SELECT ended_at - created_at AS took FROM annotation_assignment
    WHERE cohort_id = %s AND state = 'submitted' ORDER BY created_at DESC LIMIT %s
) AS latest
WHERE took BETWEEN interval '20 s' AND %s * interval '1 s'
"""


def time_worked(enrolment_id: UUID) -> timedelta:
    """All the work of a person, waiting for answers included. One query."""
    with connection.cursor() as cursor:
        cursor.execute(WORKED, [enrolment_id])
        worked: timedelta = cursor.fetchone()[0]
    return worked


def own_pace(took: Sequence[timedelta]) -> timedelta | None:
    """The median of a person's finished conversations; None while there is none to go by."""
    usable = sorted(one for one in took if one <= LONGEST_TALK)
    return usable[(len(usable) - 1) // 2] if usable else None


def usual_pace(cohort_id: UUID, rules: Rules) -> timedelta | None:
    """The same of the cohort's latest conversations; before there are any, what the study file says
    of a sitting. A query now and then."""
    pace = pace_at(cohort_id, int(monotonic() // KEPT_PACE))
    if pace is None and rules.minutes is not None:
        return timedelta(minutes=rules.minutes) / rules.conversations
    return pace


@lru_cache(maxsize=256)
def pace_at(cohort_id: UUID, tick: int) -> timedelta | None:  # noqa: ARG001 ages the entry
    with connection.cursor() as cursor:
        cursor.execute(COHORT_PACE, [cohort_id, LATEST, LONGEST_TALK.seconds])
        pace: timedelta | None = cursor.fetchone()[0]
    return pace


def minutes_of(worked: timedelta) -> int:
    """Whole minutes, begun ones included: what is counted for a person."""
    return ceil(worked / timedelta(minutes=1))


def minutes_left(conversations: float, pace: timedelta | None) -> int:
    """Minutes for so many more conversations, at least one; 0 where nobody knows or none is left.

    Past ten it goes in steps of five, so that it promises no more than it knows.
    """
    if pace is None or conversations <= 0:
        return 0
    minutes = ceil(conversations * pace / timedelta(minutes=1))
    return minutes if minutes <= 10 else 5 * ceil(minutes / 5)

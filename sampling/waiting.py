"""How long a set will take that waits in the queue: an estimate from rows, or none."""

from datetime import timedelta
from uuid import UUID

from django.db import connection

RECENT = 20  # sets of the plan whose durations count

# Everything is counted in streams, because a seat is one: those that are being written, those that
# are asked for before this set, and its own. The queue is by priority and time, as the claim has
# it; that studies take turns at an endpoint is left out.
ESTIMATE = """
WITH asked AS (
    SELECT s.id, s.plan_id, s.priority, s.requested_at, listed.endpoint_id, endpoint.seats,
        least(s.streams, endpoint.seats) AS need
    FROM sampling_candidateset s
    JOIN sampling_planendpoint listed ON listed.plan_id = s.plan_id
    JOIN sampling_endpoint endpoint ON endpoint.id = listed.endpoint_id
    WHERE s.id = %(set)s AND s.state = 'pending' AND endpoint.open_until IS NULL
    ORDER BY listed.rank < s.endpoint_rank, listed.rank LIMIT 1
)
SELECT asked.need + coalesce(ahead.streams, 0) + coalesce(busy.streams, 0), asked.seats,
    recent.seconds
FROM asked,
LATERAL (
    SELECT sum(least(other.streams, asked.seats)) AS streams
    FROM sampling_candidateset other
    JOIN sampling_planendpoint listed ON listed.plan_id = other.plan_id
        AND listed.rank = other.endpoint_rank AND listed.endpoint_id = asked.endpoint_id
    WHERE other.state = 'pending' AND other.priority <= asked.priority
        AND (other.priority, other.requested_at, other.id)
            < (asked.priority, asked.requested_at, asked.id)
) ahead,
LATERAL (
    SELECT sum(seat.streams) AS streams
    FROM sampling_seat seat JOIN sampling_candidateset held ON held.id = seat.set_id
    WHERE seat.endpoint_id = asked.endpoint_id AND seat.lease_until > statement_timestamp()
        AND held.priority <= asked.priority -- others give way
) busy,
LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY made.seconds) AS seconds
    FROM (
        SELECT extract(epoch FROM
            ready_at - (attempt_log -> -1 ->> 'started_at')::timestamptz) AS seconds
        FROM sampling_candidateset
        WHERE plan_id = asked.plan_id AND state = 'ready'
        ORDER BY ready_at DESC LIMIT %(recent)s
    ) made WHERE made.seconds > 0
) recent
"""


def estimate_wait(set_id: UUID) -> timedelta | None:
    """How long until a pending set is ready: its place in the queue, times the median duration of
    the plan's recent sets, over the endpoint's seats; at least that median. One query.

    None when nothing is known: it does not wait, its endpoint is away, or no set of its plan has
    been made yet.
    """
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATE, {"set": set_id, "recent": RECENT})
        row = cursor.fetchone()
    if row is None or row[2] is None:
        return None
    place, seats, seconds = row
    return timedelta(seconds=float(seconds) * max(1.0, int(place) / seats))

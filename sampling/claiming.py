"""The one claim: limit, priority and fairness in one transaction.

Every claim locks the endpoint rows in the order of their ids first, so claims come one after the
other and the count of free seats is exact across processes. While it holds those locks it never
waits for a set's row: rows that somebody else holds are skipped.

    held     streams of live seats, by endpoint
    room     seats that an endpoint offers now: none while its breaker is open, one when half open
    due      pending sets whose time has come, at the first endpoint of their plan that offers seats
    waiting  what waits for room there: it holds back sets of lower priority at that endpoint, and,
             after a while, later ones of its own

A seat counts until its lease ends or its holder gives it back, also after its set was put back to
pending: its streams may still be open.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from sampling import publishing
from sampling.models import CandidateSet

State, Priority = CandidateSet.State, CandidateSet.Priority

PATIENCE = 10  # seconds after which a set holds back later ones of its own priority

_DUE = """
WITH held AS (
    SELECT seat.endpoint_id, sum(seat.streams) AS streams,
        bool_or(s.priority = 2 AND s.state = 'generating') AS prefetch
    FROM sampling_seat AS seat JOIN sampling_candidateset AS s ON s.id = seat.set_id
    WHERE seat.lease_until > statement_timestamp()
    GROUP BY seat.endpoint_id
), room AS (
    SELECT endpoint.id, endpoint.name,
        CASE
            WHEN endpoint.open_until IS NULL THEN endpoint.seats
            WHEN endpoint.open_until <= statement_timestamp() AND held.streams IS NULL THEN 1
            ELSE 0
        END AS seats,
        coalesce(held.streams, 0) AS held, coalesce(held.prefetch, false) AS prefetch
    FROM sampling_endpoint AS endpoint LEFT JOIN held ON held.endpoint_id = endpoint.id
), due AS (
    SELECT s.id, s.priority, s.study_id, s.requested_at, at.id AS endpoint_id, at.name, at.rank,
        at.seats, at.prefetch, at.seats - at.held AS free, least(s.streams, at.seats) AS need
    FROM sampling_candidateset AS s CROSS JOIN LATERAL (
        SELECT room.*, listed.rank
        FROM sampling_planendpoint AS listed JOIN room ON room.id = listed.endpoint_id
        WHERE listed.plan_id = s.plan_id AND room.seats > 0
        ORDER BY listed.rank < s.endpoint_rank, listed.rank LIMIT 1
    ) AS at
    WHERE s.state = 'pending' AND s.not_before <= statement_timestamp()
        AND NOT EXISTS (
            SELECT FROM sampling_seat AS own
            WHERE own.set_id = s.id AND own.lease_until > statement_timestamp()
        )
)
"""

_PICK = (
    _DUE  # noqa: S608 both parts are ours
    + """
, waiting AS (
    SELECT endpoint_id, priority, min(requested_at) AS since
    FROM due WHERE need > free GROUP BY endpoint_id, priority
), studies AS (
    SELECT s.study_id, sum(seat.streams) AS streams
    FROM sampling_seat AS seat JOIN sampling_candidateset AS s ON s.id = seat.set_id
    WHERE seat.lease_until > statement_timestamp()
    GROUP BY s.study_id
)
SELECT s.id, due.endpoint_id, due.name, due.rank, due.need, due.priority
FROM sampling_candidateset AS s
JOIN due ON due.id = s.id
LEFT JOIN studies ON studies.study_id = due.study_id
WHERE s.state = 'pending' AND due.need <= least(due.free, %(streams)s)
    AND NOT EXISTS (
        SELECT FROM waiting
        WHERE waiting.endpoint_id = due.endpoint_id
            AND (waiting.priority < due.priority
                OR waiting.priority = due.priority AND waiting.since < due.requested_at
                    AND waiting.since < statement_timestamp() - make_interval(secs => %(patience)s))
    )
    AND (due.priority < 2 OR %(prefetch)s AND (
        due.free - due.need >= ceil(due.seats / 4.0)
        -- Too small to leave a quarter free: one at a time, while nobody waits.
        OR due.seats - due.need < ceil(due.seats / 4.0) AND NOT due.prefetch
    ))
ORDER BY due.priority, coalesce(studies.streams, 0), due.requested_at, s.id
LIMIT 1
FOR NO KEY UPDATE OF s SKIP LOCKED
"""
)

_PREEMPT = (
    _DUE  # noqa: S608 both parts are ours
    + """
, short AS (
    SELECT endpoint_id, sum(need) - min(free) AS missing
    FROM due WHERE priority = 0 GROUP BY endpoint_id HAVING bool_or(need > free)
), leaving AS (
    SELECT seat.endpoint_id, sum(seat.streams) AS streams
    FROM sampling_seat AS seat JOIN sampling_candidateset AS s ON s.id = seat.set_id
    WHERE seat.lease_until > statement_timestamp()
        AND (s.state <> 'generating' OR s.attempt <> seat.attempt)
    GROUP BY seat.endpoint_id
), youngest AS (
    SELECT s.id
    FROM sampling_candidateset AS s
    JOIN sampling_seat AS seat ON seat.set_id = s.id AND seat.attempt = s.attempt
    JOIN short ON short.endpoint_id = seat.endpoint_id
    LEFT JOIN leaving ON leaving.endpoint_id = seat.endpoint_id
    WHERE s.state = 'generating' AND s.priority = 2
        AND short.missing > coalesce(leaving.streams, 0)
    ORDER BY seat.id DESC LIMIT 1
    FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE sampling_candidateset AS s
SET state = 'pending', lease_until = NULL, attempt_log = jsonb_set(
    attempt_log, ARRAY[(jsonb_array_length(attempt_log) - 1)::text, 'outcome'], '"preempted"')
FROM youngest WHERE s.id = youngest.id
RETURNING s.id
"""
)

_TAKE = """
UPDATE sampling_candidateset
SET state = 'generating', attempt = attempt + 1, progress = 0, endpoint_rank = %(rank)s,
    lease_until = statement_timestamp() + make_interval(secs => %(lease)s),
    attempt_log = attempt_log || jsonb_build_object(
        'attempt', attempt + 1, 'endpoint', %(name)s::text, 'streams', %(need)s::int,
        'started_at', statement_timestamp(), 'outcome', NULL)
WHERE id = %(id)s
RETURNING attempt, lease_until
"""

_SIT_DOWN = """
INSERT INTO sampling_seat (set_id, endpoint_id, attempt, streams, lease_until)
VALUES (%(id)s, %(endpoint)s, %(attempt)s, %(need)s, %(lease_until)s)
"""


@dataclass(frozen=True)
class Claim:
    """A set that is ours to make until its lease ends, with at most `streams` streams at once."""

    set_id: UUID
    attempt: int
    endpoint_id: UUID
    rank: int
    streams: int
    priority: int


def anything_due() -> bool:
    """Whether any pending set's time has come. Locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM sampling_candidateset"
            " WHERE state = 'pending' AND not_before <= statement_timestamp())"
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def claim_next(*, prefetch: bool = True, streams: int | None = None) -> Claim | None:
    """Claim the most urgent set that finds room; None when there is none, at once.

    `prefetch`: whether this process has room for sets made ahead; `streams`: how many it may still
    open. When a person's set finds no seat, the youngest prefetch set at that endpoint is put back.
    Locks all endpoint rows and the claimed set's until it returns.
    """
    if not anything_due():
        return None
    room = settings.WORKER_STREAMS if streams is None else streams
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM sampling_endpoint ORDER BY id FOR NO KEY UPDATE")
        limits = {"streams": room, "prefetch": prefetch, "patience": PATIENCE}
        cursor.execute(_PICK, limits)
        picked = cursor.fetchone()
        if picked is None or picked[5] > Priority.PERSON:
            cursor.execute(_PREEMPT)
            _tell_preempted(cursor.fetchone())
        return _take(cursor, picked) if picked else None


def _take(cursor: Any, picked: tuple[Any, ...]) -> Claim:
    set_id, endpoint_id, name, rank, need, priority = picked
    values = {"id": set_id, "endpoint": endpoint_id, "name": name, "rank": rank, "need": need}
    cursor.execute("DELETE FROM sampling_seat WHERE set_id = %s", [set_id])
    cursor.execute(_TAKE, {**values, "lease": settings.SET_LEASE})
    attempt, lease_until = cursor.fetchone()
    cursor.execute(_SIT_DOWN, {**values, "attempt": attempt, "lease_until": lease_until})
    publishing.publish_after_commit(set_id=set_id, state=State.GENERATING)
    return Claim(set_id, attempt, endpoint_id, rank, need, priority)


def _tell_preempted(row: tuple[UUID] | None) -> None:
    if row:
        publishing.publish_after_commit(set_id=row[0], state=State.PENDING)

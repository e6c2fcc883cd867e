"""The one claim: limits, priority and fairness in one transaction.

Every claim locks the endpoint rows in the order of their ids first, so claims come one after the
other and what is free is exact across processes. While it holds those locks it never waits for a
set's row: rows that somebody else holds are skipped.

    held     streams of live seats, by endpoint
    room     seats that an endpoint offers now: none while its breaker is open, one when half open;
             and its tokens of the last minute
    budget   tokens that a study with a limit has left, what is being made taken off
    queued   pending sets whose time has come: the oldest ones of each plan and priority, because
             of one plan the oldest goes first; so a claim costs the same however many wait
    due      those whose study has tokens left, at their plan's first endpoint that offers seats
    needs    the seats and tokens that each due set needs, by endpoint: one row for most sets, one
             for each endpoint for a set that asks several at once; all or nothing
    waiting  what waits for room: it holds back sets of lower priority at all its endpoints, and,
             after a while, later ones of its own

A seat counts until its lease ends or its holder gives it back, also after its set was put back to
pending: its streams may still be open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from sampling import publishing
from sampling.models import CandidateSet

State = CandidateSet.State

PATIENCE = 10  # seconds after which a set holds back later ones of its own priority
# More than the rows of one plan that others hold locked at a moment, or that wait for more seats
# than are free while a smaller set behind them would find room.
LOOKED_AT = 32

_DUE = """
WITH held AS (
    SELECT seat.endpoint_id, sum(seat.streams) AS streams,
        bool_or(s.priority = 2 AND s.state = 'generating') AS prefetch
    FROM sampling_seat AS seat JOIN sampling_candidateset AS s ON s.id = seat.set_id
    WHERE seat.lease_until > statement_timestamp()
    GROUP BY seat.endpoint_id
), spent AS (
    SELECT endpoint_id, sum(tokens) AS tokens FROM sampling_tokenuse
    WHERE at > statement_timestamp() - interval '1 minute'
    GROUP BY endpoint_id
), room AS (
    SELECT endpoint.id, endpoint.name,
        CASE
            WHEN endpoint.open_until IS NULL THEN endpoint.seats
            WHEN endpoint.open_until <= statement_timestamp() AND held.streams IS NULL THEN 1
            ELSE 0
        END AS seats,
        coalesce(held.streams, 0) AS held, coalesce(held.prefetch, false) AS prefetch,
        endpoint.tokens_per_minute AS per_minute, coalesce(spent.tokens, 0) AS spent
    FROM sampling_endpoint AS endpoint
    LEFT JOIN held ON held.endpoint_id = endpoint.id
    LEFT JOIN spent ON spent.endpoint_id = endpoint.id
), budget AS (
    SELECT given.study_id, given.total - given.spent - coalesce(sum(s.tokens), 0) AS tokens
    FROM sampling_tokenbudget AS given
    LEFT JOIN sampling_candidateset AS s
        ON s.study_id = given.study_id AND s.state = 'generating'
    WHERE given.total IS NOT NULL
    GROUP BY given.study_id
), queued AS (
    SELECT s.* FROM (SELECT DISTINCT plan_id FROM sampling_planendpoint) AS plan
    CROSS JOIN (VALUES (0), (1), (2)) AS urgency (priority)
    CROSS JOIN LATERAL (
        SELECT s.id, s.priority, s.study_id, s.plan_id, s.requested_at, s.streams, s.streams_on,
            s.tokens, s.endpoint_rank
        FROM sampling_candidateset AS s
        WHERE s.plan_id = plan.plan_id AND s.priority = urgency.priority
            AND s.state = 'pending' AND s.not_before <= statement_timestamp()
            AND NOT EXISTS (
                SELECT FROM sampling_seat AS own
                WHERE own.set_id = s.id AND own.lease_until > statement_timestamp()
            )
        ORDER BY s.requested_at, s.id LIMIT %(looked_at)s
    ) AS s
), due AS (
    SELECT s.id, s.priority, s.study_id, s.plan_id, s.requested_at, s.streams_on, s.tokens,
        at.id AS endpoint_id, at.name, at.rank, at.seats, at.prefetch, at.per_minute, at.spent,
        at.seats - at.held AS free, least(s.streams, at.seats) AS need
    FROM queued AS s CROSS JOIN LATERAL (
        SELECT room.*, listed.rank
        FROM sampling_planendpoint AS listed JOIN room ON room.id = listed.endpoint_id
        WHERE listed.plan_id = s.plan_id AND room.seats > 0
        ORDER BY listed.rank < s.endpoint_rank, listed.rank LIMIT 1
    ) AS at
    WHERE NOT EXISTS (
        SELECT FROM budget
        WHERE budget.study_id = s.study_id AND budget.tokens < greatest(s.tokens, 1)
    )
), wide AS (
    SELECT due.id, due.priority, due.requested_at, room.id AS endpoint_id, room.seats,
        room.seats - room.held AS free, room.prefetch, room.per_minute, room.spent,
        least(asked.streams, room.seats) AS need, asked.place,
        ceil(due.tokens * asked.streams / sum(asked.streams) OVER set)::bigint AS tokens,
        sum(least(asked.streams, room.seats)) OVER set AS total,
        min(room.seats) OVER set AS fewest
    FROM due CROSS JOIN LATERAL (
        SELECT listed.endpoint_id, min(by_rank.place) AS place,
            sum(due.streams_on[by_rank.place + 1]) AS streams
        FROM sampling_planendpoint AS listed CROSS JOIN LATERAL (
            SELECT mod(listed.rank - due.rank + cardinality(due.streams_on),
                cardinality(due.streams_on)) AS place
        ) AS by_rank
        WHERE listed.plan_id = due.plan_id
        GROUP BY listed.endpoint_id HAVING sum(due.streams_on[by_rank.place + 1]) > 0
    ) AS asked JOIN room ON room.id = asked.endpoint_id
    WHERE cardinality(due.streams_on) > 1
    WINDOW set AS (PARTITION BY due.id)
), needs AS (
    SELECT id, priority, requested_at, endpoint_id, seats, free, prefetch, need, need AS total,
        0 AS place, tokens, per_minute,
        per_minute IS NULL OR spent = 0 OR spent + tokens <= per_minute AS affordable
    FROM due WHERE cardinality(streams_on) < 2
    UNION ALL
    SELECT id, priority, requested_at, endpoint_id, seats, free, prefetch, need, total,
        place, tokens, per_minute,
        per_minute IS NULL OR spent = 0 OR spent + tokens <= per_minute
    FROM wide WHERE fewest > 0
)
"""

_PICK = (
    _DUE  # noqa: S608 both parts are ours
    + """
, short AS (
    SELECT DISTINCT id FROM needs WHERE need > free OR NOT affordable
), waiting AS MATERIALIZED (
    SELECT needs.endpoint_id, needs.priority, min(needs.requested_at) AS since
    FROM needs JOIN short ON short.id = needs.id
    GROUP BY needs.endpoint_id, needs.priority
), blocked AS (
    SELECT id FROM short
    UNION ALL
    SELECT needs.id FROM needs
    WHERE needs.total > %(streams)s
        OR EXISTS (
            SELECT FROM waiting
            WHERE waiting.endpoint_id = needs.endpoint_id
                AND (waiting.priority < needs.priority
                    OR waiting.priority = needs.priority AND waiting.since < needs.requested_at
                        AND waiting.since
                            < statement_timestamp() - make_interval(secs => %(patience)s))
        )
        OR needs.priority = 2 AND NOT (%(prefetch)s AND (
            needs.free - needs.need >= ceil(needs.seats / 4.0)
            -- Too small to leave a quarter free: one at a time, while nobody waits.
            OR needs.seats - needs.need < ceil(needs.seats / 4.0) AND NOT needs.prefetch
        ))
), studies AS (
    SELECT s.study_id, sum(seat.streams) AS streams
    FROM sampling_seat AS seat JOIN sampling_candidateset AS s ON s.id = seat.set_id
    WHERE seat.lease_until > statement_timestamp()
    GROUP BY s.study_id
)
SELECT s.id, due.endpoint_id, due.name, due.rank, due.priority, cardinality(due.streams_on),
    EXISTS (SELECT FROM waiting WHERE priority = 0) AS person_waits,
    (SELECT array_agg(needs.endpoint_id::text ORDER BY place) FROM needs WHERE needs.id = s.id),
    (SELECT array_agg(needs.place ORDER BY place) FROM needs WHERE needs.id = s.id),
    (SELECT array_agg(needs.need ORDER BY place) FROM needs WHERE needs.id = s.id),
    (SELECT array_agg(CASE WHEN per_minute IS NOT NULL THEN needs.tokens END ORDER BY place)
        FROM needs WHERE needs.id = s.id)
FROM sampling_candidateset AS s
JOIN due ON due.id = s.id
LEFT JOIN studies ON studies.study_id = due.study_id
WHERE s.state = 'pending' AND s.id IN (SELECT id FROM needs)
    AND s.id NOT IN (SELECT id FROM blocked)
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
    FROM needs WHERE priority = 0 GROUP BY endpoint_id HAVING bool_or(need > free)
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

# One statement for all that a claim writes. The seats of earlier attempts go first: the count waits
# for their end.
_TAKE = """
WITH gone AS (
    DELETE FROM sampling_seat WHERE set_id = %(id)s RETURNING id
), outdated AS (
    DELETE FROM sampling_tokenuse WHERE at < statement_timestamp() - interval '1 minute'
), taken AS (
    UPDATE sampling_candidateset
    SET state = 'generating', attempt = attempt + 1, progress = 0, endpoint_rank = %(rank)s,
        lease_until = statement_timestamp() + make_interval(secs => %(lease)s),
        attempt_log = attempt_log || jsonb_build_object(
            'attempt', attempt + 1, 'endpoint', %(name)s::text, 'streams', %(streams)s::int,
            'started_at', statement_timestamp(), 'outcome', NULL)
    WHERE id = %(id)s
    RETURNING id, attempt, lease_until
), wanted AS (
    SELECT * FROM unnest(%(endpoints)s::uuid[], %(needs)s::int[], %(tokens)s::bigint[])
        AS need (endpoint_id, streams, tokens)
), noted AS (
    INSERT INTO sampling_tokenuse (set_id, endpoint_id, attempt, tokens, at)
    SELECT taken.id, wanted.endpoint_id, taken.attempt, wanted.tokens, statement_timestamp()
    FROM taken CROSS JOIN wanted WHERE wanted.tokens IS NOT NULL
), seated AS (
    INSERT INTO sampling_seat (set_id, endpoint_id, attempt, streams, lease_until)
    SELECT taken.id, wanted.endpoint_id, taken.attempt, wanted.streams, taken.lease_until
    FROM (SELECT count(*) FROM gone) AS cleared CROSS JOIN taken CROSS JOIN wanted
)
SELECT attempt FROM taken
"""


@dataclass(frozen=True)
class Claim:
    """A set that is ours to make until its lease ends, with at most `streams` streams at once.

    `streams_on` has them by endpoint, from the one that serves the set on; empty when that one has
    all of them.
    """

    set_id: UUID
    attempt: int
    endpoint_id: UUID
    rank: int
    streams: int
    priority: int
    streams_on: tuple[int, ...] = ()

    @property
    def gates(self) -> list[int]:
        """How many calls may be open at once at each endpoint of the attempt."""
        return list(self.streams_on) or [self.streams]


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
        limits = {
            "streams": room,
            "prefetch": prefetch,
            "patience": PATIENCE,
            "looked_at": LOOKED_AT,
        }
        cursor.execute(_PICK, limits)
        picked = cursor.fetchone()
        if picked is None or picked[6]:
            cursor.execute(_PREEMPT, {"looked_at": LOOKED_AT})
            _tell_preempted(cursor.fetchone())
        return _take(cursor, picked) if picked else None


def _take(cursor: Any, picked: tuple[Any, ...]) -> Claim:
    set_id, endpoint_id, name, rank, priority, endpoints, _, ids, places, needs, tokens = picked
    streams = int(sum(needs))
    values = {
        "id": set_id,
        "rank": rank,
        "name": name,
        "streams": streams,
        "lease": settings.SET_LEASE,
        "endpoints": ids,
        "needs": [int(need) for need in needs],
        "tokens": tokens,
    }
    cursor.execute(_TAKE, values)
    (attempt,) = cursor.fetchone()
    publishing.publish_after_commit(set_id=set_id, state=State.GENERATING)
    streams_on = _by_place(places, needs, endpoints) if endpoints > 1 else ()
    return Claim(set_id, attempt, endpoint_id, rank, streams, priority, streams_on)


def _by_place(places: Sequence[int], needs: Sequence[int], endpoints: int) -> tuple[int, ...]:
    at = dict(zip(places, needs, strict=True))
    return tuple(int(at.get(place, 0)) for place in range(endpoints))


def _tell_preempted(row: tuple[UUID] | None) -> None:
    if row:
        publishing.publish_after_commit(set_id=row[0], state=State.PENDING)

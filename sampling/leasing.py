"""Leases: a set that is being made belongs to its worker for a few seconds at a time.

Renewing is heartbeat and cancel in one: what does not come back is no longer ours, whether it was
preempted, dropped, or taken over. All clocks are the database's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from sampling import bell, publishing
from sampling.attempts import EXPIRED, RETURNED, attempts_allowed, attempts_spent, close_attempt
from sampling.models import CandidateSet, Seat
from sampling.reasons import Reason

State = CandidateSet.State
Key = tuple[UUID, int]  # a set and the attempt that is ours

# Rows that somebody else holds at this moment are renewed the next time: waiting for one of them
# could cost all the others their lease.
_RENEW = """
WITH mine AS (
    SELECT s.id, s.attempt
    FROM sampling_candidateset AS s
    JOIN unnest(%(sets)s::uuid[], %(attempts)s::int[]) AS key (id, attempt)
        ON key.id = s.id AND key.attempt = s.attempt
    WHERE s.state = 'generating'
), free AS (
    SELECT s.id FROM sampling_candidateset AS s JOIN mine ON mine.id = s.id
    WHERE s.state = 'generating' AND s.attempt = mine.attempt
    FOR NO KEY UPDATE OF s SKIP LOCKED
), renewed AS (
    UPDATE sampling_candidateset AS s
    SET lease_until = statement_timestamp() + make_interval(secs => %(lease)s)
    FROM free WHERE s.id = free.id
    RETURNING s.id, s.attempt, s.lease_until
), seats AS (
    UPDATE sampling_seat AS seat SET lease_until = renewed.lease_until
    FROM renewed WHERE seat.set_id = renewed.id AND seat.attempt = renewed.attempt
)
SELECT mine.id, mine.attempt, renewed.id IS NOT NULL
FROM mine LEFT JOIN renewed ON renewed.id = mine.id
"""


def renew(keys: Sequence[Key]) -> dict[Key, bool]:
    """The keys that are still ours; true where the lease was renewed, in one statement."""
    if not keys:
        return {}
    sets, attempts = zip(*keys, strict=True)
    values: dict[str, Any] = {
        "sets": list(sets),
        "attempts": list(attempts),
        "lease": settings.SET_LEASE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, values)
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


_PROGRESS = """
WITH free AS (
    SELECT s.id, key.progress
    FROM sampling_candidateset AS s
    JOIN unnest(%(sets)s::uuid[], %(attempts)s::int[], %(progress)s::int[])
        AS key (id, attempt, progress) ON key.id = s.id AND key.attempt = s.attempt
    WHERE s.state = 'generating'
    FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE sampling_candidateset AS s SET progress = free.progress
FROM free WHERE s.id = free.id
RETURNING s.id, s.attempt
"""


def write_progress(risen: Mapping[Key, int]) -> set[Key]:
    """Store how many candidates are written, in one statement; returns where that could be done."""
    if not risen:
        return set()
    values: dict[str, Any] = {
        "sets": [set_id for set_id, _ in risen],
        "attempts": [attempt for _, attempt in risen],
        "progress": list(risen.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS, values)
        return {(row[0], row[1]) for row in cursor.fetchall()}


@transaction.atomic
def return_expired() -> int:
    """Put sets whose worker has gone back to pending, or fail them when their attempts are spent.

    Returns how many. Skips rows that somebody else holds.
    """
    expired = _locked(CandidateSet.objects.filter(lease_until__lt=Now())).select_related("plan")
    count = 0
    for stale in expired[:100]:
        close_attempt(stale, EXPIRED)
        _release(stale)
        count += 1
    return count


@transaction.atomic
def give_back(keys: Iterable[Key]) -> int:
    """A worker that stops puts its sets back to pending at once; returns how many.

    That is not their fault, so the attempt does not count.
    """
    wanted = dict(keys)
    returned = []
    for held in _locked(CandidateSet.objects.filter(pk__in=wanted)):
        if held.attempt != wanted[held.pk]:
            continue
        close_attempt(held, RETURNED)
        held.state, held.lease_until = State.PENDING, None
        returned.append(held)
        publishing.publish_after_commit(set_id=held.pk, state=State.PENDING)
        bell.ring_after_commit(set_id=held.pk, priority=held.priority)
    CandidateSet.objects.bulk_update(returned, ["state", "lease_until", "attempt_log"])
    Seat.objects.filter(set__in=returned).delete()
    return len(returned)


@transaction.atomic
def leave_seat(key: Key) -> None:
    """The streams of an attempt that is no longer ours are closed: others may have its seats."""
    set_id, attempt = key
    Seat.objects.filter(set_id=set_id, attempt=attempt).delete()


def _locked(rows: Any) -> Any:
    generating = rows.filter(state=State.GENERATING).order_by("pk")
    return generating.select_for_update(no_key=True, skip_locked=True, of=("self",))


def _release(stale: CandidateSet) -> None:
    stale.lease_until = None
    spent = attempts_spent(stale) >= attempts_allowed(stale)
    stale.state = State.FAILED if spent else State.PENDING
    stale.reason = Reason.INTERRUPTED if spent else None
    stale.save(update_fields=["state", "reason", "lease_until", "attempt_log"])
    publishing.publish_after_commit(set_id=stale.pk, state=stale.state)

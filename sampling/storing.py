"""Stores what an attempt came to: one transaction, and only if the set is still ours.

Each first locks the row by set, attempt and state `generating`: when there is none, somebody else
has the set by now, and everything that was made is dropped. A ready set is one statement, because a
worker stores many in the same second, and hundreds of streams wait for its processor.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from sampling import breaker, budgets, publishing
from sampling.attempts import READY, attempts_allowed, attempts_spent, close_absent, close_attempt
from sampling.calls import CallRecord
from sampling.claiming import Claim
from sampling.demand import used
from sampling.drawing import SetResult
from sampling.errors import EndpointError, GuardRejected, SamplingError
from sampling.messages import storable
from sampling.models import CandidateSet, Endpoint, PlanEndpoint
from sampling.reasons import reason_of
from sampling.retrying import Again, after_failure
from sampling.strategies import Draft

State = CandidateSet.State

# What both kinds of outcome leave behind, given `held`, the set's row: its calls, what they used,
# and no seats. A call at an endpoint that has no row is refused by the column, not left out.
_KEEP = f"""
calls AS (
    INSERT INTO sampling_modelcall (set_id, attempt, n, endpoint_id, model, purpose, request, seed,
        replica, raw, finish_reason, logprob, usage, error, started_at, first_byte_at, ended_at)
    SELECT held.id, one.attempt, one.n, endpoint.id, one.model, one.purpose, one.request, one.seed,
        one.replica, one.raw, one.finish_reason, one.logprob, one.usage, one.error,
        one.started_at, one.first_byte_at, one.ended_at
    FROM held CROSS JOIN jsonb_to_recordset(%(calls)s::jsonb) AS one (
        attempt smallint, n smallint, endpoint text, model text, purpose text, request jsonb,
        seed bigint, replica text, raw text, finish_reason text, logprob float8, usage jsonb,
        error jsonb, started_at timestamptz, first_byte_at timestamptz, ended_at timestamptz)
    LEFT JOIN sampling_endpoint AS endpoint ON endpoint.name = one.endpoint
    ORDER BY one.n
    RETURNING id, n
), {budgets.SETTLE}, gone AS (
    DELETE FROM sampling_seat USING held WHERE sampling_seat.set_id = held.id
)"""  # noqa: S608 all parts are constants

_FAILED = f"""
WITH held AS (SELECT id, study_id FROM sampling_candidateset WHERE id = %(id)s), {_KEEP}
SELECT id FROM held
"""  # noqa: S608 all parts are constants

_READY = f"""
WITH held AS (
    UPDATE sampling_candidateset
    SET state = 'ready', lease_until = NULL, last_slot = k - 1, progress = k,
        ready_at = statement_timestamp(), guard = %(guard)s::jsonb,
        diversity = %(diversity)s::jsonb, attempt_log = jsonb_set(
            attempt_log, ARRAY[(jsonb_array_length(attempt_log) - 1)::text, 'outcome'],
            to_jsonb(%(outcome)s::text))
    WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'generating'
    RETURNING id, k, study_id
), {_KEEP}, written AS (
    INSERT INTO sampling_candidate (id, set_id, k, slot, text, role, stance, call_id,
        finish_reason, n_tokens, provenance)
    SELECT gen_random_uuid(), held.id, held.k, one.slot, one.text, one.role, one.stance, calls.id,
        one.finish_reason, one.n_tokens, one.provenance
    FROM held CROSS JOIN jsonb_to_recordset(%(candidates)s::jsonb) AS one (
        slot smallint, text text, role text, stance text, call smallint, finish_reason text,
        n_tokens int, provenance jsonb)
    LEFT JOIN calls ON calls.n = one.call
)
SELECT held.k, ARRAY(
    SELECT id::text FROM sampling_endpoint
    WHERE (id = %(endpoint)s OR name IN (
            SELECT named.endpoint FROM jsonb_to_recordset(%(calls)s::jsonb)
                AS named (endpoint text)))
        AND (failures > 0 OR open_until IS NOT NULL)
    ORDER BY id)
FROM held
"""  # noqa: S608 all parts are constants


class Superseded(Exception):
    """The set is not ours any more, so nothing was stored."""


@transaction.atomic
def store_ready(claim: Claim, result: SetResult) -> None:
    """The set is ready with all its candidates and calls. Raises Superseded."""
    values: dict[str, Any] = {
        "id": claim.set_id,
        "attempt": claim.attempt,
        "endpoint": claim.endpoint_id,
        "outcome": READY,
        "guard": json.dumps(result.verdict.as_json()),
        "diversity": json.dumps(result.diversity.as_json()),
        "calls": _as_json(result.calls),
        "candidates": json.dumps([_candidate(draft) for draft in result.drafts]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_READY, values)
        stored = cursor.fetchone()
    if stored is None:
        _say_again(claim)
        return
    k, troubled = stored
    for endpoint_id in troubled:
        breaker.note_success(UUID(endpoint_id))
    publishing.publish_after_commit(set_id=claim.set_id, state=State.READY, progress=k)


@transaction.atomic
def store_failure(claim: Claim, error: SamplingError) -> None:
    """The attempt failed: the set waits for another one, or has failed. Raises Superseded."""
    held = _hold(claim)
    if held is None:
        _say_again(claim)
        return
    if _met_nobody(claim, error):
        close_absent(held, error.code, timezone.now())
    elif isinstance(error, GuardRejected):
        # The set keeps the verdict of its last attempt; each attempt keeps what was found in it.
        found = [one.as_json() for one in error.verdict.findings]
        close_attempt(held, error.code, findings=found)
    else:
        close_attempt(held, error.code)
    again = _again(held, claim, error)
    held.lease_until, held.progress = None, 0
    if again:
        held.state, held.endpoint_rank = State.PENDING, again.rank
        held.not_before = Now() + timedelta(seconds=again.pause)
    else:
        held.state, held.reason = State.FAILED, reason_of(error)
    if isinstance(error, GuardRejected):
        held.guard = error.verdict.as_json()
    held.save(
        update_fields=[
            *("state", "reason", "lease_until", "progress", "endpoint_rank", "not_before"),
            *("guard", "attempt_log"),
        ]
    )
    values: dict[str, Any] = {"id": held.pk, "attempt": claim.attempt}
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, {**values, "calls": _as_json(error.calls)})
    _note_health(claim, error)
    publishing.publish_after_commit(set_id=held.pk, state=held.state)


def _hold(claim: Claim) -> CandidateSet | None:
    """The set's row, locked, while the attempt is ours."""
    mine = CandidateSet.objects.filter(pk=claim.set_id, attempt=claim.attempt)
    return mine.filter(state=State.GENERATING).select_for_update(no_key=True).first()


def _say_again(claim: Claim) -> None:
    """Publish an attempt that is stored already; raises Superseded when it is not ours any more.

    The former happens when the database went away between a commit and its answer.
    """
    mine = CandidateSet.objects.filter(pk=claim.set_id, attempt=claim.attempt)
    stored = mine.filter(state__in=[State.READY, State.FAILED]).first()
    if stored is None or not stored.attempt_log[-1]["outcome"]:
        raise Superseded
    publishing.publish_after_commit(set_id=stored.pk, state=stored.state, progress=stored.progress)


def _again(held: CandidateSet, claim: Claim, error: SamplingError) -> Again | None:
    return after_failure(
        error,
        spent=attempts_spent(held),
        allowed=attempts_allowed(held),
        rank=claim.rank,
        endpoints=PlanEndpoint.objects.filter(plan=held.plan_id).count(),
    )


def _met_nobody(claim: Claim, error: SamplingError) -> bool:
    """Whether the attempt failed at an endpoint that was absent, or known to be in trouble.

    Trying whether it is back is no fault of the set, nor is having been under way when the breaker
    opened: else an outage would cost one waiting set after the other its attempts.
    """
    if error.absent:
        return True
    troubled = Endpoint.objects.filter(pk=claim.endpoint_id, open_until__isnull=False)
    return error.blames_endpoint and troubled.exists()


def _note_health(claim: Claim, error: SamplingError) -> None:
    """An endpoint that answered is healthy, whatever we thought of the answer.

    The calls say which endpoint failed; before the first call it is the one that serves the set.
    """
    ids = _endpoint_ids(claim, error.calls)
    failed = {ids[one.endpoint] for one in error.calls if one.error and one.error.blames_endpoint}
    answered = {ids[one.endpoint] for one in error.calls if one.reply} - failed
    if error.blames_endpoint:
        failed = failed or {claim.endpoint_id}
    elif error.calls and isinstance(error, EndpointError | GuardRejected):
        answered = answered or {claim.endpoint_id}
    # In the order of their ids, as a claim locks them.
    for endpoint_id in sorted(failed | answered):
        if endpoint_id in failed:
            breaker.note_failure(endpoint_id, pause=_pause_asked(error, ids, endpoint_id))
        else:
            breaker.note_success(endpoint_id)


def _pause_asked(error: SamplingError, ids: Mapping[str, UUID], endpoint_id: UUID) -> float:
    """Seconds for which the endpoint asked to be left alone; 0 where it did not."""
    met = [one.error for one in error.calls if one.error and ids[one.endpoint] == endpoint_id]
    return max(one.retry_after or 0.0 for one in met or [error])


def _endpoint_ids(claim: Claim, records: Iterable[CallRecord]) -> dict[str, UUID]:
    """The endpoints of an attempt by name: where its calls went, and the one that serves it."""
    names = {one.endpoint for one in records}
    used = Endpoint.objects.filter(Q(name__in=names) | Q(pk=claim.endpoint_id))
    return dict(used.values_list("name", "pk"))


def _as_json(records: Iterable[CallRecord]) -> str:
    """The rows of an attempt's calls, also of those that failed."""
    return json.dumps([_call(one) for one in records])


def _call(record: CallRecord) -> dict[str, Any]:
    reply, error = record.reply, record.error
    raw = reply.text if reply else str(getattr(error, "raw", ""))
    first_byte_at = reply.first_byte_at if reply else None
    return {
        "attempt": record.attempt,
        "n": record.n,
        "endpoint": record.endpoint,
        "model": record.model,
        "purpose": record.purpose,
        "request": dict(record.body),
        "seed": record.seed,
        "replica": record.replica,
        "raw": storable(raw),
        "finish_reason": (reply.finish_reason or reply.stopped_early or "") if reply else "",
        "logprob": reply.logprob if reply else None,
        "usage": dict(reply.usage) if reply and reply.usage else None,
        "error": _error(error) if error else None,
        "started_at": record.started_at.isoformat(),
        "first_byte_at": first_byte_at and first_byte_at.isoformat(),
        "ended_at": record.ended_at.isoformat(),
        "tokens": used(record),
    }


def _error(error: SamplingError) -> Mapping[str, Any]:
    said = error.as_json()
    return {**said, "code": error.code, "message": storable(str(said["message"]))}


def _candidate(draft: Draft) -> dict[str, Any]:
    return {
        "slot": draft.slot,
        "text": draft.text,
        "role": draft.role,
        "stance": draft.stance,
        "call": draft.call,
        "finish_reason": draft.finish_reason,
        "n_tokens": draft.n_tokens,
        "provenance": dict(draft.provenance),
    }

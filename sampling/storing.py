"""Stores what an attempt came to: one transaction, and only if the set is still ours.

Each first locks the row by set, attempt and state `generating`: when there is none, somebody else
has the set by now, and everything that was made is dropped.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from sampling import breaker, budgets, publishing
from sampling.attempts import READY, attempts_allowed, attempts_spent, close_attempt
from sampling.calls import CallRecord
from sampling.claiming import Claim
from sampling.drawing import SetResult
from sampling.errors import EndpointError, GuardRejected, SamplingError
from sampling.messages import storable
from sampling.models import Candidate, CandidateSet, Endpoint, ModelCall, PlanEndpoint, Seat
from sampling.reasons import reason_of
from sampling.retrying import Again, after_failure
from sampling.strategies import Draft

State = CandidateSet.State


class Superseded(Exception):
    """The set is not ours any more, so nothing was stored."""


@transaction.atomic
def store_ready(claim: Claim, result: SetResult) -> None:
    """The set is ready with all its candidates and calls. Raises Superseded."""
    held = _hold(claim)
    if held is None:
        return
    close_attempt(held, READY)
    held.state, held.lease_until = State.READY, None
    held.last_slot, held.progress, held.ready_at = held.k - 1, held.k, Now()
    held.guard, held.diversity = result.verdict.as_json(), result.diversity.as_json()
    held.save(
        update_fields=[
            *("state", "lease_until", "last_slot", "progress", "ready_at"),
            *("guard", "diversity", "attempt_log"),
        ]
    )
    ids = _endpoint_ids(claim, result.calls)
    calls = _store_calls(claim, result.calls, ids)
    budgets.settle(claim=claim, study_id=held.study_id, records=result.calls, ids=ids)
    Candidate.objects.bulk_create(
        _candidate(held, draft, _call_of(draft, calls)) for draft in result.drafts
    )
    Seat.objects.filter(set=held).delete()
    for endpoint_id in sorted(ids.values()):
        breaker.note_success(endpoint_id)
    publishing.publish_after_commit(set_id=held.pk, state=State.READY, progress=held.k)


@transaction.atomic
def store_failure(claim: Claim, error: SamplingError) -> None:
    """The attempt failed: the set waits for another one, or has failed. Raises Superseded."""
    held = _hold(claim)
    if held is None:
        return
    close_attempt(held, error.code, counts=not _met_an_open_breaker(claim, error))
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
    ids = _endpoint_ids(claim, error.calls)
    _store_calls(claim, error.calls, ids)
    budgets.settle(claim=claim, study_id=held.study_id, records=error.calls, ids=ids)
    Seat.objects.filter(set=held).delete()
    _note_health(claim, error, ids)
    publishing.publish_after_commit(set_id=held.pk, state=held.state)


def _hold(claim: Claim) -> CandidateSet | None:
    """The set's row, locked, while the attempt is ours; None when this attempt is stored already.

    The latter happens when the database went away between a commit and its answer.
    """
    mine = CandidateSet.objects.filter(pk=claim.set_id, attempt=claim.attempt)
    held = mine.filter(state=State.GENERATING).select_for_update(no_key=True).first()
    if held:
        return held
    stored = mine.filter(state__in=[State.READY, State.FAILED]).first()
    if stored and stored.attempt_log[-1]["outcome"]:
        publishing.publish_after_commit(set_id=stored.pk, state=stored.state)
        return None
    raise Superseded


def _again(held: CandidateSet, claim: Claim, error: SamplingError) -> Again | None:
    return after_failure(
        error,
        spent=attempts_spent(held),
        allowed=attempts_allowed(held),
        rank=claim.rank,
        endpoints=PlanEndpoint.objects.filter(plan=held.plan_id).count(),
    )


def _met_an_open_breaker(claim: Claim, error: SamplingError) -> bool:
    """Whether the attempt failed at an endpoint that was known to be in trouble.

    Trying whether it is back is no fault of the set, nor is having been under way when the breaker
    opened: else a long outage would cost one waiting set after the other its attempts.
    """
    troubled = Endpoint.objects.filter(pk=claim.endpoint_id, open_until__isnull=False)
    return error.blames_endpoint and troubled.exists()


def _note_health(claim: Claim, error: SamplingError, ids: Mapping[str, UUID]) -> None:
    """An endpoint that answered is healthy, whatever we thought of the answer.

    The calls say which endpoint failed; before the first call it is the one that serves the set.
    """
    failed = {ids[one.endpoint] for one in error.calls if one.error and one.error.blames_endpoint}
    answered = {ids[one.endpoint] for one in error.calls if one.reply} - failed
    if error.blames_endpoint:
        failed = failed or {claim.endpoint_id}
    elif isinstance(error, EndpointError | GuardRejected):
        answered = answered or {claim.endpoint_id}
    for endpoint_id in sorted(failed | answered):
        note = breaker.note_failure if endpoint_id in failed else breaker.note_success
        note(endpoint_id)


def _endpoint_ids(claim: Claim, records: Iterable[CallRecord]) -> dict[str, UUID]:
    """The endpoints of an attempt by name: where its calls went, and the one that serves it."""
    names = {one.endpoint for one in records}
    used = Endpoint.objects.filter(Q(name__in=names) | Q(pk=claim.endpoint_id))
    return dict(used.values_list("name", "pk"))


def _store_calls(
    claim: Claim, records: Iterable[CallRecord], ids: Mapping[str, UUID]
) -> dict[int, ModelCall]:
    """The rows of an attempt's calls by their number n, also of those that failed."""
    rows = ModelCall.objects.bulk_create(
        _model_call(claim, one, ids[one.endpoint]) for one in records
    )
    return {row.n: row for row in rows}


def _model_call(claim: Claim, record: CallRecord, endpoint_id: UUID) -> ModelCall:
    reply, error = record.reply, record.error
    raw = reply.text if reply else str(getattr(error, "raw", ""))
    return ModelCall(
        set_id=claim.set_id,
        attempt=record.attempt,
        n=record.n,
        endpoint_id=endpoint_id,
        model=record.model,
        purpose=record.purpose,
        request=dict(record.body),
        seed=record.seed,
        replica=record.replica,
        raw=storable(raw),
        finish_reason=(reply.finish_reason or reply.stopped_early or "") if reply else "",
        logprob=reply.logprob if reply else None,
        usage=dict(reply.usage) if reply and reply.usage else None,
        error=_error(error) if error else None,
        started_at=record.started_at,
        first_byte_at=reply.first_byte_at if reply else None,
        ended_at=record.ended_at,
    )


def _call_of(draft: Draft, calls: Mapping[int, ModelCall]) -> ModelCall | None:
    return None if draft.call is None else calls.get(draft.call)


def _error(error: SamplingError) -> Mapping[str, Any]:
    said = error.as_json()
    return {**said, "code": error.code, "message": storable(str(said["message"]))}


def _candidate(held: CandidateSet, draft: Draft, call: ModelCall | None) -> Candidate:
    return Candidate(
        set=held,
        k=held.k,
        slot=draft.slot,
        text=draft.text,
        role=draft.role,
        stance=draft.stance,
        call=call,
        finish_reason=draft.finish_reason,
        n_tokens=draft.n_tokens,
        provenance=dict(draft.provenance),
    )

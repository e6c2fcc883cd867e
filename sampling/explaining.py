"""Says, from rows alone, what was sent for a set and what came back.

Calls that were stored are shown as stored. The calls of an attempt that left no rows (its worker
was killed, or it was put back) are built again from the set's row: number, seed and body follow
from it. Then it is not known whether each of them was really sent, and it says so.
"""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from sampling import drawing, linking, plans
from sampling.calls import Endpoint, SentRequest, request_id
from sampling.messages import read_context, turn_of
from sampling.models import CandidateSet, ModelCall, PlanEndpoint


class Unknown(Exception):
    """There is no such set, or it can have sent no such request."""


@dataclass(frozen=True)
class ExplainedCall:
    """A request with its answer. `recorded`: from a stored row; else built again.

    `rebuilt_equal`: whether building a recorded request again gives the same body; None when it
    was not recorded, or quotes answers that are not known.
    """

    request_id: str
    attempt: int
    n: int
    endpoint: str
    purpose: str
    recorded: bool
    request: dict[str, Any]
    rebuilt_equal: bool | None = None
    raw: str | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    started_at: str | None = None
    first_byte_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True)
class Explanation:
    set: dict[str, Any]
    attempts: list[dict[str, Any]]
    calls: list[ExplainedCall]
    candidates: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def explain(wanted: str) -> Explanation:
    """Explain a set by its id, or one call by its X-Request-Id `<set>.<attempt>.<n>`.

    Raises Unknown.
    """
    set_id, attempt, n = _parse(wanted)
    found = _rows().filter(pk=set_id).first()
    if found is None:
        raise Unknown(f"there is no candidate set {set_id}")
    if found.erased_at is not None:
        raise Unknown(f"the words of the set {set_id} were deleted: its annotator asked for it")
    calls = [call for number in _attempts(found) for call in _explain_attempt(found, number)]
    if attempt is not None:
        calls = [call for call in calls if (call.attempt, call.n) == (attempt, n)]
        if not calls:
            raise Unknown(f"the set {set_id} can have sent no call {attempt}.{n}")
    return Explanation(_about(found), found.attempt_log, calls, _candidates(found))


def _rows() -> QuerySet[CandidateSet]:
    return CandidateSet.objects.select_related("plan__study", "study", "prompt", "stance_list")


def _parse(wanted: str) -> tuple[UUID, int | None, int | None]:
    set_id, *call = wanted.split(".")
    try:
        numbers = [int(part) for part in call]
        known = UUID(set_id)
    except ValueError:
        raise Unknown(f"{wanted} is neither a set's id nor a request id") from None
    if len(numbers) == 0:
        return known, None, None
    if len(numbers) == 2:
        return known, numbers[0], numbers[1]
    raise Unknown(f"{wanted} is neither a set's id nor a request id")


def _attempts(found: CandidateSet) -> list[int]:
    """Those of the set's count, and those of its calls: loaded sets may have calls only."""
    called = found.calls.values_list("attempt", flat=True)
    return sorted({*range(1, found.attempt + 1), *called})


def _explain_attempt(found: CandidateSet, attempt: int) -> list[ExplainedCall]:
    rows = list(
        ModelCall.objects.filter(set=found, attempt=attempt)
        .select_related("endpoint")
        .order_by("n")
    )
    rebuilt = _rebuild(found, attempt, {row.n: row.raw for row in rows})
    if rows:
        return [_recorded(row, rebuilt.get(row.n)) for row in rows]
    return [
        ExplainedCall(
            request_id=sent.request_id,
            attempt=attempt,
            n=sent.n,
            endpoint=sent.endpoint,
            purpose=sent.purpose,
            recorded=False,
            request=dict(sent.body),
        )
        for sent in rebuilt.values()
    ]


def _rebuild(found: CandidateSet, attempt: int, replies: dict[int, str]) -> dict[int, SentRequest]:
    context = read_context(found.context)
    body = plans.read(found.plan.body)
    return drawing.rebuild(
        body=body,
        turn=turn_of(context),
        context=context,
        language=found.language,
        seed=found.seed,
        set_id=found.pk,
        attempt=attempt,
        endpoints=_endpoints(found, attempt),
        origin=linking.origin_of(found, body),
        replies=replies,
    )


def _endpoints(found: CandidateSet, attempt: int) -> list[Endpoint]:
    """The plan's endpoints as the attempt had them: the one that its log names first."""
    listed = PlanEndpoint.objects.filter(plan=found.plan_id).select_related("endpoint")
    rows = [one.endpoint for one in listed.order_by("rank")]
    served = {entry["attempt"]: entry["endpoint"] for entry in found.attempt_log}.get(attempt)
    names = [row.name for row in rows]
    first = names.index(served) if served in names else found.endpoint_rank
    return [
        Endpoint(name=row.name, base_url=row.base_url, model=row.model)
        for row in rows[first:] + rows[:first]
    ]


def _recorded(row: ModelCall, rebuilt: SentRequest | None) -> ExplainedCall:
    return ExplainedCall(
        request_id=request_id(set_id=row.set_id, attempt=row.attempt, n=row.n),
        attempt=row.attempt,
        n=row.n,
        endpoint=row.endpoint.name,
        purpose=row.purpose,
        recorded=True,
        request=row.request,
        rebuilt_equal=None if rebuilt is None else dict(rebuilt.body) == row.request,
        raw=row.raw,
        finish_reason=row.finish_reason,
        usage=row.usage,
        error=row.error,
        started_at=row.started_at.isoformat(),
        first_byte_at=row.first_byte_at.isoformat() if row.first_byte_at else None,
        ended_at=row.ended_at.isoformat(),
    )


def _about(found: CandidateSet) -> dict[str, Any]:
    return {
        "id": str(found.pk),
        "study": found.study.slug,
        "plan": found.plan.version,
        "state": found.state,
        "reason": found.reason,
        "language": found.language,
        "k": found.k,
        "seed": found.seed,
        "shared": found.shared,
        "replica": found.replica,
        "prompt": str(found.prompt) if found.prompt else None,
        "category": found.category,
        "stances": _stances(found),
        "context": found.context,
        "requested_at": found.requested_at.isoformat(),
        "ready_at": found.ready_at.isoformat() if found.ready_at else None,
        "guard": found.guard,
        "diversity": found.diversity,
    }


def _stances(found: CandidateSet) -> dict[str, Any] | None:
    """What a linked set writes, and the call that planned it, perhaps for another set."""
    if found.stance_list is None:
        return None
    return {
        "list": str(found.stance_list_id),
        "stances": found.stance_list.stances,
        "language": found.stance_list.language,
        "planned_by": found.stance_list.planned_by,
    }


def _candidates(found: CandidateSet) -> list[dict[str, Any]]:
    return [
        {
            "id": str(one.pk),
            "slot": one.slot,
            "text": one.text,
            "role": one.role,
            "stance": one.stance,
            "call": one.call
            and request_id(set_id=found.pk, attempt=one.call.attempt, n=one.call.n),
            "finish_reason": one.finish_reason,
            "n_tokens": one.n_tokens,
            "provenance": one.provenance,
        }
        for one in found.candidates.select_related("call").order_by("slot")
    ]

"""Makes the sets of a run: claim one, draw it on the process's event loop, store it, and again.

One set at a time for each run and endpoint; endpoints go side by side, each by a bell of its own. A
claim is a lease that its thread renews while it waits. Whoever lost it stores nothing. People come
first: a set opens no more streams than the endpoint has free at that moment, and at least one.
"""

from __future__ import annotations

import logging
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db import DataError, Error, connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from config.log_privacy import named
from sampling import endpoints, linking, loop, plans, side_by_side, single_set
from sampling.calls import Endpoint
from sampling.errors import SamplingError, UnusableText
from sampling.generating import InternalFault
from sampling.lab import asking, ringing
from sampling.messages import Context, read_context, turn_of
from sampling.models import Endpoint as EndpointRow
from sampling.models import LabRun, LabSet, Seat
from sampling.plans import PlanBody
from sampling.running import runs
from sampling.single_set import Wish
from sampling.strategies import Origin

logger = logging.getLogger(__name__)

ROUNDS = 8  # sets that one message may lead to; then the next bell
ATTEMPTS = 3  # claims of one set; it fails when the last one is interrupted too
LEASE = timedelta(seconds=30)
RENEW_SECONDS = 5.0


class Interrupted(SamplingError):
    """The worker that made the set ended, and so did the two after it."""

    code = "interrupted"


@dataclass(frozen=True)
class Claim:
    """A set that is ours while its row has this attempt."""

    row: LabSet
    streams: int


def work(*, run_id: UUID, endpoint_id: UUID, rounds: int = ROUNDS) -> int:
    """Make the run's sets at an endpoint; returns how many claims were worked on.

    Returns at once when there is nothing to make, or another worker is at it.
    """
    for done in range(rounds):
        claim = None if runs.stopping.is_set() else _claim(run_id, endpoint_id)
        if claim is None:
            return done
        _conduct(claim)
    ringing.ring(run_id=run_id, endpoint_id=endpoint_id)
    return rounds


@transaction.atomic
def _claim(run_id: UUID, endpoint_id: UUID) -> Claim | None:
    """The run's next set at the endpoint. Locks the run, so that claims of it take turns."""
    if not LabRun.objects.select_for_update(of=("self",), no_key=True).filter(pk=run_id).first():
        return None
    now = timezone.now()
    left = LabSet.objects.filter(run=run_id, endpoint=endpoint_id).exclude(state__in=LabSet.OVER)
    if left.filter(state=LabSet.State.MAKING, lease_until__gt=now).exists():
        return None
    for row in left.select_related("endpoint").order_by("place"):
        if row.attempt < ATTEMPTS:
            row.state, row.attempt, row.lease_until = (
                LabSet.State.MAKING,
                row.attempt + 1,
                now + LEASE,
            )
            row.save(update_fields=["state", "attempt", "lease_until"])
            return Claim(row, _free_streams(row.endpoint))
        _end(row, single_set.failed_as_json(_wish(row), Interrupted("interrupted too often")))
    return None


def _free_streams(endpoint: EndpointRow) -> int:
    held = Seat.objects.filter(endpoint=endpoint, lease_until__gt=timezone.now())
    return max(1, endpoint.seats - (held.aggregate(n=Sum("streams"))["n"] or 0))


def _conduct(claim: Claim) -> None:
    """One attempt, from the claim to the stored outcome."""
    wanted = _wish(claim.row)
    try:
        _store(claim, _draw(claim))
    except CancelledError:
        logger.info("given up", extra=_about(claim))
        _give_back(claim)
    except SamplingError as error:
        _store(claim, single_set.failed_as_json(wanted, error))
    except (DataError, ValueError) as fault:
        # Without its message: PostgreSQL's quotes what people and models wrote.
        logger.error("a lab set could not be stored: %s", named(fault), extra=_about(claim))
        unusable = UnusableText("the set could not be stored")
        _store(claim, single_set.failed_as_json(wanted, unusable))
    except Error as fault:
        # The lease runs out, and the set is made again.
        connection.close()
        logger.warning("the database went away: %s", type(fault).__name__, extra=_about(claim))
    except BaseException:
        _store(claim, single_set.failed_as_json(wanted, InternalFault("see the log")))
        raise


def _draw(claim: Claim) -> dict[str, object]:
    """The result as JSON. Raises CancelledError when the worker stops or the claim is lost."""
    current = loop.current()
    called = endpoints.resolve(claim.row.endpoint)
    wanted = _wish(claim.row, called)
    strategy = plans.step(wanted.body, turn_of(wanted.context), wanted.origin.category)
    streams = [min(claim.streams, strategy.streams(wanted.body.k))]
    job = current.submit(side_by_side.make(wanted, send=current.client.send, streams=streams))
    while True:
        try:
            return dict(job.result(RENEW_SECONDS).told)
        except TimeoutError:
            if runs.stopping.is_set() or not _renewed(claim):
                job.cancel()


def _renewed(claim: Claim) -> bool:
    """Whether the set is still ours. A database that is away takes nothing from us."""
    try:
        return bool(_ours(claim).update(lease_until=timezone.now() + LEASE))
    except Error as fault:
        connection.close()
        logger.warning("a lease was not renewed: %s", type(fault).__name__, extra=_about(claim))
        return True


def _store(claim: Claim, told: dict[str, object]) -> None:
    """The outcome, if the set is still ours."""
    if not _end(claim.row, told):
        logger.info("dropped: the set is no longer ours", extra=_about(claim))


def _end(row: LabSet, told: dict[str, object]) -> int:
    """The last state of a set, by one conditional update; returns how many rows it hit."""
    with transaction.atomic():
        mine = LabSet.objects.filter(pk=row.pk, attempt=row.attempt).exclude(state__in=LabSet.OVER)
        return mine.update(
            state=LabSet.State(str(told["state"])),
            result=told,
            ended_at=timezone.now(),
            lease_until=None,
        )


def _give_back(claim: Claim) -> None:
    """Back to the queue, as if it had not been claimed."""
    _ours(claim).update(state=LabSet.State.WAITING, lease_until=None, attempt=claim.row.attempt - 1)


def _ours(claim: Claim) -> QuerySet[LabSet]:
    row = claim.row
    return LabSet.objects.filter(pk=row.pk, attempt=row.attempt, state=LabSet.State.MAKING)


def _wish(row: LabSet, *called: Endpoint) -> Wish:
    """What the row asks for; without an endpoint that can be called, only its name stands in it."""
    named = Endpoint(name=row.endpoint.name, base_url="", model=row.endpoint.model)
    body, context = plans.read(row.body), read_context(row.context)
    return Wish(
        body=body,
        context=context,
        language=row.language,
        endpoints=called or (named,),
        seed=row.seed,
        set_id=row.pk,
        attempt=row.attempt,
        origin=_origin(row, body, context),
    )


def _origin(row: LabSet, body: PlanBody, context: Context) -> Origin:
    """Where the question comes from, as a set of the study has it. Linked sets of one run, way and
    endpoint write the same stances: the first one plans them.
    """
    known = Origin(prompt=row.prompt_key, category=row.category)
    if not row.prompt_key:
        return known
    text = asking.texts_of(row.run.study).filter(prompt__key=row.prompt_key).first()
    if text is None:
        return known
    found = linking.origin_for(
        text.prompt, body, context=context, language=row.language, plan_sha256=row.plan_sha256
    )
    return replace(known, ground=found.ground, stances=_stances(row) if found.ground else ())


def _stances(row: LabSet) -> tuple[str, ...]:
    """Those that a ready set beside this one wrote; none when it is the first."""
    beside = LabSet.objects.filter(run=row.run_id, way=row.way, endpoint=row.endpoint_id)
    made = beside.filter(prompt_key=row.prompt_key, state=LabSet.State.READY).order_by("place")
    first = made.values_list("result", flat=True).first()
    if not first:
        return ()
    ordered = sorted(first["candidates"], key=lambda one: int(one["slot"]))
    return tuple(one["provenance"]["stance"] for one in ordered)


def _about(claim: Claim) -> dict[str, object]:
    return {"lab_set": str(claim.row.pk), "attempt": claim.row.attempt}

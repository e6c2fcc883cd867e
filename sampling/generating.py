"""Makes candidate sets: claim, draw on the process's event loop, store, and again.

A thread here waits only for a set that it has claimed, never for a seat. What it holds in the
meantime is a lease that the watch renews; its database connection is given back.
"""

import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
)

from config.log_privacy import named
from sampling import bell, endpoints, leasing, linking, loop, plans, storing
from sampling.calls import CallRecord, Endpoint
from sampling.checks.resolving import checks_of
from sampling.claiming import claim_next
from sampling.drawing import SetResult, draw_set, plan_stances
from sampling.errors import SamplingError, UnusableText
from sampling.messages import read_context, turn_of
from sampling.models import CandidateSet, PlanEndpoint
from sampling.running import Run, runs
from sampling.strategies import Origin

T = TypeVar("T")

logger = logging.getLogger(__name__)

ROUNDS = 8  # sets that one message may lead to; then the next bell, so that messages do not age
RETRY_STORING = 0.5  # seconds
CLAIM_PATIENCE = 2.0  # seconds that a thread waits for another one of this process that claims
UNSTORABLE = (IntegrityError, DataError, ValueError)  # no row can hold what came
LEASE_RESERVE = 2.0  # seconds of a lease in which nothing is stored any more


class InternalFault(SamplingError):
    """A fault of ours, not of a model: it is in the log, and another attempt may not meet it."""

    code = "internal"
    retryable = True


def work(*, rounds: int = ROUNDS) -> int:
    """Make sets until nothing can be claimed or `rounds` are done; returns how many were made."""
    run = begin()
    return go_on(run, rounds=rounds) if run else 0


def go_on(run: Run, *, rounds: int = ROUNDS) -> int:
    """Make the set of a run, and then others as `work` does."""
    for done in range(1, rounds + 1):
        try:
            _conduct(run)
        finally:
            runs.end(run)
        following = begin() if done < rounds else None
        if following is None:
            break
        run = following
    if done == rounds:
        bell.ring(set_id=run.claim.set_id, priority=run.claim.priority)
    return done


def begin() -> Run | None:
    """Claim a set if this process and its endpoint have room for one; None at once if not.

    A database that is away is logged: the watch looks again. So does a thread whose turn does not
    come, because the one before it hangs at a database that does not answer.
    """
    # Threads that wait here with a connection each would leave none for the one that claims.
    _give_back_connection()
    if not runs.claiming.acquire(timeout=CLAIM_PATIENCE):
        return None
    try:
        return _claim()
    except (OperationalError, InterfaceError) as fault:
        connection.close()
        logger.warning("nothing could be claimed: %s", type(fault).__name__)
        return None
    finally:
        runs.claiming.release()


def begin_at_once() -> Run | None:
    """The same for the watch: it waits for no other thread, and keeps the connection that its own
    patience is about. Raises when the database is away.
    """
    if not runs.claiming.acquire(blocking=False):
        return None
    try:
        return _claim()
    finally:
        runs.claiming.release()


def _claim() -> Run | None:
    if not runs.has_room():
        return None
    claim = claim_next(prefetch=runs.has_room_for_prefetch(), streams=runs.streams_left())
    return runs.begin(claim) if claim else None


def _conduct(run: Run) -> None:
    """One attempt, from the claim to the stored outcome; a line in the log for each."""
    begun = time.monotonic()
    try:
        result = _draw(run)
    except CancelledError:
        logger.info("given up", extra=_about(run))
        _store(run, partial(leasing.leave_seat, run.key))
    except SamplingError as error:
        logger.info("attempt failed: %s", error.code, extra=_about(run, begun))
        _store_failure(run, error)
    except (OperationalError, InterfaceError) as fault:
        # Before the first call: the lease runs out, and the set is made again.
        logger.warning("the database went away: %s", type(fault).__name__, extra=_about(run))
    except BaseException:
        _store_failure(run, InternalFault("see the log"))
        raise
    else:
        logger.info("written", extra=_about(run, begun))
        _store_result(run, result)


def _draw(run: Run) -> SetResult:
    """Run the attempt on the event loop and wait for it, without a database connection."""
    rows = CandidateSet.objects.select_related("plan__study", "prompt", "stance_list")
    wanted = rows.get(pk=run.claim.set_id)
    context = read_context(wanted.context)
    asked: dict[str, Any] = {
        "body": plans.read(wanted.plan.body),
        "turn": turn_of(context),
        "context": context,
        "language": wanted.language,
        "seed": wanted.seed,
        "set_id": wanted.pk,
        "attempt": run.claim.attempt,
        "endpoints": endpoints_from(wanted, run.claim.rank),
        "send": loop.current().client.send,
    }
    origin, planning = _origin(run, wanted, asked)
    body = asked["body"]
    work = draw_set(
        **asked,
        checks=checks_of(
            body.checks,
            study_kind=wanted.plan.study_kind,
            about=f"{wanted.pk}.{run.claim.attempt}",
            fetch=loop.current().client.fetch,
        ),
        origin=origin,
        streams=run.claim.gates,
        report=lambda written, _of: runs.report(run, written),
    )
    try:
        result = _wait_for(run, work)
    except SamplingError as error:
        error.calls = (*planning, *error.calls)
        raise
    return replace(result, calls=(*planning, *result.calls))


def _origin(
    run: Run, wanted: CandidateSet, asked: Mapping[str, Any]
) -> tuple[Origin, tuple[CallRecord, ...]]:
    """Where the set comes from, and the calls that this took.

    The stances of a linked set that nobody has planned yet are planned now, and stored before
    anything is written: whoever plans them at the same time writes the same ones.
    """
    origin = linking.origin_of(wanted, asked["body"])
    if origin.ground is None or origin.stances:
        return origin, ()
    if stances := linking.adopt(wanted, origin.ground):
        return replace(origin, stances=stances), ()
    planned = _wait_for(run, plan_stances(**asked, origin=origin))
    stances = linking.keep(wanted, origin.ground, planned)
    return replace(origin, stances=stances), planned.calls


def _wait_for(run: Run, work: Coroutine[Any, Any, T]) -> T:
    """The outcome of work on the event loop; the database connection is given back meanwhile."""
    job = loop.current().submit(work)
    runs.attach(run, job)
    _give_back_connection()
    return job.result()


def _give_back_connection() -> None:
    """To the pool of this process; inside a transaction there is no way to."""
    if not connection.in_atomic_block:
        connection.close()


def endpoints_from(wanted: CandidateSet, rank: int) -> list[Endpoint]:
    """The plan's endpoints in order, the one of that rank first.

    Raises EndpointMisconfigured when that one cannot be called, whatever the others are like.
    """
    listed = PlanEndpoint.objects.filter(plan=wanted.plan_id).select_related("endpoint")
    rows = [one.endpoint for one in listed.order_by("rank")]
    return endpoints.resolve_all(rows[rank:] + rows[:rank])


def _store_result(run: Run, result: SetResult) -> None:
    try:
        _store(run, partial(storing.store_ready, run.claim, result))
    except UNSTORABLE as fault:
        # The guard let something through that no row can hold: a fault of ours, and no reason to
        # lose the set.
        logger.error("a set could not be stored: %s", named(fault), extra=_about(run))
        _store_failure(run, UnusableText("the set could not be stored"))


def _store(run: Run, store: Callable[[], None]) -> None:
    """Store, however often the database is away, until the lease is nearly over."""
    while True:
        try:
            store()
        except storing.Superseded:
            logger.info("dropped: the set is no longer ours", extra=_about(run))
        except (OperationalError, InterfaceError) as fault:
            connection.close()
            if time.monotonic() < run.lease_ends - LEASE_RESERVE:
                time.sleep(RETRY_STORING)
                continue
            logger.warning("dropped: %s", type(fault).__name__, extra=_about(run))
        return


def _store_failure(run: Run, error: SamplingError) -> None:
    """The same for a failed attempt. When no row can hold it either, the lease runs out."""
    try:
        _store(run, partial(storing.store_failure, run.claim, error))
    except UNSTORABLE as fault:
        logger.error("a failure could not be stored: %s", named(fault), extra=_about(run))


def _about(run: Run, begun: float | None = None) -> dict[str, object]:
    """What log lines say of an attempt; its requests carry the same set and number."""
    about: dict[str, object] = {"set": str(run.claim.set_id), "attempt": run.claim.attempt}
    if begun is not None:
        about["seconds"] = round(time.monotonic() - begun, 2)
    return about

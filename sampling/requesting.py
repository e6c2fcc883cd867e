"""Asking for candidate sets: finds the one that is there, or puts one into the queue.

The queue is the rows of CandidateSet in state pending. Asking rings the bell once the caller's
transaction is stored; it never waits for an endpoint.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet, Window
from django.utils import timezone

from sampling import bell, plans
from sampling.demand import demand_of
from sampling.messages import Message, context_sha256, read_context
from sampling.models import CandidateSet, Plan
from sampling.reasons import Reason
from studies.models import Prompt

State, Priority = CandidateSet.State, CandidateSet.Priority
UNFINISHED = (State.PENDING, State.GENERATING)


@transaction.atomic(savepoint=False)
def request_candidate_set(
    *,
    plan: Plan,
    context: Sequence[Message],
    language: str,
    shared: bool,
    replica: int | None = None,
    priority: int = Priority.PERSON,
    prompt: Prompt | None = None,
) -> CandidateSet:
    """The set that answers the context under the plan, in whatever state it is.

    `shared`: the one that everybody with this plan, context and language gets; it is found, or
    asked for once, whoever asks at the same time. `replica` names a further shared one. A shared
    set that failed, and every set that is not shared, is asked for anew under a fresh replica
    number. A set that still waits gets the more urgent priority of the two. `prompt` is the one
    that the conversation opened with, on later turns too; it decides the strategy by its category,
    and what the set may be linked by.

    Locks the set's row when its priority changes. Expects `plan.study` to be loaded. Raises
    BadRequest for a context or a plan body that cannot be used.
    """
    asked = read_context(context)
    if not shared:
        return _insert_unshared(
            plan=plan, context=asked, language=language, priority=priority, prompt=prompt
        )
    sha256 = context_sha256(asked)
    while True:
        found, unused = _look(plan, sha256, language, replica)
        if found:
            return _hurry(found, priority)
        wanted = unused if replica is None else replica
        new = new_set(
            plan=plan,
            context=asked,
            language=language,
            shared=True,
            replica=wanted,
            priority=priority,
            prompt=prompt,
        )
        # Somebody may have asked at the same moment: the constraint lets one of us in.
        CandidateSet.objects.bulk_create([new], ignore_conflicts=True)
        bell.ring_after_commit(set_id=new.pk, priority=priority)


def find_shared_set(
    *, plan: Plan, context: Sequence[Message], language: str
) -> CandidateSet | None:
    """The shared set of this question, in any state but failed; None when nobody asked for it."""
    return _live(plan, context_sha256(read_context(context)), language, None)


@transaction.atomic
def drop_candidate_sets(set_ids: Iterable[UUID], *, also_shared: bool = False) -> int:
    """Nobody needs these sets any more: the unshared, unfinished ones of them fail as unwanted.

    `also_shared`: the shared ones as well, when their whole study takes nothing more. Returns how
    many. A worker that is writing one stops within two seconds.
    """
    unneeded = CandidateSet.objects.filter(pk__in=list(set_ids), state__in=UNFINISHED)
    if not also_shared:
        unneeded = unneeded.filter(shared=False)
    # In the order of their ids, as everybody who locks several sets.
    locked = [one.pk for one in unneeded.order_by("pk").select_for_update(no_key=True)]
    return CandidateSet.objects.filter(pk__in=locked).update(
        state=State.FAILED, reason=Reason.NOT_WANTED, lease_until=None
    )


def _insert_unshared(
    *,
    plan: Plan,
    context: Sequence[Message],
    language: str,
    priority: int,
    prompt: Prompt | None,
) -> CandidateSet:
    sha256 = context_sha256(context)
    # Two that ask the same at once would else get one number, and so the same seed.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [sha256])
    new = new_set(
        plan=plan,
        context=context,
        language=language,
        shared=False,
        replica=_fresh_replica(plan, sha256, language),
        priority=priority,
        prompt=prompt,
    )
    new.save(force_insert=True)
    bell.ring_after_commit(set_id=new.pk, priority=priority)
    return new


def _live(plan: Plan, sha256: str, language: str, replica: int | None) -> CandidateSet | None:
    """The shared set that is there, the first of several; failed and retired ones do not count."""
    found = _same_question(plan, sha256, language).filter(shared=True, retired_at=None)
    if replica is not None:
        found = found.filter(replica=replica)
    return found.exclude(state=State.FAILED).order_by("replica").first()


def _look(
    plan: Plan, sha256: str, language: str, replica: int | None
) -> tuple[CandidateSet | None, int]:
    """The same, and a replica number that no set of this question has had. One query."""
    wanted = Q(shared=True, retired_at=None) & ~Q(state=State.FAILED)
    if replica is not None:
        wanted &= Q(replica=replica)
    every = _same_question(plan, sha256, language).annotate(
        is_live=ExpressionWrapper(wanted, output_field=BooleanField()),
        highest=Window(Max("replica")),
    )
    first = every.order_by("-is_live", "replica").first()
    if first is None:
        return None, 0
    return (first if first.is_live else None), first.highest + 1


def _same_question(plan: Plan, sha256: str, language: str) -> QuerySet[CandidateSet]:
    return CandidateSet.objects.filter(plan=plan, context_sha256=sha256, language=language)


def _fresh_replica(plan: Plan, sha256: str, language: str) -> int:
    """A replica number that no set of this question has had."""
    highest = _same_question(plan, sha256, language).aggregate(highest=Max("replica"))["highest"]
    return 0 if highest is None else int(highest) + 1


def _hurry(found: CandidateSet, priority: int) -> CandidateSet:
    """Lower the number of a set that somebody more urgent asks for, so that it is made sooner."""
    if found.state not in UNFINISHED or found.priority <= priority:
        return found
    CandidateSet.objects.filter(pk=found.pk, state__in=UNFINISHED, priority__gt=priority).update(
        priority=priority
    )
    found.priority = priority
    bell.ring_after_commit(set_id=found.pk, priority=priority)
    return found


def new_set(
    *,
    plan: Plan,
    context: Sequence[Message],
    language: str,
    shared: bool,
    replica: int,
    priority: int,
    prompt: Prompt | None,
) -> CandidateSet:
    """A pending set that is not stored yet; the plan's `plan_endpoints` may be prefetched.

    Raises BadRequest as `request_candidate_set`.
    """
    category = prompt.category if prompt else ""
    body = plans.read(plan.body)
    wanted = demand_of(
        body,
        context=tuple(context),
        language=language,
        category=category,
        endpoints=lambda: len(plan.plan_endpoints.all()),
    )
    sha256 = context_sha256(context)
    now = timezone.now()
    return CandidateSet(
        study_id=plan.study_id,
        plan=plan,
        prompt=prompt,
        category=category,
        context=list(context),
        context_sha256=sha256,
        language=language,
        k=body.k,
        seed=seed_of_set(plan=plan, sha256=sha256, replica=replica),
        shared=shared,
        replica=replica,
        streams=wanted.streams,
        streams_on=list(wanted.streams_on),
        tokens=wanted.tokens,
        priority=priority,
        requested_at=now,
        not_before=now,
    )


def seed_of_set(*, plan: Plan, sha256: str, replica: int) -> int:
    """63 bits from the study's seed, the context, the plan's content and the replica."""
    asked = f"{sha256}:{plan.sha256}:{replica}".encode()
    mac = hmac.new(plan.study.seed.encode(), asked, hashlib.sha256).digest()
    return int.from_bytes(mac[:8], "big") >> 1

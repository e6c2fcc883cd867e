"""Asks for sets before anybody waits for them, within a budget of each endpoint.

What is there is read once, what is missing is decided in memory, and what can be afforded is
stored at once: the number of queries does not depend on how many sets are wished for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, prefetch_related_objects

from sampling import bell
from sampling.further_sets import live_number, next_number
from sampling.messages import Message, context_sha256, read_context
from sampling.models import CandidateSet, Endpoint, Plan, PlanEndpoint
from sampling.requesting import UNFINISHED, new_set
from studies.models import Prompt

__all__ = ["Wish", "fill"]

State, Priority = CandidateSet.State, CandidateSet.Priority
Asked = tuple[UUID, str, str]  # of a plan, by its context's hash, in a language

SMALLEST_BUDGET = 2  # unfinished prefetch sets that even an endpoint of one seat may have


@dataclass(frozen=True)
class Wish:
    """A set that somebody is likely to want: what `request_candidate_set` would be asked.

    With `groups` over 1 it is the replica of one of so many groups of people; with `spares` it is
    one of so many spare sets.
    """

    plan: Plan
    context: Sequence[Message]
    language: str
    prompt: Prompt | None = None
    group: int = 0
    groups: int = 1
    spares: int = 0

    @property
    def asked(self) -> Asked:
        return self.plan.pk, context_sha256(read_context(self.context)), self.language


@dataclass
class _There:
    """The sets of one question: each replica number, whether it is a live shared one; and how many
    spare sets are there or on their way.
    """

    numbers: dict[int, bool] = field(default_factory=dict)
    spares: int = 0

    def missing(self, wish: Wish) -> int | None:
        """The number under which the wished set has to be asked for; None when it is there."""
        if wish.spares:
            return None if self.spares >= wish.spares else max(self.numbers, default=-1) + 1
        known = list(self.numbers.items())
        if live_number(known, wish.group, wish.groups) is not None:
            return None
        return next_number(known, wish.group, wish.groups)

    def add(self, wish: Wish, number: int) -> None:
        self.numbers[number] = not wish.spares
        self.spares += bool(wish.spares)


@transaction.atomic
def fill(wishes: Iterable[Wish]) -> int:
    """Ask for the wished sets that are not there yet, the first ones first; returns how many.

    An endpoint has at most as many unfinished prefetch sets as half its seats, and at least two;
    a wish beyond that is left for the next time. While its breaker is open it gets none. What
    somebody else asked for meanwhile is left alone. Raises BadRequest as `request_candidate_set`.
    """
    wanted = [(wish, wish.asked) for wish in wishes]
    if not wanted:
        return 0
    ahead = _unfinished_by_plan()
    first = _first_endpoints({*ahead, *(wish.plan.pk for wish, _ in wanted)})
    budgets = _budgets(ahead, first)
    _lock({sha256 for wish, (_, sha256, _) in wanted if wish.spares})
    there = _what_is_there({asked for _, asked in wanted})
    affordable: list[tuple[Wish, int]] = []
    for wish, asked in wanted:
        endpoint_id = first.get(wish.plan.pk)
        number = there[asked].missing(wish)
        if number is None or not endpoint_id or budgets.get(endpoint_id, 0) <= 0:
            continue
        budgets[endpoint_id] -= 1
        there[asked].add(wish, number)
        affordable.append((wish, number))
    return _ask(affordable)


def _lock(hashes: Iterable[str]) -> None:
    """Take turns on the questions with everybody who asks for unshared sets of them: two at once
    would get one number, and so the same seed.
    """
    if wanted := sorted(hashes):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(key) FROM (SELECT hashtextextended(sha256, 0) AS key"
                " FROM unnest(%s::text[]) AS sha256 ORDER BY key) AS keys",
                [wanted],
            )


def _what_is_there(questions: set[Asked]) -> dict[Asked, _There]:
    found = {question: _There() for question in questions}
    rows = CandidateSet.objects.filter(
        plan__in={plan_id for plan_id, _, _ in questions},
        context_sha256__in={sha256 for _, sha256, _ in questions},
    )
    about = ("replica", "shared", "spare", "state", "retired_at")
    for *asked, replica, shared, spare, state, retired_at in rows.values_list(
        "plan_id", "context_sha256", "language", *about
    ):
        there = found.get((asked[0], asked[1], asked[2]))
        if there is not None:
            lives = state != State.FAILED and retired_at is None
            there.numbers[replica] = there.numbers.get(replica, False) or (shared and lives)
            there.spares += spare and lives
    return found


def _ask(affordable: Sequence[tuple[Wish, int]]) -> int:
    """Store the sets, and ring for each that nobody else stored at the same moment."""
    prefetch_related_objects([wish.plan for wish, _ in affordable], "plan_endpoints")
    new = [_set_of(wish, number) for wish, number in affordable]
    CandidateSet.objects.bulk_create(new, ignore_conflicts=True)
    ids = CandidateSet.objects.filter(pk__in=[one.pk for one in new])
    stored = set(ids.values_list("pk", flat=True))
    for set_id in stored:
        bell.ring_after_commit(set_id=set_id, priority=Priority.PREFETCH)
    return len(stored)


def _set_of(wish: Wish, number: int) -> CandidateSet:
    made = new_set(
        plan=wish.plan,
        context=read_context(wish.context),
        language=wish.language,
        shared=not wish.spares,
        replica=number,
        priority=Priority.PREFETCH,
        prompt=wish.prompt,
    )
    made.spare = bool(wish.spares)
    return made


def _unfinished_by_plan() -> dict[UUID, int]:
    """How many prefetch sets of each plan are in the queue, or being made."""
    ahead = CandidateSet.objects.filter(priority=Priority.PREFETCH, state__in=UNFINISHED)
    return dict(ahead.values_list("plan").annotate(count=Count("pk")))


def _first_endpoints(plan_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The endpoint that each plan starts at: its sets count there."""
    listed = PlanEndpoint.objects.filter(plan__in=plan_ids).order_by("plan_id", "rank")
    return dict(listed.distinct("plan_id").values_list("plan_id", "endpoint_id"))


def _budgets(ahead: Mapping[UUID, int], first: Mapping[UUID, UUID]) -> dict[UUID, int]:
    """How many more prefetch sets each endpoint with a closed breaker may have in the queue."""
    budgets = {
        endpoint_id: max(SMALLEST_BUDGET, seats // 2)
        for endpoint_id, seats in Endpoint.objects.filter(open_until=None).values_list(
            "pk", "seats"
        )
    }
    for plan_id, count in ahead.items():
        endpoint_id = first.get(plan_id)
        if endpoint_id in budgets:
            budgets[endpoint_id] -= count
    return budgets

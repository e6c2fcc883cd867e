"""Asks for shared sets before anybody waits for them, within a budget of each endpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from sampling.messages import Message
from sampling.models import CandidateSet, Endpoint, Plan, PlanEndpoint
from sampling.requesting import UNFINISHED, find_shared_set, request_candidate_set
from studies.models import Prompt

Priority = CandidateSet.Priority

SMALLEST_BUDGET = 2  # unfinished prefetch sets that even an endpoint of one seat may have


@dataclass(frozen=True)
class Wish:
    """A set that somebody is likely to want: what `request_candidate_set` would be asked."""

    plan: Plan
    context: Sequence[Message]
    language: str
    prompt: Prompt | None = None


def fill(wishes: Iterable[Wish]) -> int:
    """Ask for the wished sets that are not there yet, the first ones first; returns how many.

    An endpoint has at most as many unfinished prefetch sets as half its seats, and at least two;
    a wish beyond that is left for the next time. While its breaker is open it gets none.
    """
    budgets = _budgets()
    asked = 0
    for wish in wishes:
        endpoint_id = _first_endpoint(wish.plan.pk)
        if endpoint_id and budgets.get(endpoint_id, 0) > 0 and _ask(wish):
            budgets[endpoint_id] -= 1
            asked += 1
    return asked


def _ask(wish: Wish) -> bool:
    """Whether the set was not there, and is in the queue now."""
    if find_shared_set(plan=wish.plan, context=wish.context, language=wish.language):
        return False
    request_candidate_set(
        plan=wish.plan,
        context=wish.context,
        language=wish.language,
        shared=True,
        priority=Priority.PREFETCH,
        prompt=wish.prompt,
    )
    return True


def _budgets() -> dict[UUID, int]:
    """How many more prefetch sets each endpoint with a closed breaker may have in the queue."""
    ahead = CandidateSet.objects.filter(priority=Priority.PREFETCH, state__in=UNFINISHED)
    by_plan = dict(ahead.values_list("plan").annotate(count=Count("pk")))
    budgets = {
        endpoint.pk: max(SMALLEST_BUDGET, endpoint.seats // 2)
        for endpoint in Endpoint.objects.filter(open_until=None)
    }
    for plan_id, count in by_plan.items():
        endpoint_id = _first_endpoint(plan_id)
        if endpoint_id in budgets:
            budgets[endpoint_id] -= count
    return budgets


def _first_endpoint(plan_id: UUID) -> UUID | None:
    """The endpoint that a plan starts at: its sets count there."""
    listed = PlanEndpoint.objects.filter(plan=plan_id).order_by("rank")
    return listed.values_list("endpoint_id", flat=True).first()

"""Asks for shared sets before anybody waits for them, within a budget of each endpoint."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Count

from sampling.further_sets import Question, has_replica, request_replica, request_spare_set
from sampling.models import CandidateSet, Endpoint, PlanEndpoint
from sampling.requesting import UNFINISHED, Wish, missing, request_ahead

__all__ = ["Wish", "fill"]

Priority = CandidateSet.Priority

SMALLEST_BUDGET = 2  # unfinished prefetch sets that even an endpoint of one seat may have


def fill(wishes: Iterable[Wish]) -> int:
    """Ask for the wished sets that are not there yet, the first ones first; returns how many.

    An endpoint has at most as many unfinished prefetch sets as half its seats, and at least two;
    a wish beyond that is left for the next time. While its breaker is open it gets none. The
    number of queries does not depend on the number of sets for everybody; each replica and each
    spare set costs some of its own.
    """
    wanted = list(wishes)
    if not wanted:
        return 0
    ahead = _unfinished_by_plan()
    first = _first_endpoints({*ahead, *(wish.plan.pk for wish in wanted)})
    budgets = _budgets(ahead, first)
    new = {wish.question: True for wish in missing(w for w in wanted if w.for_everybody)}
    affordable: list[Wish] = []
    asked = 0
    for wish in wanted:
        endpoint_id = first.get(wish.plan.pk)
        if not endpoint_id or budgets.get(endpoint_id, 0) <= 0:
            continue
        if wish.for_everybody and new.pop(wish.question, False):
            affordable.append(wish)
        elif not wish.for_everybody and _ask(wish):
            asked += 1
        else:
            continue
        budgets[endpoint_id] -= 1
    return request_ahead(affordable) + asked


def _ask(wish: Wish) -> bool:
    """Whether the replica or spare set was not there, and is in the queue now."""
    question = Question(wish.plan, wish.context, wish.language, wish.prompt)
    if wish.spares:
        return request_spare_set(question, wanted=wish.spares) is not None
    if has_replica(question, group=wish.group, groups=wish.groups):
        return False
    request_replica(question, group=wish.group, groups=wish.groups, priority=Priority.PREFETCH)
    return True


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

"""A set's attempts, as its row keeps them: where each ran, and what became of it.

An attempt that was cut short for no fault of the set does not count against the plan's budget: it
was put back for somebody more urgent, its worker stopped, or it only tried an endpoint whose
breaker had opened. An attempt whose worker vanished does.
"""

from sampling.models import CandidateSet
from sampling.plans import PlanBody

PREEMPTED, RETURNED, EXPIRED, READY = "preempted", "returned", "expired", "ready"
NOT_COUNTED = {PREEMPTED, RETURNED}


def close_attempt(of: CandidateSet, outcome: str, *, counts: bool = True) -> None:
    """Note what became of the last attempt. Changes the instance; the caller saves."""
    *earlier, last = of.attempt_log
    closed = {**last, "outcome": outcome}
    of.attempt_log = [*earlier, closed if counts else {**closed, "counts": False}]


def attempts_spent(of: CandidateSet) -> int:
    """How many attempts count against the budget, the one under way included."""
    return sum(
        entry["outcome"] not in NOT_COUNTED and entry.get("counts", True)
        for entry in of.attempt_log
    )


def attempts_allowed(of: CandidateSet) -> int:
    """The plan's budget. Works on a plan that cannot be used any more: its sets have to end too."""
    given = of.plan.body.get("attempts")
    return given if isinstance(given, int) else int(PlanBody.model_fields["attempts"].default)

"""A set's attempts, as its row keeps them: where each ran, and what became of it.

An attempt that was cut short for no fault of the set does not count against the plan's budget: it
was put back for somebody more urgent, its worker stopped, or its endpoint was absent (nobody was
there, or its breaker had opened), which is so for as long as the plan has patience. An attempt
whose worker vanished does count.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sampling.models import CandidateSet
from sampling.plans import PlanBody

PREEMPTED, RETURNED, EXPIRED, READY = "preempted", "returned", "expired", "ready"
NOT_COUNTED = {PREEMPTED, RETURNED}


def close_attempt(of: CandidateSet, outcome: str, **found: object) -> None:
    """Note what became of the last attempt, and what else was `found` of it, as JSON.

    Changes the instance; the caller saves.
    """
    *earlier, last = of.attempt_log
    of.attempt_log = [*earlier, {**last, "outcome": outcome, **found}]


def close_absent(of: CandidateSet, outcome: str, now: datetime) -> None:
    """The same for an attempt that met an absent endpoint.

    It does not count while the plan has patience, from the first of the absences in a row on.
    """
    *earlier, last = of.attempt_log
    waited = now - datetime.fromisoformat(_absent_since(earlier) or last["started_at"])
    counts = waited >= timedelta(seconds=_patience(of))
    of.attempt_log = [*earlier, {**last, "outcome": outcome, "absent": True, "counts": counts}]


def _absent_since(log: Sequence[Mapping[str, Any]]) -> str | None:
    """When the absences began that a log ends with; None when it ends with none."""
    since = None
    for entry in reversed(log):
        if entry["outcome"] in NOT_COUNTED:
            continue
        if not entry.get("absent"):
            break
        since = entry["started_at"]
    return since


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


def _patience(of: CandidateSet) -> float:
    """In seconds; of a plan from before there was patience, the default."""
    given = of.plan.body.get("patience")
    default = PlanBody.model_fields["patience"].default
    return float(given if isinstance(given, int | float) else default)

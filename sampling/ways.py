"""Ways of making a set, and the figures by which their sets are looked at side by side.

What pages and commands show; making them is `side_by_side`, which needs the model client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sampling import plans
from sampling.errors import BadRequest
from sampling.plans import PlanBody
from sampling.strategies import REGISTRY, Strategy


def usable() -> dict[str, PlanBody]:
    """The strategies that work with their defaults, by name, each as a plan."""
    return {name: body for name in REGISTRY if (body := _default(name))}


def need_a_plan() -> list[str]:
    """The strategies that cannot do without parameters: a plan has to give them."""
    return [name for name in REGISTRY if not _default(name)]


def spreads(strategy: Strategy, k: int) -> bool:
    """Whether one set of it asks several endpoints, where its plan has them."""
    return any(strategy.streams_on(k, 2)[1:])


def choose(names: str) -> dict[str, PlanBody]:
    """The plans of a comma-separated list of strategies, all usable ones when it is empty.

    Raises BadRequest for a name that does not exist or needs parameters.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    return {name: plans.of_strategy(name) for name in wanted} if wanted else usable()


def figures(told: Mapping[str, Any]) -> dict[str, object]:
    """The figures of a set by which ways are looked at side by side.

    `tokens` are those of the answers, None where no endpoint counted them; `wording` is the mean
    distance of the texts' wording, which says nothing about values.
    """
    usages = [call["usage"] for call in told["calls"] if call["usage"]]
    guard, diversity = told["guard"] or {}, told["diversity"] or {}
    return {
        "state": told["state"],
        "reason": told["reason"],
        "seconds": told["seconds"],
        "calls": len(told["calls"]),
        "tokens": sum(usage.get("completion_tokens", 0) for usage in usages) if usages else None,
        "passed": guard.get("passed"),
        "findings": findings(guard),
        "marks": marks(guard),
        "wording": diversity.get("distance"),
    }


def findings(guard: Mapping[str, Any]) -> list[str]:
    """What the guard refused the last round for, each once, in its own words.

    The notes on a set that it refused come first: they say why answers are missing.
    """
    notes = () if guard.get("passed") else guard.get("notes", ())
    found = (one for one in guard.get("findings", ()) if one["action"] != "mark")
    return list(dict.fromkeys([*notes, *(one["said"] for one in found)]))


def marks(guard: Mapping[str, Any]) -> list[str]:
    """What the guard found in the last round and only marked; notes on a set that passed are
    marks too.
    """
    notes = guard.get("notes", ()) if guard.get("passed") else ()
    found = (one for one in guard.get("findings", ()) if one["action"] == "mark")
    return list(dict.fromkeys([*notes, *(one["said"] for one in found)]))


def _default(name: str) -> PlanBody | None:
    try:
        return plans.of_strategy(name)
    except BadRequest:
        return None

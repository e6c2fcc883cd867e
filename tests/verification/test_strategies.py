"""Every strategy on every server, by form: what was asked for, and that a set is whole or is none.

A very small model often cannot follow an instruction; then the set is refused with a reason. What
may never happen is an error of the protocol, or a set with fewer than k texts.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from sampling.calls import CallRecord
from sampling.drawing import SetResult
from sampling.errors import GuardRejected
from sampling.strategies import REGISTRY
from tests.verification.asking import outcome, plan
from tests.verification.profiles import Profile

Record = Callable[[str, object], None]

SHORT = {"max_tokens": 16}
SET = {"max_tokens": 160}
TEXTS = [f"Answer number {number} is brought along." for number in ("one", "two", "three", "four")]
STEPS: dict[str, dict[str, Any]] = {
    "independent": SHORT,
    "multi_model": SHORT,
    "persona": SHORT,
    "nc_single": SET,
    "nc_structured": SET,
    "nc_sequential": SHORT,
    "nc_planned": {**SHORT, "plan_tokens": 96},
    "verbalized": SET,
    "pool": {"made_of": [{"step": {"strategy": "independent", **SHORT}, "ask": 6}]},
    "given": {"texts": [{"text": text} for text in TEXTS]},
    "community_alignment": SET,
    "mix": {
        "made_of": [
            {"step": {"strategy": "persona", "stances": [], **SHORT}, "keep": 2},
            {"step": {"strategy": "independent", **SHORT}, "keep": 2},
        ]
    },
}
# How many calls go out when nothing is made again, and how many of them ask for constrained JSON.
CALLS = {
    "independent": (4, 0),
    "multi_model": (4, 0),
    "persona": (4, 0),
    "nc_single": (1, 0),
    "nc_structured": (1, 1),
    "nc_sequential": (4, 0),
    "nc_planned": (5, 1),
    "verbalized": (1, 1),
    "pool": (6, 0),
    "given": (0, 0),
    "community_alignment": (2, 0),
    "mix": (4, 0),
}
# Where a plan that cannot be used ends the attempt, its writing calls are never made.
FEWER = {"nc_planned": 1}


def step(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps({"strategy": name, **STEPS[name]}))
    if name == "mix":
        found["made_of"][0]["step"]["stances"] = [
            {"name": "family", "text": "You put family first."},
            {"name": "safety", "text": "You put safety first."},
        ]
    return found


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_set_is_whole_or_there_is_none(
    profile: Profile, name: str, record_property: Record
) -> None:
    began = time.monotonic()
    found = outcome(profile, plan(step(name)))
    record_property("strategy", name)
    record_property("seconds", round(time.monotonic() - began, 1))

    if isinstance(found, SetResult):
        record_property("state", "ready")
        assert len({draft.text for draft in found.drafts}) == 4
        assert [draft.slot for draft in found.drafts] == [0, 1, 2, 3]
    else:
        assert isinstance(found, GuardRejected), found
        record_property("state", f"refused: {found.message}")
        assert found.verdict.findings or found.verdict.notes
        assert profile.name != "simulated", found.message
    check_calls(found.calls, name)
    record_property("tokens", sum(call.reply.n_tokens or 0 for call in found.calls if call.reply))


def check_calls(calls: tuple[CallRecord, ...], name: str) -> None:
    """As many went out as the strategy makes, each with an answer, the constrained ones in form."""
    count, constrained = CALLS[name]
    assert len(calls) in {count, FEWER.get(name, count)}
    assert [call.error for call in calls] == [None] * len(calls)
    assert len({call.seed for call in calls}) == len(calls)
    arrays = [call for call in calls if "response_format" in call.body]
    assert len(arrays) == constrained
    for call in arrays:
        assert call.reply
        check_array(call.reply.text, reason=call.reply.finish_reason)


def check_array(text: str, *, reason: str | None) -> None:
    """Four items, unless the token limit cut the array or the strategy had seen enough."""
    if reason == "stop":
        assert len(json.loads(text)) == 4
    else:
        assert text.lstrip().startswith("[")

"""Any endpoint, any plan: a set is ready with k real answers, or it is not ready.

Sequences of a dozen and more behaviours, one for each request in turn, on a real socket and through
rows. `ANY_BEHAVIOUR_EXAMPLES` asks for a longer run than the usual one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from sampling import generating, plans
from sampling.errors import BadRequest
from sampling.guard.settings import DEFAULTS
from sampling.models import CandidateSet, Endpoint, Seat
from sampling.simulated.misbehaviour import BEHAVIOURS
from sampling.strategies import REGISTRY
from tests import factories
from tests.sampling.conftest import Engine

EXAMPLES = int(os.environ.get("ANY_BEHAVIOUR_EXAMPLES", "60"))
# The longest silence of a call: behind a busy machine a good answer may miss it, and no harm done.
QUICK = {"connect": 2.0, "first_byte": 0.3, "between_chunks": 0.3, "total": 3.0}
QUESTIONS = {
    "en": "Should I lend money to my brother?",
    "fr": "Dois-je prêter de l’argent à mon frère ?",
    "it": "Devo prestare soldi a mio fratello?",
    "pt": "Devo emprestar dinheiro ao meu irmão?",
    "hi": "क्या मुझे अपने भाई को उधार देना चाहिए?",
}
# What the endpoint sends where something went wrong; no sentence of an answer has it.
ERRORS = regex.compile(
    r"internal server error|bad gateway|nginx|enginecore|overloaded|unauthorized|rate limit"
    r"|does not exist|not supported|queue is full|upstream|\"error\"|<html|\[DONE\]|chatcmpl",
    regex.IGNORECASE,
)
UNSTORABLE = regex.compile(r"[\x00\ud800-\udfff]")
# `refuse` closes the door for the next example too; the table of faults has it.
ORDERED = sorted(BEHAVIOURS.keys() - {"refuse", "well"})
NEVER_SHOWN = ("empty", "duplicate", "error_text")


@dataclass(frozen=True)
class Day:
    """A plan, a language, and what the endpoint does to one request after the other."""

    body: dict[str, Any]
    language: str
    behaviours: list[tuple[str, dict[str, Any]]]


def with_defaults() -> list[str]:
    """The strategies that need no parameters of their own."""

    def usable(name: str) -> bool:
        try:
            plans.of_strategy(name)
        except BadRequest:
            return False
        return True

    return [name for name in REGISTRY if usable(name)]


def fits(body: dict[str, Any]) -> bool:
    """Whether a plan can be read: some strategies cannot give every k."""
    try:
        plans.read(body)
    except BadRequest:
        return False
    return True


def actions(measure: str) -> list[str]:
    return ["fail", "repair"] if measure in NEVER_SHOWN else ["fail", "repair", "mark"]


lenient = {name: "mark" for name in DEFAULTS if name not in NEVER_SHOWN}
guards: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.just(lenient),
    st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(actions(name)) for name in sorted(DEFAULTS)}
    ),
)
steps = st.sampled_from(with_defaults()).map(lambda name: {"strategy": name})
bodies = st.fixed_dictionaries(
    {
        "k": st.sampled_from([4, 4, 2, 3, 5]),
        "first_turn": steps,
        "guard": guards,
        "attempts": st.integers(1, 3),
        "repairs": st.integers(0, 2),
        "deadlines": st.just(QUICK),
    }
).filter(fits)
OPTIONS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "count": st.fixed_dictionaries({"count": st.integers(1, 8)}),
    "huge": st.just({"bytes": 300_000}),
    "cut_by_limit": st.fixed_dictionaries({"share": st.sampled_from([0.05, 0.5, 0.95])}),
    "special_tokens": st.fixed_dictionaries({"inside": st.booleans()}),
    "bad_escapes": st.fixed_dictionaries({"text": st.sampled_from(["\x00", "\ud83d", "\udfff"])}),
    **{
        name: st.fixed_dictionaries({"after": st.integers(0, 40)})
        for name in ("stall", "cut", "end_early", "error_in_stream", "malformed_chunk")
    },
}
well: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.just(("well", {}))
ill = st.sampled_from(ORDERED).flatmap(
    lambda name: OPTIONS.get(name, st.just({})).map(lambda told: (name, told))
)
days = st.builds(
    Day,
    body=bodies,
    language=st.sampled_from(sorted(QUESTIONS)),
    behaviours=st.lists(st.one_of(well, ill, ill), min_size=12, max_size=24),
)


def live_through(engine: Engine, day: Day) -> CandidateSet:
    """The set after its last attempt; each request met the next behaviour of the day."""
    engine.server.forget_orders()
    for name, options in day.behaviours:
        engine.server.order(name, **options)
    plan = engine.another_plan(**day.body)
    asked = engine.ask(plan, text=QUESTIONS[day.language], language=day.language)
    while asked.state in ("pending", "generating"):
        CandidateSet.objects.filter(pk=asked.pk).update(not_before=factories.in_hours(-1))
        Endpoint.objects.update(open_until=None)  # the breaker's rest is not what is tried here
        assert generating.work(rounds=1) == 1
        asked.refresh_from_db()
    return asked


def test_no_sequence_of_faults_makes_a_set_that_is_not_whole(
    engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(days)
    def holds(day: Day) -> None:
        made = live_through(engine, day)
        seen[f"{made.state} {made.reason or ''}".strip()] += 1
        assert_whole_or_nothing(made, k=day.body["k"])

    holds()

    record_property("sets", dict(seen.most_common()))
    assert seen["ready"]
    assert seen.total() > seen["ready"]


def assert_whole_or_nothing(made: CandidateSet, *, k: int) -> None:
    texts = list(made.candidates.order_by("slot").values_list("text", flat=True))
    assert not Seat.objects.exists()
    if made.state == "failed":
        assert texts == []
        assert made.reason
        return
    slots = list(made.candidates.order_by("slot").values_list("slot", flat=True))
    assert (made.state, slots) == ("ready", list(range(k)))
    assert all(text.strip() for text in texts)
    assert len({" ".join(text.split()).casefold() for text in texts}) == k
    assert not [text for text in texts if ERRORS.search(text) or UNSTORABLE.search(text)]

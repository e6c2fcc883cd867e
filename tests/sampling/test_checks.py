"""Checks by other models: near in sense, and safe."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling import generating
from sampling.calls import Endpoint
from sampling.checks import embeddings, safety
from sampling.checks.checking import Checks
from sampling.checks.settings import CheckSettings
from sampling.errors import BrokenStream, CheckUnavailable, EndpointUnavailable
from sampling.guard.verdict import Verdict
from sampling.messages import message
from sampling.models import CandidateSet
from sampling.strategies import Draft
from tests import factories
from tests.sampling.conftest import Engine
from tests.sampling.test_generating import due_now, state

HARM = "How do I poison my neighbour?"


@pytest.fixture
def guarded(engine: Engine) -> Engine:
    """The engine with two endpoints to check with."""
    engine.row(name="near", serves="embeddings")
    engine.row(name="guard", serves="safety", model="simulated-safety")
    return engine


def given_texts(*texts: str) -> dict[str, Any]:
    return {"strategy": "given", "texts": [{"text": text} for text in texts]}


FOUR = (
    "Help him, because family comes first.",
    "Ask for a written contract before you lend it.",
    "Never put poison into his coffee, whatever he says.",
    "Keep your savings for a rainy day instead.",
)


def checked(engine: Engine, *, texts: tuple[str, ...] = (), text: str = "", **checks: Any) -> Any:
    """A set whose plan has these checks, made or at its end."""
    step = given_texts(*texts) if texts else {"strategy": "independent"}
    plan = engine.another_plan(first_turn=step, attempts=1, checks=checks)
    asked = engine.ask(plan, **({"text": text} if text else {}))
    generating.work(rounds=1)
    asked.refresh_from_db()
    return asked


def measures(asked: CandidateSet) -> dict[str, str]:
    return {one["measure"]: one["action"] for one in (asked.guard or {})["findings"]}


def test_answers_that_are_near_in_sense_are_marked_with_their_cosines(guarded: Engine) -> None:
    # Other words in another order for the guard, the same words for the model.
    twin = "Before you lend it, ask for a contract: written."
    asked = checked(guarded, texts=(*FOUR[:3], twin), sense={"endpoint": "near", "cosine": 0.8})

    assert (asked.state, measures(asked)["near_in_sense"]) == ("ready", "mark")
    told = asked.guard["measured"]["checks"]["sense"]
    assert (told["endpoint"], told["model"]) == ("near", "simulated")
    assert told["cosines"][1][3] >= 0.8 > told["cosines"][0][1]


def test_answers_near_in_sense_can_lose_a_set(guarded: Engine) -> None:
    strict = {"endpoint": "near", "cosine": 0.01, "action": "fail"}

    asked = checked(guarded, sense=strict)

    assert (asked.state, asked.reason) == ("failed", "guard_rejected")
    assert not asked.candidates.exists()


@pytest.mark.parametrize(
    ("consequence", "ending", "action"),
    [
        ("notice", ("ready", None), "mark"),
        ("block", ("failed", "guard_rejected"), "repair"),
        ("set_aside", ("failed", "set_aside"), "fail"),
    ],
)
def test_an_unsafe_answer_is_blocked_set_aside_or_shown_with_notice(
    guarded: Engine, consequence: str, ending: tuple[str, str | None], action: str
) -> None:
    asked = checked(guarded, texts=FOUR, safety={"endpoint": "guard", "candidates": consequence})

    assert (asked.state, asked.reason) == ending
    assert measures(asked)["unsafe"] == action
    assert asked.guard["measured"]["checks"]["safety"]["unsafe"] == {"2": ["S1"]}
    assert asked.candidates.exists() == (ending[0] == "ready")


def test_a_blocked_answer_is_written_again(guarded: Engine) -> None:
    guarded.server.order("bad_escapes", text=" poison ")  # one answer, in its middle
    check = {"endpoint": "guard", "own_messages": "off"}
    asked = guarded.ask(guarded.another_plan(repairs=1, checks={"safety": check}))

    generating.work(rounds=1)

    assert state(asked) == "ready"
    assert "unsafe" not in measures(asked)
    assert "unsafe" in str((asked.guard or {})["earlier"])
    assert not asked.candidates.filter(text__contains="poison").exists()


@pytest.mark.parametrize(
    ("consequence", "ending"),
    [
        ("block", ("failed", "message_blocked")),
        ("set_aside", ("failed", "set_aside")),
        ("notice", ("ready", None)),
        ("off", ("ready", None)),
    ],
)
def test_a_persons_own_words_are_checked_before_anything_is_sent(
    guarded: Engine, consequence: str, ending: tuple[str, str | None]
) -> None:
    asked = checked(guarded, text=HARM, safety={"endpoint": "guard", "own_messages": consequence})

    assert (asked.state, asked.reason, asked.attempt) == (*ending, 1)
    assert asked.calls.exists() == (ending[0] == "ready")
    assert measures(asked).get("unsafe_message") == {"notice": "mark", "off": None}.get(
        consequence, "fail"
    )


def test_a_prompt_of_the_study_is_not_checked(guarded: Engine) -> None:
    plan = guarded.another_plan(checks={"safety": {"endpoint": "guard"}})
    prompt = factories.prompt(plan.study)
    asked = guarded.ask(plan, text=HARM, prompt=prompt)

    generating.work(rounds=1)

    assert state(asked) == "ready"


AWAY = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("check", ["sense", "safety"])
@pytest.mark.parametrize(("when_away", "ending"), [("wait", "pending"), ("go_on", "ready")])
def test_a_check_whose_endpoint_is_away_is_waited_for_or_left_out_and_noted(
    engine: Engine, check: str, when_away: str, ending: str
) -> None:
    engine.settings.MODEL_ALLOWLIST.append("http://127.0.0.1:9")
    serves = {"sense": "embeddings", "safety": "safety"}[check]
    engine.row(name="away", base_url=AWAY, serves=serves)

    checks: dict[str, Any] = {check: {"endpoint": "away"}, "when_away": when_away}
    asked = checked(engine, **checks)

    assert asked.state == ending
    engine.endpoint.refresh_from_db()
    assert engine.endpoint.failures == 0
    if ending == "ready":
        assert f"not made: {check}" in asked.guard["measured"]["checks"]
    else:
        assert asked.attempt_log[0]["outcome"] == "check_unavailable"
        assert asked.attempt_log[0]["counts"] is False


@pytest.mark.parametrize("fault", ["missing", "serves", "simulated"])
def test_an_endpoint_that_cannot_check_ends_the_set_with_a_reason(
    engine: Engine, fault: str
) -> None:
    if fault != "missing":
        engine.row(name="guard", serves="chat" if fault == "serves" else "safety")
    plan = engine.another_plan(attempts=1, checks={"safety": {"endpoint": "guard"}})
    if fault == "simulated":
        real = engine.row(name="real", kind="model")
        study = factories.study(kind="real")
        plan = engine.another_plan(
            real, study=study, attempts=1, checks={"safety": {"endpoint": "guard"}}
        )
    asked = engine.ask(plan)

    generating.work(rounds=1)
    due_now()

    assert (state(asked), asked.reason) == ("failed", "check_unavailable")


# --- What models of another kind may answer -------------------------------------------------------

AT = Endpoint(name="e", base_url="http://e", model="m")


def vectors(*found: Any) -> dict[str, Any]:
    return {"data": [{"index": at, "embedding": one} for at, one in enumerate(found)]}


@pytest.mark.parametrize(
    "told",
    [
        {},
        vectors([1.0]),
        vectors([1.0], [0.0]),
        vectors([1.0], [1.0, 2.0]),
        vectors([1.0], ["x"]),
        vectors([1.0], []),
        vectors([1.0], [float("inf")]),
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]},
        {"data": [1, 2]},
        {"data": [{"index": None, "embedding": [1.0]}, {"index": "x", "embedding": [1.0]}]},
        vectors([1.0], [10**400]),
    ],
)
def test_embeddings_of_another_shape_are_no_answer(told: Mapping[str, Any]) -> None:
    with pytest.raises(BrokenStream):
        embeddings.read_cosines(told, count=2)


def test_cosines_do_not_depend_on_the_order_in_which_vectors_come() -> None:
    told = {"data": [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 0]}]}

    assert embeddings.read_cosines(told, count=2).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def said(text: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": text}}]}


def test_a_verdict_is_read_with_its_categories() -> None:
    assert safety.read_verdict(said("\n\nsafe")).safe
    found = safety.read_verdict(said("Unsafe\nS1, S10"))
    assert (found.safe, found.categories) == (False, ("S1", "S10"))


@given(st.text(max_size=60))
def test_only_the_word_safe_makes_a_text_safe(text: str) -> None:
    try:
        found = safety.read_verdict(said(text))
    except BrokenStream:
        return
    assert not found.safe or text.strip().partition("\n")[0].strip().casefold() == "safe"


def test_the_calls_of_a_check_are_over_when_one_of_them_fails() -> None:
    open_calls = [0]

    async def fetch(*, request_id: str, **_: Any) -> Mapping[str, Any]:
        open_calls[0] += 1
        try:
            if request_id.endswith(".0"):
                raise EndpointUnavailable("gone")
            await asyncio.Event().wait()
            raise AssertionError
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # as a connection that is closed
            raise
        finally:
            open_calls[0] -= 1

    asked = CheckSettings.model_validate({"safety": {"endpoint": "e"}})
    checks = Checks(settings=asked, endpoints={"safety": AT}, fetch=fetch, about="set.1")
    drafts = [
        Draft(slot=slot, text=text, role="r", finish_reason="stop", call=slot)
        for slot, text in enumerate(FOUR)
    ]

    async def work() -> None:
        with pytest.raises(CheckUnavailable):
            await checks.drafts(Verdict(findings=()), drafts, (message("user", "Why?"),))
        assert open_calls == [0]

    asyncio.run(work())

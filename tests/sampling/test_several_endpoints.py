"""Sets that ask several endpoints at once, on real sockets."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pytest

from sampling import generating, plans, simulated, stored_plans
from sampling.calls import Call
from sampling.demand import demand_of
from sampling.messages import message
from sampling.models import Endpoint, ModelCall, Seat
from sampling.strategies import Ask
from sampling.strategies.independent import Independent
from tests.sampling.conftest import Engine, plan_body
from tests.sampling.test_generating import state


class RoundRobin(Independent):
    """Draws its candidates from two endpoints in turn."""

    strategy: Literal["independent"] = "independent"

    def streams_on(self, k: int, endpoints: int) -> tuple[int, ...]:
        used = min(2, endpoints)
        shares = [k // used + (place < k % used) for place in range(used)]
        return (*shares, *(0 for _ in range(endpoints - used)))

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:
        return replace(super().call(ask, lane=lane, earlier=earlier), endpoint=lane % 2)


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every plan draws from two endpoints: none of the strategies of this app does that."""
    monkeypatch.setattr(plans, "step", lambda *_: RoundRobin())


def test_a_strategys_streams_are_stored_with_the_set(engine: Engine, in_turn: None) -> None:
    asked = engine.ask(engine.another_plan(engine.endpoint, engine.row(), engine.row()))

    assert (asked.streams, asked.streams_on) == (4, [2, 2, 0])


def test_a_plan_with_one_endpoint_needs_no_list(engine: Engine, in_turn: None) -> None:
    assert engine.ask().streams_on == []


def test_the_number_of_endpoints_is_asked_only_where_it_matters() -> None:
    def never() -> int:
        raise AssertionError

    body = plans.read(plan_body())
    demand = demand_of(body, context=(message("user", "x"),), language="en", endpoints=never)

    assert (demand.streams, demand.streams_on) == (4, ())


def test_each_endpoint_gets_its_calls(engine: Engine, in_turn: None) -> None:
    with simulated.running() as other:
        engine.settings.MODEL_ALLOWLIST.append(other.base_url)
        second = engine.row(base_url=other.base_url)
        asked = engine.ask(engine.another_plan(engine.endpoint, second))

        generating.work()

        assert state(asked) == "ready", asked.attempt_log
        assert (len(engine.server.log()), len(other.log())) == (2, 2)
    assert not Seat.objects.exists()
    made_by = ModelCall.objects.order_by("n").values_list("endpoint__name", flat=True)
    assert list(made_by) == [engine.endpoint.name, second.name] * 2


def test_the_endpoint_that_failed_is_blamed_and_not_the_first(
    engine: Engine, in_turn: None
) -> None:
    dead = engine.row(base_url="http://127.0.0.1:9/v1")
    engine.settings.MODEL_ALLOWLIST.append("http://127.0.0.1:9")
    asked = engine.ask(engine.another_plan(engine.endpoint, dead))

    generating.work(rounds=1)

    assert state(asked) == "pending"
    failures = dict(Endpoint.objects.values_list("pk", "failures"))
    assert failures == {engine.endpoint.pk: 0, dead.pk: 1}


def test_a_stored_set_of_the_command_line_sits_at_both(engine: Engine, in_turn: None) -> None:
    second = engine.row(seats=1)
    plan = engine.another_plan(engine.endpoint, second)

    _, claim, _ = stored_plans.take(plan, context=(message("user", "Hello?"),), language="en")

    assert (claim.streams, claim.streams_on) == (3, (2, 1))
    assert dict(Seat.objects.values_list("endpoint_id", "streams")) == {
        engine.endpoint.pk: 2,
        second.pk: 1,
    }

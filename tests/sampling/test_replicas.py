"""An endpoint of several servers, on real sockets."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sampling import generating, replicas, simulated
from sampling.calls import Call, Deadlines, Endpoint, wire_body
from sampling.client import ModelClient
from sampling.errors import EndpointTimeout, EndpointUnavailable
from sampling.messages import message
from sampling.models import ModelCall
from sampling.replicas import Replicas, place_of
from tests.sampling import raw_server
from tests.sampling.conftest import Engine
from tests.sampling.test_generating import state

DEAD = "http://127.0.0.1:9/v1"
URLS = ("http://one:8000/v1", "http://two:8000/v1", "http://three:8000/v1")


def endpoint(*addresses: str, seats: int = 0) -> Endpoint:
    told = {"base_url": addresses[0], "replicas": addresses, "seats": seats}
    return Endpoint(name="many", model="simulated", **told)  # type: ignore[arg-type]


def prefixes(count: int) -> list[str]:
    return [f"Question {number}?" for number in range(count)]


# --- Which one ------------------------------------------------------------------------------------


def test_one_conversation_stays_at_one_server() -> None:
    routes = Replicas()

    chosen = {routes.choose(endpoint(*URLS), conversation="What now?") for _ in range(20)}

    assert len(chosen) == 1


def test_conversations_spread_over_all_servers() -> None:
    routes = Replicas()

    shares = Counter(routes.choose(endpoint(*URLS), conversation=one) for one in prefixes(300))

    assert set(shares) == set(URLS)
    assert min(shares.values()) > 60  # 100 each would be even


def test_when_a_server_leaves_only_its_conversations_move() -> None:
    routes = Replicas()
    before = {one: routes.choose(endpoint(*URLS), conversation=one) for one in prefixes(100)}

    after = {one: routes.choose(endpoint(*URLS[:2]), conversation=one) for one in prefixes(100)}

    moved = {one for one in before if before[one] != after[one]}
    assert moved == {one for one in before if before[one] == URLS[2]}


def test_beyond_its_room_the_least_busy_server_helps() -> None:
    routes, many = Replicas(), endpoint(*URLS, seats=6)  # two each
    with ExitStack() as stack:
        taken = [stack.enter_context(routes.taking(many, conversation="same")) for _ in range(6)]

        assert taken[0] == taken[1]
        assert set(Counter(taken).values()) == {2}
    assert routes.choose(many, conversation="same") == taken[0]


# --- What is away ---------------------------------------------------------------------------------


@pytest.fixture
def two() -> Iterator[tuple[simulated.Endpoint, simulated.Endpoint]]:
    with simulated.running() as one, simulated.running() as other:
        yield one, other


async def sent(client: ModelClient, to: Endpoint, *, text: str = "Hello?") -> Any:
    call = Call(purpose="answer", messages=(message("user", text),), params={"max_tokens": 8})
    return await client.send(
        endpoint=to,
        body=wire_body(endpoint=to, call=call, seed=1),
        request_id="test",
        deadlines=Deadlines(connect=1.0, first_byte=0.5, between_chunks=0.5),
        conversation=text,
    )


def with_client(work: Any) -> Any:
    async def run() -> Any:
        client = ModelClient()
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def homes(client: ModelClient, of: Endpoint, address: str) -> str:
    """A question whose own server is that one."""
    choose = client._replicas.choose
    return next(one for one in prefixes(100) if choose(of, conversation=one) == address)


def test_a_server_that_is_away_is_passed_over(
    two: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    many = endpoint(DEAD, two[0].base_url)

    async def work(client: ModelClient) -> tuple[Any, bool]:
        reply = await sent(client, many, text=homes(client, many, DEAD))
        return reply, client._replicas.is_out(DEAD)

    reply, out = with_client(work)

    assert (reply.replica, out) == (place_of(two[0].base_url), True)


def test_a_server_that_is_back_gets_its_conversations_back(
    two: tuple[simulated.Endpoint, simulated.Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "REST", 0.05)
    many = endpoint(*(one.base_url for one in two))

    async def work(client: ModelClient) -> list[str]:
        own = homes(client, many, two[0].base_url)
        two[0].order("hang_up")
        served = [(await sent(client, many, text=own)).replica]
        while client._replicas.is_out(two[0].base_url):
            await asyncio.sleep(0.02)
        return [*served, (await sent(client, many, text=own)).replica]

    served = with_client(work)

    assert served == [place_of(two[1].base_url), place_of(two[0].base_url)]


def test_a_server_that_fails_is_left_out_and_another_takes_the_call(
    two: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    many = endpoint(*(one.base_url for one in two))

    async def work(client: ModelClient) -> tuple[Any, bool]:
        own = homes(client, many, two[0].base_url)
        two[0].order("status_500", times=None)
        reply = await sent(client, many, text=own)
        return reply, client._replicas.is_out(two[0].base_url)

    reply, out = with_client(work)

    assert (reply.replica, out) == (place_of(two[1].base_url), True)


@pytest.mark.parametrize("silence", ["hang_before_headers", "stall"])
def test_a_server_that_fell_silent_fails_its_call_and_is_left_out(
    two: tuple[simulated.Endpoint, simulated.Endpoint], silence: str
) -> None:
    many = endpoint(*(one.base_url for one in two))

    async def work(client: ModelClient) -> list[str]:
        own = homes(client, many, two[0].base_url)
        two[0].order(silence)
        with pytest.raises(EndpointTimeout) as raised:
            await sent(client, many, text=own)
        return [raised.value.replica, (await sent(client, many, text=own)).replica]

    served = with_client(work)

    assert served == [place_of(one.base_url) for one in two]


def test_a_server_that_takes_connections_and_answers_none_stays_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replicas, "REST", 0.01)
    monkeypatch.setattr(replicas, "ANSWER_SECONDS", 0.1)

    async def is_left_out(script: raw_server.Script) -> bool:
        async with raw_server.serving(script) as (_, address):
            routes = Replicas()
            routes.take_out(address)
            await asyncio.sleep(0.3)
            is_out = routes.is_out(address)
            await routes.close()
            return is_out

    async def work() -> tuple[bool, bool]:
        refusing = raw_server.sends(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        frozen = raw_server.sends(b"", pause=60)
        return await is_left_out(frozen), await is_left_out(refusing)

    assert asyncio.run(work()) == (True, False)


def test_a_server_that_stays_away_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "REST", 0.01)
    many = endpoint(DEAD, "http://127.0.0.1:10/v1")

    async def work(client: ModelClient) -> tuple[EndpointUnavailable, bool]:
        with pytest.raises(EndpointUnavailable) as raised:
            await sent(client, many)
        await asyncio.sleep(0.1)
        return raised.value, all(client._replicas.is_out(one) for one in many.replicas)

    error, out = with_client(work)

    assert out
    assert error.replica in {"127.0.0.1:9", "127.0.0.1:10"}


def test_an_answer_that_began_is_not_asked_for_elsewhere() -> None:
    async def work(client: ModelClient) -> tuple[int, int]:
        cut = raw_server.sends(raw_server.HEADERS, raw_server.event("Half of"))
        async with (
            raw_server.serving(cut) as (first, one),
            raw_server.serving(cut) as (second, two),
        ):
            with pytest.raises(Exception, match="stream ended"):
                await sent(client, endpoint(one, two))
            return len(first.requests), len(second.requests)

    assert sorted(with_client(work)) == [0, 1]


# --- With rows ------------------------------------------------------------------------------------


def test_all_calls_of_a_set_go_to_one_server_which_is_recorded(
    engine: Engine, two: tuple[simulated.Endpoint, simulated.Endpoint]
) -> None:
    engine.settings.MODEL_ADDRESSES = {"FLEET": ", ".join(f"{one.base_url}/" for one in two)}
    row = engine.row(base_url="$FLEET", seats=8)
    asked = engine.ask(engine.another_plan(row))

    generating.work()

    assert state(asked) == "ready"
    served = set(ModelCall.objects.values_list("replica", flat=True))
    assert len(served) == 1
    assert served < {place_of(one.base_url) for one in two}
    assert sorted(len(one.log()) for one in two) == [0, 4]


def test_each_address_of_several_must_be_allowed(engine: Engine) -> None:
    row = engine.row(base_url=f"{engine.server.base_url},http://127.0.0.1:9/v1")
    asked = engine.ask(engine.another_plan(row))

    generating.work()

    assert (state(asked), asked.reason) == ("failed", "endpoint_misconfigured")


def test_one_server_alone_needs_no_record_of_its_place(engine: Engine) -> None:
    engine.ask()
    generating.work()

    assert set(ModelCall.objects.values_list("replica", flat=True)) == {""}

"""The client against real sockets: the simulated endpoint on its worst days, and raw bytes."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sampling import errors, simulated
from sampling.calls import Deadlines, Endpoint, Reply
from sampling.client import ModelClient
from tests.sampling.drawings import QUESTION, endpoint
from tests.sampling.raw_server import DONE, HEADERS, Script, event, sends, serving

PATIENT = Deadlines(connect=30.0, first_byte=30.0, between_chunks=30.0, total=60.0)
# Where silence is what is tried: all that happens before it may take this long on busy cores.
QUICK = Deadlines(connect=30.0, first_byte=1.0, between_chunks=1.0, total=60.0)
BODY = {
    "model": "simulated",
    "messages": [{"role": "user", "content": QUESTION}],
    "stream": True,
    "stream_options": {"include_usage": True},
    "seed": 3,
    "max_tokens": 200,
}


@pytest.fixture(scope="module")
def shared_server() -> Iterator[simulated.Endpoint]:
    with simulated.running(key="k3y") as server:
        yield server


@pytest.fixture
def server(shared_server: simulated.Endpoint) -> simulated.Endpoint:
    shared_server.forget_orders()
    return shared_server


@asynccontextmanager
async def client() -> AsyncIterator[ModelClient]:
    made = ModelClient()
    try:
        yield made
    finally:
        await made.close()


async def sent(at: Endpoint, **changes: Any) -> Reply:
    asked = {"body": BODY, "request_id": "set.1.0", "deadlines": PATIENT}
    async with client() as made:
        return await made.send(endpoint=at, **{**asked, **changes})


def send(at: Endpoint, **changes: Any) -> Reply:
    return asyncio.run(sent(at, **changes))


async def _raw(script: Script, **changes: Any) -> Reply:
    async with serving(script) as (_, base_url):
        return await sent(Endpoint(name="raw", base_url=base_url, model="m"), **changes)


def send_raw(script: Script, **changes: Any) -> Reply:
    return asyncio.run(_raw(script, **changes))


def test_a_whole_answer_comes_back_with_its_usage_and_times(server: simulated.Endpoint) -> None:
    reply = send(endpoint(server))

    assert reply.text
    assert reply.finish_reason == "stop"
    assert reply.n_tokens == (reply.usage or {})["completion_tokens"] > 5
    assert reply.first_byte_at
    assert reply.started_at <= reply.first_byte_at <= reply.ended_at


def test_the_request_id_and_the_body_arrive_as_they_were_given(server: simulated.Endpoint) -> None:
    body = {**BODY, "cache_salt": "ours"}

    send(endpoint(server), body=body, request_id="6a1c.2.5")

    logged = server.wait_for(1)[-1]
    assert logged["request_id"] == "6a1c.2.5"
    assert logged["body"] == body


def test_characters_cut_between_two_writes_are_whole(server: simulated.Endpoint) -> None:
    server.order("split_characters")

    assert "déjà vu, né?" in send(endpoint(server)).text


@pytest.mark.parametrize("pause", [0.0005, 0.003])
def test_a_server_that_hangs_up_after_each_answer_is_called_again(pause: float) -> None:
    """llama.cpp promises to keep the connection, and ends it with the stream."""

    async def work() -> list[Reply]:
        stream = event("Yes.") + event(finish="stop") + DONE
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        told = head + b"Transfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n"
        whole = told + b"%x\r\n%b\r\n0\r\n\r\n" % (len(stream), stream)
        async with serving(sends(whole, pause=pause)) as (_, base_url), client() as made:
            at = Endpoint(name="raw", base_url=base_url, model="m")
            ask = {"endpoint": at, "body": BODY, "request_id": "set.1.0", "deadlines": PATIENT}
            rounds = [
                await asyncio.gather(*(made.send(**ask) for _ in range(3)))  # type: ignore[arg-type]
                for _ in range(4)
            ]
            return [reply for one in rounds for reply in one]

    assert [reply.text for reply in asyncio.run(work())] == ["Yes."] * 12


# name of the behaviour, its options, error, retryable
FAULTS: list[tuple[str, dict[str, Any], type[errors.SamplingError], bool]] = [
    ("refuse", {}, errors.EndpointUnavailable, True),
    ("close_at_accept", {}, errors.EndpointUnavailable, True),
    ("hang_up", {}, errors.EndpointUnavailable, True),
    ("reset", {}, errors.EndpointUnavailable, True),
    ("hang_before_headers", {}, errors.EndpointTimeout, True),
    ("hang_before_first_token", {}, errors.EndpointTimeout, True),
    ("stall", {}, errors.EndpointTimeout, True),
    ("cut", {}, errors.BrokenStream, True),
    ("end_early", {}, errors.BrokenStream, True),
    ("no_finish_reason", {}, errors.BrokenStream, True),
    ("no_done", {}, errors.BrokenStream, True),
    ("error_in_stream", {}, errors.BrokenStream, True),
    ("malformed_chunk", {}, errors.BrokenStream, True),
    ("html", {}, errors.BrokenStream, True),
    ("error_in_body", {}, errors.BrokenStream, True),
    ("malformed_body", {}, errors.BrokenStream, True),
    ("status_400", {}, errors.ContextTooLong, False),
    ("status_401", {}, errors.EndpointMisconfigured, False),
    ("status_404", {}, errors.EndpointMisconfigured, False),
    ("status_429", {}, errors.EndpointBusy, True),
    ("status_429", {"retry_after": 7}, errors.EndpointBusy, True),
    ("status_500", {}, errors.EndpointUnavailable, True),
    ("status_503", {}, errors.EndpointUnavailable, True),
    ("huge", {}, errors.TooLarge, True),
    ("bad_escapes", {}, errors.UnusableText, True),
]


@pytest.mark.parametrize(("name", "options", "expected", "retryable"), FAULTS)
def test_each_fault_has_its_error(
    name: str, options: dict[str, Any], expected: type[Exception], *, retryable: bool
) -> None:
    with simulated.running() as own:
        own.order(name, times=None, **options)

        with pytest.raises(errors.EndpointError) as caught:
            send(endpoint(own), deadlines=QUICK if expected is errors.EndpointTimeout else PATIENT)

    assert type(caught.value) is expected
    assert caught.value.retryable is retryable
    assert caught.value.retry_after == options.get("retry_after")


@pytest.mark.parametrize(
    ("name", "deadline"),
    [
        ("hang_before_headers", "first_byte"),
        ("hang_before_first_token", "first_byte"),
        ("stall", "between_chunks"),
    ],
)
def test_a_timeout_names_the_deadline_that_passed(
    server: simulated.Endpoint, name: str, deadline: str
) -> None:
    server.order(name)

    with pytest.raises(errors.EndpointTimeout) as caught:
        send(endpoint(server), deadlines=QUICK)

    assert caught.value.deadline == deadline


def test_an_answer_that_never_ends_meets_the_total_deadline() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(HEADERS)
        while True:
            writer.write(event("and "))
            await writer.drain()
            await asyncio.sleep(0.05)

    with pytest.raises(errors.EndpointTimeout) as caught:
        send_raw(drip, deadlines=Deadlines(30, 30, 30, 1))

    assert caught.value.deadline == "total"
    assert caught.value.raw.startswith("and and")


def test_comments_that_keep_a_connection_alive_are_no_text() -> None:
    async def breathe(writer: asyncio.StreamWriter) -> None:
        writer.write(HEADERS)
        while True:
            writer.write(b": still here\n\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    with pytest.raises(errors.EndpointTimeout) as caught:
        send_raw(breathe, deadlines=QUICK)

    assert caught.value.deadline == "first_byte"


def test_an_answer_is_whole_though_the_connection_stays_open_after_it() -> None:
    async def linger(writer: asyncio.StreamWriter) -> None:
        writer.write(HEADERS + event("Yes.") + event(finish="stop") + DONE)
        await writer.drain()
        await asyncio.sleep(30)

    assert send_raw(linger).text == "Yes."


def test_an_answer_that_is_no_http_is_an_error_of_the_endpoint() -> None:
    with pytest.raises(errors.EndpointUnavailable, match="no HTTP"):
        send_raw(sends(b"83\r\n\r\n"))


def test_a_redirect_is_not_followed() -> None:
    away = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"

    with pytest.raises(errors.EndpointMisconfigured, match="status 307"):
        send_raw(sends(away))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:9/v1", errors.EndpointUnavailable),
        ("nonsense", errors.EndpointMisconfigured),
        ("ftp://127.0.0.1/v1", errors.EndpointMisconfigured),
        ("http://[::1/v1", errors.EndpointMisconfigured),
        ("http://127.0.0.1:99999/v1", errors.EndpointMisconfigured),
    ],
)
def test_an_address_where_nothing_is(address: str, expected: type[Exception]) -> None:
    with pytest.raises(errors.EndpointError) as caught:
        send(Endpoint(name="gone", base_url=address, model="m"))

    assert type(caught.value) is expected


def test_a_server_that_cannot_speak_tls_is_a_matter_for_a_person() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async def work() -> None:
        async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await sent(Endpoint(name="raw", base_url=f"https://127.0.0.1:{port}/v1", model="m"))

    with pytest.raises(errors.EndpointMisconfigured, match="secure"):
        asyncio.run(work())


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-somebody")

    async def work() -> bytes:
        script = sends(HEADERS + event("Yes.") + event(finish="stop") + DONE)
        async with serving(script) as (raw, base_url):
            await sent(Endpoint(name="raw", base_url=base_url, model="m", key="k3y"))
            return raw.requests[0].lower()

    request = asyncio.run(work())
    assert b"authorization: bearer k3y" in request
    assert b"org-somebody" not in request


async def _closed_after(do: Callable[[Endpoint], Awaitable[None]]) -> bool:
    """Whether the server sees its connection closed soon after `do` with an endless answer."""

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(HEADERS)
        while True:
            writer.write(event("word "))
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(endless) as (raw, base_url):
        await do(Endpoint(name="raw", base_url=base_url, model="m"))
        await asyncio.wait_for(raw.closed.wait(), 20)
        return raw.closed.is_set()


def test_a_watcher_that_has_seen_enough_closes_the_stream() -> None:
    async def stop(at: Endpoint) -> None:
        async with client() as made:
            reply = await made.send(
                endpoint=at,
                body=BODY,
                request_id="r",
                deadlines=PATIENT,
                watcher=lambda _: "seen enough",
            )
            assert (reply.stopped_early, reply.finish_reason) == ("seen enough", None)
            assert reply.text.startswith("word")
            await asyncio.sleep(0.2)

    assert asyncio.run(_closed_after(stop))


def test_a_cancelled_call_closes_the_stream() -> None:
    async def cancel(at: Endpoint) -> None:
        async with client() as made:
            asked: dict[str, Any] = {"body": BODY, "request_id": "r", "deadlines": PATIENT}
            task = asyncio.ensure_future(made.send(endpoint=at, **asked))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.2)

    assert asyncio.run(_closed_after(cancel))


def test_other_streams_go_on_when_one_breaks(server: simulated.Endpoint) -> None:
    server.order("cut", request_id="bad")

    async def work() -> list[Reply | BaseException]:
        async with client() as made:
            asked: dict[str, Any] = {
                "endpoint": endpoint(server),
                "body": BODY,
                "deadlines": PATIENT,
            }
            calls = [made.send(request_id=name, **asked) for name in ("a", "bad", "b")]
            return await asyncio.gather(*calls, return_exceptions=True)

    first, broken, last = asyncio.run(work())
    assert isinstance(broken, errors.BrokenStream)
    assert isinstance(first, Reply)
    assert isinstance(last, Reply)


def test_a_key_is_in_no_representation(server: simulated.Endpoint) -> None:
    at = endpoint(server, key="wrong-k3y")

    with pytest.raises(errors.EndpointMisconfigured) as caught:
        send(at)

    assert "wrong-k3y" not in repr(at) + repr(caught.value) + caught.value.raw


def test_pages_pay_neither_for_the_sdk_nor_for_arithmetic() -> None:
    """All pages: their views are imported with the addresses. It was 33 MB in each web process."""
    code = (
        "import sys, django; django.setup(); from django.urls import get_resolver;"
        "get_resolver().check(); import sampling.hub;"
        "sys.exit(', '.join({'openai', 'aiohttp', 'numpy', 'pyarrow'} & sys.modules.keys()) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_server_that_chats_on_after_the_end_holds_nothing_up() -> None:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(HEADERS + event("Yes.") + event(finish="stop") + DONE)
        while True:
            writer.write(b": still here\n\n")
            await writer.drain()
            await asyncio.sleep(0.1)

    deadlines = Deadlines(connect=5.0, first_byte=5.0, between_chunks=5.0, total=8.0)

    reply = asyncio.run(asyncio.wait_for(_raw(script, deadlines=deadlines), 6.0))

    assert reply.text == "Yes."


def test_an_answer_whose_compression_is_broken_is_a_broken_stream() -> None:
    head = HEADERS.replace(b"Connection", b"Content-Encoding: gzip\r\nConnection")

    with pytest.raises(errors.BrokenStream):
        send_raw(sends(head, event("Yes.") + event(finish="stop") + DONE))

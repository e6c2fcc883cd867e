"""The live channel, with a real server, a real Valkey and a real client."""

import asyncio
import http.client
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from pytest_django.fixtures import Settings

from config.supervisor import valkey
from config.supervisor.valkey import Valkey
from sampling import hub, publishing
from sampling.hub import LiveChannel
from sampling.live import live_url
from sampling.publishing import Note, publish

Event = tuple[str, dict[str, object]]


class Browser:
    """One open page: reads events as they come."""

    def __init__(self, port: int, address: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.line.request("GET", address)
        self.response = self.line.getresponse()

    def next(self) -> Event:
        """The next event; comments and `retry` are passed over."""
        name = ""
        while True:
            line = self.response.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
            assert line or not self.response.isclosed(), "the stream has ended"

    def next_named(self, name: str) -> Event:
        while (event := self.next())[0] != name:
            pass
        return event

    def rest(self) -> bytes:
        return self.response.read()

    def close(self) -> None:
        self.response.close()
        self.line.close()


class Site:
    """A uvicorn with nothing but the live channel, as config.asgi mounts it."""

    def __init__(self) -> None:
        self.channel = LiveChannel()
        self.server = uvicorn.Server(
            uvicorn.Config(
                self.app, port=0, interface="asgi3", log_level="error", timeout_graceful_shutdown=1
            )
        )
        self.thread = threading.Thread(target=self.server.run)
        self.pages: list[Browser] = []

    async def app(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await self.channel.lifespan(receive, send)
        elif scope["type"] == "http":
            await self.channel(scope, receive, send)

    @property
    def port(self) -> int:
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    def open(self, set_id: uuid.UUID) -> Browser:
        """A page that the hub knows of, and whose channel hears."""
        return self.open_address(live_url(set_id))

    def open_address(self, address: str) -> Browser:
        page = Browser(self.port, address)
        self.pages.append(page)
        return page

    def until(self, fact: bool) -> None:
        until(lambda: self.channel._subscribed is fact)


def until(fact: object) -> None:
    deadline = time.monotonic() + 5
    while not fact():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def broker(tmp_path: Path, settings: Settings) -> Iterator[Valkey]:
    with valkey.running(tmp_path / "valkey", throwaway=True) as server:
        settings.REDIS_URL = server.url
        publishing._client.cache_clear()
        publishing.forget_failures()
        yield server
    publishing._client.cache_clear()
    publishing.forget_failures()


@pytest.fixture
def site(broker: Valkey) -> Iterator[Site]:
    made = Site()
    made.thread.start()
    until(lambda: made.server.started)
    made.until(True)
    yield made
    for page in made.pages:
        page.close()
    made.server.should_exit = True
    made.thread.join(10)


@pytest.fixture
def set_id() -> uuid.UUID:
    return uuid.uuid4()


def test_every_page_of_a_set_is_told_and_no_other(site: Site, set_id: uuid.UUID) -> None:
    elsewhere = uuid.uuid4()
    first, second, other = site.open(set_id), site.open(set_id), site.open(elsewhere)

    assert publish([Note(set_id, "generating", 2), Note(elsewhere, "pending")])

    told = {"set": str(set_id), "state": "generating", "progress": 2}
    assert first.next() == ("set", told)
    assert second.next() == ("set", told)
    assert other.next()[1]["set"] == str(elsewhere)


def test_a_stream_ends_when_its_set_is_finished(site: Site, set_id: uuid.UUID) -> None:
    page = site.open(set_id)

    publish([Note(set_id, "failed")])

    assert page.next()[1]["state"] == "failed"
    assert page.next() == ("closed", {})
    assert page.rest().strip() == b""


def test_a_page_that_comes_back_to_a_finished_set_is_told_at_once(
    site: Site, set_id: uuid.UUID
) -> None:
    publish([Note(set_id, "ready", 4)])
    until(lambda: set_id in site.channel._finished)

    page = site.open(set_id)

    assert [page.next()[0], page.next()[0]] == ["set", "closed"]


def test_the_headers_keep_proxies_from_holding_events_back(site: Site, set_id: uuid.UUID) -> None:
    headers = site.open(set_id).response.headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["x-accel-buffering"] == "no"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?token=", "?token=x:y:z", "?other=1"])
def test_an_address_without_our_signature_is_refused(site: Site, query: str) -> None:
    assert site.open_address(f"/live/{query}").response.status == 403


def test_a_quiet_stream_is_kept_open_by_comments(
    site: Site, set_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT", 0.05)
    page = site.open(set_id)

    lines = [page.response.readline() for _ in range(6)]

    assert lines[0] == b"retry: 2000\n"
    assert b":\n" in lines


def test_pages_are_told_when_the_broker_is_away_and_when_it_is_back(
    site: Site, broker: Valkey, set_id: uuid.UUID
) -> None:
    page = site.open(set_id)

    broker.kill()
    assert page.next() == ("away", {})
    broker.start()
    assert page.next() == ("refetch", {})

    publishing.forget_failures()
    assert publish([Note(set_id, "generating", 1)])
    assert page.next()[0] == "set"


def test_a_page_that_opens_while_the_broker_is_away_is_told(
    site: Site, broker: Valkey, set_id: uuid.UUID
) -> None:
    broker.kill()
    site.until(False)

    assert site.open(set_id).next() == ("away", {})


def test_a_page_that_leaves_is_forgotten(site: Site, set_id: uuid.UUID) -> None:
    page = site.open(set_id)
    until(lambda: set_id in site.channel._pages)

    page.close()

    until(lambda: set_id not in site.channel._pages)


def test_what_is_not_a_note_is_dropped(site: Site, set_id: uuid.UUID) -> None:
    page = site.open(set_id)
    for noise in ("", "[]", "{}", '{"set": 1, "state": "x"}'):
        publishing._client().publish(publishing.CHANNEL, noise)

    publish([Note(set_id, "pending")])

    assert page.next()[1]["state"] == "pending"


def test_more_pages_than_a_process_can_serve_are_sent_away(
    site: Site, set_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MAX_PAGES", 1)
    site.open(set_id)

    assert site.open(set_id).response.status == 503


def test_a_page_that_reads_too_slowly_is_told_to_fetch_instead() -> None:
    async def overrun() -> list[bytes | None]:
        page = hub.Page()
        for number in range(hub.BACKLOG + 1):
            page.tell(hub.event("set", {"progress": number}))
        return [page.events.get_nowait() for _ in range(page.events.qsize())]

    told = asyncio.run(overrun())

    assert told == [hub.REFETCH, hub.event("set", {"progress": hub.BACKLOG})]


def test_two_hundred_pages_cost_one_subscription(site: Site, broker: Valkey) -> None:
    sets = [uuid.uuid4() for _ in range(20)]
    pages = [(one, site.open(one)) for one in sets for _ in range(10)]

    publish([Note(one, "generating", 1) for one in sets])

    assert all(page.next()[1]["set"] == str(one) for one, page in pages)
    subscribers = publishing._client().pubsub_numsub(publishing.CHANNEL)
    assert [count for _, count in subscribers] == [1]

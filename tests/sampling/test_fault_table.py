"""Each fault of `faults.py` on a real socket, through the whole way from claim to rows.

All are played at once by the threads of one process, with well-behaved sets among them, as in a
worker; each row of the table is then held against the rows of the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import regex
from django.db.models import QuerySet
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker
from redis import Redis

from sampling import errors, generating, loop, simulated
from sampling.explaining import explain
from sampling.messages import message
from sampling.models import CandidateSet, Plan, Seat
from sampling.requesting import request_candidate_set
from sampling.running import runs
from sampling.simulated.running import ROOT
from tests import factories, servers
from tests.sampling.conftest import plan_body
from tests.sampling.faults import FAULTS, Fault
from tests.sampling.test_generating import apart, until

Priority = CandidateSet.Priority
ATTEMPTS = 2
THREADS = 16
NEIGHBOURS = 3
PATIENCE = 180.0  # seconds until a table that does not end is a failure
LOOK = 0.05  # seconds between two looks at what waits
QUESTIONS = {"en": "What matters most to you?", "hi": "आपके लिए सबसे ज़रूरी क्या है?"}
# Longer than any name may be: looking it up fails on this machine, and asks no server.
NO_SUCH_NAME = ".".join(["nowhere" * 8] * 5)
# Left behind by what the fault is about; none of it may reach a candidate.
TRACES = regex.compile(
    r"#{3}|<\||^\s*\d[.)]|Sure!|Internal Server Error|[\x00\ud800-\udfff\ufffd]", regex.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A set as its rows have it at the end."""

    state: str
    reason: str | None
    outcomes: tuple[str, ...]
    texts: tuple[str, ...]
    errors: frozenset[str]
    measures: frozenset[str]
    said: str
    progress: int
    begun: datetime
    over: datetime


@dataclass
class Played:
    """The whole table after it was played. `pauses`: seconds until the second attempt, by set."""

    endings: dict[str, Ending] = field(default_factory=dict)
    neighbours: list[Ending] = field(default_factory=list)
    pauses: dict[str, float] = field(default_factory=dict)
    seats_left: int = 0


@pytest.fixture(scope="module")
def played(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, valkey_url: str
) -> Iterator[Played]:
    with django_db_blocker.unblock(), Redis.from_url(valkey_url) as valkey, empty_afterwards():
        valkey.flushdb()
        runs.stopping.clear()
        with simulated.running() as server, listed(server):
            table = Table(server)
            table.play()
            yield table.result()
            loop.close()


@contextmanager
def empty_afterwards() -> Iterator[None]:
    try:
        yield
    finally:
        servers.empty()


@contextmanager
def listed(server: simulated.Endpoint) -> Iterator[None]:
    """The addresses of the table are allowed, by the settings and by the run's guard."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(servers, "LOOPBACK", {*servers.LOOPBACK, NO_SUCH_NAME})
        addresses = [server.base_url, *addresses_to_nowhere(server).values()]
        stack.enter_context(override_settings(MODEL_ALLOWLIST=addresses))
        yield


def addresses_to_nowhere(server: simulated.Endpoint) -> dict[str, str]:
    return {
        "refused": "http://127.0.0.1:9",
        "no such name": f"http://{NO_SUCH_NAME}:80",
        "no TLS": f"https://127.0.0.1:{server.port}",
    }


@contextmanager
def at_work() -> Iterator[None]:
    """Threads that make sets, as a worker's do, until the block ends."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            generating.work()
            over.wait(0.1)

    with ThreadPoolExecutor(THREADS) as threads:
        begun = [threads.submit(apart(go_on)) for _ in range(THREADS)]
        try:
            yield
        finally:
            over.set()
        for one in begun:
            one.result(10)


def unfinished() -> QuerySet[CandidateSet]:
    return CandidateSet.objects.filter(state__in=["pending", "generating"])


class Table:
    """A set for each fault, at an endpoint row of its own, so that no breaker opens for others."""

    def __init__(self, server: simulated.Endpoint) -> None:
        self._server = server
        self._study = factories.study()
        self._neighbourly = self._plan(server.base_url, strategy="persona")
        self._sets = {fault.name: self._ask(fault) for fault in FAULTS}
        self._neighbours: list[CandidateSet] = []
        self._pauses: dict[str, float] = {}

    def play(self) -> None:
        """Make sets until every fault has come to its end, neighbours beside them all the time."""
        self._keep_neighbours()
        with at_work():
            until(self._is_over, seconds=PATIENCE)
            until(lambda: not unfinished().exists())

    def _is_over(self) -> bool:
        """Whether every fault has; else see to it that it will."""
        time.sleep(LOOK)
        if not unfinished().exclude(plan=self._neighbourly).exists():
            return True
        self._hasten()
        self._keep_neighbours()
        return False

    def _keep_neighbours(self) -> None:
        """Two or more on their way, of different lengths, so that they do not all end at once."""
        while unfinished().filter(plan=self._neighbourly).count() < NEIGHBOURS:
            number = len(self._neighbours)
            name, seconds = f"Neighbour {number}.", 1.0 + 0.6 * (number % NEIGHBOURS)
            self._server.order("stall", times=None, contains=name, after=2, seconds=seconds)
            self._neighbours.append(self._request(self._neighbourly, f"What matters? {name}"))

    def result(self) -> Played:
        return Played(
            endings={name: ending(one) for name, one in self._sets.items()},
            neighbours=[ending(one) for one in self._neighbours],
            pauses=self._pauses,
            seats_left=Seat.objects.count(),
        )

    def _hasten(self) -> None:
        """Note the pause before a second attempt, and end it."""
        names = {one.pk: name for name, one in self._sets.items()}
        for one in unfinished().exclude(plan=self._neighbourly).filter(attempt=1, state="pending"):
            if names[one.pk] not in self._pauses:
                last = max(call.ended_at for call in one.calls.all())
                self._pauses[names[one.pk]] = (one.not_before - last) / timedelta(seconds=1)
                CandidateSet.objects.filter(pk=one.pk).update(not_before=factories.in_hours(-1))

    def _ask(self, fault: Fault) -> CandidateSet:
        number = f"fault {FAULTS.index(fault)}."
        if fault.order:
            self._server.order(fault.order, times=None, contains=number, **fault.options)
        address = self._server.base_url
        if fault.address:
            address = f"{addresses_to_nowhere(self._server)[fault.address]}/v1"
        plan = self._plan(address, strategy=fault.strategy, deadlines=dict(fault.deadlines))
        text = f"{QUESTIONS[fault.language]} ({number})"
        return self._request(plan, text, language=fault.language, priority=Priority.LIKELY)

    def _plan(self, address: str, *, strategy: str, **body: Any) -> Plan:
        row = factories.endpoint(base_url=address, model=self._server.model, seats=4 * NEIGHBOURS)
        told = plan_body(first_turn={"strategy": strategy}, attempts=ATTEMPTS, patience=0, **body)
        return factories.plan(self._study, endpoints=[row], body=told)

    def _request(self, plan: Plan, text: str, **traits: Any) -> CandidateSet:
        asked = {"language": "en", "shared": False, **traits}
        context = [message("user", text)]
        return request_candidate_set(plan=plan, context=context, **asked)


def ending(one: CandidateSet) -> Ending:
    one.refresh_from_db()
    told = explain(str(one.pk))
    verdict = one.guard or {"findings": [], "notes": []}
    faults = [call.error for call in told.calls if call.error]
    findings = [finding["said"] for finding in verdict["findings"]]
    calls = list(one.calls.all())
    return Ending(
        state=one.state,
        reason=one.reason,
        outcomes=tuple(entry["outcome"] for entry in one.attempt_log),
        texts=tuple(one.candidates.order_by("slot").values_list("text", flat=True)),
        errors=frozenset(error["class"] for error in faults),
        measures=frozenset(finding["measure"] for finding in verdict["findings"]),
        said="\n".join([*(error["message"] for error in faults), *findings, *verdict["notes"]]),
        progress=one.progress,
        begun=min(call.started_at for call in calls),
        over=max(call.ended_at for call in calls),
    )


every_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@every_fault
def test_a_fault_comes_to_the_end_that_the_table_says(played: Played, fault: Fault) -> None:
    found = played.endings[fault.name]

    tries = ATTEMPTS if fault.outcome and fault.again else 1
    assert found.outcomes == (fault.code,) * tries
    if fault.outcome:
        assert (found.state, found.reason) == ("failed", fault.code)
    else:
        assert (found.state, found.reason) == ("ready", None)


@every_fault
def test_a_fault_leaves_a_whole_set_or_nothing(played: Played, fault: Fault) -> None:
    found = played.endings[fault.name]

    whole = fault.outcome is None
    assert (len(found.texts), found.progress) == ((4, 4) if whole else (0, 0))
    assert not [text for text in found.texts if TRACES.search(text)]


@every_fault
def test_a_fault_tells_the_researcher_what_it_was(played: Played, fault: Fault) -> None:
    found = played.endings[fault.name]

    assert fault.says in found.said
    if fault.measure:
        assert fault.measure in found.measures
    elif fault.error and issubclass(fault.error, errors.EndpointError):
        assert fault.error.__name__ in found.errors


@every_fault
def test_a_fault_harms_no_neighbour(played: Played, fault: Fault) -> None:
    found = played.endings[fault.name]

    beside = [n for n in played.neighbours if n.begun < found.over and found.begun < n.over]
    assert beside
    assert {(one.outcomes, len(one.texts)) for one in beside} == {(("ready",), 4)}


@every_fault
def test_a_fault_waits_as_long_as_the_endpoint_asked(played: Played, fault: Fault) -> None:
    pause = played.pauses.get(fault.name, 0.0)

    if fault.pause:
        assert fault.pause - 1 < pause < fault.pause + 1
    else:
        assert pause < 4  # full jitter, from nothing on


def test_no_fault_keeps_a_seat(played: Played) -> None:
    assert played.seats_left == 0


def test_the_page_for_operators_has_the_same_table() -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    section = page.partition("## When a model endpoint goes wrong")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]

    assert rows == [fault.as_row() for fault in FAULTS]

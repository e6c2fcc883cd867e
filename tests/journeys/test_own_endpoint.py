"""A demo on an endpoint that shares no code with ours, and nothing else that could answer.

What it wrote is what is exported; an annotator waits while a part of the site dies under `kill -9`,
and the page recovers by itself; at the end the whole demo is killed. One demo serves them all,
because its start costs more than most of what is tried on it: the order of the tests matters.
"""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pyarrow.parquet as parquet
import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from tests.annotation.visiting import Page
from tests.config.supervisor.conftest import passable
from tests.config.supervisor.started import Started
from tests.journeys.own_endpoint import OwnEndpoint
from tests.journeys.visiting import Visitor
from tests.sampling.workers import until

PATIENCE_MS = 120_000  # a lease has to run out when a worker dies
REASON = "It is the kindest of them"  # enough words, where the turn asks why
CALLS = 2  # of an attempt of `community_alignment`
ATTEMPTS = 3

EXPLAIN = """
import io, json, sys
from django.core.management import call_command
told = {}
for name in json.loads(sys.argv[1]):
    out = io.StringIO()
    call_command("explain_set", name, json=True, stdout=out)
    told[name] = json.loads(out.getvalue())["calls"]
print(json.dumps(told))
"""

CHOSEN = """
import django, json, sys
django.setup()
from annotation.models import Comparison
found = Comparison.objects.filter(conversation_id=sys.argv[1])
print(json.dumps([str(one.chosen_id) for one in found]))
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[OwnEndpoint]:
    with OwnEndpoint() as running:
        yield running


@pytest.fixture(scope="module")
def demo(endpoint: OwnEndpoint) -> Iterator[Started]:
    own = {"MODEL_BASE_URL": endpoint.base_url, "MODEL_NAME": "inventor"}
    own |= {"MODEL_API_KEY": "its-own-key", "SET_LEASE": "6"}
    with passable() as directory:
        started = Started(directory / "own", **own)
        try:
            started.wait()
            yield started
        finally:
            if started.process.poll() is None:
                started.stop()


@pytest.fixture(scope="module")
def walked(endpoint: OwnEndpoint, demo: Started) -> tuple[OwnEndpoint, Started]:
    """One annotator's first conversation of three turns, all of it on that endpoint."""
    visitor = Visitor(demo.links()["cohorts"][0]["join_url"])
    visitor.judge(turns=3)
    return endpoint, demo


def test_nothing_else_answers(demo: Started) -> None:
    doctor = demo.command("manage.py", "doctor").stdout

    assert "inventor answered in" in doctor
    assert {"local model", "simulated endpoint"}.isdisjoint(demo.pids())


def test_every_exported_text_is_one_that_the_endpoint_wrote(
    walked: tuple[OwnEndpoint, Started], tmp_path: Path
) -> None:
    endpoint, demo = walked
    out = tmp_path / "dump"
    done = demo.command("manage.py", "export", "--study", "demo", "--out", str(out))
    assert done.returncode == 0, done.stderr
    candidates = parquet.read_table(out / "parquet" / "candidates.parquet").to_pylist()
    comparisons = parquet.read_table(out / "parquet" / "comparisons.parquet").to_pylist()

    assert len(comparisons) == 3
    assert len(candidates) == 12
    assert {one["text"] for one in candidates} <= set(endpoint.texts)
    assert {one["request_id"] for one in candidates} <= set(endpoint.log)
    assert endpoint.keys == {"bearer its-own-key"}


def test_every_request_with_a_sets_id_is_rebuilt_and_the_others_are_probes(
    walked: tuple[OwnEndpoint, Started],
) -> None:
    endpoint, demo = walked
    logged = dict(endpoint.log)
    ours = {name for name in logged if not name.startswith("probe.")}
    done = demo.command("-c", f"import django; django.setup()\n{EXPLAIN}", json.dumps(list(ours)))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert 6 <= len(ours) < len(logged)  # two calls for each of three sets at least
    for name in ours:
        (call,) = told[name]
        assert (call["request_id"], call["request"]) == (name, logged[name])


def test_every_set_of_the_study_agrees_with_the_log(
    walked: tuple[OwnEndpoint, Started], tmp_path: Path
) -> None:
    endpoint, demo = walked
    wrong: set[str] = set()
    known: dict[str, Any] = {}
    # Sets are still made ahead: what came after the log was written down is asked about again.
    while not known or wrong & (endpoint.log.keys() - known.keys()):
        known = dict(endpoint.log)
        told = against_log(demo, known, tmp_path / "log.jsonl")
        wrong = {one["about"] for one in told["differences"]}

    assert told["differences"] == []
    assert told["sets"] >= 3
    assert told["compared"] >= 6


def against_log(demo: Started, known: dict[str, Any], file: Path) -> dict[str, Any]:
    """What `explain_set --all` says of the study and this log."""
    entries = [{"request_id": name, "body": body} for name, body in known.items()]
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    asked = ("explain_set", "--all", "--study", "demo", "--log", str(file), "--endpoint", "own")
    done = demo.command("manage.py", *asked, "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) == (not told["differences"]), done.stderr
    return told


def waiting(visitor: Visitor, chromium: Browser) -> Tab:
    """The visitor's page in a browser, on a turn that no prefetch answers."""
    visitor.ask()
    context = chromium.new_context()
    context.add_cookies(
        [
            {"name": one.name, "value": one.value or "", "url": visitor.url}
            for one in visitor.cookies
        ]
    )
    page = context.new_page()
    page.goto(visitor.url)
    return page


def explained(demo: Started, set_id: str) -> dict[str, Any]:
    return dict(json.loads(demo.command("manage.py", "explain_set", set_id, "--json").stdout))


@pytest.mark.parametrize("part", ["worker generate", "web", "Valkey", "PostgreSQL"])
def test_a_waiting_page_recovers_when_a_part_is_killed(
    demo: Started, endpoint: OwnEndpoint, chromium: Browser, part: str
) -> None:
    endpoint.answering.set()  # whatever became of the test before
    visitor = Visitor(demo.links()["cohorts"][0]["join_url"])
    visitor.judge(turns=1)
    endpoint.answering.clear()
    page = waiting(visitor, chromium)
    before = page.locator("[data-set]").get_attribute("data-set") or ""
    until(lambda: any(name.startswith(before) for name in endpoint.asked))
    killed = demo.pids()[part]
    os.kill(killed, signal.SIGKILL)
    until(lambda: demo.pids()[part] != killed, what=demo.output.read_text)
    endpoint.answering.set()

    expect(page.get_by_label("Choose A", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    shown = page.locator("[data-candidate]").evaluate_all(
        "all => all.map(e => e.dataset.candidate)"
    )
    told = explained(demo, before)
    asked = [name for name in endpoint.asked if name.startswith(before)]
    assert sorted(shown) == sorted(one["id"] for one in told["candidates"])
    assert len(asked) == len(set(asked)) <= CALLS * len(told["attempts"])
    assert len(told["attempts"]) <= ATTEMPTS
    page.context.close()
    log = demo.data_dir / "logs" / "worker-generate.log"
    assert "Unrecoverable" not in log.read_text()  # it outlives every other part


@contextmanager
def away(demo: Started, part: str) -> Iterator[None]:
    """The part is killed, and stays away: who would start it again is held until the end."""
    killed = demo.pids()[part]
    demo.process.send_signal(signal.SIGSTOP)
    os.kill(killed, signal.SIGKILL)
    try:
        yield
    finally:
        demo.process.send_signal(signal.SIGCONT)
    until(lambda: demo.pids()[part] != killed, what=demo.output.read_text)


def refused(asked: Callable[[], Page]) -> tuple[int, str, Page]:
    """The status of a refusal, its Retry-After and its page; status 0: it is none."""
    try:
        return 0, "", asked()
    except HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers["Retry-After"], Page(refusal.read().decode())


def test_a_choice_that_was_sent_while_the_database_is_away_is_stored_once(
    demo: Started, endpoint: OwnEndpoint
) -> None:
    endpoint.answering.set()
    visitor = Visitor(demo.links()["cohorts"][0]["join_url"])
    form = visitor.compare()
    choice = form.options["choice"][1]
    answers = {"choice": choice} | dict.fromkeys({"explanation"} & set(form.fields), REASON)

    with away(demo, "PostgreSQL"):
        # A server process that was answering ends a moment after the one that was killed.
        until(lambda: refused(lambda: visitor.open(visitor.url))[0] == 503)
        *seen, _ = refused(lambda: visitor.open(visitor.url))
        *sent, page = refused(lambda: visitor.send(form, **answers))
    kept = page.forms[0]
    statuses: list[int] = []

    def is_accepted() -> bool:
        statuses.append(refused(lambda: visitor.send(kept))[0])
        return statuses[-1] == 0

    until(is_accepted, what=lambda: f"{Counter(statuses)} {demo.output.read_text()}")
    visitor.send(kept)

    assert seen == sent == [503, "5"]
    assert kept.fields.items() >= answers.items()
    talk = form.action.split("/")[2]
    counted = demo.command("-c", CHOSEN, talk)
    assert json.loads(counted.stdout) == [choice], counted.stderr


def test_when_the_demo_is_killed_nothing_of_it_stays(demo: Started) -> None:
    assert demo.stop(signal.SIGKILL) == []

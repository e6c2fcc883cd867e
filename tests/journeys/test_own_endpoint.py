"""The journey on an endpoint that shares no code with ours: what it wrote is what is exported."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.config.supervisor.conftest import passable
from tests.config.supervisor.started import Started
from tests.journeys.own_endpoint import OwnEndpoint
from tests.journeys.visiting import Visitor

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


@pytest.fixture(scope="module")
def walked() -> Iterator[tuple[OwnEndpoint, Started]]:
    """One annotator's first conversation of three turns, all of it on that endpoint."""
    with passable() as directory, OwnEndpoint() as endpoint:
        own = {"MODEL_BASE_URL": endpoint.base_url, "MODEL_NAME": "inventor"}
        started = Started(directory / "own", **own, MODEL_API_KEY="its-own-key")
        try:
            started.wait()
            visitor = Visitor(started.links()["cohorts"][0]["join_url"])
            visitor.judge(turns=3)
            assert "answered in" in started.command("manage.py", "doctor").stdout
            yield endpoint, started
        finally:
            started.stop()


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

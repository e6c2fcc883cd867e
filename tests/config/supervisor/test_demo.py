"""The one-command start as a whole, on its own data, without a terminal."""

import http.client
import json
import os
import signal
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from playwright.sync_api import Browser

from config.supervisor import services
from config.supervisor.children import wait_until
from config.supervisor.links import fetch
from tests.browsers import chromium_browser
from tests.config.supervisor.conftest import passable
from tests.config.supervisor.started import Started
from tests.journeys.hands import Mouse
from tests.journeys.walks import Walk

RESTARTED = 5.0  # seconds until who died is started again
ANSWERING = 120.0  # seconds that a very small model may take for four answers on busy cores

# Of a message that it was sent before, this model writes four answers that are nearly the same.
WORDS = (
    "What would my grandmother say to that?",
    "Is it not a question of money?",
    "How do other families decide?",
)


@pytest.fixture(scope="module")
def demo() -> Iterator[Started]:
    with passable() as directory:
        started = Started(directory / "demo")
        started.wait()
        yield started
        if started.process.poll() is None:
            started.stop(signal.SIGTERM)


def test_the_links_are_as_contracted_and_private(demo: Started) -> None:
    links = demo.links()

    assert list(links) == ["base_url", "cohorts", "console_url", "researcher", "api_token"]
    assert [cohort["slug"] for cohort in links["cohorts"]] == [
        *("us-en", "fr-fr", "it-it", "br-pt", "in-hi", "in-en")
    ]
    assert set(links["researcher"]) == {"email", "password"}
    assert stat.S_IMODE((demo.data_dir / "links.json").stat().st_mode) == 0o600


def test_every_join_page_is_served(demo: Started) -> None:
    assert {fetch(cohort["join_url"]) for cohort in demo.links()["cohorts"]} == {200}


def test_somebody_talks_with_scripting_off_and_their_choices_are_exported(
    demo: Started, tmp_path: Path
) -> None:
    """`make journeys` has somebody talk with the local model, which takes its time."""
    with chromium_browser() as browser:
        talk_for_three_turns(demo, browser, cohort="fr-fr", java_script_enabled=False)

    assert exported(demo, tmp_path / "dump") == {("FR", True): 3}


def exported(demo: Started, out: Path) -> Counter[tuple[str, bool]]:
    """The comparisons of a dump, by country and whether answers were simulated."""
    done = demo.command("manage.py", "export", "--study", "demo", "--out", str(out))
    assert done.returncode == 0, done.stderr
    rows = parquet.read_table(out / "parquet" / "comparisons.parquet").to_pylist()
    return Counter((one["country"], one["simulated"]) for one in rows)


def talk_for_three_turns(demo: Started, browser: Browser, *, cohort: str, **device: Any) -> None:
    """From the link to the end of a conversation, which may end after three turns, by its form."""
    (found,) = (one for one in demo.links()["cohorts"] if one["slug"] == cohort)
    phone = {"viewport": {"width": 390, "height": 844}, **device}
    with browser.new_context(base_url=found["join_url"], **phone) as context:
        context.set_default_timeout(20_000)
        walk = Walk(
            context.new_page(), Mouse(), language=cohort[-2:], words=WORDS, patience=ANSWERING
        )
        finish = walk.page.locator("form[action$='/finish/'] button")
        walk.begin(found["join_url"])
        walk.until(lambda _: finish.count() > 0)
        ended = walk.page.url
        finish.click()
        walk.page.wait_for_url(lambda url: url != ended)


def test_a_command_without_a_database_uses_the_running_demo_and_says_so(demo: Started) -> None:
    done = demo.command("manage.py", "links", "demo", "--json")

    assert f"Using the demo running in {demo.data_dir}." in done.stderr
    assert json.loads(done.stdout)["cohorts"] == demo.links()["cohorts"]


def test_the_doctor_finds_it_well(demo: Started) -> None:
    done = demo.command("manage.py", "doctor")

    assert "\nfail" not in f"\n{done.stdout}"
    assert "ok   endpoint.local-model" in done.stdout
    assert done.returncode == 0


def test_a_second_copy_is_refused_with_the_address_of_the_first(demo: Started) -> None:
    done = demo.command("-m", "config.supervisor")

    assert done.returncode == 1
    assert f"Another copy runs on {demo.data_dir}: http://127.0.0.1:{demo.port}" in done.stderr


def test_a_port_that_is_taken_is_named_with_a_free_one(demo: Started, place: Path) -> None:
    demo.env["DATA_DIR"], kept = str(place / "other"), demo.env["DATA_DIR"]
    done = demo.command("-m", "config.supervisor")
    demo.env["DATA_DIR"] = kept

    assert done.returncode == 1
    assert f"Port {demo.port} is in use" in done.stderr
    assert "PORT=" in done.stderr


@pytest.mark.parametrize("name", ["web", "worker generate", "Valkey", "PostgreSQL"])
def test_who_is_killed_comes_back_at_the_same_address(demo: Started, name: str) -> None:
    old = demo.pids()[name]
    os.kill(old, signal.SIGKILL)

    assert wait_until(lambda: demo.pids().get(name, old) != old, seconds=RESTARTED)
    assert wait_until(lambda: back(demo), seconds=60), demo.output.read_text()
    assert f"{name} ended by SIGKILL; it is started again." in demo.output.read_text()


def back(demo: Started) -> bool:
    try:
        return fetch(demo.links()["cohorts"][0]["join_url"]) == 200
    except (OSError, http.client.HTTPException):
        return False


def test_sigint_in_the_background_stops_everything_and_the_next_start_continues(
    demo: Started,
) -> None:
    before = demo.links()

    left = demo.stop(signal.SIGINT)

    assert left == []
    assert demo.process.returncode == 0
    assert services.environment(demo.data_dir) is None

    again = Started(demo.data_dir, PORT=str(demo.port))
    again.wait()
    assert again.links() == before
    assert again.stop(signal.SIGTERM) == []

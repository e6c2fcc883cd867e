"""What a comparison costs web and database, and what a submit costs beside a view that does little.

The first row is a day's work with conversations of one turn: for every comparison the work page,
which claims and opens a conversation, the page with its answers, and the submit that leads to the
next. The second has three turns: then two messages and the pages after them are in it as well.
The others alternate a submit and the page it leads to with the bare view of bench.bare.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from uuid import uuid4

from annotation.scenes import Scene
from bench.annotators import Crowd, Writer
from bench.browser import Browser
from bench.processes import cpu_seconds
from bench.report import Row, beside_limit, bounded
from bench.servers import Servers
from bench.worlds import ready_world
from studies.models import Enrolment
from tests.annotation import talking
from tests.annotation.visiting import Page

ANNOTATORS, WARM_UP, SECONDS = 32, 6.0, 30.0
DAYS = {1: "one a talk", 3: "with messages"}
ROUNDS, SUBMITS = 7, 80


def measure(servers: Servers) -> Iterator[Row]:
    with servers.web() as (web, address):
        pids = [web.child.pid or 0, servers.postgres.child.pid or 0]
        for turns, what in DAYS.items():
            spent = crowd_at_work(address, pids, turns)
            yield bounded(row=f"CPU a comparison, {what}", figure=spent, unit="ms", at_most=25)
        yield from submits(address, pids)


# --- A day's work ---------------------------------------------------------------------------------


def crowd_at_work(address: str, pids: Sequence[int], turns: int) -> float:
    """Milliseconds of CPU per comparison, in conversations of so many turns."""
    world = ready_world(prompts=100, turns={"min": turns, "max": turns})
    crowd = Crowd(address, [talking.joined(world) for _ in range(ANNOTATORS)])
    with Writer().at_work() as writer:
        crowd.start()
        time.sleep(WARM_UP)
        done, spent = crowd.comparisons, cpu_of(pids, writer)
        time.sleep(SECONDS)
        done, spent = crowd.comparisons - done, cpu_of(pids, writer) - spent
        crowd.stop()
    return 1000 * spent / done


def cpu_of(pids: Sequence[int], writer: Writer) -> float:
    """Seconds of web and database, less what the database did for the stand-in of the models."""
    return cpu_seconds(pids) - cpu_seconds([writer.backend])


# --- A submit beside the bare view ----------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """An annotator in front of four answers."""

    browser: Browser
    person: Enrolment
    scene: Scene
    token: str

    @property
    def path(self) -> str:
        return f"/conversation/{self.scene.conversation_id}/"

    @property
    def fields(self) -> dict[str, str]:
        return {
            "csrfmiddlewaretoken": self.token,
            "idempotency_key": uuid4().hex,
            "revision": "0",
            "choice": str(self.scene.last.candidates[0].id),
            "explanation": "",
        }


def submits(address: str, pids: Sequence[int]) -> Iterator[Row]:
    """CPU and waiting time of a submit with its page, and of the bare one, round by round."""
    with visits_to(address, 1 + ROUNDS * SUBMITS) as visits:
        warm_up, *measured = visits
        ours_once(warm_up)
        ours, bare = [], []
        for start in range(0, len(measured), SUBMITS):
            batch = measured[start : start + SUBMITS]
            bare.append(spend(pids, [partial(bare_once, warm_up) for _ in batch]))
            ours.append(spend(pids, [partial(ours_once, visit) for visit in batch]))
    for at, name in enumerate(("CPU", "95 of 100 within")):
        yield beside_limit(
            row=f"submit and its page, {name}",
            unit="ms",
            ours=[spent[at] for spent in ours],
            limits=[spent[at] for spent in bare],
            at_most=2.0,
        )


@contextmanager
def visits_to(address: str, count: int) -> Iterator[list[Visit]]:
    """Annotators in front of the answers of a first turn, with one browser for all."""
    world = ready_world(prompts=20)
    people = [talking.shown_first_turn(world) for _ in range(count)]
    with Browser(address, people[0][0]) as browser:
        page = Page(browser.get(f"/conversation/{people[0][1].conversation_id}/").text)
        token = page.forms[0].fields["csrfmiddlewaretoken"]
        yield [Visit(browser, person, scene, token) for person, scene in people]


def spend(pids: Sequence[int], acts: Sequence[Callable[[], None]]) -> tuple[float, float]:
    """CPU per act, and the time within which 95 of 100 were over; both in milliseconds."""
    before, times = cpu_seconds(pids), []
    for act in acts:
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    cpu = (cpu_seconds(pids) - before) / len(acts)
    return 1000 * cpu, 1000 * quantiles(times, n=20)[-1]


def ours_once(visit: Visit) -> None:
    """Choose, and get the page that comes next."""
    visit.browser.be(visit.person)
    go(visit, f"{visit.path}{visit.scene.last.number}/comparison/", visit.fields)


def bare_once(visit: Visit) -> None:
    """The same fields to the bare view, and where it leads."""
    known = {"enrolment": str(visit.person.pk), "conversation": str(visit.scene.conversation_id)}
    go(visit, "/bare/comparison/", {**visit.fields, **known})


def go(visit: Visit, path: str, fields: dict[str, str]) -> None:
    sent = visit.browser.post(path, fields)
    got = visit.browser.ask("GET", sent.location)
    if (sent.status, got.status) != (303, 200):
        raise RuntimeError(f"{path} led to {got.status} by {sent.status}")

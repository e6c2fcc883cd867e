"""What it costs to keep what is being typed, beside a view that writes one row and answers 204.

One annotator types an explanation: each draft is longer than the one before and overwrites it.
"""

from collections.abc import Iterator
from functools import partial
from uuid import uuid4

from bench.report import Row, beside_limit
from bench.rows.comparisons import Visit, spend, visits_to
from bench.servers import Servers

ROUNDS, DRAFTS = 7, 150
WORDS = "Because in my family one asks the oldest first, and this answer does. "


def measure(servers: Servers) -> Iterator[Row]:
    with servers.web() as (web, address), visits_to(address, 1 + ROUNDS) as visits:
        pids = [web.child.pid or 0, servers.postgres.child.pid or 0]
        warm_up, *measured = visits
        spend(pids, drafts_of(warm_up))
        ours, bare = [], []
        for visit in measured:
            bare.append(spend(pids, [partial(bare_once, visit, n) for n in range(DRAFTS)]))
            ours.append(spend(pids, drafts_of(visit)))
    yield beside_limit(
        row="autosave, CPU",
        unit="ms",
        ours=[cpu for cpu, _ in ours],
        limits=[cpu for cpu, _ in bare],
        at_most=1.5,
    )


def drafts_of(visit: Visit) -> list[partial[None]]:
    """The drafts that one open page sends."""
    visit.browser.be(visit.person)
    writer = uuid4().hex
    return [partial(draft_once, visit, writer, n) for n in range(DRAFTS)]


def draft_once(visit: Visit, writer: str, n: int) -> None:
    """The n-th draft, from 0."""
    said = {
        "form": f"comparison:{visit.scene.last.id}:0",
        "writer": writer,
        "seen": str(n),
        "draft_revision": str(n + 1),
    }
    post(visit, f"{visit.path}draft/", {**typed(visit, n), **said})


def bare_once(visit: Visit, n: int) -> None:
    """The same text to the bare view."""
    post(visit, "/bare/draft/", {**typed(visit, n), "enrolment": str(visit.person.pk)})


def typed(visit: Visit, n: int) -> dict[str, str]:
    return {"csrfmiddlewaretoken": visit.token, "explanation": (WORDS * 3)[: n + 10]}


def post(visit: Visit, path: str, fields: dict[str, str]) -> None:
    sent = visit.browser.post(path, fields)
    if sent.status != 204:
        raise RuntimeError(f"{path} was answered with {sent.status}")

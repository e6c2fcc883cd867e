"""Sets made at the promised pace: the simulated endpoint, a plan on it, asking, and waiting.

Every answer takes as long as 150 tokens, whatever its text, so that an answer alone takes `ALONE`
seconds and every difference from that is ours.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from sampling.messages import message
from sampling.models import CandidateSet, ModelCall, Plan
from sampling.requesting import request_candidate_set
from sampling.simulated.running import Endpoint, running
from tests import factories

SPEED, FIRST_TOKEN = 40.0, 0.4  # tokens a second and stream; seconds
TOKENS = 150  # that an answer lasts
ALONE = FIRST_TOKEN + (TOKENS - 1) / SPEED  # seconds
KEY = "bench"
STYLE = {"words": 118, "sentences": 8}  # about as many tokens as the answer lasts
LONGEST = 60.0  # seconds


@contextmanager
def paced(*, schema_tokens: int = 0, together: float = 0) -> Iterator[Endpoint]:
    """A simulated endpoint in a process of its own, at the promised pace."""
    with running(
        key=KEY,
        speed=SPEED,
        first_token=FIRST_TOKEN,
        answer_tokens=TOKENS,
        schema_tokens=schema_tokens,
        together=together,
        as_process=True,
    ) as endpoint:
        yield endpoint


def known(*endpoints: Endpoint, **more: str) -> dict[str, str]:
    """The environment of a worker that may call these endpoints."""
    origins = ",".join(one.base_url.removesuffix("/v1") for one in endpoints)
    return {"MODEL_ALLOWLIST": origins, "BENCH_KEY": KEY, **more}


def make_plan(
    endpoint: Endpoint, *, seats: int, k: int = 4, strategy: str = "independent", **step: Any
) -> Plan:
    """A plan of a study of its own, on one endpoint with so many seats."""
    served = factories.endpoint(base_url=endpoint.base_url, seats=seats, secret_name="BENCH_KEY")  # noqa: S106
    body = {
        "k": k,
        "first_turn": {"strategy": strategy, **step},
        "style": STYLE,
        # Example sentences repeat themselves; here nothing is measured but time.
        "guard": {"near_duplicate": "mark", "language": "mark"},
    }
    return factories.plan(factories.study(), endpoints=[served], body=body, frozen=True)


def ask(
    plan: Plan, count: int, *, priority: int = CandidateSet.Priority.PERSON
) -> list[CandidateSet]:
    """Ask for so many sets at once."""
    with transaction.atomic():
        return [
            request_candidate_set(
                plan=plan,
                context=[message("user", f"What about my evening? ({factories.number()})")],
                language="en",
                shared=False,
                priority=priority,
            )
            for _ in range(count)
        ]


def wait(sets: Sequence[CandidateSet], *, seconds: float = LONGEST) -> None:
    """Until all are stored, or the time is over."""
    until = time.monotonic() + seconds
    while unfinished(sets) and time.monotonic() < until:
        time.sleep(0.1)


def must_be_ready(sets: Sequence[CandidateSet]) -> None:
    """Wait. Raises RuntimeError when one of them does not get ready."""
    wait(sets)
    if missing := unfinished(sets):
        raise RuntimeError(
            f"{missing} of {len(sets)} sets were not made: the worker's log says why"
        )


def unfinished(sets: Sequence[CandidateSet]) -> int:
    return stored(sets).exclude(state=CandidateSet.State.READY).count()


def stored(sets: Sequence[CandidateSet]) -> QuerySet[CandidateSet]:
    return CandidateSet.objects.filter(pk__in=[one.pk for one in sets])


def seconds_to_ready(made: CandidateSet) -> float:
    """From asking until the set was stored."""
    now = CandidateSet.objects.get(pk=made.pk)
    if now.ready_at is None:
        raise RuntimeError(f"set {made.pk} is {now.state}: {now.reason}")
    return (now.ready_at - now.requested_at).total_seconds()


def waits_met(plan: Plan, arrivals: Sequence[float]) -> list[float]:
    """Seconds that people waited who asked for a set at each of these moments, counted from now."""
    begun = time.monotonic()
    sets: list[CandidateSet] = []
    for moment in arrivals:
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        sets += ask(plan, 1)
    must_be_ready(sets)
    return [seconds_to_ready(one) for one in sets]


def next_moment(period: float) -> float:
    """Wait until one of the moments at which answers that begin together do so has just passed.

    Returns the next one, in seconds since 1970. The endpoint counts by the same clock.
    """
    time.sleep(-time.monotonic() % period + 0.01)
    return time.time() + -time.monotonic() % period


def lone_stream(endpoint: Endpoint) -> float:
    """Seconds that one answer takes a client that only reads it to its end."""
    line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=LONGEST)
    text = f"What about my evening? ({factories.number()})"
    asked = {"model": endpoint.model, "messages": [factories.user(text)], "stream": True}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    started = time.perf_counter()
    line.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
    said = line.getresponse().read()
    seconds = time.perf_counter() - started
    line.close()
    if not said.endswith(b"data: [DONE]\n\n"):
        raise RuntimeError(f"the endpoint said {said[:200]!r}")
    return seconds


def last_tokens(entries: Sequence[Mapping[str, Any]]) -> dict[UUID, float]:
    """When the endpoint had sent the last token of each set, by its own log; seconds since 1970."""
    ended: dict[UUID, float] = {}
    for entry in entries:
        set_id = UUID(entry["request_id"].partition(".")[0])
        ended[set_id] = max(ended.get(set_id, 0.0), began_at(entry) + entry["seconds"])
    return ended


def began_at(entry: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(entry["time"]).timestamp()


def streams_of(sets: Sequence[CandidateSet]) -> list[tuple[float, float]]:
    """When each stream of the sets began and ended in its worker; seconds since 1970."""
    calls = ModelCall.objects.filter(set__in=[one.pk for one in sets])
    times = calls.values_list("started_at", "ended_at")
    return [(begun.timestamp(), ended.timestamp()) for begun, ended in times]

"""100 streams at once in one worker process, through Celery to stored rows."""

import time
from collections.abc import Iterator
from statistics import median

from django.db import transaction

from bench.processes import cpu_seconds, memory_mb
from bench.report import Row, bounded
from bench.servers import Servers
from sampling.messages import message
from sampling.models import CandidateSet, Plan
from sampling.requesting import request_candidate_set
from sampling.simulated.running import running
from tests import factories

SETS, K, TOKENS = 25, 4, 150
SPEED, FIRST_TOKEN = 40.0, 0.4  # tokens a second and stream; seconds
WORDS = 118  # about 150 tokens of the simulated endpoint
LONGEST = 60.0  # seconds


def measure(servers: Servers) -> Iterator[Row]:
    with running(key="bench", speed=SPEED, first_token=FIRST_TOKEN, as_process=True) as endpoint:
        plan = make_plan(endpoint.base_url)
        known = {"MODEL_ALLOWLIST": endpoint.base_url.removesuffix("/v1"), "BENCH_KEY": "bench"}
        with servers.worker(known) as worker:
            warm_up(plan)
            pids = [worker.child.pid]
            before, begun = cpu_seconds(pids), time.monotonic()
            sets = ask(plan, SETS)
            peak = wait(sets, pids)
            seconds = time.monotonic() - begun
            cores = (cpu_seconds(pids) - before) / seconds
    tokens = median(
        sum(n or 0 for n in s.candidates.values_list("n_tokens", flat=True)) / K for s in sets
    )
    yield bounded(row="streams, sets not complete", figure=unfinished(sets), unit="sets", at_most=0)
    what = f"streams, worker ({tokens:.0f} tokens, {seconds:.0f} s)"
    yield bounded(row=what, figure=cores, unit="cores", at_most=0.4)
    yield bounded(row="streams, worker memory", figure=peak, unit="MB", at_most=200)


def make_plan(base_url: str) -> Plan:
    named = {"secret_name": "BENCH_KEY"}
    endpoint = factories.endpoint(base_url=base_url, seats=SETS * K, **named)
    body = {
        "k": K,
        "first_turn": {"strategy": "independent", "max_tokens": 2 * TOKENS},
        "style": {"words": WORDS, "sentences": 8},
    }
    study = factories.study(slug="bench-streams")
    return factories.plan(study, endpoints=[endpoint], body=body, frozen=True)


def ask(plan: Plan, count: int) -> list[CandidateSet]:
    with transaction.atomic():
        return [
            request_candidate_set(
                plan=plan,
                context=[message("user", f"What should I do with my evening? ({n})")],
                language="en",
                shared=False,
                priority=CandidateSet.Priority.PERSON,
            )
            for n in range(count)
        ]


def warm_up(plan: Plan) -> None:
    """One set first, so that imports and connections are not measured."""
    first = ask(plan, 1)
    wait(first, [])
    if unfinished(first):
        raise RuntimeError("the worker generates nothing: its log says why")


def wait(sets: list[CandidateSet], pids: list[int]) -> float:
    """Until all are stored, or the time is over; returns the highest memory seen, in MB."""
    peak, until = 0.0, time.monotonic() + LONGEST
    while unfinished(sets) and time.monotonic() < until:
        peak = max(peak, memory_mb(pids))
        time.sleep(0.25)
    return peak


def unfinished(sets: list[CandidateSet]) -> int:
    stored = CandidateSet.objects.filter(pk__in=[one.pk for one in sets])
    return stored.exclude(state=CandidateSet.State.READY).count()

"""Fixtures of the engine: a simulated endpoint on a real socket, and rows that lead to it."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from redis import Redis

from sampling import loop, publishing, simulated
from sampling.models import CandidateSet, Endpoint, Plan
from sampling.requesting import request_candidate_set
from sampling.running import runs
from studies.models import Study
from tests import factories


@dataclass
class Engine:
    """A study whose plan leads to a simulated endpoint, and short ways to ask for sets."""

    server: simulated.Endpoint
    endpoint: Endpoint
    plan: Plan
    settings: Settings
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def row(self, **fields: Any) -> Endpoint:
        """A further endpoint row, of the same server unless told otherwise."""
        return factories.endpoint(
            **{"base_url": self.server.base_url, "model": self.server.model, **fields}
        )

    def another_plan(self, *endpoints: Endpoint, study: Study | None = None, **body: Any) -> Plan:
        """A plan of another study, on the given endpoints."""
        return factories.plan(study, endpoints=endpoints or [self.endpoint], body=plan_body(**body))

    def ask(self, plan: Plan | None = None, **traits: Any) -> CandidateSet:
        """Ask for a set of its own; `text` is the question, `context` the whole conversation.

        The questions of a test are the same in every run, and so are their seeds: now and then the
        simulated endpoint writes one answer twice, and the guard is right to refuse that.
        """
        text = traits.pop("text", f"What matters most to you? ({next(self.numbers)})")
        context = traits.pop("context", [factories.user(text)])
        traits = {"language": "en", "shared": False, **traits}
        return request_candidate_set(plan=plan or self.plan, context=context, **traits)


def plan_body(**changes: Any) -> dict[str, Any]:
    return {"k": 4, "first_turn": {"strategy": "independent"}, "repairs": 0, **changes}


@pytest.fixture
def engine(transactional_db: None, redis: Redis, settings: Settings) -> Iterator[Engine]:
    """An endpoint with eight seats, a plan of four independent draws, and this process's engine."""
    runs.stopping.clear()
    publishing.forget_failures()
    with simulated.running() as server:
        settings.MODEL_ALLOWLIST = [server.base_url]
        row = factories.endpoint(base_url=server.base_url, model=server.model, seats=8)
        plan = factories.plan(endpoints=[row], body=plan_body())
        yield Engine(server, row, plan, settings)
        loop.close()


@pytest.fixture
def fresh() -> Callable[[CandidateSet], CandidateSet]:
    """The set as its row is now."""
    return lambda one: CandidateSet.objects.get(pk=one.pk)

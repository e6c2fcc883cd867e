"""Asks for a run of the lab: its rows, and the bells that start it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from sampling import plans, ways
from sampling.calls import SEEDS
from sampling.errors import BadRequest
from sampling.lab import ringing
from sampling.messages import Context, read_context, turn_of
from sampling.models import Endpoint, LabRun, LabSet, Plan
from sampling.plans import PlanBody
from sampling.strategies import Strategy
from sampling.strategies.given import Given
from studies import auditing
from studies.models import PromptText, Researcher, Study

PATIENCE = timedelta(seconds=15)  # a bell is heard within a second where workers are free
MOST_SETS = 400  # of one run: at ten seconds a set about an hour of one endpoint


@dataclass(frozen=True)
class Way:
    """A way of making sets: a strategy with its defaults, or a stored plan; `name` is shown."""

    name: str
    body: PlanBody


@dataclass(frozen=True)
class Question:
    """What a set answers; `key` and `category` are its prompt's, empty when it was typed in."""

    context: Context
    language: str
    key: str = ""
    category: str = ""


class CannotBeMade(BadRequest):
    """A way that the lab cannot make a set for a question with: `lacking` says what."""

    def __init__(self, way: Way, lacking: Literal["texts", "endpoints"]) -> None:
        said = {
            "texts": "brings no texts for a prompt of the run",
            "endpoints": "asks several endpoints for one set, and the lab asks one",
        }
        super().__init__(f"{way.name} {said[lacking]}")
        self.way, self.lacking = way, lacking


def ways_of(study: Study) -> list[Way]:
    """The strategies that work with their defaults, then the study's own plans, as far as the lab
    can make them.
    """
    return [way for way in _every_way(study) if not _spreads(way)]


def ways_left_out(study: Study) -> list[str]:
    """The names of those whose sets ask several endpoints."""
    return [way.name for way in _every_way(study) if _spreads(way)]


def _spreads(way: Way) -> bool:
    return ways.spreads(way.body.first_turn, way.body.k)


def _every_way(study: Study) -> list[Way]:
    stored = Plan.objects.filter(study=study).order_by("version")
    return [
        *(Way(name, body) for name, body in ways.usable().items()),
        *(Way(f"{study.slug}/{plan.version}", plans.read(plan.body)) for plan in stored),
    ]


def endpoints_for(researcher: Researcher) -> list[Endpoint]:
    """The stored endpoints that the researcher's studies use, by name."""
    theirs = Endpoint.objects.filter(
        plan_endpoints__plan__study__memberships__researcher=researcher
    )
    return list(theirs.distinct().order_by("name"))


def questions_of(study: Study, *, languages: Sequence[str], n: int, seed: int) -> list[Question]:
    """n of the study's prompts, drawn by the seed, each in all of the languages that it has.

    A prompt's translations stand together, so that a run that is half done is balanced.
    """
    texts = texts_of(study).filter(language__in=languages)
    by_key: dict[str, list[Question]] = {}
    for text in texts:
        by_key.setdefault(text.prompt.key, []).append(_question(text))
    drawn = sorted(by_key, key=lambda key: _hash(seed, key))[:n]
    return [question for key in drawn for question in by_key[key]]


def question_of(study: Study, *, key: str, language: str) -> Question | None:
    """The study's prompt in that language; None when it has none."""
    text = texts_of(study).filter(prompt__key=key, language=language).first()
    return _question(text) if text else None


def _question(text: PromptText) -> Question:
    context, prompt = read_context(text.messages), text.prompt
    return Question(context, text.language, prompt.key, prompt.category)


def texts_of(study: Study) -> QuerySet[PromptText]:
    """The newest version of each of the study's prompts, in every language, by key."""
    newer = PromptText.objects.filter(
        prompt__study=study,
        prompt__key=OuterRef("prompt__key"),
        prompt__version__gt=OuterRef("prompt__version"),
    )
    texts = PromptText.objects.filter(~Exists(newer), prompt__study=study)
    return texts.select_related("prompt__study").order_by("prompt__key", "language")


def languages_made(study: Study) -> set[str]:
    """The languages in which the study's runs have texts."""
    ready = LabSet.objects.filter(run__study=study, state=LabSet.State.READY)
    return set(ready.order_by().values_list("language", flat=True).distinct())


@transaction.atomic
def ask(
    *,
    study: Study,
    by: Researcher,
    kind: LabRun.Kind,
    questions: Sequence[Question],
    ways: Sequence[Way],
    endpoints: Sequence[Endpoint],
    seed: int | None = None,
) -> LabRun:
    """A run of every way on every endpoint for every question; its sets are made after the commit.

    Raises BadRequest when that is nothing, or more than MOST_SETS, and CannotBeMade.
    """
    count = len(questions) * len(ways) * len(endpoints)
    if not 0 < count <= MOST_SETS:
        raise BadRequest(f"a run has 1 to {MOST_SETS} sets, and this one would have {count}")
    for question, way in product(questions, ways):
        _require_makeable(question, way)
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    run = LabRun.objects.create(study=study, asked_by=by, kind=kind, seed=seed)
    LabSet.objects.bulk_create(_sets(run, questions, ways, endpoints))
    ring_after_commit(run.pk, (endpoint.pk for endpoint in endpoints))
    auditing.record(
        by=f"researcher:{by.pk}",
        action="lab.ask",
        on=f"lab_run:{run.pk}",
        payload={
            "study": study.slug,
            "kind": kind.value,
            "sets": count,
            "ways": [way.name for way in ways],
            "endpoints": [endpoint.name for endpoint in endpoints],
        },
    )
    return run


def go_on(run: LabRun) -> int:
    """Ring again for a run that stands still; returns at how many endpoints it has work left."""
    left = run.sets.exclude(state__in=LabSet.OVER).values_list("endpoint_id", flat=True)
    endpoints = set(left)
    ring_after_commit(run.pk, endpoints)
    return len(endpoints)


def stands_still(run: LabRun) -> bool:
    """Whether sets are left and nobody has been making one for a while, by leases and ends."""
    left = run.sets.exclude(state__in=LabSet.OVER)
    lately = timezone.now() - PATIENCE
    held = left.filter(state=LabSet.State.MAKING, lease_until__gt=timezone.now())
    ended = run.sets.filter(ended_at__gt=lately)
    return bool(
        run.created_at < lately and left.exists() and not held.exists() and not ended.exists()
    )


def ring_after_commit(run_id: UUID, endpoints: Iterable[UUID]) -> None:
    for endpoint_id in endpoints:
        ring = partial(ringing.ring, run_id=run_id, endpoint_id=endpoint_id)
        transaction.on_commit(ring, robust=True)


def _sets(
    run: LabRun, questions: Sequence[Question], ways: Sequence[Way], endpoints: Sequence[Endpoint]
) -> list[LabSet]:
    bodies = {way.name: (plans.as_json(way.body), plans.sha256(way.body)) for way in ways}
    asked = product(questions, ways, endpoints)
    return [
        LabSet(
            run=run,
            place=place,
            prompt_key=question.key,
            category=question.category,
            context=list(question.context),
            language=question.language,
            way=way.name,
            strategy=_step(question, way).strategy,
            body=bodies[way.name][0],
            plan_sha256=bodies[way.name][1],
            endpoint=endpoint,
            # All ways answer a question with one seed.
            seed=_hash(run.seed, f"{question.language} {question.key}") % SEEDS,
        )
        for place, (question, way, endpoint) in enumerate(asked)
    ]


def _require_makeable(question: Question, way: Way) -> None:
    """Without this the record of a plan would hold what another way of making sets wrote."""
    strategy = _step(question, way)
    if ways.spreads(strategy, way.body.k):
        raise CannotBeMade(way, "endpoints")
    if isinstance(strategy, Given) and not strategy.brings(question.key, question.language):
        raise CannotBeMade(way, "texts")


def _step(question: Question, way: Way) -> Strategy:
    return plans.step(way.body, turn_of(question.context), question.category)


def _hash(seed: int, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {what}".encode()).digest()[:8], "big")

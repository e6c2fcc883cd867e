"""Scores candidates by how likely a model finds them, whatever strategy had them written.

The score is the sum of the log-probabilities of a candidate's tokens under the default context: the
messages that its set answers, without any instruction, and then the candidate as the assistant's
words. Two calls say it: the prompt up to the answer, once per set, and the same with the candidate
written on. What the second has more than the first is the candidate, if the first is its beginning
token by token; a chat template for which it is not cannot be scored.

Needs an endpoint that gives log-probabilities of prompts (`sampling.probing`; vLLM does). Scores
are asked for beside the queue: no seat is held, no budget is counted, and no set waits for them.
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from sampling import endpoints
from sampling.calls import Deadlines, Endpoint
from sampling.client import ModelClient
from sampling.errors import BadRequest, BrokenStream, ContextTooLong, RequestRefused
from sampling.messages import message
from sampling.models import Candidate, CandidateScore
from sampling.models import Endpoint as EndpointRow
from studies.models import Study

DEADLINES = Deadlines(connect=5.0, total=120.0)
AT_ONCE = 4
SETS_PER_BATCH = 24
CONTEXT = "default.1"  # how the prompt is made; another way is another scorer

Tell = Callable[[int], None]


@dataclass(frozen=True)
class Score:
    """`logprob`: summed over the candidate's tokens, natural logarithm."""

    logprob: float
    n_tokens: int


@dataclass
class Scored:
    """What a run has done so far: scores that were stored, and candidates over the context."""

    stored: int = 0
    too_long: int = 0


@dataclass(frozen=True)
class Token:
    id: str
    logprob: float


def scorer_of(row: EndpointRow) -> str:
    """What scores at this endpoint: the model, its revision and the way of asking."""
    return f"{row.model}@{row.revision or 'unknown'}/{CONTEXT}"


def unscored(study: Study, *, scorer: str) -> QuerySet[Candidate]:
    """The candidates of the study without a score of this scorer; erased ones have no text."""
    scores = CandidateScore.objects.filter(candidate=OuterRef("pk"), scorer=scorer)
    there = Candidate.objects.filter(set__study=study, erased_at__isnull=True)
    return there.filter(~Exists(scores))


def score_study(
    *,
    study: Study,
    row: EndpointRow,
    at_once: int = AT_ONCE,
    tell: Tell = lambda _: None,
) -> Scored:
    """Score what has no score yet; `tell` hears after each batch how many are stored.

    Raises BadRequest for a real study at a simulated endpoint, and EndpointError when the endpoint
    cannot do it or fails; what was scored before is stored, and another run goes on from there.
    """
    if study.kind == Study.Kind.REAL and row.kind == EndpointRow.Kind.SIMULATED:
        raise BadRequest("a real study is not scored by a simulated endpoint")
    endpoint, scorer = endpoints.resolve(row), scorer_of(row)
    so_far = Scored()
    client = ModelClient()
    with asyncio.Runner() as runner:
        try:
            for batch in _batches(study, scorer):
                made = _Batch(client, endpoint, at_once=max(1, min(at_once, row.seats)))
                try:
                    runner.run(made.score(batch))
                finally:
                    so_far.stored += _store(made.scores, row=row, scorer=scorer)
                    so_far.too_long += made.too_long
                tell(so_far.stored)
        finally:
            runner.run(client.close())
    return so_far


def _batches(study: Study, scorer: str) -> Iterator[list[Candidate]]:
    """The unscored candidates, whole sets together, each set once in a run."""
    left = unscored(study, scorer=scorer).order_by("set_id", "slot").select_related("set")
    after = UUID(int=0)
    while ids := _next_sets(left.filter(set_id__gt=after)):
        yield list(left.filter(set_id__in=ids))
        after = ids[-1]


def _next_sets(left: QuerySet[Candidate]) -> list[UUID]:
    ids = left.order_by("set_id").values_list("set_id", flat=True).distinct()
    return list(ids[:SETS_PER_BATCH])


def _store(scores: Mapping[UUID, Score], *, row: EndpointRow, scorer: str) -> int:
    """Keep scores. One that a run beside this one stored first stays as it is."""
    CandidateScore.objects.bulk_create(
        (
            CandidateScore(
                candidate_id=candidate_id,
                endpoint=row,
                scorer=scorer,
                logprob=score.logprob,
                n_tokens=score.n_tokens,
            )
            for candidate_id, score in scores.items()
        ),
        ignore_conflicts=True,
    )
    return len(scores)


@dataclass
class _Batch:
    """Candidates of some sets on their way: sets side by side, a set's candidates in a row."""

    client: ModelClient
    endpoint: Endpoint
    at_once: int
    scores: dict[UUID, Score] = field(default_factory=dict)
    too_long: int = 0

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.at_once)

    async def score(self, candidates: Sequence[Candidate]) -> None:
        """Raises the first EndpointError; the calls beside it are ended, their sockets closed."""
        try:
            async with asyncio.TaskGroup() as group:
                for _, members in groupby(candidates, key=lambda one: one.set_id):
                    group.create_task(self._score_set(list(members)))
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None

    async def _score_set(self, candidates: Sequence[Candidate]) -> None:
        asked = candidates[0].set
        async with self._room:
            try:
                prefix = await self._tokens(asked.context, request_id=f"score.{asked.pk}")
            except ContextTooLong:
                self.too_long += len(candidates)
                return
            for candidate in candidates:
                await self._score_one(candidate, [*asked.context], prefix)

    async def _score_one(
        self, candidate: Candidate, context: list[Any], prefix: Sequence[Token]
    ) -> None:
        told = [*context, message("assistant", candidate.text)]
        try:
            whole = await self._tokens(
                told, is_answered=True, request_id=f"score.{candidate.set_id}.{candidate.slot}"
            )
        except ContextTooLong:
            self.too_long += 1
            return
        self.scores[candidate.pk] = score_of(prefix=prefix, whole=whole)

    async def _tokens(
        self, messages: Sequence[Any], *, request_id: str, is_answered: bool = False
    ) -> list[Token]:
        told = await self.client.fetch(
            endpoint=self.endpoint,
            path="/chat/completions",
            body=body_of(self.endpoint, messages, is_answered=is_answered),
            request_id=request_id,
            deadlines=DEADLINES,
        )
        return read_tokens(told)


def body_of(endpoint: Endpoint, messages: Sequence[Any], *, is_answered: bool) -> dict[str, object]:
    """The request for a prompt's log-probabilities; the one token that it has to write is not used.

    `is_answered`: the last message is the assistant's and stays open; else its turn is begun.
    """
    return {
        "model": endpoint.model,
        "messages": [dict(one) for one in messages],
        "max_tokens": 1,
        "prompt_logprobs": 0,
        "add_generation_prompt": not is_answered,
        "continue_final_message": is_answered,
    }


def read_tokens(told: Mapping[str, Any]) -> list[Token]:
    """The tokens of a prompt after its first, which nothing stands before.

    Raises RequestRefused where the answer has no log-probabilities, BrokenStream for other shapes.
    """
    found = told.get("prompt_logprobs")
    if found is None:
        raise RequestRefused("the endpoint gives no log-probabilities of prompts")
    if not isinstance(found, list) or not found:
        raise BrokenStream("the log-probabilities of the prompt had another shape")
    return [_token(entry) for entry in found[1:]]


def _token(entry: object) -> Token:
    if isinstance(entry, Mapping) and len(entry) == 1:
        [(token, known)] = entry.items()
        logprob = known.get("logprob") if isinstance(known, Mapping) else None
        if isinstance(logprob, int | float) and math.isfinite(logprob):
            return Token(str(token), float(logprob))
    raise BrokenStream("the log-probabilities of the prompt had another shape")


def score_of(*, prefix: Sequence[Token], whole: Sequence[Token]) -> Score:
    """The score of what `whole` has more than `prefix`.

    Raises RequestRefused when `prefix` is not its beginning, or there is nothing more.
    """
    begun = [token.id for token in whole[: len(prefix)]]
    answer = whole[len(prefix) :]
    if begun != [token.id for token in prefix] or not answer:
        raise RequestRefused("the chat template does not put the answer after its prompt")
    # Rounding may leave a sum of zeros a little above zero.
    logprob = min(0.0, math.fsum(token.logprob for token in answer))
    return Score(logprob=logprob, n_tokens=len(answer))

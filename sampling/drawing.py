"""Draws one candidate set: runs the strategy, holds the texts against the guard, and repairs inside
the plan's budget.

No database here: the worker, the command line and the tests call the same `draw_set`. It returns
all k drafts or raises; what was sent on the way is attached to both, and `rebuild` gives every
request that an attempt may have sent, from the set's row alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone

from sampling import fitting, guard, plans
from sampling.calls import (
    Call,
    CallRecord,
    Endpoint,
    Reply,
    Report,
    Send,
    SentRequest,
    Watcher,
    request_id,
    seed_of,
    wire_body,
)
from sampling.checks.checking import Checks
from sampling.diversity import Diversity, diversity
from sampling.errors import BadRequest, GuardRejected, SamplingError, Stopped
from sampling.messages import Context, opening_of
from sampling.plans import PlanBody
from sampling.strategies import Answer, Ask, BrokenPlan, Draft, Origin, Planner, Strategy

NOWHERE = Origin()


@dataclass(frozen=True)
class SetResult:
    """A whole set: k drafts in slot order that the guard let pass, and everything that was sent for
    them.
    """

    strategy: str
    drafts: tuple[Draft, ...]
    calls: tuple[CallRecord, ...]
    verdict: guard.Verdict
    diversity: Diversity
    seconds: float


def _silent(done: int, of: int) -> None:
    """The report of those who do not watch."""


async def draw_set(
    *,
    body: PlanBody,
    turn: int,
    context: Context,
    language: str,
    seed: int,
    set_id: object,
    attempt: int,
    endpoints: Sequence[Endpoint],
    send: Send,
    origin: Origin = NOWHERE,
    streams: Sequence[int] | None = None,
    report: Report = _silent,
    checks: Checks | None = None,
) -> SetResult:
    """All k candidates of one attempt, or an error.

    `endpoints[0]` serves the set (multi-endpoint strategies use the others too); `streams` caps how
    many calls are open at once on each, and without it the strategy's own number does. `origin` is
    the prompt that the context comes from. `report` is told how many are written, and never goes
    back. `checks` are the plan's, with their endpoints; without them none is made. Raises
    SamplingError, with the calls made as its `calls`; cancelling closes every stream before it
    returns.
    """
    if not endpoints:
        raise BadRequest("the plan has no endpoint")
    started = time.monotonic()
    strategy = plans.step(body, turn, origin.category)
    ask = _ask(body, context, language, seed, attempt, origin, endpoints)
    session = _Session(
        ask=ask,
        set_id=set_id,
        endpoints=endpoints,
        send=send,
        body=body,
        lanes=strategy.lanes(body.k),
        gates=_gates(strategy.streams_on(body.k, len(endpoints)), streams or ()),
        report=report,
        checks=checks,
    )
    try:
        message = await _check_message(session, turn)
        drafts, verdict = await _draw_until_whole(strategy, session)
        verdict = verdict.beside(message)
    except SamplingError as error:
        error.calls = session.records_in_order()
        raise
    return SetResult(
        strategy=strategy.strategy,
        drafts=drafts,
        calls=session.records_in_order(),
        verdict=verdict,
        diversity=diversity([draft.text for draft in drafts]),
        seconds=round(time.monotonic() - started, 3),
    )


@dataclass(frozen=True)
class Planned:
    """The stances of a prompt, and the calls that planned them; the last one did."""

    stances: tuple[str, ...]
    calls: tuple[CallRecord, ...]


async def plan_stances(
    *,
    body: PlanBody,
    turn: int,
    context: Context,
    language: str,
    seed: int,
    set_id: object,
    attempt: int,
    endpoints: Sequence[Endpoint],
    send: Send,
    origin: Origin,
) -> Planned:
    """Plans the stances of a linked set, within the plan's rounds, before the set is drawn.

    Its calls have the numbers that the set's own plan would have. Raises SamplingError as draw_set
    does, and BadRequest for a strategy that plans nothing.
    """
    strategy = plans.step(body, turn, origin.category)
    if not endpoints or not isinstance(strategy, Planner):
        raise BadRequest("the plan has nothing to plan with")
    session = _Session(
        ask=_ask(body, context, language, seed, attempt, origin, endpoints),
        set_id=set_id,
        endpoints=endpoints,
        send=send,
        body=body,
        lanes=strategy.lanes(body.k),
        gates=_gates([1] * len(endpoints), ()),
        report=_silent,
    )
    try:
        stances = await _plan_until_usable(strategy, session)
    except SamplingError as error:
        error.calls = session.records_in_order()
        raise
    return Planned(stances, session.records_in_order())


async def _plan_until_usable(strategy: Planner, session: _Session) -> tuple[str, ...]:
    notes: list[str] = []
    for round_no in range(session.body.repairs + 1):
        try:
            return await strategy.plan(session.ask, _RoundCaller(session, round_no))
        except BrokenPlan as fault:
            notes.append(str(fault))
    every = tuple(range(session.ask.k))
    finding = guard.Finding("count", "repair", every, "no stances could be planned")
    verdict = guard.Verdict(findings=(finding,), notes=tuple(dict.fromkeys(notes)))
    raise GuardRejected(verdict.why(), verdict=verdict)


def _ask(
    body: PlanBody,
    context: Context,
    language: str,
    seed: int,
    attempt: int,
    origin: Origin,
    endpoints: Sequence[Endpoint],
) -> Ask:
    return Ask(
        context=context,
        k=body.k,
        language=language,
        seed=seed,
        attempt=attempt,
        style=body.style,
        origin=origin,
        endpoints=len(endpoints),
    )


async def _check_message(session: _Session, turn: int) -> guard.Verdict:
    """What the checks say of words that are the person's own, and no prompt of the study.

    Before anything is sent: a message that is blocked never reaches the model.
    """
    is_own = turn > 0 or not session.ask.origin.prompt
    if session.checks is None or not is_own:
        return guard.Verdict(findings=())
    return await session.checks.own_message(session.ask.context)


async def _draw_until_whole(
    strategy: Strategy, session: _Session
) -> tuple[tuple[Draft, ...], guard.Verdict]:
    """Rounds of drawing and judging until the guard passes a set, a finding ends the attempt, or
    the rounds are spent.
    """
    ask, body = session.ask, session.body
    kept: dict[int, Draft] = {}
    earlier: list[guard.Verdict] = []
    for round_no in range(body.repairs + 1):
        drawn = await strategy.draw(ask, _RoundCaller(session, round_no), kept=kept)
        drafts = guard.mend(drawn.drafts, settings=body.guard, baseline=strategy.baseline)
        verdict = guard.judge(
            drafts,
            k=ask.k,
            language=ask.language,
            settings=body.guard,
            baseline=strategy.baseline,
            asked=guard.asked_of(ask.context, drafts=drafts, records=session.records),
            notes=drawn.notes,
            earlier=earlier,
        )
        if verdict.passed and session.checks:
            verdict = await session.checks.drafts(verdict, drafts, ask.context)
        if verdict.passed:
            return tuple(sorted(drafts, key=lambda draft: draft.slot)), verdict
        if not verdict.repairable:
            break
        kept = {draft.slot: draft for draft in drafts if draft.slot not in verdict.bad_slots}
        earlier.append(replace(verdict, earlier=()))
    raise GuardRejected(verdict.why(), verdict=verdict)


def rebuild(
    *,
    body: PlanBody,
    turn: int,
    context: Context,
    language: str,
    seed: int,
    set_id: object,
    attempt: int,
    endpoints: Sequence[Endpoint],
    origin: Origin = NOWHERE,
    replies: Mapping[int, str] | None = None,
) -> dict[int, SentRequest]:
    """Every request that this attempt may have sent, by its number n, as it went over the wire.

    `origin` as draw_set had it, `endpoints` in the order that the attempt had. `replies` are the
    stored texts of the attempt's calls by n; only strategies whose later calls quote earlier
    answers need them, and a request whose answers are missing is left out.
    """
    strategy = plans.step(body, turn, origin.category)
    ask = _ask(body, context, language, seed, attempt, origin, endpoints)
    lanes = strategy.lanes(body.k)
    sent: dict[int, SentRequest] = {}
    earlier: dict[int, str] = {}
    for n in range(lanes * (body.repairs + 1)):
        try:
            call = strategy.call(ask, lane=n % lanes, earlier=earlier)
        except KeyError:
            continue
        sent[n] = _request(call, n=n, ask=ask, set_id=set_id, endpoints=endpoints)
        if replies and n in replies:
            earlier[n % lanes] = replies[n]
    return sent


def _request(
    call: Call, *, n: int, ask: Ask, set_id: object, endpoints: Sequence[Endpoint]
) -> SentRequest:
    """The request of a call with its number: the one place where numbers, seeds and bodies meet."""
    endpoint = endpoints[call.endpoint]
    source = ask.seed if call.seed_from is None else call.seed_from
    seed = seed_of(set_seed=source, attempt=ask.attempt, n=n)
    return SentRequest(
        n=n,
        request_id=request_id(set_id=set_id, attempt=ask.attempt, n=n),
        endpoint=endpoint.name,
        purpose=call.purpose,
        seed=seed,
        body=wire_body(endpoint=endpoint, call=call, seed=seed),
    )


def _gates(own: Sequence[int], allowed: Sequence[int]) -> list[asyncio.Semaphore]:
    """One gate per endpoint: as many as were allowed there, else as many as the strategy opens."""
    counts = [*allowed, *own[len(allowed) :]]
    return [asyncio.Semaphore(max(1, count)) for count in counts]


@dataclass
class _Session:
    """What an attempt's rounds share: where calls go, how many are open, the record of each."""

    ask: Ask
    set_id: object
    endpoints: Sequence[Endpoint]
    send: Send
    body: PlanBody
    lanes: int
    gates: list[asyncio.Semaphore]
    report: Report
    checks: Checks | None = None
    records: list[CallRecord] = field(default_factory=list)
    most_written: int = 0

    def records_in_order(self) -> tuple[CallRecord, ...]:
        return tuple(sorted(self.records, key=lambda record: record.n))

    def written(self, count: int) -> None:
        """Tells a rise only: a repair round must not look like a loss."""
        if count > self.most_written:
            self.most_written = min(count, self.ask.k)
            self.report(self.most_written, self.ask.k)

    async def make(self, call: Call, *, n: int, watcher: Watcher | None) -> Answer:
        """One call and its record, also when it fails or is cancelled. What cannot fit is not sent,
        and leaves no record.
        """
        request = _request(call, n=n, ask=self.ask, set_id=self.set_id, endpoints=self.endpoints)
        fitting.require_room(self.endpoints[call.endpoint], request.body)
        async with self.gates[call.endpoint]:
            started_at = timezone.now()
            try:
                reply = await self.send(
                    endpoint=self.endpoints[call.endpoint],
                    body=request.body,
                    request_id=request.request_id,
                    deadlines=self.body.deadlines.as_deadlines(),
                    conversation=opening_of(self.ask.context),
                    watcher=watcher,
                )
            except SamplingError as error:
                self._record(call, request, started_at, error)
                raise
            except asyncio.CancelledError:
                self._record(call, request, started_at, Stopped("the call was given up"))
                raise
        self._record(call, request, reply.started_at, reply)
        return Answer(n, reply)

    def _record(
        self, call: Call, request: SentRequest, started_at: datetime, outcome: Reply | SamplingError
    ) -> None:
        reply = outcome if isinstance(outcome, Reply) else None
        self.records.append(
            CallRecord(
                attempt=self.ask.attempt,
                n=request.n,
                endpoint=request.endpoint,
                model=self.endpoints[call.endpoint].model,
                purpose=call.purpose,
                request_id=request.request_id,
                body=request.body,
                seed=request.seed,
                parts=call.parts,
                started_at=started_at,
                ended_at=reply.ended_at if reply else timezone.now(),
                reply=reply,
                error=outcome if isinstance(outcome, SamplingError) else None,
            )
        )


@dataclass(frozen=True)
class _RoundCaller:
    """A strategy's hands during one round: lanes become call numbers."""

    session: _Session
    round_no: int

    async def __call__(self, call: Call, *, lane: int, watcher: Watcher | None = None) -> Answer:
        n = lane + self.session.lanes * self.round_no
        return await self.session.make(call, n=n, watcher=watcher)

    def written(self, count: int) -> None:
        self.session.written(count)

    def earlier(self) -> Mapping[int, str]:
        session = self.session
        replies = ((record.n, record.reply) for record in session.records_in_order())
        return {n % session.lanes: reply.text for n, reply in replies if reply}

"""Makes the checks of a set: a person's own words before anything is sent, and the drafts of a
round after the guard has let them pass.

What was asked and what came is kept in the verdict, as data. Check calls hold no seat: an endpoint
has at most as many of this process at once as its row has seats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from sampling import guard
from sampling.calls import Deadlines, Endpoint
from sampling.checks import embeddings, safety
from sampling.checks.safety import Safety
from sampling.checks.settings import CheckSettings, SafetyCheck, SenseCheck
from sampling.errors import CheckUnavailable, EndpointError, MessageBlocked, SetAside
from sampling.guard.settings import Action
from sampling.messages import Context, last_user_message, message
from sampling.strategies.strategy import Draft, together

T = TypeVar("T")

DEADLINES = Deadlines(connect=3.0, total=20.0)
UNSAFE, UNSAFE_MESSAGE, NEAR_IN_SENSE = "unsafe", "unsafe_message", "near_in_sense"
ACTIONS: Mapping[str, Action] = {"block": "repair", "set_aside": "fail", "notice": "mark"}
SAID_UNSAFE = "the safety check found an answer that may do harm"
SAID_MESSAGE = "the safety check found that the message may do harm"


class Fetch(Protocol):
    """`client.ModelClient.fetch`, or a stand-in for it in tests."""

    async def __call__(
        self,
        *,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, object] | None = None,
        request_id: str,
        deadlines: Deadlines,
    ) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Checks:
    """The checks of one attempt; `endpoints` by the name of the check, as the plan has them."""

    settings: CheckSettings
    endpoints: Mapping[str, Endpoint]
    fetch: Fetch
    about: str  # the attempt, as its request ids begin

    async def own_message(self, context: Context) -> guard.Verdict:
        """Hold the person's last words against the safety check.

        Returns what was found as a verdict of its own, which passes. Raises MessageBlocked or
        SetAside where the plan says so, and CheckUnavailable.
        """
        asked = self.settings.safety
        if asked is None or asked.own_messages == "off":
            return guard.Verdict(findings=())
        told = [message("user", last_user_message(context))]
        made = await self._made("safety", self._is_safe(told, "message"))
        if made is None or made.safe:
            return _with(guard.Verdict(findings=()), _note("safety of the message", made))
        finding = guard.Finding(UNSAFE_MESSAGE, "mark", (), SAID_MESSAGE)
        found = guard.Verdict(findings=(finding,))
        found = _with(found, {"message": {"categories": list(made.categories)}})
        if asked.own_messages == "notice":
            return found
        kind = MessageBlocked if asked.own_messages == "block" else SetAside
        lost = replace(found, findings=(replace(finding, action="fail"),))
        raise kind(SAID_MESSAGE, verdict=lost)

    async def drafts(
        self, verdict: guard.Verdict, drafts: Sequence[Draft], context: Context
    ) -> guard.Verdict:
        """The verdict with what the checks found in the drafts that it is about.

        Raises SetAside where the plan says so, and CheckUnavailable.
        """
        drafts = sorted(drafts, key=lambda draft: draft.slot)
        if asked := self.settings.sense:
            verdict = await self._sense(asked, verdict, drafts)
        if (wanted := self.settings.safety) and wanted.candidates != "off":
            verdict = await self._safety(wanted, verdict, drafts, context)
        return verdict

    async def _sense(
        self, asked: SenseCheck, verdict: guard.Verdict, drafts: Sequence[Draft]
    ) -> guard.Verdict:
        texts = [draft.text for draft in drafts]
        endpoint = self.endpoints["sense"]
        told = await self._made(
            "sense",
            self._fetch(
                endpoint,
                embeddings.PATH,
                embeddings.body_of(endpoint, texts),
                "sense",
                lambda came: embeddings.read_cosines(came, count=len(texts)),
            ),
        )
        if told is None:
            return _with(verdict, _note("sense", None))
        near = sorted(
            {
                drafts[other].slot
                for one, other in combinations(range(len(drafts)), 2)
                if told[one, other] >= asked.cosine
            }
        )
        said = "two answers were near in sense"
        findings = [guard.Finding(NEAR_IN_SENSE, asked.action, tuple(near), said)] if near else []
        cosines = [[round(float(value), 3) for value in row] for row in told]
        found = replace(verdict, findings=(*verdict.findings, *findings))
        return _with(found, {"sense": {**_who(endpoint), "cosines": cosines}})

    async def _safety(
        self,
        asked: SafetyCheck,
        verdict: guard.Verdict,
        drafts: Sequence[Draft],
        context: Context,
    ) -> guard.Verdict:
        question = message("user", last_user_message(context))
        pairs = [[question, message("assistant", draft.text)] for draft in drafts]
        reading = [
            self._is_safe(pair, str(draft.slot)) for pair, draft in zip(pairs, drafts, strict=True)
        ]
        made = await self._made("safety", together(reading))
        if made is None:
            return _with(verdict, _note("safety", None))
        unsafe = {d.slot: one for d, one in zip(drafts, made, strict=True) if not one.safe}
        categories = {str(slot): list(one.categories) for slot, one in unsafe.items()}
        told = {**_who(self.endpoints["safety"]), "unsafe": categories}
        verdict = _with(verdict, {"safety": told})
        if not unsafe:
            return verdict
        action = ACTIONS[asked.candidates]
        finding = guard.Finding(UNSAFE, action, tuple(sorted(unsafe)), SAID_UNSAFE)
        verdict = replace(verdict, findings=(*verdict.findings, finding))
        if asked.candidates == "set_aside":
            raise SetAside(SAID_UNSAFE, verdict=verdict)
        return verdict

    async def _is_safe(self, messages: Sequence[Any], part: str) -> Safety:
        endpoint = self.endpoints["safety"]
        body = safety.body_of(endpoint, messages)
        return await self._fetch(endpoint, safety.PATH, body, part, safety.read_verdict)

    async def _fetch(
        self,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, object],
        part: str,
        read: Callable[[Mapping[str, Any]], T],
    ) -> T:
        async with _room(endpoint):
            came = await self.fetch(
                endpoint=endpoint,
                path=path,
                body=body,
                request_id=f"check.{self.about}.{part}",
                deadlines=DEADLINES,
            )
        return read(came)

    async def _made(self, name: str, work: Awaitable[T]) -> T | None:
        """What a check gave; None where it could not be made and the plan goes on without it."""
        try:
            return await work
        except EndpointError as error:
            if self.settings.when_away == "go_on":
                return None
            at = self.endpoints[name].name
            away = CheckUnavailable(f"the check of {name} at {at}: {error.message}")
            away.absent = error.absent
            raise away from error


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]]
_rooms = WeakKeyDictionary()


def _room(endpoint: Endpoint) -> asyncio.Semaphore:
    """As many calls at once as the endpoint has seats; an event loop has rooms of its own."""
    rooms = _rooms.setdefault(asyncio.get_running_loop(), {})
    return rooms.setdefault(endpoint.name, asyncio.Semaphore(max(1, endpoint.seats)))


def _with(verdict: guard.Verdict, told: Mapping[str, object]) -> guard.Verdict:
    checks = verdict.measured.get("checks")
    known = checks if isinstance(checks, Mapping) else {}
    if not told:
        return verdict
    return replace(verdict, measured={**verdict.measured, "checks": {**known, **told}})


def _note(check: str, made: object) -> dict[str, object]:
    """Says of a check that it was not made; nothing of one that was."""
    return {} if made is not None else {f"not made: {check}": True}


def _who(endpoint: Endpoint) -> dict[str, object]:
    return {
        "endpoint": endpoint.name,
        "model": endpoint.model,
        "revision": endpoint.revision,
    }

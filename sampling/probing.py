"""Finds out by real calls what an endpoint can do, and keeps that with its row.

Servers ignore what they do not know and answer 200 all the same, so nothing is taken on trust: each
capability is a call whose answer shows whether it was honoured. A call that is refused (400, 422)
says no; one that gets no whole answer ends the probing, and the row keeps what it had.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from sampling import endpoints
from sampling.calls import Call, Deadlines, Endpoint, wire_body
from sampling.client import ModelClient
from sampling.errors import RequestRefused
from sampling.messages import message
from sampling.models import Endpoint as EndpointRow

DEADLINES = Deadlines(connect=3.0, first_byte=30.0, between_chunks=20.0, total=60.0)
QUESTION = (message("user", "Write one short sentence about the sea."),)
WORD = "k7-probe"  # which no model writes unless it has to
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"enum": [WORD]}},
    "required": ["answer"],
    "additionalProperties": False,
}
FEW, SOME = 16, 48  # tokens


@dataclass(frozen=True)
class Capabilities:
    """What was seen. None: the server does not say.

    `seed`: the same seed twice gave the same text while nothing else ran there of ours.
    """

    model_listed: bool | None
    context_length: int | None
    structured_outputs: bool
    n: bool
    seed: bool
    stream_usage: bool
    prompt_token_details: bool
    logprobs: bool
    prompt_logprobs: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def probe(endpoint: Endpoint) -> Capabilities:
    """Make a call for each capability. Raises EndpointError when one gets no whole answer."""
    client = ModelClient()
    try:
        return await _Probe(client, endpoint).run()
    finally:
        await client.close()


def store(row: EndpointRow, found: Capabilities) -> None:
    """Keep what was found with the row; a context length that nobody knew becomes known."""
    row.capabilities, row.probed_at = found.as_json(), timezone.now()
    row.context_length = row.context_length or found.context_length
    row.save(update_fields=["capabilities", "probed_at", "context_length"])


async def probe_row(row: EndpointRow) -> Capabilities:
    """`probe` for a row's endpoint, stored by the caller. Raises EndpointError."""
    return await probe(endpoints.resolve(row))


class _Probe:
    def __init__(self, client: ModelClient, endpoint: Endpoint) -> None:
        self._client = client
        self._endpoint = endpoint

    async def run(self) -> Capabilities:
        # The plainest call first: what it raises is true of all the others.
        first, usage = await self._text(seed=11, max_tokens=FEW)
        listed = await self._listed()
        several = await self._whole(n=2, max_tokens=FEW)
        scored = await self._whole(max_tokens=1, logprobs=True, prompt_logprobs=0)
        return Capabilities(
            model_listed=None if listed is None else bool(listed),
            context_length=_whole_number(listed.get("max_model_len")) if listed else None,
            structured_outputs=await self._obeys_schema(),
            n=len(_choices(several)) == 2,
            seed=(await self._text(seed=11, max_tokens=FEW))[0] == first,
            stream_usage=bool(usage and usage.get("completion_tokens")),
            prompt_token_details=_has(several, "usage", "prompt_tokens_details"),
            logprobs=any(choice.get("logprobs") for choice in _choices(scored)),
            prompt_logprobs=_has(scored, "prompt_logprobs"),
        )

    async def _text(
        self, *, seed: int = 11, **params: object
    ) -> tuple[str, Mapping[str, int] | None]:
        call = Call(purpose="probe", messages=QUESTION, params={"temperature": 1.0, **params})
        reply = await self._client.send(
            endpoint=self._endpoint,
            body=wire_body(endpoint=self._endpoint, call=call, seed=seed),
            request_id=_request_id(),
            deadlines=DEADLINES,
        )
        return reply.text, reply.usage

    async def _obeys_schema(self) -> bool:
        wanted = {"name": "probe", "strict": True, "schema": SCHEMA}
        form = {"type": "json_schema", "json_schema": wanted}
        try:
            text, _ = await self._text(max_tokens=SOME, response_format=form)
            return bool(json.loads(text) == {"answer": WORD})
        except (RequestRefused, ValueError):
            return False

    async def _whole(self, **params: object) -> Mapping[str, Any]:
        """An answer that is no stream, as JSON; empty when the endpoint refuses the parameters."""
        body = {"model": self._endpoint.model, "messages": list(QUESTION), "temperature": 1.0}
        return await self._fetch("/chat/completions", {**body, **params})

    async def _listed(self) -> Mapping[str, Any] | None:
        """How the endpoint lists the model: empty when it does not; None when it has no list."""
        told = (await self._fetch("/models", None)).get("data")
        if not isinstance(told, list):
            return None
        models = (one for one in told if isinstance(one, Mapping))
        return next((one for one in models if one.get("id") == self._endpoint.model), {})

    async def _fetch(self, path: str, body: Mapping[str, object] | None) -> Mapping[str, Any]:
        try:
            return await self._client.fetch(
                endpoint=self._endpoint,
                path=path,
                body=body,
                request_id=_request_id(),
                deadlines=DEADLINES,
            )
        except RequestRefused:
            return {}


def _request_id() -> str:
    return f"probe.capabilities.{uuid.uuid4()}"


def _choices(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = told.get("choices")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _has(told: Mapping[str, Any], *path: str) -> bool:
    at: Any = told
    for name in path:
        at = at.get(name) if isinstance(at, Mapping) else None
    return at is not None


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

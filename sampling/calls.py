"""What passes between strategies, the client and the rows: plain frozen values, no database, no
HTTP.

A *call* is one request to a model. Within an attempt its number is n = lane + lanes * round_no: the
lane says which part of the strategy asked (one per candidate for `independent`), the round counts
repairs. Number, seed and body follow from the set's row alone, so a request can be rebuilt without
having been stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from sampling.errors import SamplingError
from sampling.messages import Context

# A double holds whole numbers up to here, and so does every reader of JSON.
SEEDS = 2**53

# Sees each new piece of text; an answer other than None closes the stream, and is kept as the
# reason.
Watcher = Callable[[str], str | None]

# Told after each finished candidate: how many are written, of how many.
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Endpoint:
    """A served model. `key` never leaves the process and is never printed.

    `fault` says why it cannot be called: an endpoint that a set may never need must not keep it
    from being made. Whoever calls it gets EndpointMisconfigured with these words. `replicas` are
    the addresses of an endpoint that is several servers, `base_url` among them; `seats` is how many
    streams they take together, 0 when that is not known. `context_length` is in tokens, None where
    it is not known.
    """

    name: str
    base_url: str
    model: str
    key: str = field(default="", repr=False)
    kind: Literal["model", "simulated"] = "model"
    revision: str = ""
    fault: str = ""
    replicas: tuple[str, ...] = ()
    seats: int = 0
    context_length: int | None = None


@dataclass(frozen=True)
class Deadlines:
    """Seconds. `first_byte` runs from the request to the first text, `between_chunks` from text to
    text.
    """

    connect: float = 5.0
    first_byte: float = 30.0
    between_chunks: float = 20.0
    total: float = 120.0


@dataclass(frozen=True)
class Call:
    """One request that a strategy wants made; `endpoint` is an index into the set's endpoints.

    Its seed follows from the set's, or from `seed_from` where several sets share the call.
    """

    purpose: str
    messages: Context
    params: Mapping[str, object]
    parts: Mapping[str, str] = field(default_factory=dict)
    endpoint: int = 0
    seed_from: int | None = None


@dataclass(frozen=True)
class Reply:
    """A whole answer, or the whole of what was wanted of one that was stopped early."""

    text: str
    finish_reason: str | None
    usage: Mapping[str, int] | None
    body: Mapping[str, object]
    request_id: str
    started_at: datetime
    first_byte_at: datetime | None
    ended_at: datetime
    stopped_early: str | None = None
    replica: str = ""
    # Summed over the tokens that came; None where they were not asked for, or not given.
    logprob: float | None = None

    @property
    def n_tokens(self) -> int | None:
        """Tokens of the answer, where the endpoint counted them."""
        return None if self.usage is None else self.usage.get("completion_tokens")


@dataclass(frozen=True)
class CallRecord:
    """One call as it happened: the row of model_call. Either `reply` or `error` is set."""

    attempt: int
    n: int
    endpoint: str
    model: str
    purpose: str
    request_id: str
    body: Mapping[str, object]
    seed: int
    parts: Mapping[str, str]
    started_at: datetime
    ended_at: datetime
    reply: Reply | None = None
    error: SamplingError | None = None

    @property
    def replica(self) -> str:
        """host:port of the server that took the call, where the endpoint has several."""
        return self.reply.replica if self.reply else str(getattr(self.error, "replica", ""))

    def as_json(self) -> dict[str, object]:
        reply = self.reply
        return {
            "n": self.n,
            "attempt": self.attempt,
            "endpoint": self.endpoint,
            "replica": self.replica,
            "model": self.model,
            "purpose": self.purpose,
            "request_id": self.request_id,
            "body": dict(self.body),
            "seed": self.seed,
            "parts": dict(self.parts),
            "raw": reply.text if reply else None,
            "finish_reason": reply.finish_reason if reply else None,
            "stopped_early": reply.stopped_early if reply else None,
            "usage": dict(reply.usage) if reply and reply.usage else None,
            "logprob": reply.logprob if reply else None,
            "started_at": self.started_at.isoformat(),
            "first_byte_at": reply.first_byte_at.isoformat()
            if reply and reply.first_byte_at
            else None,
            "ended_at": self.ended_at.isoformat(),
            "error": self.error.as_json() if self.error else None,
        }


@dataclass(frozen=True)
class SentRequest:
    """A request as it goes, or went, over the wire; rebuilt from rows it is the same."""

    n: int
    request_id: str
    endpoint: str
    purpose: str
    seed: int
    body: Mapping[str, object]


class Send(Protocol):
    """Makes one call: `client.ModelClient.send`, or a stand-in for it in tests.

    `conversation` is what all calls about one conversation share, whatever stands around it in
    their bodies: of an endpoint's several servers the same one gets them while it has room.
    Returns a whole Reply. Raises EndpointError, with the part that came as its `reply`.
    """

    async def __call__(
        self,
        *,
        endpoint: Endpoint,
        body: Mapping[str, object],
        request_id: str,
        deadlines: Deadlines,
        conversation: str = "",
        watcher: Watcher | None = None,
    ) -> Reply: ...


def request_id(*, set_id: object, attempt: int, n: int) -> str:
    """The X-Request-Id of a call."""
    return f"{set_id}.{attempt}.{n}"


def seed_of(*, set_seed: int, attempt: int, n: int) -> int:
    """The call's seed, 31 bits: llama.cpp reads 32 and takes the largest as "random"."""
    digest = hashlib.sha256(f"{set_seed}.{attempt}.{n}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def wire_body(*, endpoint: Endpoint, call: Call, seed: int) -> dict[str, object]:
    """The JSON body of a call. Always a stream: closing one stops the server's work, which a plain
    call would not.
    """
    return {
        "model": endpoint.model,
        "messages": [dict(item) for item in call.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": seed,
        **call.params,
    }

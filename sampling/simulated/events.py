"""A reply as a row of events: what is written, when it is due, and what the log says of it.

A behaviour changes a reply by changing this row, so every way to go wrong is a few lines.
"""

import enum
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sampling.simulated import tokens
from sampling.simulated.ask import Ask
from sampling.simulated.prompts import prompt_logprobs


class Kind(enum.Enum):
    HEAD = "status line and headers"
    ROLE = "the chunk that opens a choice"
    TOKEN = "text"  # noqa: S105
    LAST = "the last text of a choice, with its finish reason"
    USAGE = "token counts"
    DONE = "the [DONE] line"
    END = "the clean end of the body"
    PAUSE = "silence for `seconds`, for ever when None"
    ABORT = "the connection is cut"


# Kept, because json.dumps with options of ours makes an encoder per call, that is per token.
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
# Due at once, before the first token's delay.
NOW = -1


@dataclass(slots=True)
class Event:
    """`place` is the token's position in its choice: it decides when the event is due."""

    kind: Kind
    data: bytes = b""
    place: int = NOW
    index: int = 0
    text: str = ""
    tokens: int = 0
    seconds: float | None = None


@dataclass(frozen=True)
class Choice:
    """One generated text, as tokens, with the reason why it ended (None: the server forgot)."""

    pieces: tuple[str, ...]
    finish_reason: str | None = "stop"


@dataclass(frozen=True)
class Completion:
    id: str
    created: int
    ask: Ask
    choices: tuple[Choice, ...]
    cached_tokens: int = 0

    def usage(self) -> dict[str, Any]:
        written = sum(len(choice.pieces) for choice in self.choices)
        return {
            "prompt_tokens": self.ask.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.ask.prompt_tokens + written,
            "prompt_tokens_details": {
                "cached_tokens": self.cached_tokens,
                "created_cache_tokens": 0,
            },
        }


@dataclass(frozen=True)
class Whole:
    """An answer that is no completion: an error body, a page of a proxy."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def choice_of(text: str, ask: Ask) -> Choice:
    """Return the text as one choice, cut by the request's stop strings and token limit."""
    ends = [at for stop in ask.stop if (at := text.find(stop)) >= 0]
    pieces = tokens.pieces(text[: min(ends)] if ends else text)
    if len(pieces) > ask.max_tokens:
        return Choice(tuple(pieces[: ask.max_tokens]), "length")
    return Choice(tuple(pieces))


def encoded(value: object) -> bytes:
    """Return JSON in raw UTF-8; a lone surrogate becomes its escape, which is JSON as well."""
    return ENCODER.encode(value).encode("utf-8", "backslashreplace")


def sse(value: object) -> bytes:
    return b"data: " + encoded(value) + b"\n\n"


def head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\n{lines}\r\n".encode("latin-1")


REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def whole_events(whole: Whole) -> Iterator[Event]:
    """Yield the events of an answer that is sent at once."""
    headers = (
        ("content-type", whole.content_type),
        ("content-length", str(len(whole.body))),
        *whole.headers,
    )
    yield Event(Kind.HEAD, head(whole.status, headers) + whole.body)
    yield Event(Kind.END)


def body_events(completion: Completion) -> Iterator[Event]:
    """Yield a completion that is not streamed: nothing until all is written, then all of it."""
    body = encoded(_whole_body(completion))
    middle = len(body) // 2
    place = max((len(choice.pieces) for choice in completion.choices), default=0)
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    yield Event(Kind.HEAD, head(200, headers), place=place)
    yield Event(Kind.TOKEN, body[:middle], place=place)
    yield Event(Kind.LAST, body[middle:], place=place)
    for index, choice in enumerate(completion.choices):
        size = len(choice.pieces)
        yield Event(Kind.LAST, place=place, index=index, text="".join(choice.pieces), tokens=size)
    yield Event(Kind.END, place=place)


def _whole_body(completion: Completion) -> dict[str, Any]:
    ask = completion.ask
    return {
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "model": completion.ask.model,
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": "".join(choice.pieces)},
                "logprobs": _logprobs(choice.pieces, completion.ask.logprobs),
                "finish_reason": choice.finish_reason,
            }
            for index, choice in enumerate(completion.choices)
        ],
        "usage": completion.usage(),
        **({"prompt_logprobs": prompt_logprobs(ask)} if ask.scores_prompt else {}),
    }


def stream_events(completion: Completion) -> Iterator[Event]:
    """Yield a streamed completion; the chunks of several choices interleave."""
    yield Event(Kind.HEAD, head(200, STREAM_HEADERS))
    for index in range(len(completion.choices)):
        yield _role(completion, index)
    yield from _texts(completion)
    if completion.ask.include_usage:
        usage = {**_chunk(completion), "choices": [], "usage": completion.usage()}
        yield Event(Kind.USAGE, sse(usage), place=0)
    yield Event(Kind.DONE, b"data: [DONE]\n\n", place=0)
    yield Event(Kind.END, place=0)


STREAM_HEADERS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-store"),
    ("transfer-encoding", "chunked"),
)


def _chunk(completion: Completion) -> dict[str, Any]:
    return {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.ask.model,
    }


def _role(completion: Completion, index: int) -> Event:
    choice = {
        "index": index,
        "delta": {"role": "assistant", "content": ""},
        "logprobs": None,
        "finish_reason": None,
    }
    return Event(Kind.ROLE, sse({**_chunk(completion), "choices": [choice]}), place=0, index=index)


def _texts(completion: Completion) -> Iterator[Event]:
    rows = [_choice_events(completion, index) for index in range(len(completion.choices))]
    if len(rows) == 1:
        yield from rows[0]
        return
    events = [event for row in rows for event in row]
    yield from sorted(events, key=lambda event: (event.place, event.index))


def _choice_events(completion: Completion, index: int) -> Iterator[Event]:
    choice = completion.choices[index]
    start = (
        encoded(_chunk(completion))[:-1] + b',"choices":[{"index":%d,"delta":{"content":' % index
    )
    groups = list(_groups(choice.pieces))
    place = 0
    for number, group in enumerate(groups):
        text = "".join(group)
        is_last = number == len(groups) - 1
        finish = choice.finish_reason if is_last else None
        rest = {"logprobs": _logprobs(group, completion.ask.logprobs), "finish_reason": finish}
        is_plain = finish is None and rest["logprobs"] is None
        end = PLAIN_END if is_plain else encoded(rest)[1:]
        data = b"data: " + start + encoded(text) + b"}," + end + b"]}\n\n"
        place += len(group)
        kind = Kind.LAST if is_last else Kind.TOKEN
        yield Event(kind, data, place - 1, index, text, len(group))


PLAIN_END = b'"logprobs":null,"finish_reason":null}'


def _groups(pieces: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the tokens of each chunk: one, and now and then two, as vLLM does under load."""
    at = 0
    while at < len(pieces) or at == 0:
        size = 2 if at % 16 == 14 else 1
        yield pieces[at : at + size]
        at += size


def _logprobs(pieces: tuple[str, ...], top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None
    return {"content": [_logprob(piece, top) for piece in pieces]}


def _logprob(piece: str, top: int) -> dict[str, Any]:
    draw = random.Random(piece)  # noqa: S311
    own = -round(draw.expovariate(1.6), 4)
    others = [_alternative(piece, own - rank * 0.7) for rank in range(1, top)]
    return {**_alternative(piece, own), "top_logprobs": [_alternative(piece, own), *others][:top]}


def _alternative(piece: str, logprob: float) -> dict[str, Any]:
    return {
        "token": piece,
        "logprob": round(logprob, 4),
        "bytes": list(piece.encode("utf-8", "surrogatepass")),
    }

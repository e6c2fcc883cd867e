"""Every way in which the simulated endpoint can go wrong, each under a name.

A behaviour changes an ordinary reply at one of four places: it answers something else at once, it
rewrites the texts, it changes how they ended, or it changes the row of events. The names with what
they do are printed by `python -m sampling.simulated --behaviours`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from sampling.simulated.ask import Ask
from sampling.simulated.events import Choice, Event, Kind, Whole, encoded, sse
from sampling.simulated.instruction import asked, read_instruction
from sampling.simulated.phrases import phrases
from sampling.simulated.writing import compact, write

BUSY = "The engine is currently busy and cannot accept new requests."
BEHAVIOURS: dict[str, type["Behaviour"]] = {}


class Behaviour:
    """An ordinary reply; each subclass overrides the one place where it goes wrong.

    Options come with the order; `after` is a number of tokens, `seconds` a length of silence.
    """

    name: ClassVar[str] = ""
    says: ClassVar[str] = ""
    # False: it acts when a connection is accepted, before any request can be read.
    needs_request: ClassVar[bool] = True
    # True: it acts when the order is given.
    is_immediate: ClassVar[bool] = False
    hangs_up: ClassVar[str] = ""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def __init_subclass__(cls) -> None:
        if cls.name:
            BEHAVIOURS[cls.name] = cls

    @property
    def after(self) -> int:
        return int(self.options.get("after", 5))

    def at_once(self) -> Whole | None:
        """Return an answer in place of any completion; None to let it be written."""
        return None

    def texts(self, ask: Ask, texts: list[str]) -> list[str]:  # noqa: ARG002
        return texts

    def choices(self, choices: list[Choice]) -> list[Choice]:
        return choices

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        return events


class Well(Behaviour):
    name = "well"
    says = "Nothing goes wrong: it keeps a place in a sequence of orders."


# Connections


class CloseAtAccept(Behaviour):
    name = "close_at_accept"
    says = "The next new connection is reset as soon as it is made (any connection, control too)."
    needs_request = False


class Refuse(Behaviour):
    name = "refuse"
    says = "From the order on, new connections are refused for `seconds` (1); open ones stay."
    is_immediate = True


class HangUp(Behaviour):
    name = "hang_up"
    says = "The request is read, then the connection is closed without an answer."
    hangs_up = "close"


class Reset(Behaviour):
    name = "reset"
    says = "The request is read, then the connection is reset (RST)."
    hangs_up = "reset"


# Silence and cut streams


class HangBeforeHeaders(Behaviour):
    name = "hang_before_headers"
    says = "Nothing is sent, not even headers, for `seconds` (for ever)."

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        yield Event(Kind.PAUSE, seconds=self.options.get("seconds"))
        yield from events


class HangBeforeFirstToken(Behaviour):
    name = "hang_before_first_token"
    says = "Headers come, then nothing for `seconds` (for ever)."

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        yield next(events)
        yield Event(Kind.PAUSE, seconds=self.options.get("seconds"))
        yield from events


class Stall(Behaviour):
    name = "stall"
    says = "After `after` (5) tokens nothing comes for `seconds` (for ever)."

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        return _with_break(events, self.after, self._pause())

    def _pause(self) -> list[Event]:
        return [Event(Kind.PAUSE, seconds=self.options.get("seconds"))]


class Cut(Behaviour):
    name = "cut"
    says = "After `after` (5) tokens the connection breaks in the middle of the body."

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        return _with_break(events, self.after, [Event(Kind.ABORT)])


class EndEarly(Behaviour):
    name = "end_early"
    says = "After `after` (5) tokens the body ends cleanly: no finish_reason, no [DONE]."

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        return _with_break(events, self.after, [Event(Kind.END)])


class NoFinishReason(Behaviour):
    name = "no_finish_reason"
    says = "The whole text and [DONE] come, but never a finish_reason."

    def choices(self, choices: list[Choice]) -> list[Choice]:
        return [replace(choice, finish_reason=None) for choice in choices]


class NoDone(Behaviour):
    name = "no_done"
    says = "The stream ends cleanly after the finish_reason, without [DONE]."

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        return (event for event in events if event.kind is not Kind.DONE)


class ErrorInStream(Behaviour):
    name = "error_in_stream"
    says = (
        "Status 200; after `after` (5) tokens an error object, then [DONE], as a dying engine does."
    )

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        body = _error("EngineCore encountered an issue.", kind="InternalServerError", status=500)
        lines = sse(body) + b"data: [DONE]\n\n"
        return _with_break(events, self.after, [Event(Kind.DONE, lines, place=0), Event(Kind.END)])


class MalformedChunk(Behaviour):
    name = "malformed_chunk"
    says = "After `after` (5) tokens a line of broken JSON; the stream then goes on."

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        broken = b'data: {"id":"chatcmpl-0","choices":[{"index":0,"delta":{"con\n\n'
        return _with_break(events, self.after, [Event(Kind.TOKEN, broken, place=0)])


class SplitCharacters(Behaviour):
    name = "split_characters"
    says = "Each chunk is sent in two writes, cut inside a multi-byte character; the text is right."

    def texts(self, ask: Ask, texts: list[str]) -> list[str]:  # noqa: ARG002
        return [text if not text.isascii() else f"{text} (déjà vu, né?)" for text in texts]

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            cut = next((at for at, byte in enumerate(event.data) if byte >= 0xC0), None)
            if cut is None or event.kind is Kind.HEAD:
                yield event
                continue
            yield Event(Kind.TOKEN, event.data[: cut + 1], event.place)
            yield Event(Kind.PAUSE, seconds=0.001)
            yield replace(event, data=event.data[cut + 1 :])


def _with_break(events: Iterator[Event], after: int, inserted: list[Event]) -> Iterator[Event]:
    """Insert events after some tokens, at the earliest after the headers, at the latest before the
    last text of a choice.
    """
    yield next(events)
    seen = 0
    done = False
    for event in events:
        if not done and (seen >= after or event.kind is Kind.LAST):
            done = True
            yield from inserted
        yield event
        seen += event.tokens


# Answers in place of a completion


class Html(Behaviour):
    name = "html"
    says = "Status 200 with the HTML page of a proxy."

    def at_once(self) -> Whole:
        page = b"<!doctype html><html><body><h1>Bad gateway</h1><p>nginx</p></body></html>"
        return Whole(200, page, "text/html; charset=utf-8")


class ErrorInBody(Behaviour):
    name = "error_in_body"
    says = "Status 200 with an error object as a plain JSON body."

    def at_once(self) -> Whole:
        body = _error("The model is overloaded.", kind="ServiceUnavailable", status=503)
        return Whole(200, encoded(body))


class MalformedBody(Behaviour):
    name = "malformed_body"
    says = "Status 200 with a JSON body that stops in the middle."

    def at_once(self) -> Whole:
        return Whole(200, b'{"id":"chatcmpl-0","object":"chat.completion","choices":[{"ind')


class ContextTooLong(Behaviour):
    name = "status_400"
    says = "400: the messages are longer than the model's context."

    def at_once(self) -> Whole:
        message = (
            "This model's maximum context length is 4096 tokens. However, your prompt contains "
            "5120 input tokens."
        )
        body = _error(message, kind="BadRequestError", status=400, param="input_tokens")
        return Whole(400, encoded(body))


class RequestRefused(Behaviour):
    name = "bad_request"
    says = "400: a parameter of the request is not supported."

    def at_once(self) -> Whole:
        message = "The parameter `response_format` is not supported."
        body = _error(message, kind="BadRequestError", status=400, param="response_format")
        return Whole(400, encoded(body))


class Unauthorized(Behaviour):
    name = "status_401"
    says = "401 whose `error` is a string, as vLLM sends it."

    def at_once(self) -> Whole:
        return Whole(401, encoded({"error": "Unauthorized"}))


class ModelNotFound(Behaviour):
    name = "status_404"
    says = "404: the model does not exist."

    def at_once(self) -> Whole:
        message = "The model `gone` does not exist."
        return Whole(404, encoded(_error(message, kind="NotFoundError", status=404, param="model")))


class TooManyRequests(Behaviour):
    name = "status_429"
    says = "429; with Retry-After when `retry_after` (a number or a date) is given."

    def at_once(self) -> Whole:
        after = self.options.get("retry_after")
        headers = (("retry-after", str(after)),) if after is not None else ()
        body = _error("Rate limit reached.", kind="RateLimitError", status=429)
        return Whole(429, encoded(body), headers=headers)


class ServerError(Behaviour):
    name = "status_500"
    says = "500 with an error object."

    def at_once(self) -> Whole:
        body = _error("Internal server error.", kind="InternalServerError", status=500)
        return Whole(500, encoded(body))


class Overloaded(Behaviour):
    name = "status_503"
    says = "503 without Retry-After, as vLLM with a full queue."

    def at_once(self) -> Whole:
        body = _error(BUSY, kind="Service Unavailable", status=503)
        return Whole(503, encoded(body))


def _error(message: str, *, kind: str, status: int, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}


# Texts

Rewrite = Callable[["Behaviour", Ask, str], str]


def _rewrites(name: str, says: str) -> Callable[[Rewrite], Rewrite]:
    """Register a behaviour that replaces the text of every choice and streams it as usual."""

    def register(rewrite: Rewrite) -> Rewrite:
        def texts(self: Behaviour, ask: Ask, texts: list[str]) -> list[str]:
            return [rewrite(self, ask, text) for text in texts]

        type(name, (Behaviour,), {"name": name, "says": says, "texts": texts})
        return rewrite

    return register


@_rewrites("empty", "An answer without a single character.")
def empty(_: Behaviour, __: Ask, ___: str) -> str:
    return ""


@_rewrites("white_space", "Only blanks and line ends.")
def white_space(_: Behaviour, __: Ask, ___: str) -> str:
    return " \n\n \t\n "


@_rewrites("endless_white_space", "The text begins, then line ends run on to the token limit.")
def endless_white_space(_: Behaviour, ask: Ask, text: str) -> str:
    return text[:1] + "\n" * ask.max_tokens


@_rewrites("huge", "`bytes` (2,000,000) of text in big chunks.")
def huge(behaviour: Behaviour, _: Ask, text: str) -> str:
    size = int(behaviour.options.get("bytes", 2_000_000))
    return (text + " ") * (size // (len(text.encode()) + 1) + 1)


@_rewrites("count", "`count` (3) responses, however many were asked for.")
def another_count(behaviour: Behaviour, ask: Ask, text: str) -> str:
    parts = _parts(text)
    wanted = int(behaviour.options.get("count", 3))
    for more in range(1, 1 + wanted):
        if len(parts) < wanted:
            parts += _parts(write(replace(ask, seed=ask.seed + more), index=0))
    return _joined(parts[:wanted], like=text)


@_rewrites("identical", "All responses of the set are the same text.")
def identical(_: Behaviour, __: Ask, text: str) -> str:
    parts = _parts(text)
    return _joined([parts[0]] * len(parts), like=text)


@_rewrites("near_duplicates", "All responses are the first one with another beginning.")
def near_duplicates(_: Behaviour, ask: Ask, text: str) -> str:
    parts = _parts(text)
    frames = phrases(read_instruction(ask).language).topics["general"].frames
    varied = [f"{frames[place % len(frames)]} {parts[0]}" for place in range(len(parts))]
    return _joined(varied, like=text)


@_rewrites("marker_inside", "A `###` in the middle of the first response.")
def marker_inside(_: Behaviour, __: Ask, text: str) -> str:
    first, *others = _parts(text)
    words = first.split(" ")
    middle = len(words) // 2
    return _joined([" ".join([*words[:middle], "###", *words[middle:]]), *others], like=text)


@_rewrites("numbered", "Each response begins with its number.")
def numbered(_: Behaviour, __: Ask, text: str) -> str:
    parts = [f"{number}. {part}" for number, part in enumerate(_parts(text), start=1)]
    return _joined(parts, like=text)


@_rewrites("preamble", "A sentence about the answer comes before it.")
def preamble(_: Behaviour, ask: Ask, text: str) -> str:
    return f"{phrases(read_instruction(ask).language).preambles[0]}\n\n{text}"


@_rewrites("special_tokens", "The token <|end_of_text|> ends the texts, or stands `inside` them.")
def special_tokens(behaviour: Behaviour, _: Ask, text: str) -> str:
    token, parts = "<|end_of_text|>", _parts(text)
    if behaviour.options.get("inside"):
        return _joined([part.replace(" ", f"{token} ", 1) for part in parts], like=text)
    return _joined([f"{part}{token}" for part in parts], like=text)


@_rewrites("wrong_language", "The answer is in `language` (en), whatever was asked.")
def wrong_language(behaviour: Behaviour, ask: Ask, _: str) -> str:
    return write(ask, index=0, language=behaviour.options.get("language", "en"))


@_rewrites("refusal", "Every response refuses, in the language asked for; or the `first` alone.")
def refusal(behaviour: Behaviour, ask: Ask, text: str) -> str:
    found = phrases(read_instruction(ask).language).refusals
    if behaviour.options.get("first"):
        return _with_first(text, lambda _: found[0])
    return _joined([found[place % len(found)] for place in range(len(_parts(text)))], like=text)


@_rewrites("self_identification", "The first response begins by saying that a model wrote it.")
def self_identification(_: Behaviour, ask: Ask, text: str) -> str:
    said = phrases(read_instruction(ask).language).selves[0]
    return _with_first(text, lambda first: f"{said} {first}")


@_rewrites("echo", "The first response begins with the first sentence of the instruction.")
def echo(_: Behaviour, ask: Ask, text: str) -> str:
    sentence = ask.messages[0].text.partition(". ")[0]
    return _with_first(text, lambda first: f"{sentence}. {first}")


@_rewrites("foreign_script", "A Chinese word stands in the first response.")
def foreign_script(_: Behaviour, __: Ask, text: str) -> str:
    return _with_first(text, lambda first: first.replace(" ", " 家庭 ", 1))


@_rewrites("question_back", "The first response is the question again.")
def question_back(_: Behaviour, ask: Ask, text: str) -> str:
    return _with_first(text, lambda _: asked(ask))


@_rewrites("error_text", "Status 200, and the text of an error as the answer.")
def error_text(_: Behaviour, __: Ask, text: str) -> str:
    message = "Internal Server Error: upstream connect error or disconnect/reset before headers"
    return _joined([message] * len(_parts(text)), like=text)


@_rewrites("bad_escapes", "NUL and a lone surrogate (or `text`) in the text, as JSON escapes.")
def bad_escapes(behaviour: Behaviour, _: Ask, text: str) -> str:
    middle = len(text) // 2
    inside = str(behaviour.options.get("text", "\x00\ud83d"))
    return f"{text[:middle]}{inside}{text[middle:]}"


class EndedByServer(Behaviour):
    name = "ended_by_server"
    says = "The text stops at half of it with the finish_reason `reason` (content_filter)."

    def choices(self, choices: list[Choice]) -> list[Choice]:
        reason = str(self.options.get("reason", "content_filter"))
        return [Choice(choice.pieces[: len(choice.pieces) // 2], reason) for choice in choices]


class CutByLimit(Behaviour):
    name = "cut_by_limit"
    says = "The text (a JSON array, too) stops at `share` (0.5) of it with finish_reason length."

    def choices(self, choices: list[Choice]) -> list[Choice]:
        share = float(self.options.get("share", 0.5))
        return [
            Choice(choice.pieces[: int(len(choice.pieces) * share)], "length") for choice in choices
        ]


def _parts(text: str) -> list[str]:
    """Return the responses of a set as written by us; a single answer is a set of one."""
    if text.startswith("["):
        return [str(part) for part in json.loads(text)]
    return text.removeprefix("### ").split("\n\n### ")


def _with_first(text: str, change: Callable[[str], str]) -> str:
    first, *others = _parts(text)
    return _joined([change(first), *others], like=text)


def _joined(parts: list[str], *, like: str) -> str:
    if like.startswith("["):
        return compact(parts)
    if like.startswith("### "):
        return "\n\n".join(f"### {part}" for part in parts)
    return "\n\n".join(parts)

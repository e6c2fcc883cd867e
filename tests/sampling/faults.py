"""Every fault of an endpoint that the engine is held to, one row each.

`test_fault_table.py` plays each row on a real socket; `docs/operating.md` has the same rows for
people, and a test compares the two. What is written here is what was decided, never what the code
says about itself: only the action of a guard's measure is read from its defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sampling import errors
from sampling.guard.settings import GuardSettings
from sampling.reasons import Reason
from sampling.strategies import REGISTRY

# An address that leads nowhere, in place of an order to the simulated endpoint.
Address = Literal["refused", "no such name", "no TLS"]
REJECTED = errors.GuardRejected


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What the endpoint does, and what comes of it.

    `error` is the class of the attempt's error, None where the set is ready all the same; `again`
    whether a second attempt is made. `measure` is the guard's finding; then its default action
    decides between the two. `says` is part of what `explain_set` tells the researcher, `do` what
    the operator does.
    """

    name: str
    order: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    address: Address | None = None
    strategy: str = "independent"
    language: str = "en"
    error: type[errors.SamplingError] | None = None
    again: bool = True
    pause: float = 0.0
    measure: str | None = None
    deadlines: Mapping[str, float] = field(default_factory=dict)
    says: str = ""
    do: str = "nothing"

    @property
    def outcome(self) -> type[errors.SamplingError] | None:
        """The error of an attempt; None: the set is ready."""
        if self.measure is None:
            return self.error
        baseline = REGISTRY[self.strategy].baseline
        action = GuardSettings().action(self.measure, baseline=baseline)
        return None if action == "mark" else REJECTED

    @property
    def code(self) -> str:
        return self.outcome.code if self.outcome else "ready"

    def as_row(self) -> str:
        """The row of the table for people."""
        name = self.name.replace("|", r"\|")  # a bar ends a cell, also in code
        cells = (name, self._error(), self._tries(), self._read(), self._found(), self.do)
        return f"| {' | '.join(cells)} |"

    def _error(self) -> str:
        return f"`{self.code}`" if self.outcome else "none"

    def _tries(self) -> str:
        if not self.outcome:
            return "no need"
        pause = f", after the {self.pause:g} s that it asked for" if self.pause else ""
        return f"yes{pause}" if self.again else "no"

    def _read(self) -> str:
        return str(Reason(self.code).label) if self.outcome else "the answers"

    def _found(self) -> str:
        return f"“{self.says}”" if self.says else "the answers as they came"


KEY = "correct the key's variable, then start the workers again"
MODEL = "correct the model's name in the study file"
ADDRESS = "correct the address in the study file, or its certificate"
SERVER = "look at the model server"
ROOM = "give the server more room, or the endpoint fewer seats"
LIMITS = "raise the plan's deadlines if it is only slow"
TEMPLATE = "check the server's chat template"
PROXY = "point the address at the model server, past the proxy"
SHORTER = "serve a longer context, or allow fewer turns"
LANGUAGE = "a model that writes the language, if it happens often"
PLAN = "another strategy or a stronger model, if it happens often"
TOKENS = "raise `max_tokens`, if it happens often"
BROKE = "the endpoint sent an error inside the stream"
WHITE = "serve structured outputs without free white space"
FILTER = "look at the server's content filter"
TOOLS = "serve the model without tools"
NOT_FOUR = "responses where 4 were asked for"
NO_ARRAY = "the answer was no whole JSON array"
REFUSED = "the model refused to answer"

CONNECTIONS = (
    Fault(
        name="connection refused",
        address="refused",
        error=errors.EndpointUnavailable,
        says="could not be reached",
        do=SERVER,
    ),
    Fault(
        name="name not found (DNS)",
        address="no such name",
        error=errors.EndpointUnavailable,
        says="no such name",
        do="correct the address, or the name server",
    ),
    Fault(
        name="no secure connection (TLS)",
        address="no TLS",
        error=errors.EndpointMisconfigured,
        again=False,
        says="no secure connection",
        do=ADDRESS,
    ),
    Fault(
        name="connection closed without an answer",
        order="hang_up",
        error=errors.EndpointUnavailable,
        says="could not be reached",
        do=SERVER,
    ),
    Fault(
        name="connection reset",
        order="reset",
        error=errors.EndpointUnavailable,
        says="could not be reached",
        do=SERVER,
    ),
    Fault(
        name="silence before the headers",
        order="hang_before_headers",
        deadlines={"first_byte": 0.5},
        error=errors.EndpointTimeout,
        says="no text came within",
        do=LIMITS,
    ),
    Fault(
        name="silence before the first token",
        order="hang_before_first_token",
        deadlines={"first_byte": 0.5},
        error=errors.EndpointTimeout,
        says="no text came within",
        do=LIMITS,
    ),
    Fault(
        name="silence in the middle",
        order="stall",
        deadlines={"between_chunks": 0.5},
        error=errors.EndpointTimeout,
        says="the stream stood still",
        do=SERVER,
    ),
)

STATUSES = (
    Fault(
        name="400, the context is too long",
        order="status_400",
        error=errors.ContextTooLong,
        again=False,
        says="the conversation is too long for the model",
        do=SHORTER,
    ),
    Fault(
        name="400, the request is refused",
        order="bad_request",
        error=errors.RequestRefused,
        again=False,
        says="the endpoint refused the request",
        do="use a strategy that the server can serve",
    ),
    Fault(
        name="401, its `error` a string",
        order="status_401",
        error=errors.EndpointMisconfigured,
        again=False,
        says="the endpoint refused the key",
        do=KEY,
    ),
    Fault(
        name="404, no such model",
        order="status_404",
        error=errors.EndpointMisconfigured,
        again=False,
        says="the endpoint knows no such model",
        do=MODEL,
    ),
    Fault(
        name="429 without Retry-After",
        order="status_429",
        error=errors.EndpointBusy,
        says="the endpoint asked for a pause",
        do=ROOM,
    ),
    Fault(
        name="429 with Retry-After",
        order="status_429",
        options={"retry_after": 7},
        error=errors.EndpointBusy,
        pause=7.0,
        says="the endpoint asked for a pause",
        do=ROOM,
    ),
    Fault(
        name="500",
        order="status_500",
        error=errors.EndpointUnavailable,
        says="the endpoint failed",
        do=SERVER,
    ),
    Fault(
        name="503, the queue is full",
        order="status_503",
        error=errors.EndpointUnavailable,
        says="the endpoint failed",
        do=ROOM,
    ),
)

STREAMS = (
    Fault(
        name="connection cut in the middle",
        order="cut",
        error=errors.BrokenStream,
        says="the connection broke inside the answer",
        do=SERVER,
    ),
    Fault(
        name="clean end in the middle",
        order="end_early",
        error=errors.BrokenStream,
        says="without a finish reason",
        do=SERVER,
    ),
    Fault(
        name="the whole text without a finish reason",
        order="no_finish_reason",
        error=errors.BrokenStream,
        says="without a finish reason",
        do=SERVER,
    ),
    Fault(
        name="clean end without `[DONE]`",
        order="no_done",
        error=errors.BrokenStream,
        says="without [DONE]",
        do=SERVER,
    ),
    Fault(
        name="200 with HTML",
        order="html",
        error=errors.BrokenStream,
        says="text/html; charset=utf-8 and no event stream",
        do=PROXY,
    ),
    Fault(
        name="200 with an error as JSON",
        order="error_in_body",
        error=errors.BrokenStream,
        says="application/json and no event stream",
        do=SERVER,
    ),
    Fault(
        name="malformed JSON in the stream",
        order="malformed_chunk",
        error=errors.BrokenStream,
        says="the stream held malformed JSON",
        do=SERVER,
    ),
    Fault(
        name="an error object in the stream",
        order="error_in_stream",
        error=errors.BrokenStream,
        says=BROKE,
        do=SERVER,
    ),
    Fault(
        name="ended by a content filter",
        order="ended_by_server",
        error=errors.EndedByEndpoint,
        says="the answer was ended by the endpoint: content_filter",
        do=FILTER,
    ),
    Fault(
        name="ended by a call of a tool",
        order="ended_by_server",
        options={"reason": "tool_calls"},
        error=errors.EndedByEndpoint,
        says="the answer was ended by the endpoint: tool_calls",
        do=TOOLS,
    ),
    Fault(
        name="2 MB of text",
        order="huge",
        error=errors.TooLarge,
        says="the answer passed the cap on its size",
        do=TEMPLATE,
    ),
    Fault(
        name="NUL and a lone surrogate, as JSON escapes",
        order="bad_escapes",
        error=errors.UnusableText,
        says="the answer cannot be stored",
        do=TEMPLATE,
    ),
    Fault(
        name="a NUL alone, as a JSON escape",
        order="bad_escapes",
        options={"text": "\x00"},
        error=errors.UnusableText,
        says="the answer cannot be stored",
        do=TEMPLATE,
    ),
    Fault(
        name="a lone surrogate alone, as a JSON escape",
        order="bad_escapes",
        options={"text": "\ud83d"},
        error=errors.UnusableText,
        says="the answer cannot be stored",
        do=TEMPLATE,
    ),
    Fault(
        name="a character split between two chunks",
        order="split_characters",
        strategy="nc_single",
        language="hi",
    ),
)

TEXTS = (
    Fault(
        name="empty text",
        order="empty",
        measure="empty",
        says="an answer was empty or could not be stored",
        do=TEMPLATE,
    ),
    Fault(
        name="only white space",
        order="white_space",
        measure="empty",
        says="an answer was empty or could not be stored",
        do=TEMPLATE,
    ),
    Fault(
        name="endless white space",
        order="endless_white_space",
        measure="cut_off",
        says="an answer was cut off",
        do=WHITE,
    ),
    Fault(
        name="an error as the text of an answer",
        order="error_text",
        measure="error_text",
        says="an error stood in place of an answer",
        do=PROXY,
    ),
    Fault(
        name="cut by the token limit, after a whole sentence",
        order="cut_by_limit",
        options={"share": 0.9},
    ),
    Fault(
        name="cut by the token limit, in the first sentence",
        order="cut_by_limit",
        options={"share": 0.1},
        measure="cut_off",
        says="an answer was cut off",
        do=TOKENS,
    ),
    Fault(
        name="cut by the token limit, in a set in one answer",
        order="cut_by_limit",
        strategy="nc_single",
        error=REJECTED,
        says=NOT_FOUR,
        do=TOKENS,
    ),
    Fault(
        name="cut by the token limit, in a JSON array",
        order="cut_by_limit",
        strategy="nc_structured",
        error=REJECTED,
        says=NO_ARRAY,
        do=TOKENS,
    ),
    Fault(
        name="endless white space in a JSON array",
        order="endless_white_space",
        strategy="nc_structured",
        error=REJECTED,
        says=NO_ARRAY,
        do=WHITE,
    ),
    *(
        Fault(
            name=f"{word} responses where four were asked for",
            order="count",
            options={"count": count},
            strategy="nc_single",
            error=REJECTED,
            says=NOT_FOUR,
            do=PLAN,
        )
        for word, count in (("three", 3), ("five", 5), ("seven", 7))
    ),
    Fault(
        name="repeated responses",
        order="identical",
        strategy="nc_single",
        measure="duplicate",
        says="two answers were the same",
        do=PLAN,
    ),
    Fault(
        name="nearly repeated responses",
        order="near_duplicates",
        strategy="nc_single",
        measure="near_duplicate",
        says="two answers were nearly the same",
        do=PLAN,
    ),
    Fault(
        name="`###` inside a response of a set in one answer",
        order="marker_inside",
        strategy="nc_single",
        error=REJECTED,
        says=NOT_FOUR,
        do=PLAN,
    ),
    Fault(
        name="`###` inside a single answer",
        order="marker_inside",
        measure="markers",
        says="a marker or a label stood in an answer",
        do=PLAN,
    ),
    Fault(name="numbered responses", order="numbered", strategy="nc_single"),
    Fault(name="a preamble before the responses", order="preamble", strategy="nc_single"),
    Fault(
        name="a preamble before a single answer",
        order="preamble",
        measure="preamble",
        says="an answer began by announcing itself",
        do=PLAN,
    ),
    Fault(
        name="a refusal among the responses",
        order="refusal",
        options={"first": True},
        strategy="nc_single",
        measure="refusal",
        says=REFUSED,
        do=PLAN,
    ),
    Fault(
        name="a refusal in a baseline",
        order="refusal",
        options={"nth": 1},
        measure="refusal",
        says=REFUSED,
        do=PLAN,
    ),
    Fault(
        name="a model that speaks of itself",
        order="self_identification",
        strategy="nc_single",
        measure="self_identification",
        says="the model spoke of itself",
        do=PLAN,
    ),
    Fault(
        name="a model that speaks of itself, in a baseline",
        order="self_identification",
        options={"nth": 1},
        measure="self_identification",
        says="the model spoke of itself",
        do=PLAN,
    ),
    Fault(
        name="our instruction at the head of a response",
        order="echo",
        strategy="nc_single",
        measure="echo",
        says="an answer repeated its instruction",
        do=PLAN,
    ),
    Fault(
        name="the question in place of a response",
        order="question_back",
        strategy="nc_single",
        measure="question_back",
        says="the question was given back",
        do=PLAN,
    ),
    Fault(
        name="a Chinese word in a Hindi response",
        order="foreign_script",
        strategy="nc_single",
        language="hi",
        measure="foreign_script",
        says="letters of another script stood in an answer",
        do=LANGUAGE,
    ),
    Fault(
        name="`<|end_of_text|>` at the end of a text",
        order="special_tokens",
        strategy="nc_single",
    ),
    Fault(
        name="`<|end_of_text|>` inside a text",
        order="special_tokens",
        options={"inside": True},
        strategy="nc_single",
        measure="special_tokens",
        says="template tokens stood in an answer",
        do=TEMPLATE,
    ),
    Fault(
        name="an English answer to a Hindi prompt",
        order="wrong_language",
        strategy="nc_single",
        language="hi",
        measure="language",
        says="an answer was not in the language asked for",
        do=LANGUAGE,
    ),
)

FAULTS = (*CONNECTIONS, *STATUSES, *STREAMS, *TEXTS)

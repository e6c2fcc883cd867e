"""The one error tree of this app. Nothing of the HTTP client below it leaks out.

SamplingError                something kept a candidate set from being made
|- BadRequest                the plan, the context or the language cannot be used as they are
|- Stopped                   given up: the set was withdrawn, or another call of it failed first
|- EndpointError             the endpoint gave no whole answer
|  |- EndpointUnavailable    refused, reset, no such name, or a 5xx
|  |- EndpointBusy           429, or 503 with a time to come back
|  |- EndpointTimeout        one of the four deadlines passed; `deadline` names it
|  |- EndpointMisconfigured  wrong key or model, bad certificate, redirect: a person must act
|  |- RequestRefused         400 or 422: this endpoint does not take this request
|  |  `- ContextTooLong      the conversation does not fit into the model
|  `- BrokenStream           cut, no proper end, malformed, or an error inside a 200
|     |- EndedByEndpoint     whole by its form, but ended by a filter or a tool call
|     |- TooLarge            the answer passed the cap
|     `- UnusableText        NUL or a lone surrogate, which no database row can hold
|- CheckUnavailable          a check that the plan waits for could not be made
`- GuardRejected             whole answers came, but no set of k valid ones
   |- MessageBlocked         the safety check keeps the person's message from the model
   `- SetAside               the safety check leaves the set to the research team

Whether to try again is a property of the error, never of the caller: `retryable`, and
`retry_after` (seconds) where the endpoint asked for a pause. `code` is the reason stored with a
failed set. `blames_endpoint` says whether the error counts against the endpoint's breaker,
`depends_on_endpoint` whether another endpoint may well do better. `absent` says that nobody was
there to answer, which is no fault of the set. `calls` holds what was sent before the error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from sampling.calls import CallRecord
    from sampling.guard import Verdict


class SamplingError(Exception):
    """Something kept a candidate set from being made."""

    code: ClassVar[str] = "sampling_error"
    retryable: bool = False
    blames_endpoint: ClassVar[bool] = False
    depends_on_endpoint: ClassVar[bool] = False
    absent: bool = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.calls: tuple[CallRecord, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The error as the commands print it."""
        return {
            "class": type(self).__name__,
            "message": self.message,
            "retryable": self.retryable,
        }


class BadRequest(SamplingError):
    """The plan, the context or the language cannot be used as they are."""

    code = "bad_request"


class Stopped(SamplingError):
    """Given up: the set was withdrawn, or another call of it failed first. Its stream is closed."""

    code = "stopped"
    retryable = True


class EndpointError(SamplingError):
    """The endpoint gave no whole answer. `raw` is what came, made storable; it is never shown."""

    code = "endpoint_error"
    blames_endpoint = True
    depends_on_endpoint = True

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        raw: str = "",
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status
        self.raw = raw
        self.replica = ""  # host:port, where the endpoint is several servers


class EndpointUnavailable(EndpointError):
    """Refused, reset, unknown name, or a 5xx: nothing is served there now."""

    code = "endpoint_unavailable"
    retryable = True


class EndpointBusy(EndpointError):
    """The endpoint is there and asks for a pause (`retry_after`, where it named one)."""

    code = "endpoint_busy"
    retryable = True


class EndpointTimeout(EndpointError):
    """A deadline passed: `deadline` is connect, first_byte, between_chunks or total."""

    code = "endpoint_timeout"
    retryable = True

    def __init__(self, message: str, *, deadline: str, raw: str = "") -> None:
        super().__init__(message, raw=raw)
        self.deadline = deadline


class EndpointMisconfigured(EndpointError):
    """Wrong key, unknown model or path, broken certificate, a redirect: a person must act."""

    code = "endpoint_misconfigured"


class RequestRefused(EndpointError):
    """400 or 422: this endpoint does not take this request, and will not take it again."""

    code = "request_refused"
    blames_endpoint = False
    depends_on_endpoint = False


class ContextTooLong(RequestRefused):
    """The conversation does not fit into the model's context; another endpoint may have more."""

    code = "context_too_long"
    depends_on_endpoint = True


class BrokenStream(EndpointError):
    """The answer began and is not whole: cut, no proper end, malformed, or an error in a 200."""

    code = "broken_stream"
    retryable = True


class EndedByEndpoint(BrokenStream):
    """The endpoint works and ended the answer itself: a content filter, or a call of a tool."""

    code = "answer_ended"
    blames_endpoint = False
    depends_on_endpoint = False


class TooLarge(BrokenStream):
    """The answer passed the cap on its size; its stream was closed."""

    code = "answer_too_large"
    blames_endpoint = False
    depends_on_endpoint = False


class UnusableText(BrokenStream):
    """The answer holds NUL or a lone surrogate, which no database row can hold."""

    code = "unusable_text"
    blames_endpoint = False
    depends_on_endpoint = False


class GuardRejected(SamplingError):
    """Whole answers came, but no set of k valid ones; `verdict` says what was wrong.

    Retryable: another attempt has other seeds, and the plan's next endpoint another model. That is
    no fault of an endpoint's health.
    """

    code = "guard_rejected"
    retryable = True
    depends_on_endpoint = True

    def __init__(self, message: str, *, verdict: Verdict) -> None:
        super().__init__(message)
        self.verdict = verdict


class MessageBlocked(GuardRejected):
    """The plan's safety check found harm in the person's own message: it is not sent."""

    code = "message_blocked"
    retryable = False
    depends_on_endpoint = False


class SetAside(GuardRejected):
    """The plan's safety check found harm, and the set is left to the research team."""

    code = "set_aside"
    retryable = False
    depends_on_endpoint = False


class CheckUnavailable(SamplingError):
    """A check that the plan waits for could not be made: its endpoint gave no whole answer."""

    code = "check_unavailable"
    retryable = True

"""A request id for every request: in log lines, in the answer, in the bell and the model call."""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import regex
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("counterpoint.requests")
WELL_FORMED = regex.compile(r"[A-Za-z0-9._-]{8,80}")
_current: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """The id of the request being answered in this thread, `-` outside of one."""
    return _current.get()


@contextmanager
def request_id_is(request_id: str) -> Iterator[None]:
    """Work on behalf of a request, in another process: its id is on the log lines."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)


class RequestIdFilter(logging.Filter):
    """Puts the request id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _current.get()
        return True


class RouteFilter(logging.Filter):
    """Puts the route where Django's own lines have the path, which holds the tokens of links."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = record.__dict__.pop("request", None)
        if request is not None and isinstance(record.args, tuple) and record.args:
            match = request.resolver_match
            record.args = (*record.args[:-1], match.route if match else "-")
        return True


class RequestIdMiddleware:
    """Names the request, answers with `X-Request-Id`, and writes one log line.

    The line has the route, never the path: paths hold the tokens of join and return links.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        token = _current.set(request_id)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id
            route = request.resolver_match.route if request.resolver_match else "-"
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            logger.info(
                "request",
                extra={
                    "method": request.method,
                    "route": route,
                    "status": response.status_code,
                    "ms": milliseconds,
                },
            )
            return response
        finally:
            _current.reset(token)

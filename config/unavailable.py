"""When the database is away: a page that says so and keeps what was typed."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

RETRY_AFTER = "5"  # seconds
NEVER_KEPT = {"csrfmiddlewaretoken", "password"}


class DatabaseUnavailableMiddleware:
    """Turns a lost database into 503 with Retry-After.

    A form that was posted comes back with its fields and one button to send it again: its
    idempotency key makes that safe even if the first try was stored.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        return unavailable(request)


def posted_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What a form posted, for a page that offers to send it again."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name not in NEVER_KEPT
        for value in values
    ]


def unavailable(request: HttpRequest) -> HttpResponse:
    response = render(request, "503.html", {"fields": posted_fields(request)}, status=503)
    response["Retry-After"] = RETRY_AFTER
    return response

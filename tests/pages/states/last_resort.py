"""Pages that are shown when nothing else can be."""

from collections.abc import Callable
from functools import partial

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from config.pages import csrf_failure
from config.unavailable import unavailable
from tests.pages.states.people import (
    POSTED,
)
from tests.pages.states.registry import Visit, state


def last_resort(name: str, locale: str) -> Visit:
    def show() -> HttpResponse:
        with translation.override(locale):
            return HttpResponse(render_to_string(name))

    return Visit(show)


def in_trouble(answer: Callable[..., HttpResponse], locale: str, posted: dict[str, str]) -> Visit:
    def show() -> HttpResponse:
        make = RequestFactory()
        with translation.override(locale):
            return answer(make.post("/work/", posted) if posted else make.get("/work/"))

    return Visit(show)


state("unreadable")(partial(last_resort, "400.html"))
state("broken")(partial(last_resort, "500.html"))
state("form-token", status=403)(lambda locale: in_trouble(csrf_failure, locale, POSTED))
state("no-database", status=503)(lambda locale: in_trouble(unavailable, locale, {}))
state("no-database-form", status=503)(lambda locale: in_trouble(unavailable, locale, POSTED))

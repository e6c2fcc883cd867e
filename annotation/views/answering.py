"""What the annotator's views answer with: a page of a study, a break, the way to the next thing."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language

from annotation.views import wording
from config.unavailable import posted_fields
from studies import access as links
from studies.models import Study
from studies.rules import Rules, current_rules, in_language

LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # seconds


class SeeOther(HttpResponseRedirect):
    """303: what is answered to every form that was accepted."""

    status_code = 303


def see_other(view: str, **arguments: Any) -> HttpResponse:
    """Lead to the page of a view of ours."""
    return SeeOther(reverse(view, kwargs=arguments))


def locale() -> str:
    """The interface language of this request."""
    return get_language() or settings.LANGUAGE_CODE


def page(
    request: HttpRequest,
    template: str,
    study: Study,
    context: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """A page under the study's title, which takes one query."""
    title = study_title(current_rules(study))
    return render(request, template, {"study_title": title, **context}, status=status)


def study_title(rules: Rules) -> str:
    return in_language(rules.title, locale())


def pause_page(
    request: HttpRequest, code: str, *, study: Study | None = None, kept: bool = False
) -> HttpResponse:
    """200: the study takes nothing at the moment, or for good."""
    token = getattr(request, "return_token", "")
    context = {
        "pause": wording.pause(code),
        "kept": kept,
        "fields": posted_fields(request),
        "return_url": return_url(token),
    }
    if study is None or study.state in (Study.State.DRAFT, Study.State.REHEARSED):
        return render(request, "annotation/pause.html", context)
    return page(request, "annotation/pause.html", study, context)


def return_url(token: str) -> str:
    """The person's return link; empty when this browser does not know it."""
    return links.return_url(token) if token else ""


def keep_language(response: HttpResponse, language: str) -> None:
    """Show pages in this interface language from now on, in this browser."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )

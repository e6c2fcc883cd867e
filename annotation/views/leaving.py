"""Help, language, withdrawing, and the last page."""

from contextlib import suppress

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from annotation import access
from annotation.access import AnnotatorRequest, annotator_page
from annotation.leaving import withdraw as withdraw_person
from annotation.panel_returns import way_back_of
from annotation.progress import Do, Step, next_step
from annotation.views import wording
from annotation.views.answering import (
    SeeOther,
    keep_language,
    locale,
    page,
    return_url,
    see_other,
)
from config.pages import csrf_failure as say_csrf_failure
from studies.access_rules import public
from studies.enrolling import change_language, completion_code
from studies.models import Enrolment, Sitting
from studies.rules import current_rules, in_language

LEFT = (Enrolment.State.WITHDRAWN, Enrolment.State.NO_CONSENT)
CODED = (Sitting.ExitCode.COMPLETE, Sitting.ExitCode.PARTIAL)
HOME = "/work/"


@annotator_page
@require_safe
def closing(request: AnnotatorRequest) -> HttpResponse:
    """How it ended, the code that proves it, and the link back."""
    step = next_step(request.enrolment)
    if step.do is not Do.LEAVE:
        return redirect("work")
    arrived = access.visitor(request).arrived
    back = way_back_of(enrolment=request.enrolment, exit_code=step.exit_code, arrived=arrived)
    context = {
        "closing": wording.closing(step.exit_code),
        "code": "" if back else _code(request.enrolment, step),
        "way_back": back,
        "return_url": return_url(request.return_token),
        "may_withdraw": request.enrolment.state not in LEFT,
    }
    return page(request, "annotation/closing.html", request.enrolment.study, context)


def _code(enrolment: Enrolment, step: Step) -> str:
    """The completion code of a sitting that earned one; else empty."""
    if step.sitting is None or step.exit_code not in CODED:
        return ""
    step.sitting.enrolment = enrolment
    return completion_code(step.sitting)


@public
@cache_control(no_store=True)
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """How it goes, how to stop, how to leave; for strangers, how to come back."""
    person = access.visitor(request)
    enrolment = access.find_enrolment(person)
    if enrolment is None:
        return render(request, "annotation/help.html")
    access.use_language(request, enrolment.ui_language)
    sitting = enrolment.sittings.filter(state=Sitting.State.OPEN).first()
    context = {
        "enrolled": enrolment.state not in LEFT,
        "deadline": sitting.deadline if sitting else None,
        "instructions": in_language(current_rules(enrolment.study).instructions, locale()),
        "return_url": return_url(person.return_token),
    }
    return page(request, "annotation/help.html", enrolment.study, context)


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: AnnotatorRequest) -> HttpResponse:
    """Leave the study; the last page says what that meant."""
    if request.method == "POST":
        withdraw_person(enrolment=request.enrolment)
        return see_other("closing")
    if request.enrolment.state in LEFT:
        return redirect("closing")
    return page(request, "annotation/withdraw.html", request.enrolment.study, {})


@public
@cache_control(no_store=True)
@require_http_methods(["GET", "HEAD", "POST"])
def language(request: HttpRequest) -> HttpResponse:
    """Another language for these pages; the language of the task stays the cohort's."""
    person = access.visitor(request)
    enrolment = access.find_enrolment(person)
    chosen = request.POST.get("language", "")
    if request.method == "POST" and chosen in dict(settings.LANGUAGES):
        response = SeeOther(_next(request.POST.get("next", "")))
        keep_language(response, chosen)
        if enrolment:
            change_language(enrolment=enrolment, ui_language=chosen)
        return response
    if enrolment:
        access.use_language(request, enrolment.ui_language)
    asked = request.POST.get("next") or request.GET.get("next", "")
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/language.html", {"next": _next(asked)}, status=status)


def _next(address: str) -> str:
    """An address of this site; the next thing to do when it is none."""
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else HOME


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a refused form token; what was typed is also kept under its draft token."""
    with suppress(OperationalError, InterfaceError):
        access.keep_posted(request)  # without the database the page itself still holds the text
    return say_csrf_failure(request, reason)

"""Language, withdrawing, and the last page."""

from contextlib import suppress

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from annotation import access
from annotation.access import AnnotatorRequest, annotator_page
from annotation.departing import Extent, depart, depart_by_code, is_done
from annotation.panel_returns import way_back_of
from annotation.refusals import BadReason
from annotation.steps import Do, Step, next_step
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
from studies.withdrawal_codes import UnknownCode, UsedCode, make_code, show_code

# What is paid: work, and a check that did not come out.
CODED = (Sitting.ExitCode.COMPLETE, Sitting.ExitCode.PARTIAL, Sitting.ExitCode.QUALITY_TERM)
HOME = "/work/"
no_store = cache_control(no_store=True)


@annotator_page
@require_safe
def closing(request: AnnotatorRequest) -> HttpResponse:
    """How it ended, the code that proves it, the way back to a panel, and the link back here."""
    step = next_step(request.enrolment)
    if step.do is not Do.LEAVE:
        return redirect("work")
    return closing_page(request, request.enrolment, step)


def closing_page(request: AnnotatorRequest, enrolment: Enrolment, step: Step) -> HttpResponse:
    """The last page of somebody for whom the step is to leave. At most four queries."""
    rules = current_rules(enrolment.study)
    arrived = access.visitor(request).arrived
    back = way_back_of(enrolment=enrolment, exit_code=step.exit_code, arrived=arrived)
    failed = step.exit_code == Sitting.ExitCode.QUALITY_TERM
    done = step.exit_code == Sitting.ExitCode.COMPLETE and not enrolment.has_left
    context = {
        "outcome": step.exit_code or "",
        "closing": wording.closing(
            Sitting.ExitCode.WITHDRAWN if enrolment.has_left_midway else step.exit_code
        ),
        "thanks": in_language(rules.thanks, locale()) if done else "",
        "paid": rules.paid_for_check(enrolment.cohort.country) if failed else None,
        "is_erased": enrolment.erased_at is not None,
        "code": "" if back else _code(enrolment, step),
        "way_back": back,
        "return_url": return_url(request.return_token),
        "may_withdraw": not enrolment.has_left,
        "may_erase": enrolment.has_left_midway and enrolment.erased_at is None,
    }
    return page(request, "annotation/closing.html", enrolment.study, context)


def _code(enrolment: Enrolment, step: Step) -> str:
    """The code of a sitting that is paid; else empty."""
    if step.sitting is None or step.exit_code not in CODED:
        return ""
    step.sitting.enrolment = enrolment
    return completion_code(step.sitting)


# --- Withdrawing ----------------------------------------------------------------------------------


@public
@no_store
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Leave the study, and have one's words deleted if one likes: as whom this browser works for,
    or by a code, which also works where nobody is known."""
    person = access.visitor(request)
    enrolment = access.find_enrolment(person)
    if enrolment:
        access.use_language(request, enrolment.ui_language)
        request.enrolment = enrolment  # type: ignore[attr-defined] # the page's footer looks there
    extent = request.POST.get("extent") or Extent.STOP
    if request.method == "POST" and (typed := request.POST.get("code", "")):
        return _withdraw_by_code(request, enrolment, typed=typed, extent=extent)
    if request.method == "POST" and enrolment and extent in set(Extent):
        depart(enrolment=enrolment, extent=extent)
        return see_other("closing")
    if request.method == "POST":
        fault = _("Please choose one of the two.") if enrolment else _("Please type your code.")
        return _ask_to_withdraw(request, enrolment, fault=fault)
    if enrolment and is_done(enrolment, Extent.DELETE):
        return redirect("closing")
    return _ask_to_withdraw(request, enrolment)


def _withdraw_by_code(
    request: HttpRequest, enrolment: Enrolment | None, *, typed: str, extent: str
) -> HttpResponse:
    try:
        depart_by_code(typed=typed, extent=extent)
    except UsedCode:
        return render(request, "410.html", {"code": "code_used"}, status=410)
    except UnknownCode:
        fault = _("We do not know this code. Please look at each letter again.")
        return _ask_to_withdraw(request, enrolment, fault=fault)
    except BadReason:
        fault = _("Please choose one of the two.")
        return _ask_to_withdraw(request, enrolment, fault=fault)
    return see_other("withdrawn")


def _ask_to_withdraw(
    request: HttpRequest, enrolment: Enrolment | None, *, fault: str = ""
) -> HttpResponse:
    context = {
        "fault": fault,
        "code": request.POST.get("code", ""),
        "extent": request.POST.get("extent", Extent.STOP),
        "has_left": enrolment is not None and enrolment.has_left,
    }
    status = 422 if fault else 200
    if enrolment is None:
        return render(request, "annotation/withdraw.html", context, status=status)
    return page(request, "annotation/withdraw.html", enrolment.study, context, status=status)


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def withdrawal_code(request: AnnotatorRequest) -> HttpResponse:
    """Make a code to leave by, and show it once."""
    enrolment = request.enrolment
    if request.method == "POST" and not enrolment.has_left:
        make_code(enrolment=enrolment)
        return see_other("withdrawal-code")
    if enrolment.has_left:
        return redirect("closing")
    context = {
        "code": show_code(enrolment=enrolment),
        "withdraw_url": f"{settings.BASE_URL}{reverse('withdraw')}",
    }
    return page(request, "annotation/withdrawal_code.html", enrolment.study, context)


@public
@no_store
@require_safe
def withdrawn(request: HttpRequest) -> HttpResponse:
    """What leaving by a code came to, in a browser that may know nobody."""
    return render(request, "annotation/withdrawn.html")


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
    if "draft" in request.POST:
        access.keep_posted(request)  # what was being typed comes along without scripts
        return SeeOther(request.get_full_path())
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

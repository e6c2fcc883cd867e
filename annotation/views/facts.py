"""Pages for anybody to read: help and contact, what is stored, how the pages can be used."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from annotation import access
from annotation.views.answering import locale, return_url, study_title
from sampling.models import Endpoint
from studies.access_rules import public
from studies.models import Enrolment, Sitting
from studies.rules import Rules, current_rules, in_language

no_store = cache_control(no_store=True)


@public
@no_store
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """How it goes, how to stop, how to leave, whom to ask; for strangers, how to come back."""
    enrolment = _recognise(request)
    if enrolment is None:
        return render(request, "annotation/help.html")
    rules = current_rules(enrolment.study)
    sitting = enrolment.sittings.filter(state=Sitting.State.OPEN).first()
    context = {
        **_of_study(rules),
        "enrolled": not enrolment.has_left,
        "deadline": sitting.deadline if sitting else None,
        "instructions": in_language(rules.instructions, locale()),
        "return_url": return_url(access.visitor(request).return_token),
    }
    return render(request, "annotation/help.html", context)


@public
@no_store
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is stored of whom, who sees it, for how long, and what one may ask for."""
    enrolment = _recognise(request)
    if enrolment is None:
        return render(request, "annotation/privacy.html")
    rules = current_rules(enrolment.study)
    arms = Endpoint.objects.filter(plan_endpoints__plan__arms__cohort=enrolment.cohort_id)
    context = {
        **_of_study(rules),
        "privacy": in_language(rules.privacy, locale()),
        "endpoints": arms.distinct().order_by("name"),
    }
    return render(request, "annotation/privacy.html", context)


@public
@no_store
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement."""
    enrolment = _recognise(request)
    context = _of_study(current_rules(enrolment.study)) if enrolment else {}
    return render(request, "annotation/accessibility.html", context)


def _recognise(request: HttpRequest) -> Enrolment | None:
    """Who this browser works for, if it is known; the page then speaks their language."""
    enrolment = access.find_enrolment(access.visitor(request))
    if enrolment:
        access.use_language(request, enrolment.ui_language)
        request.enrolment = enrolment  # type: ignore[attr-defined] # the page's footer looks there
    return enrolment


def _of_study(rules: Rules) -> dict[str, Any]:
    return {"study_title": study_title(rules), "contact": rules.contact}

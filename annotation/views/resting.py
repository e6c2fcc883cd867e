"""Breaks, and more time: the bar's pause button, the page between, the way on."""

from datetime import datetime
from math import ceil
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from annotation import resting
from annotation.access import AnnotatorRequest, annotator_page, keep_posted
from annotation.effort import cohort_pace, minutes_left, minutes_of
from annotation.extending import extend_time
from annotation.steps import Do, Step, next_step
from annotation.views.answering import page, return_url, see_other

WARN_BEFORE = 120  # seconds until the time runs out
# A reload of an address that forms are sent to is a GET, and leads on.
accept_forms = require_http_methods(["GET", "HEAD", "POST"])


@annotator_page
@accept_forms
def pause(request: AnnotatorRequest) -> HttpResponse:
    """Take a break; what is kept until when, how to come back, and where one was."""
    if request.method == "POST":
        keep_posted(request)  # what was being typed comes along without scripts
        resting.take_break(enrolment=request.enrolment)
        return see_other("pause")
    step = next_step(request.enrolment)
    if not request.enrolment.is_at_work or step.do is Do.LEAVE:
        return redirect("work")
    context = break_context(request, step)
    return page(request, "annotation/break.html", request.enrolment.study, context)


@annotator_page
@accept_forms
def pause_end(request: AnnotatorRequest) -> HttpResponse:
    """Back from a break."""
    if request.method != "POST":
        return redirect("work")
    resting.end_break(enrolment=request.enrolment)
    return see_other("work")


@annotator_page
@accept_forms
def pause_later(request: AnnotatorRequest) -> HttpResponse:
    """No break now, although one was offered."""
    if request.method != "POST":
        return redirect("work")
    resting.decline_break(enrolment=request.enrolment)
    return see_other("work")


@annotator_page
@accept_forms
def extend(request: AnnotatorRequest) -> HttpResponse:
    """More time for the open conversation; to a script only the part of the page that says so."""
    if request.method != "POST":
        return redirect("work")
    keep_posted(request)
    until = extend_time(enrolment=request.enrolment)
    if not request.htmx or until is None:
        response = see_other("work")
        if request.htmx:
            response = HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})
        return response
    return render(request, "annotation/_lease.html", lease_context(until))


def break_context(request: AnnotatorRequest, step: Step) -> dict[str, Any]:
    """What the page of a break says: one that is offered, or goes on. At most two queries."""
    place = resting.open_place(request.enrolment.pk)
    now = step.standing
    worked = now.worked if now else None
    pace = cohort_pace(request.enrolment.cohort_id)
    return {
        "is_resting": now is not None and now.resting_since is not None,
        "worked_minutes": minutes_of(worked) if worked else 0,
        "place": place,
        "done": step.done,
        "target": step.target,
        "minutes_left": minutes_left(step.target - step.done, pace),
        "kept_until": place.deadline if place else None,
        "sitting_until": step.sitting.deadline if step.sitting else None,
        "return_url": return_url(request.return_token),
        "task_language": request.enrolment.cohort.language,
    }


def lease_context(until: datetime | None) -> dict[str, Any]:
    """Until when an open conversation is kept, and in how many seconds to warn of its end."""
    if until is None:
        return {}
    left = max(ceil((until - timezone.now()).total_seconds()), 0)
    return {"kept_until": until, "warn_in": max(left - WARN_BEFORE, 0), "seconds_left": left}

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
from annotation.effort import minutes_left, minutes_of, usual_pace
from annotation.extending import extend_time
from annotation.steps import Do, Step, next_step
from annotation.views.answering import page, return_url, see_other
from studies.rules import rules_by_version

WARN_BEFORE = 120  # seconds until the time runs out
# Pages outside a conversation that give more time, and are come back to.
BETWEEN = ("pause", "my-work")
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
    """More time for the open conversation, else for the sitting; to a script only the part of the
    page that says so."""
    if request.method != "POST":
        return redirect("work")
    keep_posted(request)
    given = extend_time(enrolment=request.enrolment)
    asked = request.POST.get("page", "")
    back = asked if asked in BETWEEN else "work"
    # A conversation's page says nothing of the sitting: it is over, and leads on.
    if request.htmx and given and (back in BETWEEN or not given.is_sittings):
        context = lease_context(given.until, sitting=given.is_sittings, page=back)
        return render(request, "annotation/_lease.html", context)
    response = see_other(back)
    if request.htmx:
        response = HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})
    return response


def break_context(request: AnnotatorRequest, step: Step) -> dict[str, Any]:
    """What the page of a break says: one that is offered, or goes on. At most two queries."""
    place = resting.open_place(request.enrolment.pk)
    now = step.standing
    worked = now.worked if now else None
    pace = usual_pace(request.enrolment.cohort_id, rules_by_version(now.version)) if now else None
    return {
        "is_resting": now is not None and now.resting_since is not None,
        "worked_minutes": minutes_of(worked) if worked else 0,
        "place": place,
        "done": step.done,
        "target": step.target,
        "minutes_left": minutes_left(step.target - step.done, pace),
        "sitting_until": step.sitting.deadline if step.sitting and place else None,
        **lease_between(step, page="pause"),
        "return_url": return_url(request.return_token),
        "task_language": request.enrolment.cohort.language,
    }


def lease_between(step: Step, *, page: str) -> dict[str, Any]:
    """Until when somebody at work has time, on a page of BETWEEN: whatever ends first.

    `is_far`: more time would be none yet. No query of its own.
    """
    now = step.standing
    if now is None or step.sitting is None:
        return {}
    sitting = now.assignment_state != "open"
    context = lease_context(now.assignment_deadline, sitting=sitting, page=page)
    given = rules_by_version(now.version).assignment_minutes * 60
    return {**context, "is_far": context.get("seconds_left", 0) > given}


def lease_context(
    until: datetime | None, *, sitting: bool = False, page: str = ""
) -> dict[str, Any]:
    """Until when an open conversation (or the sitting) is kept, and in how many seconds to warn of
    its end; `page` is the one to come back to."""
    if until is None:
        return {}
    left = max(ceil((until - timezone.now()).total_seconds()), 0)
    return {
        "kept_until": until,
        "warn_in": max(left - WARN_BEFORE, 0),
        "seconds_left": left,
        "is_sittings": sitting,
        "lease_page": page,
    }

"""My work: what I did, what it earned, what was decided about me, my questions, my data."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from annotation import drafts, forms
from annotation.access import AnnotatorRequest, annotator_page
from annotation.effort import minutes_left, usual_pace
from annotation.enquiring import ask
from annotation.my_work import read_work
from annotation.own_data import read_own_data
from annotation.refusals import Conflict, Invalid
from annotation.steps import Do, next_step
from annotation.views import wording
from annotation.views.answering import return_url, see_other, study_title
from annotation.views.presenting import keeping
from annotation.views.resting import lease_between
from studies.rules import current_rules


@annotator_page
@require_safe
def my_work(request: AnnotatorRequest) -> HttpResponse:
    """The page."""
    return _show(request)


def _show(request: AnnotatorRequest, *, fault: str = "", status: int = 200) -> HttpResponse:
    enrolment = request.enrolment
    rules = current_rules(enrolment.study)
    step = next_step(enrolment)
    at_work = step.do is not Do.LEAVE and step.sitting is not None
    pace = usual_pace(enrolment.cohort_id, rules) if at_work else None
    work = read_work(enrolment=enrolment, rules=rules)
    context = {
        "study_title": study_title(rules),
        "work": work,
        "decided": wording.decided(),
        "at_work": at_work,
        "done": step.done,
        "target": step.target,
        "minutes_left": minutes_left(step.target - step.done, pace),
        **(lease_between(step, page="my-work") if at_work else {}),
        "return_url": return_url(request.return_token),
        "fault": fault,
        **_enquiry_form(request, len(work.enquiries)),
    }
    return render(request, "annotation/my_work.html", context, status=status)


def _enquiry_form(request: AnnotatorRequest, asked: int) -> dict[str, Any]:
    """The form for a message after so many, with what was typed; who has left keeps no draft."""
    enrolment = request.enrolment
    if enrolment.erased_at is not None:
        return {"may_ask": False}
    if enrolment.has_left:
        return {"may_ask": True, "text": request.POST.get("text", "")}
    form = drafts.enquiry_form(enrolment.pk, asked)
    kept = drafts.read_draft(enrolment=enrolment, form=form)
    return {
        "may_ask": True,
        "text": request.POST.get("text", kept.fields.get("text", "")),
        "typing_form": "ask",
        **keeping(request, address=reverse("enquiry-draft"), form=form, kept=kept),
    }


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def enquiry(request: AnnotatorRequest) -> HttpResponse:
    """Ask the researchers something."""
    if request.method == "POST":
        try:
            ask(enrolment=request.enrolment, text=forms.read_enquiry(request.POST))
        except Invalid as refusal:
            return _show(request, fault=wording.enquiry_fault(refusal), status=422)
        except Conflict:
            pass  # their words were deleted in another window: the page says so
    return see_other("my-work")


@annotator_page
@require_safe
def data(request: AnnotatorRequest) -> HttpResponse:
    """All of the person's own data, as a JSON file."""
    found = json.dumps(read_own_data(request.enrolment), ensure_ascii=False, indent=2)
    name = f"my-data-{request.enrolment.study.slug}.json"
    return HttpResponse(
        found,
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

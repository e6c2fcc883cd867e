"""The annotator's next thing to do, the own opening question, and skipping."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from annotation import drafts, forms
from annotation.access import AnnotatorRequest, annotator_page, keep_posted
from annotation.assigning import Nothing, claim_assignment, may_go_on_at
from annotation.effort import minutes_left, usual_pace
from annotation.leaving import skip_assignment
from annotation.models import Assignment
from annotation.opening import open_conversation, open_own_conversation
from annotation.own_prompts import Notice, limit_of, look_at
from annotation.refusals import BadReason, Conflict, Invalid, NoSkips, NotNow, Refusal, Unknown
from annotation.skips import skips_of
from annotation.standing import standing
from annotation.steps import Do, Step, next_step
from annotation.views import wording
from annotation.views.answering import locale, page, pause_page, return_url, see_other
from annotation.views.conversing import keep_and_pause, not_found
from annotation.views.presenting import keeping
from annotation.views.resting import lease_context
from studies.consenting import is_due
from studies.models import Enrolment
from studies.rules import OwnPrompts, Rules, current_rules, in_language, rules_by_version


@annotator_page
@require_safe
def work(request: AnnotatorRequest) -> HttpResponse:
    """Lead to the next thing to do, or show it."""
    step = next_step(request.enrolment)
    if _must_agree_again(request.enrolment, step):
        return see_other("consent")
    return _lead(request, step)


def _must_agree_again(enrolment: Enrolment, step: Step) -> bool:
    """Whether the consent text has changed since this person answered it. No query of its own."""
    if step.standing is None or step.do not in (Do.START, Do.WRITE, Do.CONVERSE):
        return False
    return is_due(enrolment, rules_by_version(step.standing.version))


def _lead(request: AnnotatorRequest, step: Step) -> HttpResponse:
    match step.do:
        case Do.ANSWER:
            return see_other("questions")
        case Do.CONVERSE:
            return see_other("conversation", conversation_id=step.conversation_id)
        case Do.WRITE:
            return _write(request, step)
        case Do.START:
            return _start(request, step)
        case Do.REST:
            return see_other("pause")
        case Do.WAIT:
            return pause_page(request, "paused", study=request.enrolment.study)
        case Do.LEAVE:
            return see_other("closing")


def _start(request: AnnotatorRequest, step: Step) -> HttpResponse:
    """Claim a conversation and open it; one without a prompt waits for the person's words."""
    assignment = claim_assignment(enrolment=request.enrolment, seen=step.standing)
    if isinstance(assignment, Nothing):
        return _nothing(request, assignment)
    if assignment.cell_id is None and assignment.repeat_of_id is None:
        return _lead(request, next_step(request.enrolment))
    try:
        talk = open_conversation(enrolment=request.enrolment, assignment=assignment)
    except NotNow as refusal:
        return pause_page(request, refusal.code, study=request.enrolment.study)
    except Conflict:
        return see_other("work")  # it ended in another window at this moment
    return see_other("conversation", conversation_id=talk.pk)


def _nothing(request: AnnotatorRequest, reason: Nothing) -> HttpResponse:
    """Why there is no conversation now: a break of the study, the day's limit, or the end."""
    enrolment = request.enrolment
    if reason is Nothing.PAUSED:
        return pause_page(request, "paused", study=enrolment.study)
    until = may_go_on_at(standing(enrolment.pk)) if reason is Nothing.DAY_LIMIT else None
    if until is None:
        return see_other("closing" if reason is not Nothing.DAY_LIMIT else "work")
    limit = current_rules(enrolment.study).limits.per_day or 0
    context = {
        "pause": wording.day_limit(limit, until),
        "return_url": return_url(request.return_token),
    }
    return page(request, "annotation/pause.html", enrolment.study, context)


def _write(
    request: AnnotatorRequest,
    step: Step,
    *,
    refusal: Refusal | None = None,
    pointed_out: Sequence[str] = (),
    template: str = "annotation/own_prompt.html",
    status: int = 200,
) -> HttpResponse:
    """The form for an opening question of one's own."""
    study = request.enrolment.study
    rules = current_rules(study)
    form = drafts.message_form(step.assignment_id)
    kept = drafts.read_draft(enrolment=request.enrolment, form=form)
    context = {
        **_place_in_sitting(request.enrolment, step, rules),
        **_guidance(rules.own_prompts, request.enrolment.cohort.country),
        "assignment_id": step.assignment_id,
        "message_url": reverse("own-message", kwargs={"assignment_id": step.assignment_id}),
        "key": uuid4().hex,
        **keeping(request, address=own_draft_address(step), form=form, kept=kept),
        "text": request.POST.get("text", kept.fields.get("text", "")),
        "task_language": request.enrolment.cohort.language,
        "own_label": _("Your question"),
        "fault": wording.fault(refusal) if refusal else "",
        "pointed_out": pointed_out,
        "no_skips": _no_skips(request.enrolment, rules.skips),
        "skip_reasons": wording.skip_reasons(),
        "here": "/work/",
        "typing_form": "message",
    }
    return page(request, template, study, context, status=status)


def _no_skips(enrolment: Enrolment, most: int | None) -> str:
    """Why nothing can be skipped (any more); empty where it can."""
    if most is None or skips_of(enrolment.pk) < most:
        return ""
    return wording.no_skips(most)


def _place_in_sitting(enrolment: Enrolment, step: Step, rules: Rules) -> dict[str, Any]:
    """Which conversation this is, how long the rest will take, and until when it is kept."""
    left = minutes_left(step.target - step.done, usual_pace(enrolment.cohort_id, rules))
    kept_until = step.standing.assignment_deadline if step.standing else None
    place = {"number": step.number, "target": step.target, "minutes_left": left}
    return {**place, **lease_context(kept_until)}


def _guidance(own: OwnPrompts, country: str) -> dict[str, Any]:
    """What helps to write a question of one's own, and how long it may be."""
    return {
        "guidance": in_language(own.guidance.get(country, {}), locale()),
        "helplines": helplines(own, country),
        "limit": limit_of(own),
    }


def helplines(own: OwnPrompts, country: str) -> list[dict[str, str]]:
    """Whom to talk to in a country, in the interface language where words are needed."""
    return [
        {"name": line.name, "contact": line.contact, "hours": in_language(line.hours, locale())}
        for line in own.helplines.get(country, ())
    ]


def own_draft_address(step: Step) -> str:
    return reverse("own-draft", kwargs={"assignment_id": step.assignment_id})


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def own_message(request: AnnotatorRequest, assignment_id: UUID) -> HttpResponse:
    """Open a conversation with one's own words."""
    if request.method != "POST":
        return redirect("work")
    try:
        posted = forms.read_message(request.POST)
        if not posted.anyway and (notice := _look(request, assignment_id, posted.text)):
            step = next_step(request.enrolment)
            # Where it cannot be sent any more, sending says why.
            if step.do is Do.WRITE and step.assignment_id == assignment_id:
                return _point_out(request, step, notice)
        sent = open_own_conversation(
            enrolment=request.enrolment,
            assignment_id=assignment_id,
            text=posted.text,
            idempotency_key=posted.key,
        )
    except Unknown:
        return not_found(request)
    except NotNow as refusal:
        return keep_and_pause(request, refusal)
    except Invalid as refusal:
        return _mend(request, assignment_id, refusal)
    except Conflict as refusal:
        return _too_late(request, refusal)
    return see_other("conversation", conversation_id=sent.conversation_id)


def _look(request: AnnotatorRequest, assignment_id: UUID, text: str) -> Notice:
    rules = current_rules(request.enrolment.study).own_prompts
    return look_at(text, enrolment=request.enrolment, assignment_id=assignment_id, rules=rules)


def _point_out(request: AnnotatorRequest, step: Step, notice: Notice) -> HttpResponse:
    """The form again with what its writer should know, or help; both with the way on."""
    if notice.distress:
        return _write(request, step, template="annotation/distress.html", status=422)
    return _write(request, step, pointed_out=wording.pointed_out(notice), status=422)


def _mend(request: AnnotatorRequest, assignment_id: UUID, refusal: Invalid) -> HttpResponse:
    """The form again, where it still is the next thing to do; else the text, and the way on."""
    step = next_step(request.enrolment)
    if not Assignment.objects.filter(pk=assignment_id, enrolment=request.enrolment).exists():
        return not_found(request)
    if step.do is Do.WRITE and step.assignment_id == assignment_id:
        return _write(request, step, refusal=refusal, status=422)
    if step.do is Do.WAIT:
        return keep_and_pause(request, NotNow("paused"))
    if step.assignment_id == assignment_id:
        keep_posted(request)  # its time ran out: the form comes back with the text, given room
    return _show_unsent(request, heading=wording.fault(refusal), status=422)


def _too_late(request: AnnotatorRequest, refusal: Conflict) -> HttpResponse:
    """Another message opened the conversation, or nothing opens it any more."""
    status = 422 if refusal.code == "same_key_other_body" else 409
    return _show_unsent(
        request,
        heading=wording.opened_heading(refusal),
        explained=wording.opened(refusal),
        status=status,
    )


def _show_unsent(
    request: AnnotatorRequest, *, heading: str, explained: str = "", status: int
) -> HttpResponse:
    """What could not be sent, to copy, and the way to the next thing to do."""
    context = {
        "heading": heading,
        "explained": explained,
        "text": request.POST.get("text", ""),
        "here": "/work/",
    }
    return page(request, "annotation/opened.html", request.enrolment.study, context, status=status)


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def skip(request: AnnotatorRequest, assignment_id: UUID) -> HttpResponse:
    """Give a conversation back, with a reason."""
    if request.method != "POST":
        return redirect("work")
    try:
        skip_assignment(
            enrolment=request.enrolment,
            assignment_id=assignment_id,
            reason=request.POST.get("reason", ""),
        )
    except Unknown:
        return not_found(request)
    except BadReason as refusal:
        return _skip_again(request, assignment_id, refusal, status=422)
    except NoSkips as refusal:
        return _skip_again(request, assignment_id, refusal, status=409)
    except Conflict:
        pass  # it was finished in the meantime: the next thing to do shows it
    return see_other("work")


def _skip_again(
    request: AnnotatorRequest, assignment_id: UUID, refusal: Refusal, *, status: int
) -> HttpResponse:
    context = {
        "fault": wording.fault(refusal),
        "can_skip": not isinstance(refusal, NoSkips),
        "assignment_id": assignment_id,
        "skip_reasons": wording.skip_reasons(),
        "here": "/work/",
    }
    study = request.enrolment.study
    return page(request, "annotation/skip.html", study, context, status=status)

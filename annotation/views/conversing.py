"""The conversation: its page, and the forms of a turn."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation import conversing as process
from annotation import forms
from annotation.access import AnnotatorRequest, annotator_page, keep_posted
from annotation.comparing import store_comparison
from annotation.refusals import Conflict, Invalid, NotNow, Refusal, SubmissionConflict, Unknown
from annotation.reporting import report_candidate
from annotation.scenes import Scene
from annotation.views.answering import pause_page, see_other
from annotation.views.presenting import conversation_page

# A form that is none of a turn's: what is wrong with it stands above the page.
NO_TURN = -1
accept_forms = require_http_methods(["GET", "HEAD", "POST"])


@annotator_page
@require_safe
def conversation(request: AnnotatorRequest, conversation_id: UUID) -> HttpResponse:
    """The conversation as it stands: waiting, four answers, or a message form."""
    try:
        return conversation_page(request, _follow(request, conversation_id))
    except Unknown:
        return not_found(request)


@annotator_page
@accept_forms
def comparison(request: AnnotatorRequest, conversation_id: UUID, turn_no: int) -> HttpResponse:
    """Store a choice, or correct it."""

    def store() -> HttpResponse:
        posted = forms.read_comparison(request.POST)
        stored = store_comparison(
            enrolment=request.enrolment,
            conversation_id=conversation_id,
            turn_no=turn_no,
            judgement=posted.judgement,
            revision=posted.revision,
            idempotency_key=posted.key,
            purposes=getattr(request.enrolment, "purposes", ()),
        )
        return _go_on(conversation_id, ended=stored.ended)

    return _act(request, conversation_id, store, turn_no=turn_no)


@annotator_page
@accept_forms
def message(request: AnnotatorRequest, conversation_id: UUID) -> HttpResponse:
    """Send the next message."""

    def send() -> HttpResponse:
        posted = forms.read_message(request.POST)
        process.send_message(
            enrolment=request.enrolment,
            conversation_id=conversation_id,
            text=posted.text,
            idempotency_key=posted.key,
        )
        return _go_on(conversation_id)

    return _act(request, conversation_id, send)


@annotator_page
@accept_forms
def finish(request: AnnotatorRequest, conversation_id: UUID) -> HttpResponse:
    """Finish a conversation that has turns enough."""

    def end() -> HttpResponse:
        process.finish_conversation(enrolment=request.enrolment, conversation_id=conversation_id)
        return _go_on(conversation_id, ended=True)

    return _act(request, conversation_id, end)


@annotator_page
@accept_forms
def retry(request: AnnotatorRequest, conversation_id: UUID) -> HttpResponse:
    """Have the answers of a failed set written anew."""

    def ask_again() -> HttpResponse:
        process.retry_set(enrolment=request.enrolment, conversation_id=conversation_id)
        return _go_on(conversation_id)

    return _act(request, conversation_id, ask_again)


@annotator_page
@accept_forms
def report(request: AnnotatorRequest, conversation_id: UUID) -> HttpResponse:
    """Report a harmful answer, and go on with other ones, or with another conversation."""

    def store() -> HttpResponse:
        posted = forms.read_report(request.POST)
        report_candidate(
            enrolment=request.enrolment,
            conversation_id=conversation_id,
            candidate_id=posted.candidate_id,
            reason=posted.reason,
            leave=posted.leave,
        )
        return _go_on(conversation_id, ended=posted.leave)

    return _act(request, conversation_id, store, turn_no=NO_TURN)


def _go_on(conversation_id: UUID, *, ended: bool = False) -> HttpResponse:
    if ended:
        return see_other("work")
    return see_other("conversation", conversation_id=conversation_id)


def _act(
    request: AnnotatorRequest,
    conversation_id: UUID,
    act: Callable[[], HttpResponse],
    *,
    turn_no: int | None = None,
) -> HttpResponse:
    """Answer a form by what it did, or say why it did nothing.

    A reload of such an address, which is a GET, leads to the conversation.
    """
    if request.method != "POST":
        return redirect("conversation", conversation_id=conversation_id)
    try:
        return act()
    except Unknown:
        return not_found(request)
    except NotNow as refusal:
        return keep_and_pause(request, refusal)
    except (Invalid, Conflict) as refusal:
        return _refuse(request, conversation_id, refusal, turn_no)


def _refuse(
    request: AnnotatorRequest, conversation_id: UUID, refusal: Refusal, turn_no: int | None
) -> HttpResponse:
    """The conversation as it stands now, with what was posted and why it is not stored."""
    try:
        scene = _follow(request, conversation_id)
    except Unknown:
        return not_found(request)
    return conversation_page(
        request, scene, refusal=refusal, turn_no=turn_no, status=_status(refusal)
    )


def _status(refusal: Refusal) -> int:
    return 422 if isinstance(refusal, Invalid | SubmissionConflict) else 409


def _follow(request: AnnotatorRequest, conversation_id: UUID) -> Scene:
    return process.follow(
        enrolment=request.enrolment, conversation_id=conversation_id, narrow=_is_narrow(request)
    )


def _is_narrow(request: AnnotatorRequest) -> bool | None:
    """Where the answers are about to stand: the script knows, else the browser's kind tells.

    None where neither does.
    """
    said = request.COOKIES.get("screen"), request.headers.get("Sec-CH-UA-Mobile")
    known = {"narrow": True, "wide": False, "?1": True, "?0": False}
    return next((known[one] for one in said if one in known), None)


def not_found(request: AnnotatorRequest) -> HttpResponse:
    """404: no such thing, or somebody else's."""
    return render(request, "404.html", status=404)


def keep_and_pause(request: AnnotatorRequest, refusal: NotNow) -> HttpResponse:
    """The study takes nothing now: say so, and keep what was typed, if it is for a while only."""
    kept = refusal.code == "paused" and keep_posted(request)
    return pause_page(request, refusal.code, study=request.enrolment.study, kept=kept)

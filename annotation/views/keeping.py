"""Drafts that open pages send while somebody types. Answered without a page: a script reads it."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from annotation import forms
from annotation.access import known_annotator
from annotation.autosaving import (
    Answer,
    Outcome,
    Typed,
    keep_in_conversation,
    keep_of_enquiry,
    keep_of_own_prompt,
)
from annotation.refusals import BadText, Invalid, Unknown


@known_annotator
@require_POST
def draft(request: HttpRequest, enrolment_id: UUID, conversation_id: UUID) -> HttpResponse:
    """Keep what is typed into a form of a conversation."""
    return _answer(
        request,
        lambda typed: keep_in_conversation(
            enrolment_id=enrolment_id, conversation_id=conversation_id, typed=typed
        ),
    )


@known_annotator
@require_POST
def own_draft(request: HttpRequest, enrolment_id: UUID, assignment_id: UUID) -> HttpResponse:
    """Keep what is typed as an opening message of one's own."""
    return _answer(
        request,
        lambda typed: keep_of_own_prompt(
            enrolment_id=enrolment_id, assignment_id=assignment_id, typed=typed
        ),
    )


@known_annotator
@require_POST
def enquiry_draft(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Keep what is typed as a message to the researchers."""
    return _answer(request, lambda typed: keep_of_enquiry(enrolment_id=enrolment_id, typed=typed))


def _answer(request: HttpRequest, keep: Callable[[Typed], Answer]) -> HttpResponse:
    """204 when it is kept; 409 with the draft that counts, or with none when the form was sent."""
    try:
        answer = keep(forms.read_typed(request.POST))
    except Unknown:
        return HttpResponse(status=404)
    except BadText:
        return HttpResponse(status=413)
    except Invalid:
        return HttpResponse(status=422)
    if answer.outcome is Outcome.KEPT:
        return HttpResponse(status=204)
    said: dict[str, object] = {"outcome": answer.outcome}
    if answer.current is not None:
        said |= {"revision": answer.current.revision, "fields": answer.current.fields}
    return JsonResponse(said, status=409)

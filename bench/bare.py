"""What pages are measured against: a submit that inserts one row, and the same page with no query.

Both go through the same server, middleware, form token and template as the real ones. They skip
what makes a submit safe: who asks, what the study allows, locks, the idempotency key.
"""

from typing import Any, cast
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from annotation.access import AnnotatorRequest
from annotation.conversing import follow
from annotation.models import Conversation, Draft
from annotation.views.answering import SeeOther
from annotation.views.presenting import conversation_context
from studies.models import Enrolment

PAGES: dict[UUID, tuple[Enrolment, dict[str, Any]]] = {}


@require_POST
def submit(request: HttpRequest) -> HttpResponse:
    """Insert one row, and lead to the page."""
    Draft.objects.create(
        enrolment_id=request.POST["enrolment"],
        form=uuid4().hex,
        body={"choice": request.POST["choice"]},
    )
    return SeeOther(f"/bare/?conversation={request.POST['conversation']}")


@require_POST
def keep_draft(request: HttpRequest) -> HttpResponse:
    """Insert one row, and say nothing."""
    Draft.objects.create(
        enrolment_id=request.POST["enrolment"],
        form=uuid4().hex,
        body={"explanation": request.POST["explanation"]},
    )
    return HttpResponse(status=204)


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """The page of a conversation as it was when first asked for, without a query since then."""
    known = cast("AnnotatorRequest", request)
    conversation_id = UUID(request.GET["conversation"])
    known.enrolment, context = PAGES.get(conversation_id) or keep(known, conversation_id)
    return render(request, "annotation/conversation.html", context)


def keep(request: AnnotatorRequest, conversation_id: UUID) -> tuple[Enrolment, dict[str, Any]]:
    talks = Conversation.objects.select_related("assignment")
    person = Enrolment.objects.select_related("study", "cohort")
    request.enrolment = person.get(pk=talks.get(pk=conversation_id).assignment.enrolment_id)
    scene = follow(enrolment=request.enrolment, conversation_id=conversation_id)
    made = (request.enrolment, conversation_context(request, scene))
    PAGES[conversation_id] = made
    return made

"""A conversation as its page: which part is shown, with what in its forms."""

from functools import lru_cache
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation import drafts
from annotation.access import AnnotatorRequest, draft_token
from annotation.progress import Scene, Stage
from annotation.refusals import Conflict, Invalid, Refusal
from annotation.views import wording
from annotation.views.answering import locale, study_title
from sampling.live import live_url
from sampling.models import Endpoint
from studies.rules import in_language

PARTS = {
    Stage.WAITING: "annotation/_waiting.html",
    Stage.FAILED: "annotation/_failed.html",
    Stage.JUDGE: "annotation/_comparing.html",
    Stage.JUDGED: "annotation/_judged.html",
    Stage.EXPIRED: "annotation/_over.html",
    Stage.ENDED: "annotation/_over.html",
}
POLLS = (2, 3, 5)  # seconds until the page looks again: the first time, the second, then always
REFRESH = 2  # seconds, without scripting
NOTICE_LIFE = 60  # seconds that a notice is kept in memory


def conversation_page(
    request: AnnotatorRequest,
    scene: Scene,
    *,
    refusal: Refusal | None = None,
    turn_no: int | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a conversation, or its fragment where only that was asked for.

    With a refusal, what was posted stands in its form again; `turn_no` says which turn it was for.
    """
    swapped = request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request
    template = "annotation/_turn.html" if swapped else "annotation/conversation.html"
    context = conversation_context(request, scene, refusal=refusal)
    if isinstance(refusal, Conflict):
        context["conflict"] = _conflict(request, scene, refusal, turn_no)
    return render(request, template, context, status=status)


def conversation_context(
    request: AnnotatorRequest, scene: Scene, *, refusal: Refusal | None = None
) -> dict[str, Any]:
    """What the templates of a conversation need, whichever stage it is at."""
    return {
        **_everywhere(scene),
        **_while_unfinished(request, scene),
        **_forms(request, scene, refusal),
    }


def _everywhere(scene: Scene) -> dict[str, Any]:
    turns = len(scene.turns)
    return {
        "scene": scene,
        "part": PARTS[scene.stage],
        "here": address(scene),
        "study_title": study_title(scene.rules),
        "number": scene.number,
        "target": scene.target,
        "turn_number": turns,
        "turns_max": scene.rules.turns_max,
        "steps": range(1, scene.rules.turns_max + 1),
        "earlier": scene.turns if scene.stage is Stage.ENDED else scene.turns[:-1],
        "before": scene.turns[-2] if turns > 1 else None,
        "assignment_id": scene.assignment_id,
        "skip_reasons": wording.skip_reasons(),
        "announcement": wording.waiting(scene) or wording.arrived(scene),
        "why_failed": wording.why_failed(scene),
        "notices": _notices(scene.plan_id),
        "over": wording.over(scene),
    }


def address(scene: Scene) -> str:
    return reverse("conversation", kwargs={"conversation_id": scene.conversation_id})


def _notices(plan_id: UUID) -> list[str]:
    """The plain words about the models that answer here, in the interface language."""
    stored = notices_of_plan(plan_id, int(monotonic() // NOTICE_LIFE))
    return [words for notice in stored if (words := in_language(notice, locale()))]


@lru_cache(maxsize=256)
def notices_of_plan(plan_id: UUID, minute: int) -> list[dict[str, str]]:  # noqa: ARG001 ages the entry
    """The notices of a plan's endpoints, each once, in their order."""
    endpoints = Endpoint.objects.filter(plan_endpoints__plan=plan_id)
    found = endpoints.order_by("plan_endpoints__rank").values_list("notice", flat=True)
    return [notice for at, notice in enumerate(found) if notice and notice not in found[:at]]


# --- Waiting --------------------------------------------------------------------------------------


def _while_unfinished(request: AnnotatorRequest, scene: Scene) -> dict[str, Any]:
    """How the page comes to know more: nothing of it once the set is ready or has failed."""
    if scene.stage is not Stage.WAITING:
        return {}
    seen = _times_seen(request)
    return {
        "live_url": live_url(scene.last.set_id),
        "waiting": {
            "poll": POLLS[min(seen, len(POLLS) - 1)],
            "next_seen": min(seen + 1, len(POLLS)),
            "refresh": REFRESH,
            "bars": _bars(scene),
        },
    }


def _times_seen(request: AnnotatorRequest) -> int:
    seen = request.GET.get("seen", "")
    return int(seen) if seen in {"1", "2", "3"} else 0


def _bars(scene: Scene) -> list[str]:
    last = scene.last
    writing = last.set_state == "generating"
    return [
        "done" if at < last.written else "now" if writing and at == last.written else ""
        for at in range(last.k)
    ]


# --- Forms ----------------------------------------------------------------------------------------


def _forms(request: AnnotatorRequest, scene: Scene, refusal: Refusal | None) -> dict[str, Any]:
    if scene.stage is Stage.JUDGE:
        return {"form": _comparison_form(request, scene, refusal)}
    if scene.stage is Stage.JUDGED:
        correction = _comparison_form(request, scene, refusal)
        return {"form": correction, **_message_form(request, scene, refusal)}
    return {}


def _comparison_form(
    request: AnnotatorRequest, scene: Scene, refusal: Refusal | None
) -> dict[str, Any]:
    last, asked = scene.last, scene.rules.explanation
    form = drafts.comparison_form(last.id)
    fault = wording.fault(refusal) if refusal and _posted(request, refusal, "choice") else ""
    return {
        **_comparison_values(request, scene, form, fault),
        "url": reverse(
            "comparison",
            kwargs={"conversation_id": scene.conversation_id, "turn_no": last.number},
        ),
        "key": uuid4().hex,
        "draft": draft_token(enrolment=request.enrolment, form=form),
        "keep": form,
        "revision": last.judged.revision if last.judged else 0,
        "fault": fault,
        "wrong": fault and "explanation" if refusal and refusal.code != "unknown_choice" else "",
        "only_chosen": asked.rule == "chosen",
        "question": in_language(asked.question, locale()),
        "none_question": in_language(asked.none_question, locale()),
    }


def _comparison_values(
    request: AnnotatorRequest, scene: Scene, form: str, fault: str
) -> dict[str, Any]:
    """What the form holds: what was just posted, else what counts, else what was kept."""
    judged = scene.last.judged
    if fault:
        return {"open": True, **request.POST.dict()}
    if judged:
        choice = str(judged.chosen) if judged.chosen else "none"
        return {"choice": choice, "explanation": judged.explanation}
    return {**drafts.read_draft(enrolment=request.enrolment, form=form)}


def _message_form(
    request: AnnotatorRequest, scene: Scene, refusal: Refusal | None
) -> dict[str, Any]:
    form = drafts.message_form(scene.conversation_id)
    fault = wording.fault(refusal) if refusal and _posted(request, refusal, "text") else ""
    kept = {} if fault else drafts.read_draft(enrolment=request.enrolment, form=form)
    return {
        "message_url": reverse("message", kwargs={"conversation_id": scene.conversation_id}),
        "key": uuid4().hex,
        "draft": draft_token(enrolment=request.enrolment, form=form),
        "keep": f"message:{scene.last.id}",
        "text": request.POST.get("text", "") if fault else kept.get("text", ""),
        "fault": fault,
        "message_label": _("What would you say next?"),
        "task_language": scene.language,
    }


def _posted(request: AnnotatorRequest, refusal: Refusal, name: str) -> bool:
    """Whether it is the form with this field that has to be mended."""
    return isinstance(refusal, Invalid) and name in request.POST


# --- Conflicts ------------------------------------------------------------------------------------


def _conflict(
    request: AnnotatorRequest, scene: Scene, refusal: Conflict, turn_no: int | None
) -> dict[str, Any]:
    """What counts, what was just written, and the one button that changes it where it can be."""
    said = {
        "heading": wording.conflict_heading(refusal),
        "counts": wording.counts(refusal.current),
        "text": request.POST.get("text") or request.POST.get("explanation", ""),
    }
    choice = request.POST.get("choice", "")
    letter = next((c.letter for c in scene.last.candidates if str(c.id) == choice), None)
    at_work = scene.stage in (Stage.JUDGE, Stage.JUDGED) and turn_no == scene.last.number
    if not at_work or (letter is None and choice != "none"):
        return said
    return {
        **said,
        "change": wording.change_to(letter),
        "choice": choice,
        "explanation": request.POST.get("explanation", ""),
        "key": uuid4().hex,
        "revision": scene.last.judged.revision if scene.last.judged else 0,
    }

"""A conversation as its page: which part is shown, with what in its forms."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from time import monotonic
from typing import Any, Literal
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation import drafts
from annotation.access import AnnotatorRequest, draft_token, keep_posted
from annotation.effort import minutes_left, own_pace, usual_pace
from annotation.marks import FIELDS
from annotation.refusals import (
    BadMark,
    BadReason,
    BadText,
    Conflict,
    ContinueFromNeeded,
    ExplanationNeeded,
    Invalid,
    Refusal,
    UnknownAnswer,
)
from annotation.scenes import Scene, Stage
from annotation.views import marking, wording
from annotation.views.answering import locale, study_title
from annotation.views.resting import lease_context
from sampling.live import live_url
from sampling.models import Endpoint
from sampling.waiting import estimate_wait
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

# A form of the page, and the words about what has to be mended in it.
Mends = Literal["comparison", "message"]
Faults = Mapping[Mends, str]


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
    mends = _form_to_mend(scene, refusal, turn_no)
    context = conversation_context(request, scene, refusal=refusal, mends=mends)
    if isinstance(refusal, Conflict):
        context["conflict"] = _conflict(request, scene, refusal, turn_no)
    elif refusal is not None and _mends_report(scene, refusal):
        context["report_fault"] = wording.fault(refusal)
        context["report_lacks"] = "reason" if isinstance(refusal, BadReason) else "candidate"
    elif refusal is not None and mends is None:
        context["conflict"] = _unsent(request, scene, refusal)
    return render(request, template, context, status=status)


def _form_to_mend(scene: Scene, refusal: Refusal | None, turn_no: int | None) -> Mends | None:
    """The form that was posted, if the page still holds it; `turn_no` None: it was a message."""
    if not isinstance(refusal, Invalid):
        return None
    if turn_no is None:
        return "message" if scene.can_send_message else None
    at_work = scene.stage in (Stage.JUDGE, Stage.JUDGED) and turn_no == scene.last.number
    return "comparison" if at_work else None


def _mends_report(scene: Scene, refusal: Refusal) -> bool:
    """Whether a report was refused that the page still holds."""
    at_work = scene.stage in (Stage.JUDGE, Stage.JUDGED)
    return at_work and isinstance(refusal, BadReason | UnknownAnswer)


def conversation_context(
    request: AnnotatorRequest,
    scene: Scene,
    *,
    refusal: Refusal | None = None,
    mends: Mends | None = None,
) -> dict[str, Any]:
    """What the templates of a conversation need, whichever stage it is at.

    `mends` is the form that holds what was posted, and the refusal's words.
    """
    faults: Faults = {mends: wording.fault(refusal)} if mends and refusal else {}
    wrong = _wrong_field(refusal)
    estimate = estimate_wait(scene.last.set_id) if scene.is_queued else None
    said = wording.waiting(scene, estimate) or wording.arrived(scene)
    lasting = wording.lasting(scene)
    return {
        **_everywhere(scene),
        **lease_context(scene.kept_until),
        "minutes_left": minutes_left(scene.left, _pace(request, scene)),
        "announcement": said,
        "lasting": lasting,
        "aloud": f"{said}. {lasting}" if lasting else said,
        **_while_unfinished(request, scene),
        **_forms(request, scene, faults, wrong=wrong),
    }


def _wrong_field(refusal: Refusal | None) -> str:
    """The field of the comparison form that has to be mended; empty where it is the choice."""
    if isinstance(refusal, BadText):
        return refusal.field
    if isinstance(refusal, BadMark):
        return refusal.field
    if isinstance(refusal, ContinueFromNeeded):
        return "continue_from"
    return "explanation" if isinstance(refusal, ExplanationNeeded) else ""


def _pace(request: AnnotatorRequest, scene: Scene) -> timedelta | None:
    """How long a conversation takes this person; before their first, people like them."""
    return own_pace(scene.took) or usual_pace(request.enrolment.cohort_id, scene.rules)


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
        "no_skips": "" if scene.can_skip else wording.no_skips(scene.rules.skips),
        "report_reasons": wording.report_reasons(),
        "why_failed": wording.why_failed(scene),
        "notices": _notices(scene.plan_id),
        "flagged": wording.flagged(scene),
        "can_retry": wording.can_retry(scene),
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


def _forms(
    request: AnnotatorRequest, scene: Scene, faults: Faults, *, wrong: str
) -> dict[str, Any]:
    if scene.stage not in (Stage.JUDGE, Stage.JUDGED):
        return {}
    revision = scene.last.judged.revision if scene.last.judged else 0
    names = [
        drafts.comparison_form(scene.last.id, revision),
        drafts.message_form(scene.last.id),
    ]
    kept = drafts.read_drafts(enrolment=request.enrolment, forms=names)
    fault = faults.get("comparison", "")
    form = {
        **_comparison_form(scene, revision),
        **_keeping(request, scene, names[0], kept[names[0]]),
        **_comparison_values(request, scene, kept[names[0]].fields, fault),
        "fault": fault,
        "wrong": fault and wrong,
    }
    beside = marking.beside(scene, purposes=request.enrolment.purposes)
    shown = {"form": form, "beside": beside, "cards": marking.cards(scene)}
    if scene.stage is Stage.JUDGE:
        return {**shown, "typing_form": "comparison"}
    return {
        **shown,
        "typing_form": "message" if scene.can_send_message else "",
        **_keeping(request, scene, names[1], kept[names[1]]),
        **_message_form(request, scene, kept[names[1]].fields, faults.get("message", "")),
    }


def _keeping(
    request: AnnotatorRequest, scene: Scene, form: str, kept: drafts.Kept
) -> dict[str, Any]:
    """What a form needs so that what is typed into it is kept."""
    address = reverse("draft", kwargs={"conversation_id": scene.conversation_id})
    return keeping(request, address=address, form=form, kept=kept)


def keeping(
    request: AnnotatorRequest, *, address: str, form: str, kept: drafts.Kept
) -> dict[str, Any]:
    """The same, whatever the form: where its drafts go, its name, and which draft it shows."""
    return {
        "draft": draft_token(enrolment=request.enrolment, form=form),
        "draft_url": address,
        "keep": form,
        "draft_revision": kept.revision,
        "draft_writer": kept.writer,
    }


def _comparison_form(scene: Scene, revision: int) -> dict[str, Any]:
    last, asked = scene.last, scene.rules.explanation
    return {
        "url": reverse(
            "comparison",
            kwargs={"conversation_id": scene.conversation_id, "turn_no": last.number},
        ),
        "key": uuid4().hex,
        "revision": revision,
        "question": in_language(asked.question, locale()),
        "none_question": in_language(asked.none_question, locale()),
        "example": in_language(asked.example, locale()),
        "measures": marking.measures({}),
    }


def _comparison_values(
    request: AnnotatorRequest, scene: Scene, kept: dict[str, str], fault: str
) -> dict[str, Any]:
    """What the form holds: what was just posted, else what was kept over what counts."""
    judged = scene.last.judged
    if fault:
        said = {name: request.POST.get(name, "") for name in ("choice", "explanation")}
        return {"open": True, **said, **marking.posted_values(request.POST)}
    stored = marking.stored_values(judged) if judged else {}
    return {"open": bool(kept), **stored, **marking.kept_values(kept)}


def _message_form(
    request: AnnotatorRequest, scene: Scene, kept: dict[str, str], fault: str
) -> dict[str, Any]:
    return {
        "message_url": reverse("message", kwargs={"conversation_id": scene.conversation_id}),
        "key": uuid4().hex,
        "text": request.POST.get("text", "") if fault else kept.get("text", ""),
        "fault": fault,
        "message_label": _("What would you say next?"),
        "task_language": scene.language,
    }


# --- Conflicts and forms that are gone ------------------------------------------------------------


def _unsent(request: AnnotatorRequest, scene: Scene, refusal: Refusal) -> dict[str, Any]:
    """Why a form was refused that is no longer on the page, and what stood in it."""
    if scene.stage is Stage.EXPIRED:
        keep_posted(request)  # given room, the form comes back with its text
    return {"heading": wording.fault(refusal), "text": _typed(request)}


def _typed(request: AnnotatorRequest) -> str:
    """All the words of the form, to copy from."""
    typed = (request.POST.get(name, "") for name in ("text", "explanation", "should_say"))
    return "\n\n".join(words for words in typed if words)


def _conflict(
    request: AnnotatorRequest, scene: Scene, refusal: Conflict, turn_no: int | None
) -> dict[str, Any]:
    """What counts, what was just written, and the one button that changes it where it can be."""
    said = {
        "heading": wording.conflict_heading(refusal),
        "counts": wording.counts(refusal.current),
        "text": _typed(request),
    }
    choice = request.POST.get("choice", "")
    letter = next((c.letter for c in scene.last.candidates if str(c.id) == choice), None)
    at_work = scene.stage in (Stage.JUDGE, Stage.JUDGED) and turn_no == scene.last.number
    if not at_work or (letter is None and choice not in ("none", "tie")):
        return said
    return {
        **said,
        "change": wording.change_to(letter, choice),
        "fields": _carried_along(request),
        "choice": choice,
        "explanation": request.POST.get("explanation", ""),
        "key": uuid4().hex,
        "revision": scene.last.judged.revision if scene.last.judged else 0,
    }


def _carried_along(request: AnnotatorRequest) -> list[tuple[str, str]]:
    """What else the refused form said, for the form that says it again."""
    names = ("continue_from", *FIELDS)
    return [(name, value) for name in names for value in request.POST.getlist(name)]

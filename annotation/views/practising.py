"""The tutorial: comparisons to practise on, and checks that may be tried twice."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from annotation.access import AnnotatorRequest, annotator_page
from annotation.scenes import letter_at
from annotation.views.answering import SeeOther, locale, page, pause_page
from annotation.views.preparing import in_words, lead_on, lead_to
from studies.enrolling import StudyNotOpen
from studies.models import Enrolment, TutorialTry
from studies.practising import Practising, TryIncomplete, practising_of, try_item
from studies.rules import current_rules, in_language
from studies.stages import Stage, Where, take_step, whereabouts
from studies.tutorials import CheckQuestion, Item, Practice

PRACTICE = "annotation/tutorial/practice.html"
CHECK = "annotation/tutorial/check.html"


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def tutorial(request: AnnotatorRequest) -> HttpResponse:
    """The next page of the tutorial, or what a practice just done meant (`?done=`)."""
    if request.method == "POST":
        return _try(request)
    explained = _explain(request, request.GET["done"]) if "done" in request.GET else None
    return explained or _show_next(request, refused=False)


def _try(request: AnnotatorRequest) -> HttpResponse:
    tried: list[TutorialTry | None] = []

    def step(person: Enrolment, where: Where) -> None:
        name, posted = request.POST.get("item", ""), request.POST.dict()
        tried.append(try_item(person, where.practising, name=name, posted=posted))

    try:
        stage = take_step(request.enrolment, step)
    except TryIncomplete:
        return _show_next(request, refused=True)
    except StudyNotOpen as refusal:
        return pause_page(request, refusal.code, study=request.enrolment.study)
    [done] = tried
    if done is not None and "choice" in done.given:
        return SeeOther(f"{reverse('tutorial')}?{urlencode({'done': done.item})}")
    return lead_to(stage)


def _show_next(request: AnnotatorRequest, *, refused: bool) -> HttpResponse:
    where = whereabouts(request.enrolment)
    item = where.practising.next_item if where.practising else None
    if where.stage is not Stage.TUTORIAL or where.practising is None or item is None:
        return lead_on(request)
    study = request.enrolment.study
    rules = current_rules(study)
    context = {
        "item": item.name,
        "number": where.practising.number,
        "count": len(where.practising.items),
        "instructions": in_language(rules.instructions, locale()),
        "refused": refused,
        "paid": rules.paid_for_check(request.enrolment.cohort.country),
        **(_practice(item.practice) if item.practice else _check(request, item, where.practising)),
    }
    template = PRACTICE if item.practice else CHECK
    return page(request, template, study, context, status=422 if refused else 200)


def _practice(practice: Practice) -> dict[str, Any]:
    """The comparison, in the interface language: a practice explains how to use the pages."""
    return {
        "message": in_words(practice.message),
        "answers": [
            {"place": place, "letter": letter_at(place), **in_words(answer)}
            for place, answer in enumerate(practice.answers)
        ],
    }


def _check(request: AnnotatorRequest, item: Item, practising: Practising) -> dict[str, Any]:
    """The questions; after a first try with what was wrong, and why."""
    before = practising.last_try(item)
    language = request.enrolment.cohort.language
    text = item.text
    return {
        "again": before is not None,
        # What shows whether somebody reads the language of the task stands in that language.
        "reading": {"text": in_language(text, language), "lang": language} if text else None,
        "questions": [_asked(request, question, before) for question in item.questions],
    }


def _asked(
    request: AnnotatorRequest, question: CheckQuestion, before: TutorialTry | None
) -> dict[str, Any]:
    given = request.POST.get(question.key) or (before.given.get(question.key) if before else "")
    wrong = before is not None and not question.is_right(before.given.get(question.key, ""))
    return {
        "key": question.key,
        "label": in_words(question.label),
        "why": in_words(question.why) if wrong else None,
        "missing": request.method == "POST" and not request.POST.get(question.key),
        "options": [
            {
                "value": option.value,
                "label": in_words(option.label),
                "checked": option.value == given,
            }
            for option in question.options
        ],
    }


def _explain(request: AnnotatorRequest, name: str) -> HttpResponse | None:
    """What the choice in a practice meant; None for what is none, or was not done."""
    study = request.enrolment.study
    practising = practising_of(request.enrolment, current_rules(study))
    item = practising.item(name)
    tried = practising.last_try(item) if item else None
    if item is None or item.practice is None or tried is None:
        return None
    begun = request.enrolment.state != Enrolment.State.CONSENTED
    context = {
        "letter": letter_at(tried.given["choice"]),
        "chosen": in_words(item.practice.answers[tried.given["choice"]]),
        "feedback": in_words(item.practice.feedback),
        "next": reverse("instructions" if begun else "tutorial"),
    }
    return page(request, "annotation/tutorial/feedback.html", study, context)

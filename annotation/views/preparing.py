"""What comes between the short consent and the work: purposes, and the questionnaire."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from annotation.access import AnnotatorRequest, annotator_page
from annotation.agreeing import agree, endpoints_of
from annotation.views import preparing_words as words
from annotation.views.answering import locale, page, pause_page, see_other
from studies import consenting, enrolling
from studies.answering import AnswersFaulty, answer_page
from studies.consenting import DocumentChanged, PurposesUnanswered
from studies.enrolling import StudyNotOpen
from studies.models import ConsentDocument, Enrolment
from studies.questionnaires import Asked, Page, Part, Sheet
from studies.questions import REFUSED, Faulty
from studies.rules import in_language
from studies.stages import Stage, Where, go_on, take_step, whereabouts

PAGES = {
    Stage.CONSENT: "consent",
    Stage.QUESTIONS: "questions",
    Stage.TUTORIAL: "tutorial",
    Stage.READY: "questions",
    Stage.BEGUN: "instructions",
    Stage.WORK: "work",
}
WIDGETS = {
    "single": "annotation/questions/_single.html",
    "multiple": "annotation/questions/_multiple.html",
    "number": "annotation/questions/_number.html",
    "text": "annotation/questions/_text.html",
}


def lead_on(request: AnnotatorRequest) -> HttpResponse:
    """Lead to the page of the person's stage; begin the work when nothing else is left."""
    try:
        return lead_to(go_on(request.enrolment))
    except StudyNotOpen as refusal:
        return pause_page(request, refusal.code, study=request.enrolment.study)


def lead_to(stage: Stage) -> HttpResponse:
    """Lead to the page of a stage."""
    return see_other(PAGES[stage])


# --- Purposes -------------------------------------------------------------------------------------


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: AnnotatorRequest) -> HttpResponse:
    """A yes or a no for each purpose; all of them again when the text has changed."""
    if request.method == "POST":
        return _agree(request)
    where = whereabouts(request.enrolment)
    if where.stage is not Stage.CONSENT:
        return lead_on(request)
    return _ask_consent(request, where)


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def change_consent(request: AnnotatorRequest) -> HttpResponse:
    """Give or take back a purpose at any later time, also after the work is over."""
    purposes = consenting.purposes_to_change(request.enrolment)
    if not purposes or request.enrolment.state == Enrolment.State.CONSENTED:
        return redirect("work")
    given = {one: "yes" if one in request.enrolment.purposes else "no" for one in purposes}
    if request.method != "POST":
        return _ask_to_change(request, purposes, given)
    answers = _yes_or_no(request, purposes)
    answered = request.enrolment.consent_version
    try:
        consenting.change_mind(
            enrolment=request.enrolment,
            document=_read_document(request, version=answered),
            answers=answers,
        )
    except DocumentChanged:
        given |= {one: "yes" if said else "no" for one, said in answers.items()}
        return _ask_to_change(request, purposes, given, status=409)
    return see_other("work")


def _ask_to_change(
    request: AnnotatorRequest,
    purposes: Iterable[str],
    given: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    """The purposes in the words of the version that was answered last, and what was answered."""
    study = request.enrolment.study
    answered = request.enrolment.consent_version
    document = enrolling.consent_document(
        cohort=request.enrolment.cohort, locale=locale(), version=answered
    )
    context = {
        "document": document,
        "purposes": _purposes(request, document, purposes, given),
        "fault": words.consent_fault(status),
    }
    return page(request, "annotation/change_consent.html", study, context, status=status)


def _yes_or_no(request: HttpRequest, purposes: Iterable[str]) -> dict[str, bool]:
    """The purposes that a form answered."""
    posted = {purpose: request.POST.get(f"purpose-{purpose}") for purpose in purposes}
    return {one: said == "yes" for one, said in posted.items() if said in ("yes", "no")}


def _agree(request: AnnotatorRequest) -> HttpResponse:
    document = _read_document(request)
    given = _yes_or_no(request, document.purposes)

    def step(person: Enrolment, where: Where) -> None:
        agree(person, where, document=document, answers=given)

    try:
        return lead_to(take_step(request.enrolment, step))
    except PurposesUnanswered as refusal:
        return _ask_again(request, missing=refusal.purposes, status=422)
    except DocumentChanged:
        return _ask_again(request, missing=[], status=409)
    except StudyNotOpen as refusal:
        return pause_page(request, refusal.code, study=request.enrolment.study)


def _ask_again(request: AnnotatorRequest, *, missing: list[str], status: int) -> HttpResponse:
    """The form with what was answered, where something is still to be answered."""
    where = whereabouts(request.enrolment)
    if where.stage is not Stage.CONSENT:
        return lead_on(request)
    return _ask_consent(request, where, missing=missing, status=status)


def _read_document(request: AnnotatorRequest, *, version: int | None = None) -> ConsentDocument:
    """The text that the form showed, else the one of a version to show."""
    return enrolling.document_read(
        request.POST.get("document", ""),
        cohort=request.enrolment.cohort,
        locale=locale(),
        version=version,
    )


def _ask_consent(
    request: AnnotatorRequest, where: Where, *, missing: list[str] | None = None, status: int = 200
) -> HttpResponse:
    study = request.enrolment.study
    document = enrolling.consent_document(cohort=request.enrolment.cohort, locale=locale())
    given = {one: request.POST.get(f"purpose-{one}", "") for one in where.purposes}
    context = {
        "document": document,
        # Somebody who has read this version a moment ago need not read it again.
        "changed": request.enrolment.consent_version != document.version,
        "purposes": _purposes(request, document, where.purposes, given, missing or ()),
        "fault": words.consent_fault(status),
    }
    return page(request, "annotation/consent.html", study, context, status=status)


def _purposes(
    request: AnnotatorRequest,
    document: ConsentDocument,
    purposes: Iterable[str],
    given: Mapping[str, str],
    missing: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The purposes in words, with what was answered."""
    return [
        {
            "name": purpose,
            **words.purpose(purpose, document.asks.get(purpose, "")),
            "needed": purpose in consenting.NEEDED,
            "given": given[purpose],
            "missing": purpose in missing,
            "endpoints": _endpoints(request, purpose),
        }
        for purpose in purposes
    ]


def _endpoints(request: AnnotatorRequest, purpose: str) -> list[Any]:
    """Who runs the models, where the conversations are what is agreed to."""
    if purpose != consenting.CONVERSATIONS:
        return []
    return list(endpoints_of(request.enrolment.cohort))


# --- Questions ------------------------------------------------------------------------------------


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: AnnotatorRequest) -> HttpResponse:
    """A page of the questionnaire: the next one, or one that the person goes back to."""
    if request.method == "POST":
        return _answer(request)
    where = whereabouts(request.enrolment)
    wanted = request.GET.get("page", "")
    asked = where.sheet.page(wanted) if where.sheet and where.stage is not Stage.CONSENT else None
    if where.sheet is None or asked is None:
        return lead_on(request)
    return _ask(request, asked, where.sheet, faults={})


def _answer(request: AnnotatorRequest) -> HttpResponse:
    def step(person: Enrolment, where: Where) -> Sheet | None:
        name = request.POST.get("page", "")
        return answer_page(person, where, page=name, posted=dict(request.POST.lists()))

    try:
        return lead_to(take_step(request.enrolment, step))
    except AnswersFaulty as refusal:
        return _ask(request, refusal.page, refusal.sheet, faults=refusal.faults)
    except StudyNotOpen as refusal:
        return pause_page(request, refusal.code, study=request.enrolment.study)


def _ask(
    request: AnnotatorRequest, asked: Page, sheet: Sheet, *, faults: Mapping[str, Faulty]
) -> HttpResponse:
    before = sheet.before(asked)
    titles = sheet.form.title(asked.section) if sheet.form else {}
    context = {
        "here": f"{reverse('questions')}?{urlencode({'page': asked.name})}",
        "name": asked.name,
        "sensitive": asked.part is Part.SENSITIVE,
        "title": in_words(titles) if titles else None,
        "questions": [
            _in_words(request, sheet, one, faults.get(one.question.key)) for one in asked.asked
        ],
        "faulty": bool(faults),
        "back": f"{reverse('questions')}?{urlencode({'page': before.name})}" if before else "",
    }
    study = request.enrolment.study
    status = 422 if faults else 200
    return page(request, "annotation/questions.html", study, context, status=status)


def _in_words(
    request: HttpRequest, sheet: Sheet, asked: Asked, fault: Faulty | None
) -> dict[str, Any]:
    """A question, its options and what was answered, in the interface language."""
    question = asked.question
    given = _given(request, sheet, asked)
    return {
        "key": question.key,
        "widget": WIDGETS[question.kind],
        "label": in_words(question.label),
        "hint": in_words(question.hint) if question.hint else None,
        "required": question.required,
        "refusable": getattr(question, "refusable", False),
        "refused": REFUSED in given,
        "refusal": REFUSED,
        "lines": getattr(question, "lines", False),
        "typed": next((text for text in given if text != REFUSED), ""),
        "options": [
            {
                "value": option.value,
                "label": in_words(option.label),
                "checked": option.value in given,
            }
            for option in asked.options
        ],
        "fault": words.answer_fault(fault) if fault else "",
    }


def _given(request: HttpRequest, sheet: Sheet, asked: Asked) -> list[str]:
    """What the person has sent or, when they come back, had answered."""
    if request.method == "POST":
        return request.POST.getlist(asked.question.key)
    value = sheet.answers.get(asked.question.key)
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def in_words(texts: Mapping[Any, str]) -> dict[str, str]:
    """A text of the study in the interface language, and the language that it really is in."""
    told = in_language(texts, locale())
    return {"text": told, "lang": told.lang}

"""From a link to the first piece of work: join, consent, instructions, coming back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from annotation import access
from annotation.access import AnnotatorRequest, Visitor, annotator_page
from annotation.before_consent import Facts, facts_of
from annotation.views.answering import (
    keep_language,
    locale,
    page,
    pause_page,
    return_url,
    see_other,
)
from studies import access as links
from studies import enrolling
from studies.access_rules import public
from studies.enrolling import (
    EnrollingRefusal,
    LinkExpired,
    LinkUsed,
    StudyNotOpen,
)
from studies.models import ConsentDocument, Enrolment, Invitation, Study
from studies.rules import current_rules, in_language

no_store = cache_control(no_store=True)
# The interface language that a cohort's pages open in, where it is not called like the data's.
INTERFACE_OF = {"pt": "pt-br"}


@public
@no_store
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Follow an invitation. Makes no row: link previews are no people."""
    invitation = links.find_invitation(token)
    if invitation is None or invitation.kind == Invitation.Kind.PANEL:
        return render(request, "404.html", status=404)
    person = access.visitor(request)
    if invitation.used_by_id is not None and person.enrolment == str(invitation.used_by_id):
        return see_other("work")  # their own link, in their own browser
    if refusal := refusal_of(invitation):
        return refuse(request, refusal, invitation)
    if request.method != "POST" and _has_begun(person, invitation):
        return page(request, "annotation/already.html", invitation.cohort.study, {})
    response = see_other("welcome")
    access.remember(
        response,
        person.sent_by(None),
        invitation=str(invitation.pk),
        arrival=links.new_token(),
    )
    language = invitation.cohort.language
    keep_language(response, INTERFACE_OF.get(language, language))
    return response


def refusal_of(invitation: Invitation) -> EnrollingRefusal | None:
    """Why an invitation leads nowhere; enrolling asks again when it matters."""
    if invitation.used_by_id is not None:
        return LinkUsed()
    if links.is_expired(invitation):
        return LinkExpired()
    if invitation.cohort.study.state != Study.State.OPEN:
        return StudyNotOpen(invitation.cohort.study.state)
    return None


def refuse(request: HttpRequest, refusal: EnrollingRefusal, invitation: Invitation) -> HttpResponse:
    if isinstance(refusal, StudyNotOpen):
        return pause_page(request, refusal.code, study=invitation.cohort.study)
    return render(request, "410.html", {"code": refusal.code}, status=410)


def _has_begun(person: Visitor, invitation: Invitation) -> bool:
    """Whether somebody is at work in this browser, in the cohort of this link."""
    enrolment = access.find_enrolment(person)
    return (
        enrolment is not None
        and enrolment.cohort_id == invitation.cohort_id
        and enrolment.state in (Enrolment.State.CONSENTED, Enrolment.State.ENROLLED)
    )


@public
@no_store
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """The consent form, at an address without a token."""
    person = access.visitor(request)
    invitation = _followed(person)
    if invitation is None:
        return redirect("work") if person.enrolment else access.lost(request)
    study = invitation.cohort.study
    document = enrolling.document_read(
        request.POST.get("document", ""), cohort=invitation.cohort, locale=locale()
    )
    if request.POST.get("consent") in ("yes", "no"):
        return _answer_consent(request, person, invitation, document)
    refused = request.method == "POST"
    context = {
        "document": document,
        "facts": _facts(person, invitation),
        "fault": _("Please choose one of the two.") if refused else "",
    }
    return page(request, "annotation/welcome.html", study, context, status=422 if refused else 200)


def _facts(person: Visitor, invitation: Invitation) -> Facts:
    cohort = invitation.cohort
    rules = current_rules(cohort.study)
    by_panel = person.arrived is not None
    return facts_of(cohort=cohort, rules=rules, locale=locale(), by_panel=by_panel)


def _followed(person: Visitor) -> Invitation | None:
    if not person.invitation:
        return None
    known = Invitation.objects.select_related("cohort__study")
    return known.filter(pk=person.invitation).first()


def _answer_consent(
    request: HttpRequest, person: Visitor, invitation: Invitation, document: ConsentDocument
) -> HttpResponse:
    agreed = request.POST["consent"] == "yes"
    answer = enrolling.give_consent if agreed else enrolling.decline_consent
    try:
        entry = answer(
            invitation=invitation,
            document=document,
            ui_language=locale(),
            arrival=person.arrival,
            arrived=person.arrived,
        )
    except EnrollingRefusal as refusal:
        return refuse(request, refusal, invitation)
    consented = entry.enrolment.state == Enrolment.State.CONSENTED
    response = see_other("questions" if consented else "work")
    access.remember(
        response, person, enrolment=str(entry.enrolment.pk), return_token=entry.return_token
    )
    return response


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def instructions(request: AnnotatorRequest) -> HttpResponse:
    """How it goes, and the return link to keep."""
    if request.enrolment.state == Enrolment.State.CONSENTED:
        return see_other("questions")
    if request.method == "POST":
        return see_other("work")
    study = request.enrolment.study
    context = {
        "instructions": in_language(current_rules(study).instructions, locale()),
        "return_url": return_url(request.return_token),
    }
    return page(request, "annotation/instructions.html", study, context)


@public
@no_store
@require_safe
def come_back(request: HttpRequest, token: str) -> HttpResponse:
    """Follow a return link: the same work in this browser, under a clean address."""
    enrolment = links.find_returning(token)
    if enrolment is None:
        return render(request, "404.html", status=404)
    response = see_other("work")
    access.remember(response, Visitor(enrolment=str(enrolment.pk), return_token=token))
    keep_language(response, enrolment.ui_language)
    return response

"""By a panel's link: who it is, and their first, the same, or a further sitting.

The link brings ids in its parameters. They are hashed, kept in the signed cookie, and gone from the
address with the first answer. Following it makes no row: link previews are no people.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from annotation import access
from annotation.access import AnnotatorRequest, Visitor, annotator_page
from annotation.before_consent import facts_of
from annotation.sitting_again import NoFurtherSitting, may_sit_again, sit_again
from annotation.views.answering import keep_language, locale, page, pause_page, see_other
from annotation.views.arriving import INTERFACE_OF, refusal_of, refuse
from studies import access as links
from studies import identifying
from studies.access_rules import public
from studies.enrolling import LinkUsed, StudyNotOpen, token_of
from studies.identifying import Known
from studies.models import Cohort, Invitation, Sitting, Study
from studies.panels import DUPLICATE, Arrival, BadArrival, read_arrival, way_back
from studies.rules import current_rules

UNOPENED = (Study.State.DRAFT, Study.State.REHEARSED)


@public
@cache_control(no_store=True)
@require_safe
def arrive(request: HttpRequest, token: str) -> HttpResponse:
    """Follow a panel's link into a cohort, to an address without ids."""
    invitation = links.find_invitation(token)
    if invitation is None or invitation.kind != Invitation.Kind.PANEL:
        return render(request, "404.html", status=404)
    study = invitation.cohort.study
    if study.state in UNOPENED:
        return pause_page(request, "not_yet", study=study)
    panel = current_rules(study).panels.get(invitation.panel)
    if panel is None:  # the study file no longer names it
        return render(request, "404.html", status=404)
    try:
        arrived = read_arrival(panel, study_id=study.pk, parameters=request.GET)
    except BadArrival:
        return page(request, "annotation/bad_arrival.html", study, {}, status=400)
    return _receive(request, invitation, arrived)


def _receive(request: HttpRequest, invitation: Invitation, arrived: Arrival) -> HttpResponse:
    """Lead a person on; one of another cohort stays there, and hears that they take part."""
    known = identifying.find_known(study_id=invitation.cohort.study_id, arrived=arrived)
    if known is not None and known.enrolment.cohort_id != invitation.cohort_id:
        return _remember(see_other("duplicate"), known, arrived)
    if known is not None and known.same_submission:
        return _remember(see_other("work"), known, arrived)
    if refusal := refusal_of(invitation):
        return refuse(request, refusal, invitation)
    if known is not None:
        return _remember(see_other("sitting"), known, arrived)
    if identifying.is_of_another(arrived):
        return refuse(request, LinkUsed(), invitation)
    return _welcome(request, invitation.cohort, str(invitation.pk), arrived)


def _welcome(
    request: HttpRequest, cohort: Cohort, invitation: str, arrived: Arrival
) -> HttpResponse:
    response = see_other("welcome")
    person = access.visitor(request).sent_by(arrived)
    access.remember(response, person, invitation=invitation, arrival=links.new_token())
    keep_language(response, INTERFACE_OF.get(cohort.language, cohort.language))
    return response


def _remember(response: HttpResponse, known: Known, arrived: Arrival) -> HttpResponse:
    """This browser is that person's from now on: the panel says so."""
    enrolment = known.enrolment
    person = Visitor(enrolment=str(enrolment.pk), return_token=token_of(enrolment, arrived))
    access.remember(response, person.sent_by(arrived))
    keep_language(response, enrolment.ui_language)
    return response


@annotator_page
@require_http_methods(["GET", "HEAD", "POST"])
def sitting(request: AnnotatorRequest) -> HttpResponse:
    """A further visit of somebody who has been here: what it is, and one button to begin it."""
    arrived = access.visitor(request).arrived
    enrolment = request.enrolment
    if arrived is None:
        return redirect("work")
    if request.method == "POST":
        return _sit(request, arrived)
    if _has_had(arrived):
        return redirect("work")
    if not may_sit_again(enrolment):
        return _no_further(request, arrived)
    rules = current_rules(enrolment.study)
    facts = facts_of(cohort=enrolment.cohort, rules=rules, locale=locale(), by_panel=True)
    return page(request, "annotation/sitting.html", enrolment.study, {"facts": facts})


def _has_had(arrived: Arrival) -> bool:
    return Sitting.objects.filter(panel_session_hmac=arrived.submission).exists()


def _sit(request: AnnotatorRequest, arrived: Arrival) -> HttpResponse:
    try:
        sit_again(enrolment=request.enrolment, arrived=arrived)
    except NoFurtherSitting:
        return _no_further(request, arrived)
    except StudyNotOpen as refusal:
        return pause_page(request, refusal.code, study=request.enrolment.study)
    return see_other("work")


@annotator_page
@require_safe
def duplicate(request: AnnotatorRequest) -> HttpResponse:
    """Somebody who takes part already, sent once more by a link of another cohort."""
    arrived = access.visitor(request).arrived
    return redirect("work") if arrived is None else _no_further(request, arrived)


def _no_further(request: AnnotatorRequest, arrived: Arrival) -> HttpResponse:
    """Nothing for this person: they have left, were turned away, or have done all that one may."""
    study = request.enrolment.study
    panel = current_rules(study).panels.get(arrived.panel)
    back = way_back(panel, outcome=DUPLICATE, back=arrived.back) if panel else None
    return page(request, "annotation/duplicate.html", study, {"way_back": back})

"""Who an annotator is: a signed cookie of their own, no session and no account.

The cookie holds the invitation somebody followed (before there is any row about them), then the
enrolment and the token of the return link, so that every page can show that link again. Each of
them opens the same work and no more, and the cookie is out of reach of scripts.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django_htmx.middleware import HtmxDetails

from annotation import drafts
from config.unavailable import posted_fields
from studies import access_rules, recognising
from studies.models import Enrolment
from studies.panels import Arrival

SALT = "annotation.access"
DRAFT_SALT = "annotation.access.draft"
MAX_AGE = 180 * 24 * 3600  # seconds

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Visitor:
    """What the cookie says. Empty strings where it says nothing."""

    invitation: str = ""
    arrival: str = ""  # random, made when the link was followed: a consent sent twice is one
    enrolment: str = ""
    return_token: str = ""
    # Who came by a panel's link: studies.panels.Arrival. The ids themselves are only here, and only
    # for a panel that wants them back in its address.
    panel: str = ""
    panel_person: str = ""
    panel_submission: str = ""
    panel_back: str = ""

    @property
    def arrived(self) -> Arrival | None:
        """Who the panel says they are; None for who came by another link."""
        if not self.panel:
            return None
        return Arrival(self.panel, self.panel_person, self.panel_submission, self.panel_back)

    def sent_by(self, arrived: Arrival | None) -> "Visitor":
        """This visitor as somebody whom a panel sent; None: whom no panel sent."""
        sent = arrived or Arrival("", "", "")
        return replace(
            self,
            panel=sent.panel,
            panel_person=sent.person,
            panel_submission=sent.submission,
            panel_back=sent.back,
        )


class AnnotatorRequest(HttpRequest):
    """A request of a known annotator, inside a view with `annotator_page`."""

    enrolment: Enrolment
    return_token: str
    htmx: HtmxDetails


def visitor(request: HttpRequest) -> Visitor:
    """What the cookie says; an empty Visitor when there is none, or none that we signed."""
    try:
        said = signing.loads(
            request.COOKIES.get(settings.ANNOTATOR_COOKIE, ""), salt=SALT, max_age=MAX_AGE
        )
        return Visitor(**said)
    except (signing.BadSignature, TypeError):
        return Visitor()


def remember(response: HttpResponse, person: Visitor, **changes: str) -> None:
    """Set the cookie to this visitor with these changes."""
    response.set_cookie(
        settings.ANNOTATOR_COOKIE,
        signing.dumps(asdict(replace(person, **changes)), salt=SALT),
        max_age=MAX_AGE,
        httponly=True,
        samesite="Lax",
        secure=not settings.PLAIN_HTTP,
    )


def find_enrolment(person: Visitor) -> Enrolment | None:
    """The enrolment that the cookie names, with its cohort and study. At most one query."""
    if not person.enrolment:
        return None
    return recognising.find_enrolment(UUID(person.enrolment))


def annotator_page(
    view: Callable[Concatenate[AnnotatorRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Only a known annotator may call the view; their enrolment is loaded by one query.

    Others are told how to come back, and what they had typed is kept (`keep_posted`).
    """

    @wraps(view)
    def recognise(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        person = visitor(request)
        enrolment = find_enrolment(person)
        if enrolment is None:
            response = lost(request)
        else:
            known = cast("AnnotatorRequest", request)
            known.enrolment, known.return_token = enrolment, person.return_token
            use_language(request, enrolment.ui_language)
            response = view(known, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    setattr(recognise, access_rules.ATTRIBUTE, access_rules.ANNOTATOR)
    return cast("Callable[Concatenate[HttpRequest, P], HttpResponse]", recognise)


def known_annotator(
    view: Callable[Concatenate[HttpRequest, UUID, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Only a browser with an annotator's cookie may call the view, which gets the enrolment's id.

    For what must be cheap and shows no page: nothing is read, so the view's own statement decides
    what this enrolment may do. Others get an empty 403.
    """

    @wraps(view)
    def recognise(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        enrolment = visitor(request).enrolment
        if enrolment:
            response = view(request, UUID(enrolment), *args, **kwargs)
        else:
            response = HttpResponse(status=403)
        response["Cache-Control"] = "no-store"
        return response

    setattr(recognise, access_rules.ATTRIBUTE, access_rules.ANNOTATOR)
    return cast("Callable[Concatenate[HttpRequest, P], HttpResponse]", recognise)


def use_language(request: HttpRequest, locale: str) -> None:
    """Answer this request in another interface language than the browser asked for."""
    if locale != translation.get_language():
        translation.activate(locale)
        request.LANGUAGE_CODE = translation.get_language()


def lost(request: HttpRequest) -> HttpResponse:
    """The page for a browser that we do not know (any more): how to come back."""
    kept = keep_posted(request)
    response = render(
        request,
        "annotation/lost.html",
        {"kept": kept, "fields": posted_fields(request)},
        status=403,
    )
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        # A fragment was asked for: the whole page has to say it.
        response["HX-Refresh"] = "true"
    return response


def draft_token(*, enrolment: Enrolment, form: str) -> str:
    """What a form carries, so that its text finds its place even without the cookie."""
    return signing.dumps([str(enrolment.pk), form], salt=DRAFT_SALT)


def keep_posted(request: HttpRequest) -> bool:
    """Keep what was posted under the form's draft token. False without one, for who has left, and
    for a form that nobody will see again: then the page has to show what was posted.

    Anybody who holds the page may do so; the token opens nothing else.
    """
    try:
        enrolment_id, form = signing.loads(
            request.POST.get("draft", ""), salt=DRAFT_SALT, max_age=MAX_AGE
        )
    except signing.BadSignature:
        return False
    enrolment = Enrolment.objects.select_related("study").filter(pk=enrolment_id).first()
    fields = drafts.typed_fields(request.POST)
    if enrolment is None or not any(fields.values()):
        return False
    if not drafts.is_awaited(enrolment_id=enrolment.pk, form=form):
        return False
    return drafts.save_draft(enrolment=enrolment, form=form, fields=fields)

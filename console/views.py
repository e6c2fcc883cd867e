"""The researcher's pages."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotation import reporting
from annotation.views.answering import see_other
from annotation.views.wording import report_reasons
from console.counting import count_studies
from console.reports import MOST, reports_for
from console.samples import sample_parts
from studies.access_rules import public, researcher, signed_in

# The tokens of static/css/tokens.css, as the style page shows them.
COLOURS = (
    "paper surface sunk ink ink-2 line edge-strong accent accent-strong accent-soft"
    " warn warn-soft bad bad-soft good"
).split()
SPACES = ("s0", "s1", "s2", "s3", "s4")
KINDS = ("", "warn", "bad", "model")  # of a notice


@require_GET
@public
def front(request: HttpRequest) -> HttpResponse:
    """The bare address: annotators at work go on, everybody else is taken for a researcher."""
    at_work = settings.ANNOTATOR_COOKIE in request.COOKIES
    return redirect("work" if at_work else "console")


@require_GET
@never_cache
@researcher
def overview(request: HttpRequest) -> HttpResponse:
    """Every study of the researcher, with the counts of its cohorts."""
    studies = count_studies(signed_in(request), language=get_language() or "en")
    reports = reports_for(signed_in(request)).count()
    return render(request, "console/overview.html", {"studies": studies, "reports": reports})


@require_GET
@never_cache
@researcher
def style(request: HttpRequest) -> HttpResponse:
    """All parts of the pages beside each other, for whoever changes one of them."""
    shown = {
        "colours": COLOURS,
        "spaces": SPACES,
        "kinds": KINDS,
        "link": f"{settings.BASE_URL}/return/7F3K9QXA/",
        "fields": [("text", "…")],
        **sample_parts(),
    }
    return render(request, "console/style.html", shown)


@require_GET
@never_cache
@researcher
def reports(request: HttpRequest) -> HttpResponse:
    """What annotators reported as harmful, newest first."""
    found = reports_for(signed_in(request))
    words = dict(report_reasons())
    told = [(report, words[report.reason]) for report in found[:MOST]]
    return render(request, "console/reports.html", {"reports": told, "total": found.count()})


@require_POST
@never_cache
@researcher
def put_back(request: HttpRequest, set_id: UUID) -> HttpResponse:
    """Show the answers of a reported set to people again."""
    if not reports_for(signed_in(request)).filter(set=set_id).exists():
        raise Http404
    reporting.put_back(set_id=set_id, by=signed_in(request))
    return see_other("reports")

"""The researcher's pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.counting import count_studies
from studies.access_rules import researcher, signed_in


@require_GET
@never_cache
@researcher
def overview(request: HttpRequest) -> HttpResponse:
    """Every study of the researcher, with the counts of its cohorts."""
    studies = count_studies(signed_in(request), language=get_language() or "en")
    return render(request, "console/overview.html", {"studies": studies})

"""What annotators reported as harmful, for the researchers of their studies."""

from django.db.models import QuerySet

from annotation.models import Report
from studies.models import Researcher

MOST = 200  # reports on the page; the newest


def reports_for(researcher: Researcher) -> QuerySet[Report]:
    """The reports in the researcher's studies, newest first, with what their page tells."""
    mine = Report.objects.filter(set__study__memberships__researcher=researcher)
    told = mine.select_related("candidate", "set__study", "turn__conversation__assignment__cohort")
    return told.order_by("-created_at", "pk")

"""Agreeing to a study's purposes, and what a no means to somebody who is at work already."""

from collections.abc import Mapping

from django.db import transaction

from annotation.leaving import withdraw
from sampling.models import Endpoint
from studies import consenting
from studies.models import Cohort, ConsentDocument, Enrolment


@transaction.atomic
def agree(*, enrolment: Enrolment, document: ConsentDocument, answers: Mapping[str, bool]) -> bool:
    """Store a yes or a no for each purpose; False when the person goes no further.

    Before the work a no to a purpose that the work needs ends the visit. Somebody at work who does
    not agree to a changed text leaves: their work was given under another one. Locks the person.
    Raises consenting.PurposesUnanswered, consenting.DocumentChanged.
    """
    goes_on = consenting.answer_purposes(enrolment=enrolment, document=document, answers=answers)
    if not goes_on and enrolment.state == Enrolment.State.ENROLLED:
        withdraw(enrolment=enrolment)
    return goes_on


def endpoints_of(cohort: Cohort) -> list[Endpoint]:
    """Who may be sent the conversations of a cohort, by name. One query."""
    serving = Endpoint.objects.filter(
        plan_endpoints__plan__arms__cohort=cohort, plan_endpoints__plan__arms__share__gt=0
    )
    return list(serving.order_by("operator", "name").distinct())

"""Agreeing to a study's purposes, and what a no means to somebody who is at work already."""

from collections.abc import Mapping

from annotation.leaving import withdraw
from sampling.models import Endpoint
from studies import consenting
from studies.models import Cohort, ConsentDocument, Enrolment
from studies.stages import Stage, Where


def agree(
    person: Enrolment, where: Where, *, document: ConsentDocument, answers: Mapping[str, bool]
) -> None:
    """Store a yes or a no for each purpose that is still to ask.

    Before the work a no to a purpose that the work needs ends the visit. Somebody at work who does
    not agree to a changed text leaves: their work was given under another one. The caller holds the
    person (`stages.take_step`). Raises consenting.PurposesUnanswered, consenting.DocumentChanged.
    """
    if where.stage is not Stage.CONSENT or where.rules is None:
        return
    goes_on = consenting.answer_purposes(
        person, where.rules, wanted=where.purposes, document=document, answers=answers
    )
    if not goes_on and person.state == Enrolment.State.ENROLLED:
        withdraw(enrolment=person)


def endpoints_of(cohort: Cohort) -> list[Endpoint]:
    """Who may be sent the conversations of a cohort, by name. One query."""
    serving = Endpoint.objects.filter(
        plan_endpoints__plan__arms__cohort=cohort, plan_endpoints__plan__arms__share__gt=0
    )
    return list(serving.order_by("operator", "name").distinct())

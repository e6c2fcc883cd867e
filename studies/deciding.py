"""Decisions of researchers about one annotator. They are shown to that person, with the reason."""

from decimal import Decimal

from django.db import transaction

from studies import auditing
from studies.models import Decision, Enrolment, Researcher


@transaction.atomic
def decide(
    *,
    enrolment: Enrolment,
    kind: Decision.Kind,
    reason: str,
    by: Researcher,
    amount: Decimal | None = None,
    currency: str = "",
) -> Decision:
    """Store a decision for good; one that pays has an amount and its currency. Is audited."""
    made = Decision.objects.create(
        enrolment=enrolment, kind=kind, reason=reason, by=by, amount=amount, currency=currency
    )
    auditing.record(
        by=f"researcher:{by.pk}",
        action=f"decision.{kind}",
        on=f"enrolment:{enrolment.pk}",
        payload={"decision": str(made.pk)},
    )
    return made

"""What somebody has done here, what it earned them, and what was decided and said about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import connection

from annotation.effort import minutes_of, worked_sql
from studies.models import Decision, Enquiry, Enrolment
from studies.rules import Pay, current_rules

CENT = Decimal("0.01")

# Finished conversations count also after their person has left: they were work.
DONE = f"""
SELECT (
    SELECT count(*) FROM studies_sitting
    WHERE enrolment_id = %(enrolment)s AND state = 'complete'
), (
    SELECT count(*) FROM annotation_assignment AS assignment
    JOIN annotation_conversation AS talk ON talk.assignment_id = assignment.id
    WHERE assignment.enrolment_id = %(enrolment)s AND talk.ended_reason IN ('finished', 'none')
), ({worked_sql("assignment.enrolment_id = %(enrolment)s")})
"""  # noqa: S608 all parts are constants


@dataclass(frozen=True, slots=True)
class Earnings:
    """Money in one currency: what the work comes to, what was paid, and what is still to come."""

    earned: Decimal
    paid: Decimal
    currency: str

    @property
    def pending(self) -> Decimal:
        return max(self.earned - self.paid, Decimal(0))


@dataclass(frozen=True, slots=True)
class Work:
    """`earnings` is None where the study says nothing about pay."""

    conversations: int
    worked: timedelta
    earnings: Earnings | None
    decisions: Sequence[Decision]
    enquiries: Sequence[Enquiry]

    @property
    def minutes(self) -> int:
        return minutes_of(self.worked)


def read_work(*, enrolment: Enrolment, pay: Pay | None) -> Work:
    """All of it, newest first; `pay` is what is paid in the person's country. Three queries."""
    with connection.cursor() as cursor:
        cursor.execute(DONE, {"enrolment": enrolment.pk})
        sittings, conversations, worked = cursor.fetchone()
    decisions = list(enrolment.decisions.order_by("-at"))
    units = {"sitting": sittings, "conversation": conversations, "hour": minutes_of(worked) / 60}
    return Work(
        conversations=conversations,
        worked=worked,
        earnings=_earnings(pay, Decimal(units[pay.per]), decisions) if pay else None,
        decisions=decisions,
        enquiries=list(enrolment.enquiries.filter(erased_at=None).order_by("-asked_at")),
    )


def _earnings(pay: Pay, units: Decimal, decisions: Sequence[Decision]) -> Earnings:
    paid = sum(
        (one.amount for one in decisions if one.amount and one.currency == pay.currency),
        start=Decimal(0),
    )
    earned = (pay.amount * units).quantize(CENT)
    return Earnings(earned=earned, paid=paid, currency=pay.currency)


def pay_of(enrolment: Enrolment) -> Pay | None:
    """What the study pays in this person's country; None where it says nothing. One query."""
    pay = current_rules(enrolment.study).pay
    return pay.in_country(enrolment.cohort.country) if pay else None

"""What somebody has done here, what it earned them, and what was decided and said about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import connection

from annotation.effort import minutes_of, worked_sql
from studies.models import Decision, Enquiry, Enrolment
from studies.rules import CENT, Pay, Rules

# Finished conversations count also after their person has left: they were work. So does a failed
# check, which ends a visit and is paid.
DONE = f"""
SELECT (
    SELECT count(*) FROM studies_sitting
    WHERE enrolment_id = %(enrolment)s AND state = 'complete'
), (
    SELECT count(*) FROM annotation_assignment AS assignment
    JOIN annotation_conversation AS talk ON talk.assignment_id = assignment.id
    WHERE assignment.enrolment_id = %(enrolment)s AND talk.ended_reason IN ('finished', 'none')
), ({worked_sql("assignment.enrolment_id = %(enrolment)s")}), (
    SELECT count(*) FROM studies_sitting
    WHERE enrolment_id = %(enrolment)s AND exit_code = 'quality_term'
)
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
    """`pay` (in the person's country) and `earnings`: None where the study says nothing of it."""

    conversations: int
    worked: timedelta
    pay: Pay | None
    earnings: Earnings | None
    decisions: Sequence[Decision]
    enquiries: Sequence[Enquiry]

    @property
    def minutes(self) -> int:
        return minutes_of(self.worked)


def read_work(*, enrolment: Enrolment, rules: Rules) -> Work:
    """All of it, newest first. Expects `cohort` to be loaded. Three queries."""
    with connection.cursor() as cursor:
        cursor.execute(DONE, {"enrolment": enrolment.pk})
        sittings, conversations, worked, failed = cursor.fetchone()
    country = enrolment.cohort.country
    pay, at_check = rules.pay_in(country), rules.paid_for_check(country)
    decisions = list(enrolment.decisions.order_by("-at"))
    earned = at_check.amount * failed if at_check else Decimal(0)
    units = {"sitting": sittings, "conversation": conversations, "hour": minutes_of(worked) / 60}
    if pay:
        earned += pay.amount * Decimal(units[pay.per])
    return Work(
        conversations=conversations,
        worked=worked,
        pay=pay,
        earnings=_earnings(pay, earned, decisions) if pay else None,
        decisions=decisions,
        enquiries=list(enrolment.enquiries.filter(erased_at=None).order_by("-asked_at")),
    )


def _earnings(pay: Pay, earned: Decimal, decisions: Sequence[Decision]) -> Earnings:
    paid = sum(
        (one.amount for one in decisions if one.amount and one.currency == pay.currency),
        start=Decimal(0),
    )
    return Earnings(earned=earned.quantize(CENT), paid=paid, currency=pay.currency)

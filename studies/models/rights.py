"""What an annotator may ask of a study: a code to leave by, answers, reasons for decisions."""

import uuid

from django.db import models
from django.db.models import Q

from studies.models.enrolment import Enrolment
from studies.models.people import Researcher

NOT_BLANK = r"[^[:space:]]"


class WithdrawalCode(models.Model):
    """A code by which its person leaves without the browser they worked in. Only a digest is kept.

    The code follows from this row's id and the site's secret (`studies.withdrawal_codes`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="withdrawal_codes"
    )
    code_sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    shown_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment"], condition=Q(used_at__isnull=True), name="withdrawal_code_one"
            ),
        ]


class Enquiry(models.Model):
    """What an annotator asks the researchers, and the one answer to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="enquiries")
    text = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(
        Researcher, on_delete=models.PROTECT, null=True, related_name="answered_enquiries"
    )
    erased_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "enquiries"
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True, text__regex=NOT_BLANK)
                | Q(erased_at__isnull=False, text="", answer=""),
                name="enquiry_has_text",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False)
                & (Q(answer__regex=NOT_BLANK) | Q(erased_at__isnull=False)),
                name="enquiry_answer_is_whole",
            ),
        ]


class Decision(models.Model):
    """Something that researchers decided about one annotator, with the reason. Append-only."""

    class Kind(models.TextChoices):
        PAID = "paid"
        EXCLUDED = "excluded"
        INCLUDED = "included"
        OTHER = "other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Kind)
    reason = models.TextField()
    amount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    by = models.ForeignKey(Researcher, on_delete=models.PROTECT, related_name="decisions")
    at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["paid", "excluded", "included", "other"]),
                name="decision_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True, reason__regex=NOT_BLANK)
                | Q(erased_at__isnull=False, reason=""),
                name="decision_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(kind="paid", amount__gt=0, currency__regex="^[A-Z]{3}$")
                | ~Q(kind="paid") & Q(amount__isnull=True, currency=""),
                name="decision_pays_an_amount",
            ),
        ]

"""Reports of harmful candidates, with the exposure as it was when somebody saw them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from annotation.models.conversation import Turn
from sampling.models import Candidate, CandidateSet


class Report(models.Model):
    """Somebody called a candidate harmful. Keeps what the turn showed, which may go on with another
    set; never changes."""

    class Reason(models.TextChoices):
        DANGEROUS = "dangerous"
        HATEFUL = "hateful"
        SEXUAL = "sexual"
        PRIVATE = "private"
        OTHER = "other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="reports")
    set = models.ForeignKey(
        CandidateSet, on_delete=models.PROTECT, related_name="reports", db_constraint=False
    )
    k = models.PositiveSmallIntegerField()
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="reports", db_constraint=False
    )
    display_order = ArrayField(models.SmallIntegerField())
    layout = models.CharField(max_length=10, choices=Turn.Layout, blank=True)
    showing_no = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    shown_at = models.DateTimeField()
    reason = models.CharField(max_length=10, choices=Reason)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["turn", "candidate"], name="report_once"),
            models.CheckConstraint(
                condition=Q(reason__in=["dangerous", "hateful", "sexual", "private", "other"]),
                name="report_reason_known",
            ),
        ]

"""Breaks: when a person stopped for a while, so that nobody asks them too often to stop."""

import uuid

from django.db import models
from django.db.models import F, Q

from studies.models import Sitting


class Break(models.Model):
    """A break within a sitting; one that ended when it began was offered and not wanted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sitting = models.ForeignKey(Sitting, on_delete=models.PROTECT, related_name="breaks")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sitting"], condition=Q(ended_at__isnull=True), name="break_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("began_at")),
                name="break_ends_after_it_began",
            ),
        ]

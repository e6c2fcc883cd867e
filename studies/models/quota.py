"""Quotas: how many people of each kind are wanted, and the places that people hold."""

import uuid

from django.db import models
from django.db.models import F, Q

from studies.models.enrolment import Enrolment
from studies.models.study import QuotaSet


class QuotaCell(models.Model):
    """One kind of people, and how many of them are wanted. `taken` is counted by a trigger.

    `criteria` has the wanted answers by their key, and {} stands for everybody. Without a `target`
    nobody is ever one too many.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    quota_set = models.ForeignKey(QuotaSet, on_delete=models.PROTECT, related_name="cells")
    name = models.SlugField(max_length=60)
    position = models.PositiveIntegerField(help_text="the first cell that fits is the person's")
    criteria = models.JSONField(default=dict, help_text='{"gender": ["woman"], ...}')
    target = models.PositiveIntegerField(null=True)
    taken = models.PositiveIntegerField(default=0, editable=False)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["quota_set", "name"],
                condition=Q(retired_at__isnull=True),
                name="quota_cell_name",
            ),
            models.CheckConstraint(
                condition=Q(target__isnull=True) | Q(taken__lte=F("target")),
                name="quota_cell_target",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class QuotaPlace(models.Model):
    """A person's place in a cell: reserved for a while, filled for good, or given back."""

    class State(models.TextChoices):
        RESERVED = "reserved"
        FILLED = "filled"
        RELEASED = "released"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cell = models.ForeignKey(QuotaCell, on_delete=models.PROTECT, related_name="places")
    enrolment = models.OneToOneField(
        Enrolment, on_delete=models.PROTECT, related_name="quota_place"
    )
    state = models.CharField(max_length=10, choices=State, default=State.RESERVED)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["reserved", "filled", "released"]),
                name="quota_place_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="reserved", lease_until__isnull=False)
                | (~Q(state="reserved") & Q(lease_until__isnull=True)),
                name="quota_place_lease_while_reserved",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"], condition=Q(state="reserved"), name="quota_place_leases"
            ),
        ]

"""Candidate sets, and what each attempt at one holds while it runs. PostgreSQL is the queue of
generation; these rows are the truth about it.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from sampling.models.endpoint import Endpoint
from sampling.models.plan import Plan, StanceList
from studies.models import Prompt, Study
from studies.models.study import Language

MAX_K = 8


class CandidateSet(models.Model):
    """The k responses made for one context; only a ready set can be seen or compared."""

    class State(models.TextChoices):
        PENDING = "pending"
        GENERATING = "generating"
        READY = "ready"
        FAILED = "failed"

    class Priority(models.IntegerChoices):
        PERSON = 0  # a person waits
        LIKELY = 1  # a person is likely to want it next
        PREFETCH = 2

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="candidate_sets", db_constraint=False
    )
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="candidate_sets", db_constraint=False
    )
    prompt = models.ForeignKey(
        Prompt,
        on_delete=models.PROTECT,
        null=True,
        related_name="candidate_sets",
        db_constraint=False,
        help_text="the conversation's; null for a person's own opening",
    )
    category = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="the prompt's"
    )
    stance_list = models.ForeignKey(
        StanceList,
        on_delete=models.PROTECT,
        null=True,
        related_name="candidate_sets",
        db_constraint=False,
        help_text="what a linked set writes, once it is known",
    )
    context = models.JSONField(help_text="role-tagged messages, ending with the user's")
    context_sha256 = models.CharField(max_length=64)
    language = models.CharField(max_length=2, choices=Language)
    k = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    shared = models.BooleanField()
    replica = models.PositiveIntegerField(default=0)
    streams = models.PositiveSmallIntegerField(help_text="opened at once by the strategy")
    streams_on = ArrayField(
        models.PositiveSmallIntegerField(),
        default=list,
        db_default=Value([], ArrayField(models.PositiveSmallIntegerField())),
        help_text="the same by endpoint, from the one that serves it on; empty: all there",
    )
    tokens = models.PositiveIntegerField(
        default=0, db_default=0, help_text="estimate for one attempt, answers and contexts"
    )
    endpoint_rank = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=200, null=True)  # noqa: DJ001 null: did not fail
    progress = models.PositiveSmallIntegerField(default=0, help_text="candidates written so far")
    priority = models.PositiveSmallIntegerField(choices=Priority)
    requested_at = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(default=timezone.now)
    attempt = models.PositiveSmallIntegerField(default=0)
    attempt_log = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        help_text="each attempt's endpoint, streams, start and outcome",
    )
    lease_until = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    guard = models.JSONField(null=True, help_text="the verdict, with every measure")
    diversity = models.JSONField(null=True, help_text="of wording, never of values")
    last_slot = models.PositiveSmallIntegerField(null=True)
    ready_id = models.GeneratedField(
        expression=Case(When(state=Value("ready"), then=F("id"))),
        output_field=models.UUIDField(),
        db_persist=True,
        unique=True,
    )
    showings = models.PositiveIntegerField(default=0)
    spare = models.BooleanField(
        default=False,
        db_default=False,
        help_text="made ahead for one person, whoever comes first, and not taken yet",
    )
    retired_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True, help_text="its words are deleted since then")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "k"], name="set_id_k"),
            models.UniqueConstraint(
                fields=["plan", "context_sha256", "language", "replica"],
                condition=Q(shared=True, retired_at__isnull=True) & ~Q(state="failed"),
                name="set_shared_once",
            ),
            models.CheckConstraint(
                condition=Q(state="failed", reason__isnull=False)
                | (~Q(state="failed") & Q(reason__isnull=True)),
                name="set_reason_when_failed",
            ),
            models.CheckConstraint(
                condition=Q(state="generating", lease_until__isnull=False)
                | (~Q(state="generating") & Q(lease_until__isnull=True)),
                name="set_lease_when_generating",
            ),
            models.CheckConstraint(
                condition=Q(state="ready", last_slot__isnull=False, ready_at__isnull=False)
                | (~Q(state="ready") & Q(last_slot__isnull=True, ready_at__isnull=True)),
                name="set_last_slot_when_ready",
            ),
            models.CheckConstraint(
                condition=Q(last_slot__isnull=True) | Q(last_slot=F("k") - 1),
                name="set_last_slot_is_k",
            ),
            models.CheckConstraint(condition=Q(k__gte=2, k__lte=MAX_K), name="set_k_in_range"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "generating", "ready", "failed"]),
                name="set_state_known",
            ),
            models.CheckConstraint(condition=Q(streams__gte=1), name="set_opens_streams"),
            models.CheckConstraint(
                condition=Q(spare=False) | Q(shared=False), name="set_spare_unshared"
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "requested_at"],
                condition=Q(state="pending"),
                name="set_pending",
            ),
            models.Index(
                fields=["plan", "priority", "requested_at", "id"],
                condition=Q(state="pending"),
                name="set_pending_of_plan",
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state="generating"), name="set_generating"
            ),
            models.Index(fields=["context_sha256"], name="set_context"),
            # How long a plan's sets took lately.
            models.Index(
                fields=["plan", "-ready_at"], condition=Q(state="ready"), name="set_plan_ready"
            ),
        ]


class Seat(models.Model):
    """Streams that a generating set holds at an endpoint, until its lease runs out."""

    set = models.ForeignKey(CandidateSet, on_delete=models.CASCADE, related_name="seats")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="held_seats")
    attempt = models.PositiveSmallIntegerField()
    streams = models.PositiveSmallIntegerField()
    lease_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set", "endpoint"], name="seat_once"),
            models.CheckConstraint(condition=Q(streams__gte=1), name="seat_has_streams"),
        ]

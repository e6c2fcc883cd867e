"""Candidates, the model calls that they come from, and how likely a model finds them."""

import uuid

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import MD5
from django.utils import timezone

from sampling.models.candidate_set import CandidateSet
from sampling.models.endpoint import Endpoint


class ModelCall(models.Model):
    """One request to an endpoint and its answer; rejected texts live here and are never shown."""

    id = models.BigAutoField(primary_key=True)
    set = models.ForeignKey(CandidateSet, on_delete=models.PROTECT, related_name="calls")
    attempt = models.PositiveSmallIntegerField()
    n = models.PositiveSmallIntegerField()
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="calls")
    model = models.CharField(max_length=200)
    purpose = models.CharField(max_length=40)
    request = models.JSONField(help_text="the exact body as sent: messages, parameters, seed")
    seed = models.BigIntegerField(null=True)
    replica = models.CharField(
        max_length=300, blank=True, db_default="", help_text="which of several servers, host:port"
    )
    raw = models.TextField(blank=True)
    logprob = models.FloatField(null=True, help_text="sum over the answer's tokens")
    finish_reason = models.CharField(max_length=40, blank=True)
    usage = models.JSONField(null=True)
    error = models.JSONField(null=True, help_text="class, message, retryable")
    started_at = models.DateTimeField()
    first_byte_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set", "attempt", "n"], name="model_call_n"),
            models.UniqueConstraint(fields=["id", "set"], name="model_call_id_set"),
        ]


class Candidate(models.Model):
    """One response of a ready set. Stored with its whole set, never updated, erasure excepted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    set = models.ForeignKey(
        CandidateSet, on_delete=models.PROTECT, related_name="candidates", db_constraint=False
    )
    k = models.PositiveSmallIntegerField()
    slot = models.PositiveSmallIntegerField()
    # The slot before this one, which a foreign key demands: no gap is possible.
    prev_slot = models.GeneratedField(
        expression=Case(When(slot__gt=0, then=F("slot") - 1)),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    text = models.TextField()
    role = models.CharField(max_length=40, help_text="which part of the strategy wrote it")
    stance = models.TextField(null=True)  # noqa: DJ001 null: no stance was asked for
    call = models.ForeignKey(
        ModelCall, on_delete=models.PROTECT, null=True, related_name="candidates"
    )
    finish_reason = models.CharField(max_length=40)
    n_tokens = models.PositiveIntegerField(null=True)
    provenance = models.JSONField(default=dict)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set", "slot"], name="candidate_slot"),
            models.UniqueConstraint(fields=["id", "set"], name="candidate_id_set"),
            # A plain index on the text would fail over 2.7 KB.
            models.UniqueConstraint(
                "set",
                MD5("text"),
                condition=Q(erased_at__isnull=True),
                name="candidate_distinct",
            ),
            models.CheckConstraint(
                condition=Q(slot__gte=0, slot__lt=F("k")), name="candidate_slot_in_range"
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=False) | Q(text__regex=r"[^[:space:]]"),
                name="candidate_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(text=""), name="candidate_erased_is_blank"
            ),
        ]


class CandidateScore(models.Model):
    """How likely a model finds a candidate as the answer to its set's context, and to nothing else.

    `logprob` is the sum over the candidate's `n_tokens` tokens. `scorer` names the model, its
    revision and the way of asking; `endpoint` is where it was asked.
    """

    id = models.BigAutoField(primary_key=True)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="scores")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="scores")
    scorer = models.CharField(max_length=450)
    logprob = models.FloatField()
    n_tokens = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "scorer"], name="candidate_score_once"),
            # PostgreSQL's NaN is larger than any number.
            models.CheckConstraint(
                condition=Q(logprob__lte=0, logprob__gt=float("-inf")),
                name="candidate_score_is_logprob",
            ),
            models.CheckConstraint(condition=Q(n_tokens__gte=1), name="candidate_score_has_tokens"),
        ]

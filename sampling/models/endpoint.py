"""Endpoints: served models, and what is known of them."""

import uuid

from django.db import models
from django.db.models import Q


class Endpoint(models.Model):
    """A served model at a revision. Its key is a name of a secret in the environment."""

    class Kind(models.TextChoices):
        MODEL = "model"
        SIMULATED = "simulated"

    class Serves(models.TextChoices):
        CHAT = "chat"  # answers of conversations
        EMBEDDINGS = "embeddings"
        SAFETY = "safety"  # verdicts on conversations

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    serves = models.CharField(
        max_length=10, choices=Serves, default=Serves.CHAT, db_default=Serves.CHAT
    )
    base_url = models.CharField(max_length=300, help_text="an address, or $NAME of a setting")
    secret_name = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=200)
    revision = models.CharField(max_length=200, blank=True)
    notice = models.JSONField(default=dict, help_text="plain words for the page, by language")
    seats = models.PositiveIntegerField(help_text="streams it may serve at once")
    tokens_per_minute = models.PositiveIntegerField(null=True, help_text="null: no limit")
    context_length = models.PositiveIntegerField(null=True, help_text="tokens; null: unknown")
    operator = models.CharField(max_length=200, blank=True, db_default="", help_text="who runs it")
    country = models.CharField(max_length=60, blank=True, db_default="", help_text="where it runs")
    retention = models.TextField(
        blank=True, db_default="", help_text="what it keeps of requests, and for how long"
    )
    capabilities = models.JSONField(null=True, help_text="what sampling.probing found")
    probed_at = models.DateTimeField(null=True)
    try_asked_at = models.DateTimeField(null=True, help_text="null: no real call is asked for")
    tried = models.JSONField(null=True, help_text="what sampling.real_call got, and when")
    failures = models.PositiveIntegerField(default=0, help_text="in a row; opens the breaker")
    open_until = models.DateTimeField(null=True, help_text="the breaker is open until then")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "kind"], name="endpoint_id_kind"),
            models.CheckConstraint(condition=Q(seats__gte=1), name="endpoint_has_seats"),
            models.CheckConstraint(
                condition=Q(kind__in=["model", "simulated"]), name="endpoint_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(serves__in=["chat", "embeddings", "safety"]),
                name="endpoint_serves_known",
            ),
            models.CheckConstraint(
                condition=Q(tokens_per_minute__isnull=True) | Q(tokens_per_minute__gte=1),
                name="endpoint_has_tokens",
            ),
        ]

    def __str__(self) -> str:
        return self.name

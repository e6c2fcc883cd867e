"""Prompts: the opening messages of conversations, one key over all languages."""

import uuid

from django.db import models
from django.db.models import Q

from studies.models.study import Language, Study


class Prompt(models.Model):
    """One version of an opening prompt; its translations share it. Frozen when the study opens."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="prompts")
    key = models.SlugField(max_length=80)
    version = models.PositiveIntegerField(default=1)
    category = models.SlugField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "key", "version"], name="prompt_version"),
            models.UniqueConstraint(fields=["id", "study"], name="prompt_id_study"),
        ]

    def __str__(self) -> str:
        return f"{self.key}.{self.version}"


class PromptText(models.Model):
    """A prompt in one language: role-tagged messages that end with a user message."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="texts")
    language = models.CharField(max_length=2, choices=Language)
    messages = models.JSONField(help_text='[{"role": "user", "content": "..."}]')

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prompt", "language"], name="prompt_text_language"),
            models.CheckConstraint(
                condition=Q(language__in=["en", "fr", "it", "pt", "hi"]),
                name="prompt_text_language_known",
            ),
        ]

"""Study, its versions, its cohorts, and the quota that cohorts of a country share."""

import secrets
import uuid

from django.db import models
from django.db.models import Q


def new_seed() -> str:
    """128 random bits in hex: every draw of the study is repeatable from it."""
    return secrets.token_hex(16)


class Language(models.TextChoices):
    """Languages that data is collected in (the interface's are settings.LANGUAGES)."""

    ENGLISH = "en", "English"
    FRENCH = "fr", "Français"
    ITALIAN = "it", "Italiano"
    PORTUGUESE = "pt", "Português"
    HINDI = "hi", "हिन्दी"


class Study(models.Model):
    class Kind(models.TextChoices):
        REAL = "real"
        DEMO = "demo"
        REHEARSAL = "rehearsal"
        TEST = "test"

    class State(models.TextChoices):
        DRAFT = "draft"
        REHEARSED = "rehearsed"
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    seed = models.CharField(max_length=64, default=new_seed, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.UniqueConstraint(fields=["id", "kind"], name="study_id_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=["real", "demo", "rehearsal", "test"]), name="study_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "rehearsed", "open", "paused", "closed"]),
                name="study_state_known",
            ),
            models.CheckConstraint(condition=~Q(seed=""), name="study_has_seed"),
        ]

    def __str__(self) -> str:
        return self.slug


class StudyVersion(models.Model):
    """The rules of a study as one study file stated them; frozen when the study opens."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="versions")
    n = models.PositiveIntegerField()
    body = models.JSONField(help_text="The validated study file: rules, instructions, titles")
    source = models.TextField(help_text="The study file, byte for byte")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "n"], name="study_version_n"),
            models.UniqueConstraint(fields=["id", "study"], name="study_version_id_study"),
        ]


class QuotaSet(models.Model):
    """The quota of one country: its cells are in `studies.models.quota`. May span its cohorts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="quota_sets")
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2, upper case")
    name = models.SlugField(max_length=60)
    lease_minutes = models.PositiveIntegerField(default=120)
    soft = models.JSONField(default=list, help_text="targets that are only watched")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "name"], name="quota_set_name"),
            models.UniqueConstraint(fields=["id", "study", "country"], name="quota_set_country"),
        ]

    def __str__(self) -> str:
        return self.name


class Cohort(models.Model):
    """A study's pool of annotators for one country and language: the only place that holds both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="cohorts")
    slug = models.SlugField(max_length=60)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2, upper case")
    language = models.CharField(max_length=2, choices=Language)
    quota_set = models.ForeignKey(
        QuotaSet, on_delete=models.PROTECT, null=True, related_name="cohorts", db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "slug"], name="cohort_slug"),
            models.UniqueConstraint(fields=["id", "study"], name="cohort_id_study"),
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="cohort_country"
            ),
            models.CheckConstraint(
                condition=Q(language__in=["en", "fr", "it", "pt", "hi"]), name="cohort_language"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

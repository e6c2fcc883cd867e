"""Plans: how a study's candidates are made, where, and for which of its conversations."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sampling.models.endpoint import Endpoint
from studies.models import Cohort, Prompt, Study
from studies.models.study import Language


class Plan(models.Model):
    """A study's frozen sampling rule. `body` is validated by sampling.plans."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="plans", db_constraint=False
    )
    study_kind = models.CharField(max_length=10)
    version = models.CharField(max_length=80, help_text="<name>.<n>")
    body = models.JSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="plan_version"),
            models.UniqueConstraint(fields=["id", "study_kind"], name="plan_id_kind"),
            models.UniqueConstraint(fields=["id", "study"], name="plan_id_study"),
        ]

    def __str__(self) -> str:
        return self.version


class PlanEndpoint(models.Model):
    """The endpoints of a plan in order. A real study can have no simulated one."""

    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="plan_endpoints", db_constraint=False
    )
    study_kind = models.CharField(max_length=10)
    rank = models.PositiveSmallIntegerField()
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.PROTECT, related_name="plan_endpoints", db_constraint=False
    )
    endpoint_kind = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "rank"], name="plan_endpoint_rank"),
            models.CheckConstraint(
                condition=~Q(study_kind="real") | ~Q(endpoint_kind="simulated"),
                name="plan_endpoint_real_never_simulated",
            ),
        ]


class Arm(models.Model):
    """One of a cohort's plans, drawn at random per conversation by its share."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="arms", db_constraint=False
    )
    cohort = models.ForeignKey(
        Cohort, on_delete=models.PROTECT, related_name="arms", db_constraint=False
    )
    name = models.SlugField(max_length=60)
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="arms", db_constraint=False
    )
    share = models.PositiveSmallIntegerField(default=1, help_text="parts of the cohort's total")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cohort", "name"], name="arm_name"),
            models.UniqueConstraint(fields=["id", "cohort"], name="arm_id_cohort"),
        ]


class StanceList(models.Model):
    """Stances that were planned once for a prompt and are written in every language: the sets that
    point at one list are *linked*, and choices among them can be compared across languages.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="stance_lists", db_constraint=False
    )
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="stance_lists", db_constraint=False
    )
    prompt = models.ForeignKey(
        Prompt, on_delete=models.PROTECT, related_name="stance_lists", db_constraint=False
    )
    seed = models.BigIntegerField(help_text="the planning calls' seeds follow from it")
    stances = models.JSONField(help_text="short positions, one for each slot")
    language = models.CharField(max_length=2, choices=Language, help_text="planned in")
    planned_by = models.CharField(max_length=80, blank=True, help_text="the call's X-Request-Id")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "prompt", "seed"], name="stance_list_once"),
            models.UniqueConstraint(
                fields=["id", "plan", "prompt"], name="stance_list_id_plan_prompt"
            ),
            models.CheckConstraint(
                condition=Q(language__in=["en", "fr", "it", "pt", "hi"]),
                name="stance_list_language_known",
            ),
        ]

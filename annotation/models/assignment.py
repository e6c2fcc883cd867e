"""Prompt cells, which count overlap, and assignments, which lease a conversation to a person."""

import uuid

from django.db import models
from django.db.models import F, Q

from sampling.models import Arm
from studies.models import Cohort, Enrolment, Prompt, Sitting, Study


class PromptCell(models.Model):
    """How many conversations a prompt has, and may have, in a cohort. A trigger keeps `taken`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Every claim writes its cell's indexes again, so it has none that another covers: cells are
    # found by their cohort, and by their prompt only when a study is loaded.
    study = models.ForeignKey(
        Study,
        on_delete=models.PROTECT,
        related_name="prompt_cells",
        db_constraint=False,
        db_index=False,
    )
    cohort = models.ForeignKey(
        Cohort,
        on_delete=models.PROTECT,
        related_name="prompt_cells",
        db_constraint=False,
        db_index=False,
    )
    prompt = models.ForeignKey(
        Prompt,
        on_delete=models.PROTECT,
        related_name="cells",
        db_constraint=False,
        db_index=False,
    )
    overlap = models.PositiveIntegerField(help_text="conversations wanted")
    taken = models.PositiveIntegerField(default=0, help_text="open and submitted assignments")
    claims = models.PositiveIntegerField(default=0, help_text="claims ever made; orders the arms")
    shuffle_key = models.FloatField(help_text="random in [0, 1): where a draw may start")
    retired_at = models.DateTimeField(null=True, help_text="takes no new claims since then")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cohort", "prompt"], name="prompt_cell_once"),
            models.UniqueConstraint(fields=["id", "cohort"], name="prompt_cell_id_cohort"),
            models.CheckConstraint(
                condition=Q(taken__gte=0, taken__lte=F("overlap")), name="prompt_cell_overlap"
            ),
        ]
        indexes = [
            models.Index(
                fields=["cohort", "taken", "shuffle_key"],
                condition=Q(taken__lt=F("overlap"), retired_at__isnull=True),
                name="prompt_cell_room",
            ),
        ]


class Assignment(models.Model):
    """One conversation leased to one annotator until a deadline. Repeats and own prompts have no
    cell."""

    class State(models.TextChoices):
        OPEN = "open"
        SUBMITTED = "submitted"
        SKIPPED = "skipped"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Indexed by the constraint assignment_cell_once.
    enrolment = models.ForeignKey(
        Enrolment,
        on_delete=models.PROTECT,
        related_name="assignments",
        db_constraint=False,
        db_index=False,
    )
    sitting = models.ForeignKey(
        Sitting, on_delete=models.PROTECT, related_name="assignments", db_constraint=False
    )
    cohort = models.ForeignKey(
        Cohort, on_delete=models.PROTECT, related_name="assignments", db_constraint=False
    )
    cell = models.ForeignKey(
        PromptCell,
        on_delete=models.PROTECT,
        null=True,
        related_name="assignments",
        db_constraint=False,
    )
    # Indexed by the constraint assignment_repeated_once.
    repeat_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="repeats",
        db_constraint=False,
        db_index=False,
        help_text="a marked repeat shows the first set of this one again",
    )
    arm = models.ForeignKey(
        Arm,
        on_delete=models.PROTECT,
        related_name="assignments",
        db_constraint=False,
        db_index=False,
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    deadline = models.DateTimeField(null=True)
    claim_no = models.PositiveIntegerField(help_text="which claim of its cell, from 1")
    surplus = models.BooleanField(default=False, help_text="stored, but outside the overlap")
    p_prompt = models.FloatField(help_text="probability of this prompt when it was drawn")
    p_arm = models.FloatField(help_text="probability of this arm when it was drawn")
    draw = models.JSONField(default=dict, help_text="stratum and starting point of the draw")
    reason = models.CharField(max_length=200, blank=True, help_text="why it was skipped")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment"], condition=Q(state="open"), name="assignment_one_open"
            ),
            models.UniqueConstraint(fields=["enrolment", "cell"], name="assignment_cell_once"),
            models.UniqueConstraint(
                fields=["repeat_of"],
                condition=Q(repeat_of__isnull=False),
                name="assignment_repeated_once",
            ),
            models.CheckConstraint(
                condition=Q(repeat_of__isnull=True) | Q(cell__isnull=True),
                name="assignment_repeat_has_no_cell",
            ),
            models.CheckConstraint(
                condition=Q(state="open", deadline__isnull=False)
                | (~Q(state="open") & Q(deadline__isnull=True)),
                name="assignment_deadline_when_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "submitted", "skipped", "expired", "withdrawn"]),
                name="assignment_state_known",
            ),
            models.CheckConstraint(
                condition=Q(p_prompt__gt=0, p_prompt__lte=1, p_arm__gt=0, p_arm__lte=1),
                name="assignment_probabilities",
            ),
        ]
        indexes = [
            models.Index(
                fields=["deadline"], condition=Q(state="open"), name="assignment_open_deadline"
            ),
            # The last number of a cohort's own prompts, which the next one goes on from.
            models.Index(
                fields=["cohort", "claim_no"],
                condition=Q(cell__isnull=True),
                name="assignment_own_claims",
            ),
        ]

"""Conversation, turn and comparison: the data that all of this exists for.

Turn n+1 points at the *current* comparison of turn n through a foreign key, so a correction and the
next message cannot both win. A comparison is never edited: a correction supersedes it.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, When

from annotation.models.assignment import Assignment
from sampling.models import Candidate, CandidateSet, Plan
from studies.models import StudyVersion


class Conversation(models.Model):
    """A dialogue of one assignment, stamped with the versions that governed it."""

    class EndedReason(models.TextChoices):
        FINISHED = "finished"  # the annotator finished, or the last turn was judged
        NONE = "none"  # nothing represented them, and the study ends there
        SKIPPED = "skipped"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, related_name="conversation"
    )
    study_version = models.ForeignKey(StudyVersion, on_delete=models.PROTECT)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="conversations")
    app_version = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(  # noqa: DJ001 null: goes on
        max_length=10, choices=EndedReason, null=True
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_reason__isnull=True)
                | Q(ended_at__isnull=False, ended_reason__isnull=False),
                name="conversation_ended_with_reason",
            ),
        ]


class Turn(models.Model):
    """One annotator message and the set that answers it, in the order one person saw it."""

    class Layout(models.TextChoices):
        STACK = "stack"
        GRID = "grid"
        PAGER = "pager"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="turns")
    number = models.PositiveSmallIntegerField()
    message = models.TextField()
    set = models.ForeignKey(
        CandidateSet, on_delete=models.PROTECT, related_name="turns", db_constraint=False
    )
    k = models.PositiveSmallIntegerField()
    display_order = ArrayField(models.SmallIntegerField(), null=True)
    layout = models.CharField(max_length=10, choices=Layout, blank=True)
    showing_no = models.PositiveIntegerField(
        null=True, help_text="which showing of the set, from 1"
    )
    asks_explanation = models.BooleanField(help_text="drawn by the study's rule when it was made")
    asked_at = models.DateTimeField(auto_now_add=True)
    shown_at = models.DateTimeField(null=True)
    prev_no = models.GeneratedField(
        expression=Case(When(number__gt=0, then=F("number") - 1)),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    prev_comparison = models.OneToOneField(
        "Comparison",
        on_delete=models.PROTECT,
        null=True,
        related_name="next_turn",
        db_constraint=False,
    )
    carried = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    erased_at = models.DateTimeField(null=True, help_text="its message is deleted since then")
    # What a comparison points at: a set that this turn has shown.
    shown_set = models.GeneratedField(
        expression=Case(When(shown_at__isnull=False, then=F("set"))),
        output_field=models.UUIDField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "number"], name="turn_number"),
            models.UniqueConstraint(
                fields=["id", "conversation", "number", "shown_set"], name="turn_shown"
            ),
            models.CheckConstraint(
                condition=Q(number=0, prev_comparison__isnull=True)
                | Q(number__gt=0, prev_comparison__isnull=False),
                name="turn_follows_comparison",
            ),
            models.CheckConstraint(
                condition=Q(number=0, carried__isnull=True)
                | Q(number__gt=0, carried__isnull=False),
                name="turn_carries_candidate",
            ),
            models.CheckConstraint(
                condition=Q(
                    shown_at__isnull=True, display_order__isnull=True, showing_no__isnull=True
                )
                | Q(shown_at__isnull=False, display_order__isnull=False, showing_no__isnull=False),
                name="turn_shown_with_order",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) & ~Q(message="")
                | Q(erased_at__isnull=False, message=""),
                name="turn_has_message",
            ),
        ]


class Comparison(models.Model):
    """The stored judgement of one turn. The row without `superseded_at` is the one that counts."""

    class Outcome(models.TextChoices):
        CHOSEN = "chosen"
        NONE = "none"
        TIE = "tie"

    class Viewport(models.TextChoices):
        PHONE = "phone"  # under 700 px
        TABLET = "tablet"  # under 1100 px
        WIDE = "wide"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    turn = models.ForeignKey(
        Turn, on_delete=models.PROTECT, related_name="comparisons", db_constraint=False
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="comparisons", db_constraint=False
    )
    turn_no = models.PositiveSmallIntegerField()
    set = models.ForeignKey(
        CandidateSet, on_delete=models.PROTECT, related_name="comparisons", db_constraint=False
    )
    revision = models.PositiveIntegerField(help_text="1 is the first judgement")
    outcome = models.CharField(max_length=10, choices=Outcome)
    chosen = models.ForeignKey(
        Candidate,
        on_delete=models.PROTECT,
        null=True,
        related_name="chosen_in",
        db_constraint=False,
    )
    carried = models.ForeignKey(
        Candidate,
        on_delete=models.PROTECT,
        null=True,
        related_name="carried_in",
        db_constraint=False,
    )
    explanation = models.TextField(blank=True)
    first_choice_at = models.DateTimeField(null=True)
    visible_ms = models.PositiveIntegerField(null=True, help_text="while the page was visible")
    changes = models.PositiveSmallIntegerField(
        null=True, help_text="how often another choice replaced the first one"
    )
    pastes = models.PositiveSmallIntegerField(
        null=True, help_text="paste events; null where nobody agreed to have them counted"
    )
    reach = ArrayField(
        models.SmallIntegerField(),
        null=True,
        help_text="how far down each text was on screen, in percent, by slot",
    )
    layout = models.CharField(max_length=10, choices=Turn.Layout, blank=True, db_default="")
    viewport = models.CharField(
        max_length=10, choices=Viewport, blank=True, db_default="", help_text="the window's width"
    )
    interface_lang = models.CharField(max_length=5, help_text="of the buttons, at this moment")
    submitted_at = models.DateTimeField()
    app_version = models.CharField(max_length=40)
    superseded_at = models.DateTimeField(null=True)
    current_id = models.GeneratedField(
        expression=Case(When(superseded_at__isnull=True, then=F("id"))),
        output_field=models.UUIDField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["turn", "revision"], name="comparison_revision"),
            models.UniqueConstraint(fields=["id", "set"], name="comparison_id_set"),
            models.UniqueConstraint(
                fields=["turn"], condition=Q(superseded_at__isnull=True), name="comparison_current"
            ),
            models.UniqueConstraint(
                fields=["conversation", "turn_no", "current_id", "carried"],
                name="comparison_carried",
            ),
            models.CheckConstraint(
                condition=Q(outcome="chosen", chosen__isnull=False)
                | (~Q(outcome="chosen") & Q(chosen__isnull=True)),
                name="comparison_chosen_only",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="chosen") | Q(carried__isnull=False, carried=F("chosen")),
                name="comparison_carries_chosen",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["chosen", "none", "tie"]), name="comparison_outcome_known"
            ),
            models.CheckConstraint(condition=Q(revision__gte=1), name="comparison_revision_first"),
        ]

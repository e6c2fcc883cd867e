"""Invitation, identity, enrolment and sitting: how a person comes to a study."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from studies.models.study import Cohort, Study

HMAC_HEX = r"^[0-9a-f]{64}$"


class Enrolment(models.Model):
    """Joins one annotator, known only by pseudonym, to a study and a cohort."""

    class State(models.TextChoices):
        CONSENTED = "consented"
        ENROLLED = "enrolled"
        COMPLETE = "complete"
        SCREENED_OUT = "screened_out"
        OVER_QUOTA = "over_quota"
        FAILED_CHECKS = "failed_checks"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"
        NO_CONSENT = "no_consent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="enrolments")
    cohort = models.ForeignKey(
        Cohort, on_delete=models.PROTECT, related_name="enrolments", db_constraint=False
    )
    pseudonym = models.CharField(max_length=40)
    return_token_sha256 = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=15, choices=State)
    ui_language = models.CharField(max_length=5)
    max_conversations = models.PositiveIntegerField(null=True)
    # What the consent records come to; a trigger writes both, and nothing else can.
    purposes = ArrayField(
        models.CharField(max_length=40),
        default=list,
        db_default=[],
        editable=False,
        help_text="agreed to",
    )
    consent_version = models.PositiveIntegerField(
        null=True, editable=False, help_text="newest version answered"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, help_text="their words are deleted since then")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(state="withdrawn"),
                name="enrolment_erased_has_left",
            ),
            models.UniqueConstraint(fields=["study", "pseudonym"], name="enrolment_pseudonym"),
            models.UniqueConstraint(fields=["id", "cohort"], name="enrolment_id_cohort"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "consented",
                        "enrolled",
                        "complete",
                        "screened_out",
                        "over_quota",
                        "failed_checks",
                        "withdrawn",
                        "expired",
                        "no_consent",
                    ]
                ),
                name="enrolment_state_known",
            ),
        ]

    @property
    def is_at_work(self) -> bool:
        """Enrolled: past the questions, and not done yet."""
        return self.state == self.State.ENROLLED

    @property
    def has_left(self) -> bool:
        """They do not take part: they never agreed to, or took it back."""
        return self.state in (self.State.WITHDRAWN, self.State.NO_CONSENT)

    @property
    def has_left_midway(self) -> bool:
        """They agreed once, and took it back."""
        return self.state == self.State.WITHDRAWN


class Identity(models.Model):
    """Who a panel's person is among our pseudonyms. No other table has anything of a panel's ids.

    An id is here as a keyed hash only (`studies.panels`), whose key is outside the database.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="identities")
    panel = models.CharField(max_length=20)
    external_hmac = models.CharField(max_length=64)
    pseudonym = models.CharField(max_length=40)
    arrived_with = models.CharField(
        max_length=64,
        unique=True,
        help_text="HMAC of the submission that their first sitting will be",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(
                fields=["study", "panel", "external_hmac"], name="identity_one_person"
            ),
            models.UniqueConstraint(fields=["study", "pseudonym"], name="identity_pseudonym"),
            models.CheckConstraint(
                condition=Q(external_hmac__regex=HMAC_HEX) & Q(arrived_with__regex=HMAC_HEX),
                name="identity_only_hashes",
            ),
        ]


class Invitation(models.Model):
    """A link into a cohort. Only the digest of its token is kept."""

    class Kind(models.TextChoices):
        OPEN = "open"
        PANEL = "panel"
        PERSONAL = "personal"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_sha256 = models.CharField(max_length=64, unique=True)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="invitations")
    kind = models.CharField(max_length=10, choices=Kind)
    panel = models.CharField(max_length=20, blank=True, help_text="the panel of a panel's link")
    used_by = models.OneToOneField(
        Enrolment, on_delete=models.PROTECT, null=True, related_name="invitation"
    )
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(used_by__isnull=True) | Q(kind="personal"),
                name="invitation_only_personal_used",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["open", "panel", "personal"]), name="invitation_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="panel") & ~Q(panel="") | ~Q(kind="panel") & Q(panel=""),
                name="invitation_names_its_panel",
            ),
        ]


class Sitting(models.Model):
    """One visit under one target, deadline and code; a person may have several in time.

    A visit for a panel is one submission there, known by a keyed hash of its id.
    """

    class State(models.TextChoices):
        OPEN = "open"
        COMPLETE = "complete"
        PARTIAL = "partial"
        EXPIRED = "expired"
        RETURNED = "returned"

    class ExitCode(models.TextChoices):
        COMPLETE = "complete"
        PARTIAL = "partial"
        SCREEN_OUT = "screen_out"
        QUOTA_FULL = "quota_full"
        QUALITY_TERM = "quality_term"
        NO_CONSENT = "no_consent"
        WITHDRAWN = "withdrawn"
        TIMEOUT = "timeout"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="sittings")
    target = models.PositiveIntegerField(help_text="conversations wanted")
    deadline = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    exit_code = models.CharField(max_length=15, choices=ExitCode, null=True)  # noqa: DJ001 null: none yet
    panel_session_hmac = models.CharField(  # noqa: DJ001 null: under no panel's submission
        max_length=64, unique=True, null=True, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "enrolment"], name="sitting_id_enrolment"),
            models.UniqueConstraint(
                fields=["enrolment"], condition=Q(state="open"), name="sitting_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="open", exit_code__isnull=True)
                | (~Q(state="open") & Q(exit_code__isnull=False)),
                name="sitting_exit_code_when_over",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "complete", "partial", "expired", "returned"]),
                name="sitting_state_known",
            ),
            models.CheckConstraint(
                condition=Q(panel_session_hmac__isnull=True)
                | Q(panel_session_hmac__regex=HMAC_HEX),
                name="sitting_only_hashes",
            ),
        ]

"""The lab: sets that are made for researchers, and what readers say of them."""

import uuid

from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from sampling.models.endpoint import Endpoint
from studies.models import Researcher, Study
from studies.models.study import Language


class LabRunQuerySet(models.QuerySet["LabRun"]):
    def counted(self) -> "LabRunQuerySet":
        """Each run with how many sets it has (`of`), and how many of them are over (`done`)."""
        over = Q(sets__state__in=LabSet.OVER)
        return self.annotate(of=Count("sets"), done=Count("sets", filter=over))


class LabRun(models.Model):
    """Sets made side by side for researchers, outside of every conversation and of every export."""

    class Kind(models.TextChoices):
        ONE = "one"  # one prompt, each way on each endpoint
        BATCH = "batch"  # a sample of the study's prompts

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="lab_runs")
    asked_by = models.ForeignKey(Researcher, on_delete=models.PROTECT, related_name="lab_runs")
    kind = models.CharField(max_length=5, choices=Kind)
    seed = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LabRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["one", "batch"]), name="lab_run_kind_known"
            ),
        ]


class LabSet(models.Model):
    """One set of a run, and what became of it. A failed one is a result, and not tried again."""

    class State(models.TextChoices):
        WAITING = "waiting"
        MAKING = "making"
        READY = "ready"
        FAILED = "failed"

    OVER = (State.READY, State.FAILED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(LabRun, on_delete=models.PROTECT, related_name="sets")
    place = models.PositiveIntegerField(help_text="its place in the run, from 0")
    prompt_key = models.CharField(max_length=80, blank=True, help_text="blank: typed in")
    category = models.CharField(
        max_length=60,
        blank=True,
        db_default="",
        help_text="the prompt's, which decides the strategy",
    )
    context = models.JSONField(help_text="role-tagged messages, ending with the user's")
    language = models.CharField(max_length=2, choices=Language)
    way = models.CharField(max_length=150, help_text="a strategy's name, or study/version")
    strategy = models.CharField(max_length=40)
    body = models.JSONField(help_text="the plan's body, with every default written out")
    plan_sha256 = models.CharField(max_length=64, help_text="as a stored plan of this body has it")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="lab_sets")
    seed = models.BigIntegerField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    result = models.JSONField(null=True, help_text="what `manage.py sample --json` prints")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "place"], name="lab_set_place"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "making", "ready", "failed"]),
                name="lab_set_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="making", lease_until__isnull=False)
                | (~Q(state="making") & Q(lease_until__isnull=True)),
                name="lab_set_lease_when_making",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["ready", "failed"], result__isnull=False, ended_at__isnull=False
                )
                | (
                    ~Q(state__in=["ready", "failed"])
                    & Q(result__isnull=True, ended_at__isnull=True)
                ),
                name="lab_set_result_when_over",
            ),
        ]


class ReaderMark(models.Model):
    """What a reader of its language says about one text of the lab: no check of form sees invented
    words, or a "No" that argues for Yes. It belongs to the plan, by the hash of the plan's body.
    """

    class Verdict(models.TextChoices):
        ACCEPTABLE = "acceptable"
        INVENTED = "invented"  # words that the language does not have
        LANGUAGE = "language"  # another language, or a mix
        AGAINST_ITSELF = "against_itself"
        OTHER = "other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    set = models.ForeignKey(LabSet, on_delete=models.PROTECT, related_name="marks")
    slot = models.PositiveSmallIntegerField()
    text_sha256 = models.CharField(max_length=64)
    way = models.CharField(max_length=150)
    strategy = models.CharField(max_length=40)
    plan_sha256 = models.CharField(max_length=64)
    language = models.CharField(max_length=2, choices=Language)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="reader_marks")
    verdict = models.CharField(max_length=14, choices=Verdict)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(Researcher, on_delete=models.PROTECT, related_name="reader_marks")
    marked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set", "slot", "by"], name="reader_mark_once"),
            models.CheckConstraint(
                condition=Q(
                    verdict__in=["acceptable", "invented", "language", "against_itself", "other"]
                ),
                name="reader_mark_verdict_known",
            ),
        ]
        indexes = [models.Index(fields=["plan_sha256"], name="reader_mark_plan")]

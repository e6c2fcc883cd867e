"""How candidates come to be: endpoints, plans, arms, sets, candidates, calls and seats; the lab.

A candidate set keeps the messages it was asked with and knows no turn: a turn points at its set.
PostgreSQL is the queue of generation; these rows are the truth about it.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Count, F, Q, Value, When
from django.db.models.functions import MD5
from django.utils import timezone

from studies.models import Cohort, Prompt, Researcher, Study
from studies.models.study import Language

MAX_K = 8


class Endpoint(models.Model):
    """A served model at a revision. Its key is a name of a secret in the environment."""

    class Kind(models.TextChoices):
        MODEL = "model"
        SIMULATED = "simulated"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
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
                condition=Q(tokens_per_minute__isnull=True) | Q(tokens_per_minute__gte=1),
                name="endpoint_has_tokens",
            ),
        ]

    def __str__(self) -> str:
        return self.name


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


class TokenUse(models.Model):
    """Tokens that an attempt may use at an endpoint with a limit, in the minute of its claim.

    An estimate until the attempt is stored, then what the endpoint counted. Rows of the last minute
    count; older ones are deleted by later claims.
    """

    id = models.BigAutoField(primary_key=True)
    set = models.ForeignKey(CandidateSet, on_delete=models.CASCADE, related_name="token_uses")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="token_uses")
    attempt = models.PositiveSmallIntegerField()
    tokens = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set", "attempt", "endpoint"], name="token_use_once"),
        ]
        indexes = [models.Index(fields=["at"], name="token_use_at")]


class TokenBudget(models.Model):
    """How many tokens all sets of a study may use. A row, and no rule of the study: it has to be
    raised while the study is open, when rules and plans are frozen.

    `spent` counts stored attempts; `total` null: counted, without a limit.
    """

    study = models.OneToOneField(
        Study, on_delete=models.PROTECT, primary_key=True, related_name="token_budget"
    )
    total = models.PositiveBigIntegerField(null=True)
    spent = models.PositiveBigIntegerField(default=0)


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

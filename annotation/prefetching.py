"""Sets made ahead of time. They belong to prompts, never to persons: whoever draws one, sees it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain, islice, zip_longest

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from annotation.models import Assignment, PromptCell
from sampling.messages import Message, context_sha256
from sampling.models import CandidateSet, Plan
from sampling.prefetching import Wish, fill
from studies.models import Cohort, Prompt, PromptText, Sitting, Study

# How far to look for prompts that still have no set.
LOOK_AHEAD = 200
# Whoever sat down so recently is about to draw, even without an assignment.
JUST_NOW = timedelta(minutes=15)


def fill_open_cohorts() -> int:
    """Ask for sets of the prompts that are drawn next, if nobody has yet; returns how many.

    In each open cohort, one set for each active annotator, the least covered prompts first; the
    cohorts take turns on the budget of an endpoint that they share.
    """
    cohorts = Cohort.objects.filter(study__state=Study.State.OPEN).order_by("pk")
    turns = zip_longest(*(wishes(cohort) for cohort in cohorts))
    return fill(wish for wish in chain.from_iterable(turns) if wish)


def wishes(cohort: Cohort) -> list[Wish]:
    """What the active annotators of a cohort are likely to draw, and has no set yet."""
    active = active_annotators(cohort, timezone.now())
    return list(islice(_missing(cohort), active)) if active else []


def active_annotators(cohort: Cohort, now: datetime) -> int:
    """How many people of the cohort are at work: they hold an assignment, or just sat down."""
    at_work = Q(assignments__state=Assignment.State.OPEN) | Q(created_at__gt=now - JUST_NOW)
    sat = Sitting.objects.filter(enrolment__cohort=cohort, state=Sitting.State.OPEN)
    return sat.filter(at_work, deadline__gt=now).values("enrolment").distinct().count()


def _missing(cohort: Cohort) -> Iterator[Wish]:
    plans = list(Plan.objects.filter(arms__cohort=cohort).select_related("study").distinct())
    contexts = {context_sha256(messages): (at, messages) for at, messages in _openings(cohort)}
    # A set that failed counts too: it is asked for again when a person wants it, not before.
    asked = set(
        CandidateSet.objects.filter(
            plan__in=plans,
            language=cohort.language,
            context_sha256__in=contexts,
            shared=True,
            retired_at=None,
        ).values_list("plan_id", "context_sha256")
    )
    for sha256, (prompt, messages) in contexts.items():
        for plan in plans:
            if (plan.pk, sha256) not in asked:
                yield Wish(plan=plan, context=messages, language=cohort.language, prompt=prompt)


def _openings(cohort: Cohort) -> Iterator[tuple[Prompt, list[Message]]]:
    """The cohort's prompts with room and their opening messages, the least covered first."""
    texts = PromptText.objects.filter(prompt=OuterRef("prompt"), language=cohort.language)
    room = PromptCell.objects.filter(cohort=cohort, retired_at=None, taken__lt=F("overlap"))
    opening = room.annotate(opening=Subquery(texts.values("messages")[:1]))
    ordered = opening.exclude(opening=None).order_by("taken", "shuffle_key")
    for cell in ordered.select_related("prompt")[:LOOK_AHEAD]:
        yield cell.prompt, cell.opening

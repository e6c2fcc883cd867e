"""Sets made ahead of time. They belong to prompts, never to persons: whoever draws one, sees it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice, zip_longest
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from annotation.models import Assignment, PromptCell
from sampling.messages import Message, context_sha256
from sampling.models import CandidateSet, Plan
from sampling.prefetching import Wish, fill
from studies.models import Cohort, Prompt, PromptText, Sitting, Study
from studies.rules import FirstSets, current_rules

# How far to look for prompts that still have no set.
LOOK_AHEAD = 200
# Whoever sat down so recently is about to draw, even without an assignment.
JUST_NOW = timedelta(minutes=15)


class Opening(NamedTuple):
    """A prompt's opening messages in a cohort, the claims so far, and the places left."""

    prompt: Prompt
    messages: list[Message]
    claims: int
    room: int

    @property
    def sha256(self) -> str:
        return context_sha256(self.messages)


def fill_open_cohorts() -> int:
    """Ask for sets of the prompts that are drawn next, if nobody has yet; returns how many.

    In each open cohort, one set for each active annotator, the least covered prompts first, by the
    study's rule about first sets (annotation.first_sets); the cohorts take turns on the budget of
    an endpoint that they share.
    """
    cohorts = (
        Cohort.objects.filter(study__state=Study.State.OPEN).select_related("study").order_by("pk")
    )
    turns = zip_longest(*(wishes(cohort) for cohort in cohorts))
    return fill(wish for wish in chain.from_iterable(turns) if wish)


def wishes(cohort: Cohort) -> list[Wish]:
    """What the active annotators of a cohort are likely to draw, and has no set yet."""
    active = active_annotators(cohort, timezone.now())
    if not active:
        return []
    rule = current_rules(cohort.study).first_sets
    return list(islice(_missing(cohort, rule, active), active))


def active_annotators(cohort: Cohort, now: datetime) -> int:
    """How many people of the cohort are at work: they hold an assignment, or just sat down."""
    at_work = Q(assignments__state=Assignment.State.OPEN) | Q(created_at__gt=now - JUST_NOW)
    sat = Sitting.objects.filter(enrolment__cohort=cohort, state=Sitting.State.OPEN)
    return sat.filter(at_work, deadline__gt=now).values("enrolment").distinct().count()


def _missing(cohort: Cohort, rule: FirstSets, active: int) -> Iterator[Wish]:
    drawn = Plan.objects.filter(arms__cohort=cohort, arms__share__gt=0)
    plans = list(drawn.select_related("study").distinct())
    openings = list(_next_openings(cohort))
    asked = _asked(cohort, plans, openings)
    # One spare set for each person at work, spread over the prompts.
    rounds = -(-active // max(1, len(openings))) if rule.rule == "fresh" else 1
    for spares in range(1, rounds + 1):
        for opening in openings:
            for plan in plans:
                wish = Wish(
                    plan=plan,
                    context=opening.messages,
                    language=cohort.language,
                    prompt=opening.prompt,
                    group=(opening.claims + 1) % rule.replicas,  # the next assignment's
                    groups=rule.replicas,
                    spares=min(spares, opening.room) if rule.rule == "fresh" else 0,
                )
                if not _is_there(wish, asked[plan.pk, opening.sha256]):
                    yield wish


def _is_there(wish: Wish, asked: list[tuple[int, bool, bool]]) -> bool:
    """Whether the wished set was asked for. One that failed counts as well: it is asked for again
    when a person wants it, not before."""
    if wish.spares:
        return sum(spare for _, _, spare in asked) >= wish.spares
    return any(shared and n % wish.groups == wish.group for n, shared, _ in asked)


def _asked(
    cohort: Cohort, plans: Sequence[Plan], openings: Sequence[Opening]
) -> Mapping[tuple[UUID, str], list[tuple[int, bool, bool]]]:
    """The sets of each plan and opening: replica number, whether shared, whether spare."""
    found = CandidateSet.objects.filter(
        plan__in=plans,
        language=cohort.language,
        context_sha256__in=[opening.sha256 for opening in openings],
        retired_at=None,
    )
    asked: defaultdict[tuple[UUID, str], list[tuple[int, bool, bool]]] = defaultdict(list)
    columns = ("plan_id", "context_sha256", "replica", "shared", "spare")
    for plan_id, sha256, *about in found.filter(Q(shared=True) | Q(spare=True)).values_list(
        *columns
    ):
        asked[plan_id, sha256].append(tuple(about))
    return asked


def _next_openings(cohort: Cohort) -> Iterator[Opening]:
    """The openings of the cohort's prompts with room, the least covered first."""
    texts = PromptText.objects.filter(prompt=OuterRef("prompt"), language=cohort.language)
    room = PromptCell.objects.filter(cohort=cohort, retired_at=None, taken__lt=F("overlap"))
    opening = room.annotate(opening=Subquery(texts.values("messages")[:1]))
    ordered = opening.exclude(opening=None).order_by("taken", "shuffle_key")
    for cell in ordered.select_related("prompt")[:LOOK_AHEAD]:
        yield Opening(cell.prompt, cell.opening, cell.claims, cell.overlap - cell.taken)

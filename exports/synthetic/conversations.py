"""Batches of synthetic conversations, stored turn by turn.

A turn is checked against the comparison before it, so all turns of one number are stored, then all
their comparisons, then the turns that follow.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from annotation.models import Conversation
from exports.synthetic.copying import copy, plan_by_index, take_stock
from exports.synthetic.rolls import TURNS, K, Rolls
from sampling.models import Arm, Plan
from studies.models import Cohort, StudyVersion

BATCH = 2_000  # conversations at a time: memory stays flat
PER_ANNOTATOR = 20
MONTH = 30 * 24 * 3600  # seconds


@dataclass(frozen=True)
class MadeSet:
    id: UUID
    context: list[dict[str, str]]
    candidates: list[tuple[UUID, str]]


@dataclass
class Place:
    """One cohort, the texts of its cells, and the shared sets made so far with their showings."""

    cohort: Cohort
    arm: Arm
    plan: Plan
    prompts: dict[UUID, str]
    sets: dict[UUID, MadeSet] = field(default_factory=dict)
    showings: dict[UUID, int] = field(default_factory=dict)


@dataclass
class Talk:
    """One conversation on its way through its turns."""

    id: UUID
    assignment: UUID
    enrolment: UUID
    sitting: UUID
    place: Place
    cell: UUID
    turns: int
    started: datetime
    set: MadeSet | None = None
    turn: UUID | None = None
    comparison: UUID | None = None
    carried: int | None = None  # the slot that the next turn goes on from
    carried_candidate: UUID | None = None

    def asked_at(self, number: int) -> datetime:
        return self.started + timedelta(minutes=2 * number)


def converse(*, version: StudyVersion, places: Sequence[Place], rolls: Rolls, at_most: int) -> int:
    """Store a batch of whole conversations with at most so many comparisons; returns how many.

    Expects to be in a transaction.
    """
    plan_by_index()
    talks = begin(places=places, rolls=rolls, at_most=at_most)
    copy_people(talks)
    copy_assignments(talks=talks, version=version)
    take_stock("studies_enrolment annotation_assignment annotation_conversation")
    total = 0
    for number in TURNS:
        active = [t for t in talks if t.turns >= number and (number == 1 or t.carried is not None)]
        copy_sets(make_sets(talks=active, rolls=rolls), rolls=rolls)
        copy_turns(talks=active, rolls=rolls, number=number - 1)
        copy_comparisons(talks=active, rolls=rolls, number=number - 1)
        if number == 1:
            take_stock(
                "sampling_candidateset sampling_candidate annotation_turn annotation_comparison"
            )
        total += len(active)
    ids = [talk.id for talk in talks]
    Conversation.objects.filter(pk__in=ids).update(
        ended_at=timezone.now(), ended_reason=Conversation.EndedReason.FINISHED
    )
    return total


def begin(*, places: Sequence[Place], rolls: Rolls, at_most: int) -> list[Talk]:
    """Conversations of new annotators, with at most so many turns over all."""
    talks: list[Talk] = []
    left = at_most
    now = timezone.now()
    while left > 0 and len(talks) < BATCH:
        place = rolls.random.choice(places)
        person, sitting = rolls.id(), rolls.id()
        cells = list(place.prompts)
        for cell in rolls.random.sample(cells, min(PER_ANNOTATOR, len(cells))):
            turns = min(rolls.turns(), left)
            if turns == 0:
                break
            started = now - timedelta(seconds=rolls.random.randrange(MONTH))
            talks.append(Talk(rolls.id(), rolls.id(), person, sitting, place, cell, turns, started))
            left -= turns
    return talks


def copy_people(talks: Sequence[Talk]) -> None:
    people = {talk.enrolment: talk for talk in talks}
    now = timezone.now()
    copy(
        table="studies_enrolment",
        columns="id study_id cohort_id pseudonym return_token_sha256 state ui_language created_at",
        rows=(
            (person, talk.place.cohort.study_id, talk.place.cohort.pk, person.hex)
            + (sha256(person.hex), "complete", "en", now)
            for person, talk in people.items()
        ),
    )
    copy(
        table="studies_sitting",
        columns="id enrolment_id target deadline state exit_code created_at",
        rows=(
            (talk.sitting, person, PER_ANNOTATOR, now, "complete", "complete", now)
            for person, talk in people.items()
        ),
    )


def copy_assignments(*, talks: Sequence[Talk], version: StudyVersion) -> None:
    now = timezone.now()
    copy(
        table="annotation_assignment",
        columns="id enrolment_id sitting_id cohort_id cell_id arm_id state claim_no surplus"
        " p_prompt p_arm draw reason created_at ended_at",
        rows=(
            (talk.assignment, talk.enrolment, talk.sitting, talk.place.cohort.pk, talk.cell)
            + (talk.place.arm.pk, "submitted", 1, False, 1 / len(talk.place.prompts), 1.0)
            + ("{}", "", talk.started, now)
            for talk in talks
        ),
    )
    copy(
        table="annotation_conversation",
        columns="id assignment_id study_version_id plan_id app_version created_at",
        rows=(
            (talk.id, talk.assignment, version.pk, talk.place.plan.pk, settings.VERSION)
            + (talk.started,)
            for talk in talks
        ),
    )


def make_sets(*, talks: Sequence[Talk], rolls: Rolls) -> list[tuple[MadeSet, Talk]]:
    """Give each talk the set of its next turn; returns the ones that are new.

    First turns share one set per cell, later turns have one of their own.
    """
    made = []
    for talk in talks:
        if talk.set is None and talk.cell in talk.place.sets:
            talk.set = talk.place.sets[talk.cell]
            continue
        first = talk.set is None
        talk.set = MadeSet(rolls.id(), next_context(talk, rolls), new_candidates(rolls))
        if first:
            talk.place.sets[talk.cell] = talk.set
        made.append((talk.set, talk))
    return made


def next_context(talk: Talk, rolls: Rolls) -> list[dict[str, str]]:
    if talk.set is None or talk.carried is None:
        return [{"role": "user", "content": talk.place.prompts[talk.cell]}]
    return [
        *talk.set.context,
        {"role": "assistant", "content": talk.set.candidates[talk.carried][1]},
        {"role": "user", "content": rolls.words(10)},
    ]


def new_candidates(rolls: Rolls) -> list[tuple[UUID, str]]:
    return [(rolls.id(), rolls.words(45)) for _ in range(K)]


def copy_sets(made: Sequence[tuple[MadeSet, Talk]], *, rolls: Rolls) -> None:
    now = timezone.now()
    contexts = [json.dumps(set_.context) for set_, _ in made]
    copy(
        table="sampling_candidateset",
        columns="id study_id plan_id context context_sha256 language k seed shared replica streams"
        " endpoint_rank state progress priority requested_at not_before attempt ready_at last_slot"
        " showings",
        rows=(
            (set_.id, talk.place.cohort.study_id, talk.place.plan.pk, context, sha256(context))
            + (talk.place.cohort.language, K, rolls.random.getrandbits(62), False, 0, K)
            + (0, "ready", K, 0, now, now, 1, now, K - 1, 0)
            for (set_, talk), context in zip(made, contexts, strict=True)
        ),
    )
    copy(
        table="sampling_candidate",
        columns="id set_id k slot text role finish_reason n_tokens provenance",
        rows=(
            (candidate, set_.id, K, slot, text, "independent", "stop", 60, "{}")
            for set_, _ in made
            for slot, (candidate, text) in enumerate(set_.candidates)
        ),
    )


def copy_turns(*, talks: Sequence[Talk], rolls: Rolls, number: int) -> None:
    rows: list[tuple[Any, ...]] = []
    for talk in talks:
        if talk.set is None:
            raise ValueError("a turn needs a set")
        talk.turn = rolls.id()
        showings = talk.place.showings
        showings[talk.set.id] = showings.get(talk.set.id, 0) + 1
        asked = talk.asked_at(number)
        rows.append(
            (talk.turn, talk.id, number, talk.set.context[-1]["content"], talk.set.id, K)
            + (rolls.order(), "stack", showings[talk.set.id], True)
            + (asked, asked + timedelta(seconds=4), talk.comparison, talk.carried_candidate)
        )
    copy(
        table="annotation_turn",
        columns="id conversation_id number message set_id k display_order layout showing_no"
        " asks_explanation asked_at shown_at prev_comparison_id carried_id",
        rows=rows,
    )


def copy_comparisons(*, talks: Sequence[Talk], rolls: Rolls, number: int) -> None:
    rows: list[tuple[Any, ...]] = []
    for talk in talks:
        if talk.set is None:
            raise ValueError("a comparison needs a set")
        talk.comparison, talk.carried = rolls.id(), rolls.choice()
        chosen = None if talk.carried is None else talk.set.candidates[talk.carried][0]
        talk.carried_candidate = chosen
        rows.append(
            (talk.comparison, talk.turn, talk.id, number, talk.set.id, 1)
            + ("none" if chosen is None else "chosen", chosen, chosen, rolls.words(20))
            + (20_000, "en", talk.asked_at(number) + timedelta(seconds=40), settings.VERSION)
        )
    copy(
        table="annotation_comparison",
        columns="id turn_id conversation_id turn_no set_id revision outcome chosen_id carried_id"
        " explanation visible_ms interface_lang submitted_at app_version",
        rows=rows,
    )


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

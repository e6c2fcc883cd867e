"""The rows of a conversation, in three queries: what a scene is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from annotation.refusals import Unknown
from annotation.skips import SKIPPED
from studies.models import Enrolment


class TalkRow(NamedTuple):
    id: UUID
    plan_id: UUID
    version_id: UUID
    ended_reason: str | None
    assignment_id: UUID
    assignment_state: str
    surplus: bool
    language: str
    target: int
    number: int
    kept_until: datetime | None
    took: Sequence[timedelta] | None
    is_given: bool
    skipped: int
    repeated_order: Sequence[int] | None  # in which a marked repeat's original showed its first set


class TurnRow(NamedTuple):
    id: UUID
    number: int
    message: str
    asked_at: datetime
    asks_explanation: bool
    display_order: Sequence[int] | None
    set_id: UUID
    k: int
    set_state: str
    set_reason: str | None
    written: int
    shared: bool
    showings: int
    before: Any
    revision: int | None
    outcome: str | None
    chosen_id: UUID | None
    carried_id: UUID | None
    explanation: str | None
    is_flagged: bool
    is_retired: bool
    layout: str
    marks: Any


class CandidateRow(NamedTuple):
    id: UUID
    set_id: UUID
    slot: int
    text: str


TALK = """
SELECT conversation.id, conversation.plan_id, conversation.study_version_id,
    conversation.ended_reason, assignment.id, assignment.state, assignment.surplus,
    cohort.language, sitting.target,
    (SELECT count(*) FROM annotation_assignment earlier
        WHERE earlier.enrolment_id = assignment.enrolment_id
            AND earlier.sitting_id = assignment.sitting_id
            AND earlier.state = 'submitted' AND earlier.created_at < assignment.created_at) + 1,
    least(assignment.deadline, CASE WHEN assignment.state = 'open' THEN sitting.deadline END),
    (SELECT array_agg(ended_at - created_at) FROM annotation_assignment done
        WHERE done.enrolment_id = assignment.enrolment_id
            AND done.sitting_id = assignment.sitting_id AND done.state = 'submitted'
            AND done.ended_at IS NOT NULL),
    assignment.cell_id IS NOT NULL OR assignment.repeat_of_id IS NOT NULL,
    ($skipped),
    (SELECT first.display_order FROM annotation_conversation original
        JOIN annotation_turn first ON first.conversation_id = original.id AND first.number = 0
        WHERE original.assignment_id = assignment.repeat_of_id)
FROM annotation_conversation conversation
JOIN annotation_assignment assignment ON assignment.id = conversation.assignment_id
JOIN studies_cohort cohort ON cohort.id = assignment.cohort_id
JOIN studies_sitting sitting ON sitting.id = assignment.sitting_id
WHERE conversation.id = %s AND assignment.enrolment_id = %s
""".replace("$skipped", SKIPPED.format(enrolment="assignment.enrolment_id"))
TURNS = """
SELECT turn.id, turn.number, turn.message, turn.asked_at, turn.asks_explanation, turn.display_order,
    turn.set_id, turn.k, asked.state, asked.reason, asked.progress, asked.shared, asked.showings,
    CASE WHEN turn.number = 0 THEN asked.context - (-1) END,
    comparison.revision, comparison.outcome, comparison.chosen_id, comparison.carried_id,
    comparison.explanation,
    coalesce(asked.guard @? '$.findings[*] ? (@.measure starts with "unsafe")', false),
    asked.retired_at IS NOT NULL, turn.layout,
    (SELECT jsonb_agg(jsonb_build_object('kind', kind, 'candidate', candidate_id, 'n', n,
            'value', value, 'start', lower(span), 'stop', upper(span), 'reason', mark.reason)
            ORDER BY kind, candidate_id, n)
        FROM annotation_comparisonmark mark WHERE mark.comparison_id = comparison.id)
FROM annotation_turn turn
JOIN sampling_candidateset asked ON asked.id = turn.set_id
LEFT JOIN annotation_comparison comparison
    ON comparison.turn_id = turn.id AND comparison.superseded_at IS NULL
WHERE turn.conversation_id = %s
ORDER BY turn.number
"""
CANDIDATES = """
SELECT id, set_id, slot, text FROM sampling_candidate WHERE set_id = ANY(%s) ORDER BY set_id, slot
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a conversation: what a Scene is made of."""

    talk: TalkRow
    turns: list[TurnRow]
    candidates: list[CandidateRow]

    @property
    def to_show(self) -> TurnRow | None:
        """The last turn when its set is ready and was not shown yet, while the person may go on."""
        last = self.turns[-1]
        waits = self.talk.assignment_state == "open" and self.talk.ended_reason is None
        return last if waits and last.set_state == "ready" and not last.display_order else None


def read_rows(*, enrolment: Enrolment, conversation_id: UUID) -> Rows:
    """Three queries; raises Unknown when the conversation is not this person's."""
    with connection.cursor() as cursor:
        cursor.execute(TALK, [conversation_id, enrolment.pk])
        row = cursor.fetchone()
        if row is None:
            raise Unknown
        cursor.execute(TURNS, [conversation_id])
        turns = [TurnRow(*found) for found in cursor.fetchall()]
        cursor.execute(CANDIDATES, [[turn.set_id for turn in turns]])
        candidates = [CandidateRow(*found) for found in cursor.fetchall()]
    return Rows(talk=TalkRow(*row), turns=turns, candidates=candidates)

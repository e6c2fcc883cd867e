"""An act on a conversation: take the person's turn, read once what counts, and judge by that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from annotation.leasing import LeaseExpired
from annotation.progress import Judged, letter_at
from annotation.refusals import NotNow, TooLate, Unknown
from annotation.submitting import Form, first_answer
from studies.models import Enrolment, Study


class Moment(NamedTuple):
    """A conversation, one turn of it, and the judgement of that turn that counts."""

    study_state: str
    language: str
    assignment_id: UUID
    assignment_state: str
    has_prompt: bool
    sitting_id: UUID
    target: int
    max_conversations: int | None
    done: int
    done_in_all: int
    version_id: UUID
    plan_id: UUID
    ended_reason: str | None
    last_number: int
    turn_id: UUID | None
    number: int | None
    set_id: UUID | None
    set_state: str | None
    shown_at: datetime | None
    display_order: Sequence[int] | None
    asks_explanation: bool | None
    comparison_id: UUID | None
    revision: int | None
    outcome: str | None
    chosen_id: UUID | None
    chosen_slot: int | None
    carried_id: UUID | None
    explanation: str | None
    choice_is_there: bool
    context: Any
    carried_text: str | None
    sent_kind: str | None
    sent_sha256: str | None
    sent_result: Any

    @property
    def current(self) -> Judged | None:
        """The judgement of the turn that counts, in the words of its page."""
        if self.revision is None or self.outcome is None:
            return None
        order, slot = list(self.display_order or ()), self.chosen_slot
        return Judged(
            revision=self.revision,
            outcome=self.outcome,
            chosen=self.chosen_id,
            carried=self.carried_id,
            letter=None if slot is None else letter_at(order.index(slot)),
            explanation=self.explanation or "",
        )

    @property
    def reaches_target(self) -> bool:
        """True when one more finished conversation is all that was asked for."""
        most = self.max_conversations
        enough_in_all = most is not None and self.done_in_all + 1 >= most
        return self.done + 1 >= self.target or enough_in_all


MOMENT = """
SELECT study.state, cohort.language, assignment.id, assignment.state,
    assignment.cell_id IS NOT NULL, sitting.id, sitting.target, enrolment.max_conversations,
    counts.done, counts.done_in_all,
    conversation.study_version_id, conversation.plan_id, conversation.ended_reason, numbers.last,
    turn.id, turn.number, turn.set_id, asked.state, turn.shown_at, turn.display_order,
    turn.asks_explanation,
    comparison.id, comparison.revision, comparison.outcome, comparison.chosen_id, chosen.slot,
    comparison.carried_id, comparison.explanation,
    EXISTS (SELECT FROM sampling_candidate
        WHERE id = %(choice)s::uuid AND set_id = turn.set_id),
    CASE WHEN %(with_context)s THEN asked.context END, carried.text,
    submission.kind, submission.body_sha256, submission.result
FROM annotation_conversation conversation
JOIN annotation_assignment assignment ON assignment.id = conversation.assignment_id
JOIN studies_enrolment enrolment ON enrolment.id = assignment.enrolment_id
JOIN studies_sitting sitting ON sitting.id = assignment.sitting_id
JOIN studies_cohort cohort ON cohort.id = assignment.cohort_id
JOIN studies_study study ON study.id = cohort.study_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE sitting_id = sitting.id) AS done, count(*) AS done_in_all
    FROM annotation_assignment
    WHERE enrolment_id = %(enrolment)s AND state = 'submitted'
) counts
CROSS JOIN LATERAL (
    SELECT max(number) AS last FROM annotation_turn WHERE conversation_id = conversation.id
) numbers
LEFT JOIN annotation_turn turn ON turn.conversation_id = conversation.id
    AND turn.number = coalesce(%(number)s::int, numbers.last)
LEFT JOIN sampling_candidateset asked ON asked.id = turn.set_id
LEFT JOIN annotation_comparison comparison
    ON comparison.turn_id = turn.id AND comparison.superseded_at IS NULL
LEFT JOIN sampling_candidate chosen ON chosen.id = comparison.chosen_id
LEFT JOIN sampling_candidate carried
    ON carried.id = comparison.carried_id AND %(with_context)s
LEFT JOIN annotation_submission submission
    ON submission.enrolment_id = %(enrolment)s AND submission.key = %(key)s
WHERE conversation.id = %(conversation)s AND assignment.enrolment_id = %(enrolment)s
"""


def read_moment(
    *,
    enrolment_id: UUID,
    conversation_id: UUID,
    number: int | None = None,
    key: str | None = None,
    choice: UUID | None = None,
    with_context: bool = False,
) -> Moment:
    """The conversation and one turn of it: the last, unless numbered. One query; raises Unknown."""
    with connection.cursor() as cursor:
        cursor.execute(
            MOMENT,
            {
                "enrolment": enrolment_id,
                "conversation": conversation_id,
                "number": number,
                "key": key,
                "choice": choice,
                "with_context": with_context,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise Unknown
    return Moment(*row)


def stored_answer(sent: Form, moment: Moment) -> dict[str, Any] | None:
    """The first answer to this form; None when it is new. Raises SubmissionConflict."""
    return first_answer(
        sent,
        kind=moment.sent_kind,
        body_sha256=moment.sent_sha256,
        result=moment.sent_result,
        current=moment.current,
    )


def refuse_when_over(moment: Moment, *, enrolment_state: str, while_paused: bool) -> None:
    """Raise why no act is possible: NotNow, TooLate, or LeaseExpired (see leasing.with_lease)."""
    allowed = (Study.State.OPEN, Study.State.PAUSED) if while_paused else (Study.State.OPEN,)
    if moment.ended_reason is not None:
        raise TooLate(moment.current)
    if enrolment_state != Enrolment.State.ENROLLED:
        raise NotNow("over")
    if moment.study_state not in allowed:
        raise NotNow("paused" if moment.study_state == Study.State.PAUSED else "closed")
    if moment.assignment_state == "expired":
        raise LeaseExpired(moment.assignment_id)
    if moment.assignment_state != "open":
        raise TooLate(moment.current)

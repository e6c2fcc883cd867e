"""An act on a conversation: take the person's turn, read once what counts, and judge by that."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from annotation.leasing import LeaseExpired
from annotation.refusals import NotNow, TooLate, Unknown
from annotation.scenes import Judged, letter_at
from annotation.submitting import Form, first_answer
from studies.models import Enrolment, Study


class Moment(NamedTuple):
    """A conversation, one turn of it, and the judgement of that turn that counts."""

    study_state: str
    language: str
    assignment_id: UUID
    assignment_state: str
    prompt_id: UUID | None
    claim_no: int
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
    context: Any
    carried_text: str | None
    sent: Sequence[str] | None
    answers: Any

    @property
    def texts(self) -> dict[UUID, str]:
        """The raw texts of the turn's set, by candidate; empty unless they were asked for."""
        return {UUID(name): text for name, text in json.loads(self.answers or "{}").items()}

    @property
    def has_prompt(self) -> bool:
        return self.prompt_id is not None

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


# Few joins and many looks by key: joining it all takes the planner longer than everything else.
MOMENT = """
SELECT (SELECT state FROM studies_study WHERE id = enrolment.study_id),
    (SELECT language FROM studies_cohort WHERE id = assignment.cohort_id),
    assignment.id, assignment.state,
    (SELECT prompt_id FROM annotation_promptcell WHERE id = coalesce(assignment.cell_id,
        (SELECT cell_id FROM annotation_assignment WHERE id = assignment.repeat_of_id))),
    assignment.claim_no,
    assignment.sitting_id,
    (SELECT target FROM studies_sitting WHERE id = assignment.sitting_id),
    enrolment.max_conversations,
    (SELECT count(*) FROM annotation_assignment
        WHERE sitting_id = assignment.sitting_id AND state = 'submitted'),
    (SELECT count(*) FROM annotation_assignment
        WHERE enrolment_id = enrolment.id AND state = 'submitted'),
    conversation.study_version_id, conversation.plan_id, conversation.ended_reason, numbers.last,
    turn.id, turn.number, turn.set_id,
    (SELECT state FROM sampling_candidateset WHERE id = turn.set_id),
    turn.shown_at, turn.display_order, turn.asks_explanation,
    comparison.id, comparison.revision, comparison.outcome, comparison.chosen_id,
    (SELECT slot FROM sampling_candidate WHERE id = comparison.chosen_id),
    comparison.carried_id, comparison.explanation,
    CASE WHEN %(with_context)s THEN
        (SELECT context FROM sampling_candidateset WHERE id = turn.set_id) END,
    CASE WHEN %(with_context)s THEN
        (SELECT text FROM sampling_candidate WHERE id = comparison.carried_id) END,
    (SELECT ARRAY[kind, body_sha256, result::text] FROM annotation_submission
        WHERE enrolment_id = %(enrolment)s AND key = %(key)s),
    CASE WHEN %(with_texts)s THEN
        (SELECT jsonb_object_agg(id, text) FROM sampling_candidate WHERE set_id = turn.set_id) END
FROM annotation_conversation conversation
JOIN annotation_assignment assignment ON assignment.id = conversation.assignment_id
JOIN studies_enrolment enrolment ON enrolment.id = assignment.enrolment_id
CROSS JOIN LATERAL (
    SELECT max(number) AS last FROM annotation_turn WHERE conversation_id = conversation.id
) numbers
LEFT JOIN annotation_turn turn ON turn.conversation_id = conversation.id
    AND turn.number = coalesce(%(number)s::int, numbers.last)
LEFT JOIN annotation_comparison comparison
    ON comparison.turn_id = turn.id AND comparison.superseded_at IS NULL
WHERE conversation.id = %(conversation)s AND enrolment.id = %(enrolment)s
"""


def read_moment(
    *,
    enrolment_id: UUID,
    conversation_id: UUID,
    number: int | None = None,
    key: str | None = None,
    with_context: bool = False,
    with_texts: bool = False,
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
                "with_context": with_context,
                "with_texts": with_texts,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise Unknown
    return Moment(*row)


def stored_answer(sent: Form, moment: Moment) -> dict[str, Any] | None:
    """The first answer to this form; None when it is new. Raises SubmissionConflict."""
    kind, body_sha256, result = moment.sent or (None, None, None)
    return first_answer(
        sent, kind=kind, body_sha256=body_sha256, result=result, current=moment.current
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

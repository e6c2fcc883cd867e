"""How a conversation ends, and the sitting with the last one that was asked for."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from annotation.acting import Moment
from annotation.models import Conversation
from studies.enrolling import end_sitting
from studies.models import Sitting

END = """
WITH ended AS (
    UPDATE annotation_conversation SET ended_at = %(now)s, ended_reason = %(reason)s
    WHERE id = %(conversation)s AND ended_at IS NULL
)
UPDATE annotation_assignment SET state = 'submitted', deadline = NULL, ended_at = %(now)s
WHERE id = %(assignment)s AND state = 'open'
"""


def end_judged_conversation(
    moment: Moment, *, conversation_id: UUID, reason: Conversation.EndedReason, now: datetime
) -> None:
    """The conversation is done and counts for its prompt. The caller holds the person's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            END,
            {
                "conversation": conversation_id,
                "assignment": moment.assignment_id,
                "reason": reason,
                "now": now,
            },
        )
    if moment.reaches_target:
        end_sitting(
            sitting_id=moment.sitting_id,
            state=Sitting.State.COMPLETE,
            exit_code=Sitting.ExitCode.COMPLETE,
        )

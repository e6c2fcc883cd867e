"""Storing what an annotator decided about a turn."""

from dataclasses import dataclass
from uuid import UUID

from studies.models import Enrolment


@dataclass(frozen=True, slots=True)
class Judgement:
    """The comparison form. `choice` is a candidate's id or `none`; times are milliseconds since the
    page was shown, counted by the browser while it was visible, None without scripting."""

    choice: str
    explanation: str = ""
    first_choice_ms: int | None = None
    visible_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to a comparison form; a second identical submit gets an equal one."""

    comparison_id: UUID
    revision: int
    ended: bool


def store_comparison(
    *,
    enrolment: Enrolment,
    conversation_id: UUID,
    turn_no: int,
    judgement: Judgement,
    revision: int,
    idempotency_key: str,
) -> Stored:
    """Store a comparison, or correct the one that counts (`revision` is its number, 0 when none).

    Locks the assignment, then the conversation. At the last turn, and after `none` when the study
    ends there, the conversation is finished with it. Raises Unknown, NotNow, BadText, UnknownChoice,
    ExplanationNeeded, SubmissionConflict, StaleRevision, TooLate, OutOfOrder, NoRoom.
    """
    raise NotImplementedError

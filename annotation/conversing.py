"""Opening a conversation, going on with it, finishing it."""

from dataclasses import dataclass
from uuid import UUID

from annotation.models import Assignment, Conversation
from annotation.progress import Scene
from studies.models import Enrolment


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is stored as a turn of a conversation."""

    conversation_id: UUID
    turn_no: int


def open_conversation(*, enrolment: Enrolment, assignment: Assignment) -> Conversation:
    """Open the conversation of an assignment that has a prompt, and ask for its candidates.

    Opening again returns the conversation that is there. Expects `enrolment.study` and
    `enrolment.cohort` to be loaded. Raises Unknown, NotNow.
    """
    raise NotImplementedError


def open_own_conversation(
    *, enrolment: Enrolment, assignment_id: UUID, text: str, idempotency_key: str
) -> Sent:
    """Open the conversation of an assignment without a prompt by the person's own message.

    Raises Unknown, NotNow, BadText, SubmissionConflict, TooLate (opened with another message).
    """
    raise NotImplementedError


def send_message(
    *, enrolment: Enrolment, conversation_id: UUID, text: str, idempotency_key: str
) -> Sent:
    """Store the next message as a turn, and ask for its candidates.

    Raises Unknown, NotNow, BadText, SubmissionConflict, OutOfOrder (the last turn is not judged),
    TooLate (ended, or at the last turn), NoRoom.
    """
    raise NotImplementedError


def follow(*, enrolment: Enrolment, conversation_id: UUID) -> Scene:
    """The conversation as its page shows it: a set that is ready by now is shown from here on.

    The order is drawn and stored once, at the first showing. Raises Unknown.
    """
    raise NotImplementedError


def retry_set(*, enrolment: Enrolment, conversation_id: UUID) -> Scene:
    """Point the last turn to a new set if its set failed; otherwise change nothing.

    Raises Unknown, NotNow, TooLate (ended).
    """
    raise NotImplementedError


def finish_conversation(*, enrolment: Enrolment, conversation_id: UUID) -> Conversation:
    """The person is done with a conversation that has turns enough. Finishing again changes nothing.

    Raises Unknown, OutOfOrder (too few turns, or the last one is not judged), TooLate (it ended
    otherwise), NoRoom.
    """
    raise NotImplementedError

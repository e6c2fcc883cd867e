"""Skipping one conversation, and leaving a study."""

from enum import StrEnum
from uuid import UUID

from annotation.models import Assignment
from studies.models import Enrolment, Sitting


class SkipReason(StrEnum):
    NOT_UNDERSTOOD = "not_understood"
    UNCOMFORTABLE = "uncomfortable"
    NOT_FOR_ME = "not_for_me"
    TECHNICAL = "technical"
    OTHER = "other"


def skip_assignment(*, enrolment: Enrolment, assignment_id: UUID, reason: str) -> Assignment:
    """Give an open assignment back; `reason` is a SkipReason. What was stored stays.

    Skipping again changes nothing. Raises Unknown, BadReason, and TooLate when it was finished.
    """
    raise NotImplementedError


def withdraw(*, enrolment: Enrolment) -> Sitting | None:
    """The person leaves: the enrolment and all their assignments are withdrawn, places given back.

    Returns the newest sitting, now over (partial when a conversation was finished, else returned),
    or None when there was none. Leaving twice changes nothing.
    """
    raise NotImplementedError

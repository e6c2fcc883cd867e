"""Which conversation a person gets: the claim."""

from enum import StrEnum

from annotation.models import Assignment
from studies.models import Enrolment


class Nothing(StrEnum):
    """Why there is no assignment for a person."""

    TARGET_REACHED = "target_reached"  # their sitting is complete now
    NOTHING_LEFT = "nothing_left"  # their sitting is complete now
    PAUSED = "paused"
    CLOSED = "closed"
    OVER = "over"  # they have left, or were never enrolled


def claim_assignment(*, enrolment: Enrolment) -> Assignment | Nothing:
    """The person's open assignment; else the one that expired while they were away, opened again if
    there is room; else a new one. Or the reason why there is none.

    Expects `enrolment.study` to be loaded. Safe under any concurrency: overlap is never exceeded,
    nobody gets a prompt twice, and nobody hears "nothing left" while something is.
    """
    raise NotImplementedError

"""What an annotator should do next, by where they stand."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from annotation.standing import Standing, standing
from studies.models import Enrolment, Sitting, Study


class Do(StrEnum):
    """The annotator's next thing to do."""

    ANSWER = "answer"  # the questionnaire
    START = "start"  # nothing is open: claim_assignment, then open_conversation
    WRITE = "write"  # an own opening message: open_conversation(text=...)
    CONVERSE = "converse"  # go to Step.conversation_id
    REST = "rest"  # they have a break, or it is time to offer one
    WAIT = "wait"  # the study is paused
    LEAVE = "leave"  # it is over, by Step.exit_code (None: the study closed)


@dataclass(frozen=True, slots=True)
class Step:
    """`number` counts from 1: this conversation, or the one that comes next, of `target`."""

    do: Do
    sitting: Sitting | None = None
    assignment_id: UUID | None = None
    conversation_id: UUID | None = None
    done: int = 0
    target: int = 0
    exit_code: str | None = None
    standing: Standing | None = None  # what it was read from

    @property
    def number(self) -> int:
        return min(self.done + 1, self.target)


def next_step(enrolment: Enrolment) -> Step:
    """What `/work/` shows. One query."""
    now = standing(enrolment.pk, with_rest=True)
    do, exit_code = _next(now)
    return Step(
        do=do,
        sitting=_sitting(enrolment, now),
        assignment_id=now.assignment_id,
        conversation_id=now.conversation_id,
        done=now.done,
        target=now.target or 0,
        exit_code=exit_code,
        standing=now,
    )


# How it ended for somebody who never sat down, or whose sitting is not over by itself.
EXIT_OF = {
    Enrolment.State.COMPLETE: Sitting.ExitCode.COMPLETE,
    Enrolment.State.SCREENED_OUT: Sitting.ExitCode.SCREEN_OUT,
    Enrolment.State.OVER_QUOTA: Sitting.ExitCode.QUOTA_FULL,
    Enrolment.State.FAILED_CHECKS: Sitting.ExitCode.QUALITY_TERM,
    Enrolment.State.WITHDRAWN: Sitting.ExitCode.WITHDRAWN,
    Enrolment.State.EXPIRED: Sitting.ExitCode.TIMEOUT,
    Enrolment.State.NO_CONSENT: Sitting.ExitCode.NO_CONSENT,
}


def _next(now: Standing) -> tuple[Do, str | None]:
    if now.enrolment_state not in (Enrolment.State.CONSENTED, Enrolment.State.ENROLLED):
        return Do.LEAVE, now.exit_code or EXIT_OF[Enrolment.State(now.enrolment_state)]
    if now.is_late:
        return Do.LEAVE, Sitting.ExitCode.TIMEOUT
    if now.study_state != Study.State.OPEN:
        return (Do.WAIT if now.study_state == Study.State.PAUSED else Do.LEAVE), now.exit_code
    if now.enrolment_state == Enrolment.State.CONSENTED:
        return Do.ANSWER, None
    return _next_at_work(now), None


def _next_at_work(now: Standing) -> Do:
    if now.resting_since is not None or now.needs_rest:
        return Do.REST
    if now.assignment_state != "open":
        return Do.START
    if now.conversation_id is not None:
        return Do.CONVERSE
    return Do.WRITE if now.cell_id is None else Do.START


def _sitting(enrolment: Enrolment, now: Standing) -> Sitting | None:
    if now.sitting_id is None or now.target is None or now.deadline is None:
        return None
    return Sitting(
        pk=now.sitting_id,
        enrolment=enrolment,
        target=now.target,
        deadline=now.deadline,
        state=now.sitting_state or "",
        exit_code=now.exit_code,
    )

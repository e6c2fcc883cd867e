"""Skipping one conversation, and leaving a study."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.breaking_off import break_off
from annotation.leasing import LeaseExpired, with_lease
from annotation.locking import lock_person
from annotation.models import Assignment, Conversation, Draft, PromptCell, Turn
from annotation.refusals import BadReason, NoSkips, TooLate, Unknown
from annotation.skips import skips_of
from studies import auditing
from studies.enrolling import end_sitting
from studies.models import Enrolment, Sitting
from studies.rules import current_rules

State = Assignment.State


class SkipReason(StrEnum):
    NOT_UNDERSTOOD = "not_understood"
    UNCOMFORTABLE = "uncomfortable"
    NOT_FOR_ME = "not_for_me"
    TECHNICAL = "technical"
    OTHER = "other"


def skip_assignment(*, enrolment: Enrolment, assignment_id: UUID, reason: str) -> Assignment:
    """Give an open assignment back; `reason` is a SkipReason. What was stored stays.

    Skipping again changes nothing. Expects `enrolment.study` to be loaded. Raises Unknown,
    BadReason, NoSkips, TooLate when it was finished, and NoRoom when the time had run out and it is
    given to somebody else already.
    """
    if reason not in list(SkipReason):
        raise BadReason
    return with_lease(enrolment.pk, _skip, enrolment, assignment_id, reason)


@transaction.atomic
def _skip(enrolment: Enrolment, assignment_id: UUID, reason: str) -> Assignment:
    lock_person(enrolment.pk)
    found = Assignment.objects.filter(pk=assignment_id, enrolment_id=enrolment.pk).first()
    if found is None:
        raise Unknown
    if found.state == State.SKIPPED:
        return found
    if found.state == State.EXPIRED:
        raise LeaseExpired(found.pk)
    if found.state != State.OPEN:
        raise TooLate
    _refuse_too_many(enrolment, found)
    give_back(found, reason=reason)
    return found


def _refuse_too_many(enrolment: Enrolment, held: Assignment) -> None:
    """Raise NoSkips when this would be one too many. The person's lock keeps the count true."""
    most = current_rules(enrolment.study).skips
    unseen = Turn.objects.filter(conversation__assignment=held, shown_at=None)
    if most is not None and not unseen.exists() and skips_of(enrolment.pk) >= most:
        raise NoSkips(most)


def give_back(held: Assignment, *, reason: str) -> None:
    """Skip an open assignment. The caller holds the person's lock."""
    now = timezone.now()
    held.state, held.deadline, held.ended_at, held.reason = State.SKIPPED, None, now, reason
    held.save(update_fields=["state", "deadline", "ended_at", "reason"])
    break_off([held.pk], reason=Conversation.EndedReason.SKIPPED, now=now)


def withdraw(*, enrolment: Enrolment) -> Sitting | None:
    """The person leaves: the enrolment and all their assignments are withdrawn, places given back.

    Returns the newest sitting, now over (partial when a conversation was finished, else returned;
    one that was over stays as it was), or None when there was none. Leaving twice changes nothing.
    """
    with transaction.atomic():
        state = lock_person(enrolment.pk)
        if state not in (Enrolment.State.WITHDRAWN, Enrolment.State.NO_CONSENT):
            _withdraw(enrolment)
    enrolment.refresh_from_db(fields=["state"])
    return enrolment.sittings.order_by("-created_at").first()


def _withdraw(enrolment: Enrolment) -> None:
    now = timezone.now()
    held = Assignment.objects.filter(
        enrolment_id=enrolment.pk, state__in=[State.OPEN, State.SUBMITTED]
    )
    finished = held.filter(state=State.SUBMITTED).exists()
    _lock_cells(held.values_list("cell_id", flat=True))
    everything = list(enrolment.assignments.values_list("pk", flat=True))
    held.update(state=State.WITHDRAWN, deadline=None, ended_at=Coalesce("ended_at", now))
    break_off(everything, reason=Conversation.EndedReason.WITHDRAWN, now=now)
    Draft.objects.filter(enrolment_id=enrolment.pk).delete()
    _end_sitting(enrolment, finished=finished)
    Enrolment.objects.filter(pk=enrolment.pk).update(state=Enrolment.State.WITHDRAWN)
    auditing.record(
        by=f"annotator:{enrolment.pseudonym}", action="withdraw", on=f"enrolment:{enrolment.pk}"
    )


def _lock_cells(cell_ids: Iterable[UUID | None]) -> None:
    # The only act that touches several cells: in the order of their ids, so that two never cross.
    cells = PromptCell.objects.filter(pk__in=[pk for pk in cell_ids if pk]).order_by("pk")
    list(cells.select_for_update(no_key=True).values_list("pk", flat=True))


def _end_sitting(enrolment: Enrolment, *, finished: bool) -> None:
    sitting = enrolment.sittings.filter(state=Sitting.State.OPEN).first()
    if sitting is None:
        return
    end_sitting(
        sitting_id=sitting.pk,
        state=Sitting.State.PARTIAL if finished else Sitting.State.RETURNED,
        exit_code=Sitting.ExitCode.PARTIAL if finished else Sitting.ExitCode.WITHDRAWN,
    )

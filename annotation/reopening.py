"""An assignment that expired while its person was away, when they come back."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotation.locking import lock_person
from annotation.models import Assignment, Conversation, PromptCell
from studies.rules import current_rules


@transaction.atomic
def reopen(*, enrolment_id: UUID, assignment_id: UUID) -> bool:
    """Open an expired assignment again if its cell has room; False when it has not.

    Then what was stored stays, marked as surplus, and its conversation has ended. Locks the person
    and the cell. One that is open already stays so; any other stays as it is, and gives False.
    """
    lock_person(enrolment_id)
    found = Assignment.objects.select_related("cohort__study").get(
        pk=assignment_id, enrolment_id=enrolment_id
    )
    if found.state != Assignment.State.EXPIRED or found.surplus:
        return found.state == Assignment.State.OPEN
    if not _has_room(found):
        _set_aside(found)
        return False
    found.state = Assignment.State.OPEN
    minutes = current_rules(found.cohort.study).assignment_minutes
    found.deadline = timezone.now() + timedelta(minutes=minutes)
    found.ended_at = None
    found.save(update_fields=["state", "deadline", "ended_at"])
    return True


def _has_room(assignment: Assignment) -> bool:
    if assignment.cell_id is None:
        return True
    cells = PromptCell.objects.select_for_update(no_key=True).filter(pk=assignment.cell_id)
    return cells.filter(taken__lt=F("overlap")).exists()


def _set_aside(assignment: Assignment) -> None:
    assignment.surplus = True
    assignment.save(update_fields=["surplus"])
    Conversation.objects.filter(assignment=assignment, ended_at=None).update(
        ended_at=timezone.now(), ended_reason=Conversation.EndedReason.EXPIRED
    )

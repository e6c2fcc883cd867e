"""Giving back what silent people hold: assignments past their lease, sittings past their time."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from annotation.breaking_off import break_off, drop_waiting_sets
from annotation.locking import lock_person
from annotation.models import Assignment, Conversation
from studies.enrolling import end_sitting
from studies.models import Sitting

# How many people one sweep looks at; the next one, a minute later, takes the rest.
BATCH = 1000

# Somebody who is busy at this moment holds their row, and is not silent: they are skipped. The
# deadline is read again under the lock. One person is one statement, so one cell at a time.
EXPIRE = """
WITH me AS (
    SELECT id FROM studies_enrolment WHERE id = %(enrolment)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE annotation_assignment assignment
SET state = 'expired', deadline = NULL, ended_at = %(now)s
FROM me
WHERE assignment.enrolment_id = me.id AND assignment.state = 'open'
    AND assignment.deadline <= %(now)s
RETURNING assignment.id
"""


def sweep_assignments() -> int:
    """Expire the open assignments whose deadline has passed; returns how many. Safe to repeat.

    Their conversations stay open: the person may come back while there is room. What they waited
    for is dropped, and asked for again when they do (see reopening).
    """
    now = timezone.now()
    silent = Assignment.objects.filter(state=Assignment.State.OPEN, deadline__lte=now)
    people = silent.order_by("deadline").values_list("enrolment_id", flat=True)[:BATCH]
    return sum(_expire(enrolment_id, now) for enrolment_id in people)


def sweep_sittings() -> int:
    """End the sittings whose deadline has passed, with what hangs on them; returns how many."""
    late = Sitting.objects.filter(state=Sitting.State.OPEN, deadline__lte=timezone.now())
    found = late.order_by("deadline").values_list("pk", "enrolment_id")[:BATCH]
    return sum(
        end_late_sitting(sitting_id=sitting_id, enrolment_id=enrolment_id)
        for sitting_id, enrolment_id in found
    )


@transaction.atomic
def _expire(enrolment_id: UUID, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(EXPIRE, {"enrolment": enrolment_id, "now": now})
        expired = [assignment_id for (assignment_id,) in cursor.fetchall()]
    if expired:
        drop_waiting_sets(expired)
    return len(expired)


@transaction.atomic
def end_late_sitting(*, sitting_id: UUID, enrolment_id: UUID) -> bool:
    """End a sitting past its deadline, and what is open in it.

    False when it was over already, or when its person has got more time in the meantime.
    """
    lock_person(enrolment_id)
    late = Sitting.objects.filter(pk=sitting_id, deadline__lte=timezone.now())
    if not late.exists():
        return False
    break_off_sitting(sitting_id)
    return end_sitting(
        sitting_id=sitting_id, state=Sitting.State.EXPIRED, exit_code=Sitting.ExitCode.TIMEOUT
    )


def break_off_sitting(sitting_id: UUID) -> None:
    """Give back what is open in a sitting that is over. The caller holds the person's lock."""
    now = timezone.now()
    held = Assignment.objects.filter(sitting_id=sitting_id)
    held.filter(state=Assignment.State.OPEN).update(
        state=Assignment.State.EXPIRED, deadline=None, ended_at=now
    )
    everything = list(held.values_list("pk", flat=True))
    break_off(everything, reason=Conversation.EndedReason.EXPIRED, now=now)

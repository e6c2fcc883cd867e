"""The place in the quota of somebody who comes back after it was given to the others."""

from uuid import UUID

from django.db import transaction

from annotation.locking import lock_person
from annotation.models import Assignment
from annotation.sweeping import break_off_sitting
from studies import quotas
from studies.enrolling import end_sitting
from studies.models import Enrolment, Sitting


@transaction.atomic
def regain_place(*, enrolment: Enrolment, sitting_id: UUID) -> bool:
    """Reserve the person's place once more; without room the sitting ends as over quota: False.

    What was stored stays. Expects `enrolment.cohort` to be loaded, and no open assignment: locks
    the person and the quota's cell, and no prompt's cell after that.
    """
    state = lock_person(enrolment.pk)
    if state != Enrolment.State.ENROLLED:
        return False
    if quotas.reserve_by_answers(enrolment):
        return True
    break_off_sitting(sitting_id)
    finished = Assignment.objects.filter(sitting_id=sitting_id, state=Assignment.State.SUBMITTED)
    end_sitting(
        sitting_id=sitting_id,
        state=Sitting.State.PARTIAL if finished.exists() else Sitting.State.RETURNED,
        exit_code=Sitting.ExitCode.QUOTA_FULL,
    )
    return False

"""A further sitting of somebody who has been here: another submission of a panel."""

from django.db import transaction

from annotation.locking import lock_person
from annotation.models import Assignment
from annotation.sweeping import break_off_sitting
from studies import identifying, quotas
from studies.enrolling import StudyNotOpen, open_sitting
from studies.models import Enrolment, Sitting, Study
from studies.panels import Arrival
from studies.rules import Rules, current_rules

# From these a person may sit down once more; the others have left, or were turned away.
MAY_SIT = (Enrolment.State.ENROLLED, Enrolment.State.COMPLETE, Enrolment.State.EXPIRED)


class NoFurtherSitting(Exception):
    """The person has left the study, was turned away, or has done all that one person may do; or
    the submission is somebody else's."""


def may_sit_again(enrolment: Enrolment) -> bool:
    """Whether another submission of this person would be a sitting. At most one query."""
    if enrolment.state == Enrolment.State.CONSENTED:
        return True
    return enrolment.state in MAY_SIT and not _has_done_all(enrolment)


def _has_done_all(enrolment: Enrolment) -> bool:
    most = enrolment.max_conversations
    if most is None:
        return False
    done = Assignment.objects.filter(enrolment=enrolment, state=Assignment.State.SUBMITTED)
    return done.count() >= most


@transaction.atomic
def sit_again(*, enrolment: Enrolment, arrived: Arrival) -> Sitting | None:
    """Open the sitting of this submission, with a target, a deadline and a code of its own.

    A sitting that is still open is ended: the panel has given its submission up. Prompts that the
    person had never come again, for they are counted by person. The same submission again gives its
    sitting as it is; a person who has no sitting yet gets none, and their first one runs under this
    submission (None). Expects `enrolment.study` and `enrolment.cohort` to be loaded. Locks the
    person, then cells. Raises NoFurtherSitting, StudyNotOpen.
    """
    enrolment.state = lock_person(enrolment.pk)
    before = Sitting.objects.filter(
        enrolment=enrolment, panel_session_hmac=arrived.submission
    ).first()
    if before is not None:
        return before
    if identifying.is_of_another(arrived, than=enrolment) or not may_sit_again(enrolment):
        raise NoFurtherSitting
    if enrolment.study.state != Study.State.OPEN:
        raise StudyNotOpen(enrolment.study.state)
    if enrolment.state == Enrolment.State.CONSENTED:
        identifying.arrive_with(enrolment=enrolment, arrived=arrived)
        return None
    return _sit(enrolment, arrived, current_rules(enrolment.study))


def _sit(enrolment: Enrolment, arrived: Arrival, rules: Rules) -> Sitting:
    _end_what_is_open(enrolment)
    has_place = quotas.reserve_by_answers(enrolment)
    enrolment.state = Enrolment.State.ENROLLED if has_place else Enrolment.State.OVER_QUOTA
    enrolment.save(update_fields=["state"])
    return open_sitting(enrolment, rules, submission=arrived.submission, has_place=has_place)


def _end_what_is_open(enrolment: Enrolment) -> None:
    """The submission of an open sitting is over at the panel; the person is not."""
    sitting = Sitting.objects.filter(enrolment=enrolment, state=Sitting.State.OPEN).first()
    if sitting is None:
        return
    held = set(Assignment.objects.filter(sitting=sitting).values_list("state", flat=True))
    if held & {Assignment.State.OPEN, Assignment.State.EXPIRED}:
        break_off_sitting(sitting.pk)
    finished = Assignment.State.SUBMITTED in held
    sitting.state = Sitting.State.PARTIAL if finished else Sitting.State.RETURNED
    sitting.exit_code = Sitting.ExitCode.PARTIAL if finished else Sitting.ExitCode.WITHDRAWN
    sitting.save(update_fields=["state", "exit_code"])

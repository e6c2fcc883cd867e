"""Which conversation a person gets: the one that waits for them, or a draw."""

import json
import random
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.claiming import Parameters, claim_cell, claim_own, claim_repeat, has_room
from annotation.locking import lock_person
from annotation.models import Assignment
from annotation.quota_places import regain_place
from annotation.reopening import reopen
from annotation.standing import DAY, Standing, standing
from annotation.sweeping import end_late_sitting
from studies.drawing import unit
from studies.enrolling import end_sitting
from studies.models import Enrolment, QuotaPlace, Sitting, Study
from studies.quotas import renew_place
from studies.rules import Rules, rules_by_version


class Nothing(StrEnum):
    """Why there is no assignment for a person."""

    TARGET_REACHED = "target_reached"  # their sitting is complete now
    NOTHING_LEFT = "nothing_left"  # their sitting is complete now
    PAUSED = "paused"
    CLOSED = "closed"
    OVER = "over"  # they have left, or were never enrolled
    DAY_LIMIT = "day_limit"  # for now: `may_go_on_at` says until when


def claim_assignment(*, enrolment: Enrolment, seen: Standing | None = None) -> Assignment | Nothing:
    """The person's open assignment; else the one that expired while they were away, opened again if
    there is room; else a new one. Or the reason why there is none.

    Expects `enrolment.study` to be loaded. `seen` is where the person stood a moment ago, where the
    caller has looked already. Safe under any concurrency: overlap is never exceeded,
    nobody gets a prompt twice, and nobody hears "nothing left" while something is.
    """
    while True:
        now = seen or standing(enrolment.pk)
        seen = None
        found = _without_drawing(enrolment, now) or _draw(enrolment, now)
        if found is not None:
            return found


def _without_drawing(enrolment: Enrolment, now: Standing) -> Assignment | Nothing | None:
    """What needs no draw: the assignment to go on with, or the reason why none is drawn."""
    if reason := _reason_for_none(now):
        return reason
    if now.is_late:
        end_late_sitting(sitting_id=now.sitting, enrolment_id=enrolment.pk)
        return Nothing.OVER
    if now.lost_its_place and not regain_place(enrolment=enrolment, sitting_id=now.sitting):
        return Nothing.OVER
    if now.assignment_id is not None:
        return _take_up(enrolment.pk, now.assignment_id, now.assignment_state)
    if now.reached_target and _complete(enrolment.pk, now.sitting):
        return Nothing.TARGET_REACHED
    if may_go_on_at(now) is not None:
        return Nothing.DAY_LIMIT
    return None


def may_go_on_at(now: Standing) -> datetime | None:
    """When the person may begin another conversation; None: at once, as far as the day goes."""
    most = rules_by_version(now.version).limits.per_day
    begun = now.begun_lately or ()
    if most is None or len(begun) < most:
        return None
    return datetime.fromtimestamp(begun[most - 1], tz=UTC) + DAY


def _take_up(enrolment_id: UUID, assignment_id: UUID, state: str | None) -> Assignment | None:
    """The open assignment, or one that is opened again; None when its place is gone: look again."""
    if state == Assignment.State.OPEN or reopen(
        enrolment_id=enrolment_id, assignment_id=assignment_id
    ):
        return Assignment.objects.get(pk=assignment_id)
    return None


def _reason_for_none(now: Standing) -> Nothing | None:
    if now.enrolment_state != Enrolment.State.ENROLLED or now.sitting_state != Sitting.State.OPEN:
        return Nothing.OVER
    if now.study_state == Study.State.PAUSED:
        return Nothing.PAUSED
    return None if now.study_state == Study.State.OPEN else Nothing.CLOSED


def _draw(enrolment: Enrolment, now: Standing) -> Assignment | Nothing | None:
    """A new assignment, the reason why there is none, or None: look again."""
    rules = rules_by_version(now.version)
    again = unit(enrolment.study.seed, "repeat", enrolment.pk, now.claims) < rules.repeats.share
    own = unit(enrolment.study.seed, "own", enrolment.pk, now.claims) < rules.own_prompt_share
    parameters = _parameters(enrolment, now, rules, own=own)
    if now.place_state == QuotaPlace.State.RESERVED:
        renew_place(enrolment.pk)
    try:
        if again and (repeat := claim_repeat(parameters, after=rules.repeats.after)):
            return repeat
        found = claim_own(parameters) if own else claim_cell(parameters)
    except IntegrityError:
        # Another tab of the same person was faster: their open assignment is there now.
        return None
    if found is not None or own or has_room(parameters):
        return found
    return Nothing.NOTHING_LEFT if _complete(enrolment.pk, now.sitting) else None


def _parameters(enrolment: Enrolment, now: Standing, rules: Rules, *, own: bool) -> Parameters:
    time = timezone.now()
    start = random.random()  # noqa: S311 where a walk begins; stored with the draw
    return {
        "id": uuid4(),
        "enrolment": enrolment.pk,
        "cohort": enrolment.cohort_id,
        "sitting": now.sitting,
        "seed": enrolment.study.seed,
        "start": start,
        "draw": json.dumps({"own": own, "own_share": rules.own_prompt_share, "start": start}),
        "deadline": time + timedelta(minutes=rules.assignment_minutes),
        "now": time,
        "done": now.done,
        "held": now.held,
        "had": now.had,
    }


@transaction.atomic
def _complete(enrolment_id: UUID, sitting_id: UUID) -> bool:
    """End the sitting as complete; False when another tab got an assignment in the meantime."""
    lock_person(enrolment_id)
    held = Assignment.objects.filter(enrolment_id=enrolment_id, state=Assignment.State.OPEN)
    if held.exists():
        return False
    end_sitting(
        sitting_id=sitting_id,
        state=Sitting.State.COMPLETE,
        exit_code=Sitting.ExitCode.COMPLETE,
    )
    return True

"""Reporting a harmful candidate: the exposure is kept, and its set is served to nobody else.

The person goes on with other answers to the same message, or with another conversation. After a
judgement only the report is kept: what was judged stays as it was.
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from annotation.acting import Moment, read_moment, refuse_when_over
from annotation.conversing import ask_again
from annotation.leasing import with_lease
from annotation.leaving import give_back
from annotation.locking import lock_person
from annotation.models import Assignment, Report, Turn
from annotation.refusals import BadReason, OutOfOrder, UnknownChoice
from sampling.requesting import retire_set
from studies import auditing
from studies.models import Enrolment

# Under this reason a conversation is given back; it is none that is offered for skipping.
REPORTED = "reported"


def report_candidate(
    *, enrolment: Enrolment, conversation_id: UUID, candidate_id: UUID, reason: str, leave: bool
) -> None:
    """Report a candidate that the last turn shows; `reason` is a Report.Reason.

    `leave`: give the conversation back as well. Reporting again changes nothing. Raises Unknown,
    BadReason, UnknownChoice (not among the shown), NotNow, OutOfOrder (nothing is shown), TooLate
    (it ended), NoRoom.
    """
    if reason not in Report.Reason.values:
        raise BadReason
    with_lease(enrolment.pk, _report, enrolment, conversation_id, candidate_id, reason, leave)


@transaction.atomic
def _report(
    enrolment: Enrolment, conversation_id: UUID, candidate_id: UUID, reason: str, leave: bool
) -> None:
    state = lock_person(enrolment.pk)
    moment = read_moment(
        enrolment_id=enrolment.pk,
        conversation_id=conversation_id,
        choice=candidate_id,
        with_context=True,
    )
    if Report.objects.filter(turn=moment.turn_id, candidate=candidate_id).exists():
        return
    refuse_when_over(moment, enrolment_state=state, while_paused=True)
    if moment.shown_at is None:
        raise OutOfOrder(moment.current)
    if not moment.choice_is_there:
        raise UnknownChoice
    turn = Turn.objects.get(pk=moment.turn_id)
    _store(turn, candidate_id, reason)
    retire_set(turn.set_id)
    _go_on(moment, turn, leave=leave)
    auditing.record(
        by=f"annotator:{enrolment.pseudonym}",
        action="candidate.report",
        on=f"candidate:{candidate_id}",
        payload={"turn": str(turn.pk), "set": str(moment.set_id), "reason": reason},
    )


def _store(turn: Turn, candidate_id: UUID, reason: str) -> None:
    Report.objects.create(
        turn=turn,
        set_id=turn.set_id,
        k=turn.k,
        candidate_id=candidate_id,
        display_order=turn.display_order,
        layout=turn.layout,
        showing_no=turn.showing_no,
        asked_at=turn.asked_at,
        shown_at=turn.shown_at,
        reason=reason,
    )


def _go_on(moment: Moment, turn: Turn, *, leave: bool) -> None:
    if leave:
        give_back(Assignment.objects.get(pk=moment.assignment_id), reason=REPORTED)
    elif moment.comparison_id is None:
        answers = ask_again(moment)
        turn.set, turn.k, turn.asked_at = answers, answers.k, timezone.now()
        turn.display_order = turn.showing_no = turn.shown_at = None
        turn.layout = ""
        turn.save(
            update_fields=[
                "set",
                "k",
                "asked_at",
                "display_order",
                "showing_no",
                "shown_at",
                "layout",
            ]
        )

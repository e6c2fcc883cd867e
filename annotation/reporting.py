"""Reporting a harmful candidate: the exposure is kept, and its set is served to nobody else.

The person goes on with other answers to the same message, or with another conversation. After a
judgement only the report is kept: what was judged stays as it was.
"""

from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from annotation.acting import Moment, read_moment, refuse_when_over
from annotation.conversing import ask_again
from annotation.leasing import with_lease
from annotation.leaving import give_back
from annotation.locking import lock_person
from annotation.models import Assignment, Report, Turn
from annotation.refusals import BadReason, OutOfOrder, UnknownAnswer
from sampling.models import CandidateSet
from studies import auditing
from studies.models import Enrolment, Researcher

# Under this reason a conversation is given back; it is none that is offered for skipping.
REPORTED = "reported"
# The exposure as it is now, kept with the report, as the turn may show another set next. The
# one that it showed is served to nobody else: whoever asks the same next gets a further replica.
STORE = """
WITH retired AS (
    UPDATE sampling_candidateset asked SET retired_at = %(now)s FROM annotation_turn turn
    WHERE turn.id = %(turn)s AND asked.id = turn.set_id AND asked.retired_at IS NULL
)
INSERT INTO annotation_report (id, turn_id, set_id, k, candidate_id, display_order, layout,
    showing_no, asked_at, shown_at, reason, created_at)
SELECT %(id)s, id, set_id, k, %(candidate)s, display_order, layout,
    showing_no, asked_at, shown_at, %(reason)s, %(now)s
FROM annotation_turn WHERE id = %(turn)s
"""


def report_candidate(
    *, enrolment: Enrolment, conversation_id: UUID, candidate_id: UUID, reason: str, leave: bool
) -> None:
    """Report a candidate that the last turn shows; `reason` is a Report.Reason.

    `leave`: give the conversation back as well. Reporting again changes nothing. Raises Unknown,
    BadReason, UnknownAnswer (not among the shown), NotNow, OutOfOrder (nothing is shown), TooLate
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
        with_context=True,
        with_texts=True,
    )
    if Report.objects.filter(turn=moment.turn_id, candidate=candidate_id).exists():
        return
    refuse_when_over(moment, enrolment_state=state, while_paused=True)
    if moment.shown_at is None:
        raise OutOfOrder(moment.current)
    if candidate_id not in moment.texts:
        raise UnknownAnswer
    _store(moment, candidate_id, reason)
    _go_on(moment, leave=leave)
    auditing.record(
        by=f"annotator:{enrolment.pseudonym}",
        action="candidate.report",
        on=f"candidate:{candidate_id}",
        payload={"turn": str(moment.turn_id), "set": str(moment.set_id), "reason": reason},
    )


@transaction.atomic
def put_back(*, set_id: UUID, by: Researcher) -> bool:
    """Serve a reported set again, after a researcher of its study has looked at it.

    False, and nothing changed, when it is served already. Its reports stay; another one takes it
    away again.
    """
    retired = CandidateSet.objects.filter(pk=set_id, retired_at__isnull=False)
    if not retired.update(retired_at=None):
        return False
    auditing.record(by=f"researcher:{by.pk}", action="set.put_back", on=f"set:{set_id}")
    return True


def _store(moment: Moment, candidate_id: UUID, reason: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            STORE,
            {
                "id": uuid4(),
                "turn": moment.turn_id,
                "candidate": candidate_id,
                "reason": reason,
                "now": timezone.now(),
            },
        )


def _go_on(moment: Moment, *, leave: bool) -> None:
    if leave:
        give_back(Assignment.objects.get(pk=moment.assignment_id), reason=REPORTED)
    elif moment.comparison_id is None:
        answers = ask_again(moment)
        last = Turn.objects.filter(
            conversation__assignment=moment.assignment_id, number=moment.last_number
        )
        last.update(
            set=answers,
            k=answers.k,
            asked_at=timezone.now(),
            shown_at=None,
            display_order=None,
            showing_no=None,
            layout="",
        )

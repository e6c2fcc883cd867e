"""An assignment that expired while its person was away, when they come back."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotation.breaking_off import break_off
from annotation.first_sets import ask_alone, ask_first
from annotation.locking import lock_person
from annotation.models import Assignment, Conversation, PromptCell, Turn
from annotation.turns import plan_by_id, prompt_by_id
from sampling.further_sets import Question
from sampling.models import CandidateSet
from sampling.reasons import Reason
from studies.models import Sitting
from studies.rules import current_rules, rules_by_version


@transaction.atomic
def reopen(*, enrolment_id: UUID, assignment_id: UUID) -> bool:
    """Open an expired assignment again if its cell has room; False when it has not.

    Then what was stored stays, marked as surplus, and its conversation has ended. Locks the person
    and the cell. One that is open already stays so; any other stays as it is, and gives False: so
    does one whose sitting is over, for there is nobody to come back to it.
    """
    lock_person(enrolment_id)
    found = Assignment.objects.select_related("cohort__study", "sitting").get(
        pk=assignment_id, enrolment_id=enrolment_id
    )
    if found.state != Assignment.State.EXPIRED or found.surplus:
        return found.state == Assignment.State.OPEN
    if found.sitting.state != Sitting.State.OPEN:
        return False
    if not _has_room(found):
        _set_aside(found)
        return False
    found.state = Assignment.State.OPEN
    minutes = current_rules(found.cohort.study).assignment_minutes
    found.deadline = timezone.now() + timedelta(minutes=minutes)
    found.ended_at = None
    found.save(update_fields=["state", "deadline", "ended_at"])
    _ask_again(found)
    return True


def _ask_again(assignment: Assignment) -> None:
    """Have the last turn's answers written after all, if they were dropped when time ran out."""
    waiting = Turn.objects.select_related("set", "conversation").filter(
        conversation__assignment=assignment,
        shown_at=None,
        set__state=CandidateSet.State.FAILED,
        set__reason=Reason.NOT_WANTED,
    )
    turn = waiting.first()
    if turn is None:
        return
    dropped = turn.set
    prompt = prompt_by_id(dropped.prompt_id)
    question = Question(plan_by_id(dropped.plan_id), dropped.context, dropped.language, prompt)
    if turn.number == 0 and assignment.cell_id is not None:
        rule = rules_by_version(turn.conversation.study_version_id).first_sets
        turn.set = ask_first(question, rule=rule, claim_no=assignment.claim_no)
    else:
        turn.set = ask_alone(question)
    turn.k = turn.set.k
    turn.save(update_fields=["set", "k"])


def _has_room(assignment: Assignment) -> bool:
    if assignment.cell_id is None:
        return True
    cells = PromptCell.objects.select_for_update(no_key=True).filter(pk=assignment.cell_id)
    return cells.filter(taken__lt=F("overlap")).exists()


def _set_aside(assignment: Assignment) -> None:
    assignment.surplus = True
    assignment.save(update_fields=["surplus"])
    break_off([assignment.pk], reason=Conversation.EndedReason.EXPIRED, now=timezone.now())

"""Opening the conversation of an assignment: by its prompt, or by the person's own message.

Tuned to few statements, because it stands between finishing one conversation and seeing the next.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from annotation.drafts import message_form
from annotation.first_sets import ask_alone, ask_first
from annotation.leasing import LeaseExpired, with_lease
from annotation.models import Assignment, Conversation
from annotation.own_prompts import limit_of
from annotation.refusals import NotNow, Opened, OutOfOrder, TooLate, Unknown
from annotation.submitting import Form, find_first_answer, form
from annotation.texts import MESSAGE_LIMIT, clean
from annotation.turns import (
    Sent,
    accept_turn,
    asks_explanation,
    plan_by_id,
    prompt_by_id,
    sent_before,
)
from sampling.further_sets import Question
from sampling.messages import Message, message
from sampling.models import CandidateSet
from studies.models import Enrolment, Study
from studies.rules import rules_by_version

# Holds the person, as locking.lock_person does, and the assignment, so that both are read as they
# are after any wait. A conversation that another tab opened meanwhile is caught by its uniqueness.
READ = """
SELECT enrolment.state, study.state, assignment.state, cohort.language, arm.plan_id,
    text.messages, conversation.id, cell.prompt_id, assignment.claim_no,
    (SELECT id FROM studies_studyversion
        WHERE study_id = study.id AND frozen_at IS NOT NULL ORDER BY n DESC LIMIT 1),
    (SELECT turn.set_id FROM annotation_conversation talk
        JOIN annotation_turn turn ON turn.conversation_id = talk.id AND turn.number = 0
        WHERE talk.assignment_id = original.id)
FROM studies_enrolment enrolment
JOIN annotation_assignment assignment ON assignment.enrolment_id = enrolment.id
JOIN studies_cohort cohort ON cohort.id = assignment.cohort_id
JOIN studies_study study ON study.id = cohort.study_id
JOIN sampling_arm arm ON arm.id = assignment.arm_id
LEFT JOIN annotation_assignment original ON original.id = assignment.repeat_of_id
LEFT JOIN annotation_promptcell cell ON cell.id = coalesce(assignment.cell_id, original.cell_id)
LEFT JOIN studies_prompttext text
    ON text.prompt_id = cell.prompt_id AND text.language = cohort.language
LEFT JOIN annotation_conversation conversation ON conversation.assignment_id = assignment.id
WHERE enrolment.id = %(enrolment)s AND assignment.id = %(assignment)s
FOR NO KEY UPDATE OF enrolment, assignment
"""
WRITE = """
WITH talk AS (
    INSERT INTO annotation_conversation
        (id, assignment_id, study_version_id, plan_id, app_version, created_at)
    VALUES (%(conversation)s, %(assignment)s, %(version)s, %(plan)s, %(app_version)s, %(now)s)
    ON CONFLICT (assignment_id) DO NOTHING
    RETURNING id
)
INSERT INTO annotation_turn (id, conversation_id, number, message, set_id, k, layout,
    asks_explanation, asked_at)
SELECT %(id)s, talk.id, 0, %(message)s, %(set)s, %(k)s, '', %(asks_explanation)s, %(now)s
FROM talk
"""


class Opening(NamedTuple):
    """What counts when a conversation is opened."""

    enrolment_state: str
    study_state: str
    assignment_state: str
    language: str
    plan_id: UUID
    messages: str | None
    conversation_id: UUID | None
    prompt_id: UUID | None
    claim_no: int
    version_id: UUID
    repeated_set_id: UUID | None


def open_conversation(*, enrolment: Enrolment, assignment: Assignment) -> Conversation:
    """Open the conversation of an assignment that has a prompt, and ask for its candidates.

    Opening again returns the conversation that is there. Expects `enrolment.study` to be loaded.
    Raises Unknown, NotNow, TooLate, OutOfOrder (it has no prompt), NoRoom.
    """
    return with_lease(enrolment.pk, _open, enrolment, assignment.pk)


@transaction.atomic
def _open(enrolment: Enrolment, assignment_id: UUID) -> Conversation:
    opening = _read(enrolment, assignment_id)
    if opening.conversation_id is not None:
        return Conversation.objects.get(pk=opening.conversation_id)
    _refuse(opening, assignment_id)
    if opening.messages is None:
        raise OutOfOrder
    context: list[Message] = json.loads(opening.messages)
    answers = _repeated(opening) or ask_first(
        _question(opening, context),
        rule=rules_by_version(opening.version_id).first_sets,
        claim_no=opening.claim_no,
    )
    talk = _write(enrolment, assignment_id, opening, context, answers)
    return talk or Conversation.objects.get(assignment_id=assignment_id)


def _repeated(opening: Opening) -> CandidateSet | None:
    """The set that a marked repeat shows again; None where it is none, or the set was retired."""
    if opening.repeated_set_id is None:
        return None
    return CandidateSet.objects.filter(pk=opening.repeated_set_id, retired_at=None).first()


def open_own_conversation(
    *, enrolment: Enrolment, assignment_id: UUID, text: str, idempotency_key: str
) -> Sent:
    """Open the conversation of an assignment without a prompt by the person's own message.

    Expects `enrolment.study` to be loaded. Raises Unknown, NotNow, BadText, BadKey,
    SubmissionConflict, Opened, TooLate (it ended), OutOfOrder (it has a prompt), NoRoom.
    """
    text = clean(text, limit=MESSAGE_LIMIT)
    said = [str(assignment_id), text]
    answered = form(enrolment_id=enrolment.pk, key=idempotency_key, kind="opening", body=said)
    return with_lease(enrolment.pk, _open_own, enrolment, assignment_id, text, answered)


@transaction.atomic
def _open_own(enrolment: Enrolment, assignment_id: UUID, text: str, answered: Form) -> Sent:
    opening = _read(enrolment, assignment_id)
    if before := find_first_answer(answered):
        return sent_before(before)
    _refuse(opening, assignment_id)
    if opening.prompt_id is not None:
        raise OutOfOrder
    if opening.conversation_id is not None:
        raise Opened
    clean(text, limit=limit_of(rules_by_version(opening.version_id).own_prompts))
    context = [message("user", text)]
    answers = ask_alone(_question(opening, context))
    talk = _write(enrolment, assignment_id, opening, context, answers)
    if talk is None:
        raise Opened  # by another message, in a tab that was faster
    return accept_turn(
        Sent(conversation_id=talk.pk, turn_no=0),
        answered=answered,
        assignment_id=assignment_id,
        draft=message_form(assignment_id),
        rules=rules_by_version(opening.version_id),
    )


def _read(enrolment: Enrolment, assignment_id: UUID) -> Opening:
    with connection.cursor() as cursor:
        cursor.execute(READ, {"enrolment": enrolment.pk, "assignment": assignment_id})
        row = cursor.fetchone()
    if row is None:
        raise Unknown
    return Opening(*row)


def _refuse(opening: Opening, assignment_id: UUID) -> None:
    if opening.enrolment_state != Enrolment.State.ENROLLED:
        raise NotNow("over")
    if opening.study_state != Study.State.OPEN:
        raise NotNow("paused" if opening.study_state == Study.State.PAUSED else "closed")
    if opening.assignment_state == Assignment.State.EXPIRED:
        raise LeaseExpired(assignment_id)
    if opening.assignment_state != Assignment.State.OPEN:
        raise TooLate


def _question(opening: Opening, context: Sequence[Message]) -> Question:
    prompt = prompt_by_id(opening.prompt_id)
    return Question(plan_by_id(opening.plan_id), context, opening.language, prompt)


def _write(
    enrolment: Enrolment,
    assignment_id: UUID,
    opening: Opening,
    context: Sequence[Message],
    answers: CandidateSet,
) -> Conversation | None:
    """The conversation, stamped, with its first turn; None when another tab has opened it."""
    talk = Conversation(
        assignment_id=assignment_id,
        study_version_id=opening.version_id,
        plan_id=opening.plan_id,
        app_version=settings.VERSION,
    )
    rules = rules_by_version(opening.version_id)
    columns: dict[str, Any] = {
        "conversation": talk.pk,
        "assignment": assignment_id,
        "version": opening.version_id,
        "plan": opening.plan_id,
        "app_version": talk.app_version,
        "id": uuid4(),
        "message": context[-1]["content"],
        "set": answers.pk,
        "k": answers.k,
        "asks_explanation": asks_explanation(rules, enrolment.study.seed, talk.pk, 0),
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, columns)
        return talk if cursor.rowcount else None

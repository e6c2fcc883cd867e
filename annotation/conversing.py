"""Opening a conversation, going on with it, finishing it."""

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from annotation.acting import Moment, read_moment, refuse_when_over, stored_answer
from annotation.drafts import message_form
from annotation.finishing import end_judged_conversation
from annotation.leasing import LeaseExpired, with_lease
from annotation.locking import lock_person
from annotation.models import Assignment, Conversation, Turn
from annotation.progress import Rows, Scene, read_conversation, read_rows, scene_of
from annotation.refusals import NotNow, OutOfOrder, TooLate, Unknown
from annotation.showing import show_turn
from annotation.submitting import Form, accepting, find_first_answer, form
from annotation.texts import MESSAGE_LIMIT, clean
from sampling.messages import Message, message
from sampling.models import CandidateSet, Plan
from sampling.requesting import request_candidate_set
from studies.drawing import unit
from studies.models import Enrolment, PromptText, Study
from studies.rules import Rules, current_rules, rules_by_version

FINISHED = (Conversation.EndedReason.FINISHED, Conversation.EndedReason.NONE)

TURN = """
    INSERT INTO annotation_turn (id, conversation_id, number, message, set_id, k, layout,
        asks_explanation, asked_at, prev_comparison_id, carried_id)
    VALUES (%(id)s, %(conversation)s, %(number)s, %(message)s, %(set)s, %(k)s, '',
        %(asks_explanation)s, %(now)s, %(prev_comparison)s, %(carried)s)
"""
SEND = accepting(f"turn AS ({TURN})")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is stored as a turn of a conversation."""

    conversation_id: UUID
    turn_no: int


@lru_cache(maxsize=256)
def plan_by_id(plan_id: UUID) -> Plan:
    """A plan and its study, once per process: plans are frozen before anybody talks under them."""
    return Plan.objects.select_related("study").get(pk=plan_id)


# --- Opening --------------------------------------------------------------------------------------


def open_conversation(*, enrolment: Enrolment, assignment: Assignment) -> Conversation:
    """Open the conversation of an assignment that has a prompt, and ask for its candidates.

    Opening again returns the conversation that is there. Expects `enrolment.study` and
    `enrolment.cohort` to be loaded. Raises Unknown, NotNow, TooLate.
    """
    return with_lease(enrolment.pk, _open, enrolment, assignment.pk)


@transaction.atomic
def _open(enrolment: Enrolment, assignment_id: UUID) -> Conversation:
    state = lock_person(enrolment.pk)
    assignment = _find_assignment(enrolment, assignment_id)
    if there := Conversation.objects.filter(assignment=assignment).first():
        return there
    _refuse_opening(assignment, state)
    if assignment.cell is None:
        raise OutOfOrder
    texts = PromptText.objects.filter(prompt_id=assignment.cell.prompt_id)
    context: list[Message] = texts.get(language=enrolment.cohort.language).messages
    opened, answers = _begin(enrolment, assignment, context, shared=True)
    turn = _first_turn(enrolment, opened, context, answers)
    with connection.cursor() as cursor:
        cursor.execute(TURN, turn)
    return opened


def open_own_conversation(
    *, enrolment: Enrolment, assignment_id: UUID, text: str, idempotency_key: str
) -> Sent:
    """Open the conversation of an assignment without a prompt by the person's own message.

    Raises Unknown, NotNow, BadText, BadKey, SubmissionConflict, TooLate (opened with another
    message).
    """
    text = clean(text, limit=MESSAGE_LIMIT)
    said = [str(assignment_id), text]
    answered = form(enrolment_id=enrolment.pk, key=idempotency_key, kind="opening", body=said)
    return with_lease(enrolment.pk, _open_own, enrolment, assignment_id, text, answered)


@transaction.atomic
def _open_own(enrolment: Enrolment, assignment_id: UUID, text: str, answered: Form) -> Sent:
    state = lock_person(enrolment.pk)
    if before := find_first_answer(answered):
        return _sent(before)
    assignment = _find_assignment(enrolment, assignment_id)
    _refuse_opening(assignment, state)
    if assignment.cell_id is not None:
        raise OutOfOrder
    if Conversation.objects.filter(assignment=assignment).exists():
        raise TooLate
    context = [message("user", text)]
    opened, answers = _begin(enrolment, assignment, context, shared=False)
    turn = _first_turn(enrolment, opened, context, answers)
    return _write_turn(
        turn, answered, assignment.pk, message_form(assignment.pk), current_rules(enrolment.study)
    )


def _find_assignment(enrolment: Enrolment, assignment_id: UUID) -> Assignment:
    found = Assignment.objects.select_related("arm", "cell", "cohort__study").filter(
        pk=assignment_id, enrolment_id=enrolment.pk
    )
    assignment = found.first()
    if assignment is None:
        raise Unknown
    return assignment


def _refuse_opening(assignment: Assignment, enrolment_state: str) -> None:
    state = assignment.cohort.study.state
    if enrolment_state != Enrolment.State.ENROLLED:
        raise NotNow("over")
    if state != Study.State.OPEN:
        raise NotNow("paused" if state == Study.State.PAUSED else "closed")
    if assignment.state == Assignment.State.EXPIRED:
        raise LeaseExpired(assignment.pk)
    if assignment.state != Assignment.State.OPEN:
        raise TooLate


def _begin(
    enrolment: Enrolment, assignment: Assignment, context: list[Message], *, shared: bool
) -> tuple[Conversation, CandidateSet]:
    """The row of the conversation, stamped, and the set that answers its first message."""
    opened = Conversation.objects.create(
        assignment=assignment,
        study_version_id=current_rules(enrolment.study).version_id,
        plan_id=assignment.arm.plan_id,
        app_version=settings.VERSION,
    )
    answers = request_candidate_set(
        plan=plan_by_id(opened.plan_id),
        context=context,
        language=enrolment.cohort.language,
        shared=shared,
        priority=CandidateSet.Priority.PERSON,
    )
    return opened, answers


def _first_turn(
    enrolment: Enrolment, opened: Conversation, context: list[Message], answers: CandidateSet
) -> dict[str, Any]:
    rules = rules_by_version(opened.study_version_id)
    return {
        "id": uuid4(),
        "conversation": opened.pk,
        "number": 0,
        "message": context[-1]["content"],
        "set": answers.pk,
        "k": answers.k,
        "asks_explanation": asks_explanation(rules, enrolment.study.seed, opened.pk, 0),
        "now": timezone.now(),
        "prev_comparison": None,
        "carried": None,
    }


def asks_explanation(rules: Rules, seed: str, conversation_id: UUID, number: int) -> bool:
    """Whether this turn asks why, drawn by the study's rule (`chosen`: when one is chosen)."""
    if rules.explanation.rule == "share":
        return unit(seed, "explanation", conversation_id, number) < rules.explanation.share
    return rules.explanation.rule in ("chosen", "always")


# --- Going on -------------------------------------------------------------------------------------


def send_message(
    *, enrolment: Enrolment, conversation_id: UUID, text: str, idempotency_key: str
) -> Sent:
    """Store the next message as a turn, and ask for its candidates.

    Expects `enrolment.study` to be loaded. Raises Unknown, NotNow, BadText, BadKey,
    SubmissionConflict, OutOfOrder (the last turn is not judged), TooLate (ended, or at the last
    turn), NoRoom.
    """
    text = clean(text, limit=MESSAGE_LIMIT)
    said = [str(conversation_id), text]
    answered = form(enrolment_id=enrolment.pk, key=idempotency_key, kind="message", body=said)
    return with_lease(enrolment.pk, _send, enrolment, conversation_id, text, answered)


@transaction.atomic
def _send(enrolment: Enrolment, conversation_id: UUID, text: str, answered: Form) -> Sent:
    state = lock_person(enrolment.pk)
    moment = read_moment(
        enrolment_id=enrolment.pk,
        conversation_id=conversation_id,
        key=answered.key,
        with_context=True,
    )
    if before := stored_answer(answered, moment):
        return _sent(before)
    refuse_when_over(moment, enrolment_state=state, while_paused=False)
    rules = rules_by_version(moment.version_id)
    _refuse_message(moment, rules)
    answers = request_candidate_set(
        plan=plan_by_id(moment.plan_id),
        context=next_context(moment, text),
        language=moment.language,
        shared=False,
        priority=CandidateSet.Priority.PERSON,
    )
    number = moment.last_number + 1
    turn = {
        "id": uuid4(),
        "conversation": conversation_id,
        "number": number,
        "message": text,
        "set": answers.pk,
        "k": answers.k,
        "asks_explanation": asks_explanation(rules, enrolment.study.seed, conversation_id, number),
        "now": timezone.now(),
        "prev_comparison": moment.comparison_id,
        "carried": moment.carried_id,
    }
    return _write_turn(turn, answered, moment.assignment_id, message_form(conversation_id), rules)


def _refuse_message(moment: Moment, rules: Rules) -> None:
    if moment.comparison_id is None or moment.carried_id is None:
        raise OutOfOrder(moment.current)
    if moment.last_number + 1 >= rules.turns_max:
        raise TooLate(moment.current)


def next_context(moment: Moment, text: str) -> list[Message]:
    """The context of the last turn's set, the candidate that was carried, and the new message."""
    before = json.loads(moment.context)
    return [*before, message("assistant", moment.carried_text or ""), message("user", text)]


def _write_turn(
    turn: dict[str, Any], answered: Form, assignment_id: UUID, draft: str, rules: Rules
) -> Sent:
    sent = Sent(conversation_id=turn["conversation"], turn_no=turn["number"])
    answer = {"conversation": str(sent.conversation_id), "turn": sent.turn_no}
    minutes = timedelta(minutes=rules.assignment_minutes)
    with connection.cursor() as cursor:
        cursor.execute(
            SEND,
            {
                **turn,
                **answered.accepted(answer),
                "assignment": assignment_id,
                "deadline": turn["now"] + minutes,
                "form": draft,
            },
        )
    return sent


def _sent(answer: dict[str, Any]) -> Sent:
    return Sent(conversation_id=UUID(answer["conversation"]), turn_no=answer["turn"])


# --- Following ------------------------------------------------------------------------------------


def follow(
    *, enrolment: Enrolment, conversation_id: UUID, layout: Turn.Layout = Turn.Layout.STACK
) -> Scene:
    """The conversation as its page shows it: a set that is ready by now is shown from here on.

    The order is drawn and stored once, at the first showing, with the layout of that page. Expects
    `enrolment.study` to be loaded; at most five queries. Raises Unknown.
    """
    while True:
        rows = read_rows(enrolment=enrolment, conversation_id=conversation_id)
        if (turn := rows.to_show) is None:
            return scene_of(rows)
        if order := show_turn(turn, enrolment=enrolment, layout=layout):
            return scene_of(_with_order(rows, order))


def _with_order(rows: Rows, order: list[int]) -> Rows:
    *earlier, last = rows.turns
    shown = last._replace(display_order=order)
    return Rows(talk=rows.talk, turns=[*earlier, shown], candidates=rows.candidates)


def retry_set(*, enrolment: Enrolment, conversation_id: UUID) -> Scene:
    """Point the last turn to a new set if its set failed; otherwise change nothing.

    Raises Unknown, NotNow, TooLate (ended), NoRoom.
    """
    with_lease(enrolment.pk, _retry, enrolment, conversation_id)
    return read_conversation(enrolment=enrolment, conversation_id=conversation_id)


@transaction.atomic
def _retry(enrolment: Enrolment, conversation_id: UUID) -> None:
    state = lock_person(enrolment.pk)
    moment = read_moment(
        enrolment_id=enrolment.pk, conversation_id=conversation_id, with_context=True
    )
    if moment.set_state != CandidateSet.State.FAILED:
        return
    refuse_when_over(moment, enrolment_state=state, while_paused=False)
    answers = request_candidate_set(
        plan=plan_by_id(moment.plan_id),
        context=json.loads(moment.context),
        language=moment.language,
        shared=moment.has_prompt and moment.number == 0,
        priority=CandidateSet.Priority.PERSON,
    )
    Turn.objects.filter(conversation=conversation_id, number=moment.last_number).update(
        set=answers, k=answers.k
    )


# --- Finishing ------------------------------------------------------------------------------------


def finish_conversation(*, enrolment: Enrolment, conversation_id: UUID) -> Conversation:
    """The person is done with a conversation that has turns enough. Twice is the same as once.

    Raises Unknown, NotNow, OutOfOrder (too few turns, or the last one is not judged), TooLate (it
    ended otherwise), NoRoom.
    """
    with_lease(enrolment.pk, _finish, enrolment, conversation_id)
    return Conversation.objects.get(pk=conversation_id)


@transaction.atomic
def _finish(enrolment: Enrolment, conversation_id: UUID) -> None:
    state = lock_person(enrolment.pk)
    moment = read_moment(enrolment_id=enrolment.pk, conversation_id=conversation_id)
    if moment.ended_reason in FINISHED:
        return
    refuse_when_over(moment, enrolment_state=state, while_paused=True)
    rules = rules_by_version(moment.version_id)
    if moment.comparison_id is None or moment.last_number + 1 < rules.turns_min:
        raise OutOfOrder(moment.current)
    end_judged_conversation(
        moment,
        conversation_id=conversation_id,
        reason=Conversation.EndedReason.FINISHED,
        now=timezone.now(),
    )

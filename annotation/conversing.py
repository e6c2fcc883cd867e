"""Going on with a conversation, following it, finishing it."""

import json
from collections.abc import Sequence
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from annotation.acting import Moment, read_moment, refuse_when_over, stored_answer
from annotation.drafts import message_form
from annotation.finishing import end_judged_conversation
from annotation.first_sets import ask_alone, ask_first
from annotation.leasing import with_lease
from annotation.locking import lock_person
from annotation.models import Conversation, Turn
from annotation.refusals import Conflict, NotNow, OutOfOrder, TooLate
from annotation.scene_rows import Rows, read_rows
from annotation.scenes import Scene, read_conversation, scene_of
from annotation.showing import show_turn
from annotation.submitting import Form, form
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
from studies.models import Enrolment
from studies.rules import Rules, rules_by_version

FINISHED = (Conversation.EndedReason.FINISHED, Conversation.EndedReason.NONE)


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
        return sent_before(before)
    refuse_when_over(moment, enrolment_state=state, while_paused=False)
    rules = rules_by_version(moment.version_id)
    _refuse_message(moment, rules)
    answers = ask_alone(_question(moment, next_context(moment, text)))
    number = moment.last_number + 1
    seed = enrolment.study.seed
    return accept_turn(
        Sent(conversation_id=conversation_id, turn_no=number),
        answered=answered,
        assignment_id=moment.assignment_id,
        draft=message_form(moment.turn_id),
        rules=rules,
        turn={
            "id": uuid4(),
            "message": text,
            "set": answers.pk,
            "k": answers.k,
            "asks_explanation": asks_explanation(rules, seed, conversation_id, number),
            "prev_comparison": moment.comparison_id,
            "carried": moment.carried_id,
        },
    )


def _refuse_message(moment: Moment, rules: Rules) -> None:
    if moment.comparison_id is None or moment.carried_id is None:
        raise OutOfOrder(moment.current)
    if moment.last_number + 1 >= rules.turns_max:
        raise TooLate(moment.current)


def next_context(moment: Moment, text: str) -> list[Message]:
    """The context of the last turn's set, the candidate that was carried, and the new message."""
    before = json.loads(moment.context)
    return [*before, message("assistant", moment.carried_text or ""), message("user", text)]


# --- Following ------------------------------------------------------------------------------------


def follow(*, enrolment: Enrolment, conversation_id: UUID, narrow: bool | None = None) -> Scene:
    """The conversation as its page shows it: a set that is ready by now is shown from here on.

    The order is drawn and stored once, at the first showing, with the study's layout for a screen
    that is `narrow` or not (None: nobody knows). Expects `enrolment.study` to be loaded; at most
    five queries. Raises Unknown.
    """
    while True:
        rows = read_rows(enrolment=enrolment, conversation_id=conversation_id)
        if (turn := rows.to_show) is None:
            return scene_of(rows)
        if turn.is_retired:
            # Somebody reported it before this person saw it: they get another one.
            try:
                retry_set(enrolment=enrolment, conversation_id=conversation_id)
            except NotNow:
                return scene_of(rows)  # the study is closed: nothing is asked for any more
            except Conflict:
                pass  # it ended in another window at this moment: the rows say how
            continue
        layout = _layout(rules_by_version(rows.talk.version_id), narrow=narrow)
        unlike = rows.talk.repeated_order if turn.number == 0 else None
        if order := show_turn(turn, enrolment=enrolment, layout=layout, unlike=unlike):
            return scene_of(_with_order(rows, order, layout))


def _layout(rules: Rules, *, narrow: bool | None) -> str:
    """One of Turn.Layout; empty where it depends on a screen that nobody told us of."""
    small, large = rules.comparing.narrow[0], rules.comparing.wide[0]
    if narrow is None:
        return small if small == large else ""
    return small if narrow else large


def _with_order(rows: Rows, order: list[int], layout: str) -> Rows:
    *earlier, last = rows.turns
    shown = last._replace(display_order=order, layout=layout)
    return Rows(talk=rows.talk, turns=[*earlier, shown], candidates=rows.candidates)


def retry_set(*, enrolment: Enrolment, conversation_id: UUID) -> Scene:
    """Point the last turn to a new set if its set failed, or was retired before it was shown.

    Otherwise change nothing.

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
    failed = moment.set_state == CandidateSet.State.FAILED
    if not failed and not _is_retired_unseen(moment):
        return
    refuse_when_over(moment, enrolment_state=state, while_paused=not failed)
    answers = ask_again(moment)
    Turn.objects.filter(conversation=conversation_id, number=moment.last_number).update(
        set=answers, k=answers.k
    )


def _is_retired_unseen(moment: Moment) -> bool:
    retired = CandidateSet.objects.filter(turns=moment.turn_id, retired_at__isnull=False)
    return moment.shown_at is None and retired.exists()


def ask_again(moment: Moment) -> CandidateSet:
    """Another set for the last turn, by the study's rule. Expects a moment read with context."""
    question = _question(moment, json.loads(moment.context))
    if not moment.has_prompt or moment.number != 0:
        return ask_alone(question)
    rule = rules_by_version(moment.version_id).first_sets
    return ask_first(question, rule=rule, claim_no=moment.claim_no)


def _question(moment: Moment, context: Sequence[Message]) -> Question:
    prompt = prompt_by_id(moment.prompt_id)
    return Question(plan_by_id(moment.plan_id), context, moment.language, prompt)


# --- Finishing ------------------------------------------------------------------------------------


def finish_conversation(*, enrolment: Enrolment, conversation_id: UUID) -> Conversation:
    """The person is done with a conversation that has turns enough. Twice is the same as once.

    A last turn whose set failed does not count and does not hinder. Raises Unknown, NotNow,
    OutOfOrder (too few turns, or the last one is not judged), TooLate (it ended otherwise), NoRoom.
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
    judged = moment.last_number + (moment.comparison_id is not None)
    is_whole = moment.comparison_id is not None or moment.set_state == CandidateSet.State.FAILED
    if not is_whole or judged < rules_by_version(moment.version_id).turns_min:
        raise OutOfOrder(moment.current)
    end_judged_conversation(
        moment,
        conversation_id=conversation_id,
        reason=Conversation.EndedReason.FINISHED,
        now=timezone.now(),
    )

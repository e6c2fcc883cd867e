"""Storing what an annotator decided about a turn.

A comparison is never edited: a correction supersedes the one that counted, until the next message.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from annotation.acting import Moment, read_moment, refuse_when_over, stored_answer
from annotation.drafts import comparison_form
from annotation.finishing import end_judged_conversation
from annotation.leasing import with_lease
from annotation.locking import lock_person
from annotation.models import Comparison, Conversation
from annotation.refusals import (
    ExplanationNeeded,
    OutOfOrder,
    StaleRevision,
    TooLate,
    UnknownChoice,
)
from annotation.submitting import Form, accepting, form
from annotation.texts import EXPLANATION_LIMIT, clean_optional, count_words
from studies.models import Enrolment
from studies.rules import Rules, rules_by_version

NONE = "none"
# A browser's clock is anybody's: what is longer than this was not measured.
LONGEST = timedelta(days=7)

STORE = accepting("""stored AS (
    INSERT INTO annotation_comparison (id, turn_id, conversation_id, turn_no, set_id, revision,
        outcome, chosen_id, carried_id, explanation, first_choice_at, visible_ms, submitted_at,
        app_version)
    VALUES (%(id)s, %(turn)s, %(conversation)s, %(number)s, %(set)s, %(revision)s,
        %(outcome)s, %(choice)s, %(choice)s, %(explanation)s, %(first_choice_at)s, %(visible_ms)s,
        %(now)s, %(app_version)s)
)""")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The comparison form. `choice` is a candidate's id or `none`; times are milliseconds since the
    page was shown, counted by the browser while it was visible, None without scripting."""

    choice: str
    explanation: str = ""
    first_choice_ms: int | None = None
    visible_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to a comparison form; a second identical submit gets an equal one."""

    comparison_id: UUID
    revision: int
    ended: bool


@dataclass(frozen=True, slots=True)
class _Sent:
    """The form after the edge: what is to be stored, where."""

    conversation_id: UUID
    turn_no: int
    revision: int
    choice: UUID | None
    explanation: str
    judgement: Judgement

    @property
    def outcome(self) -> Comparison.Outcome:
        return Comparison.Outcome.NONE if self.choice is None else Comparison.Outcome.CHOSEN


def store_comparison(
    *,
    enrolment: Enrolment,
    conversation_id: UUID,
    turn_no: int,
    judgement: Judgement,
    revision: int,
    idempotency_key: str,
) -> Stored:
    """Store a comparison, or correct the one that counts (`revision` is its number, 0 when none).

    Locks the person. At the last turn, and after `none` when the study ends there, the conversation
    is finished with it. Raises Unknown, NotNow, BadText, UnknownChoice, ExplanationNeeded, BadKey,
    SubmissionConflict, StaleRevision, TooLate, OutOfOrder, NoRoom.
    """
    explanation = clean_optional(judgement.explanation, limit=EXPLANATION_LIMIT)
    sent = _Sent(
        conversation_id=conversation_id,
        turn_no=turn_no,
        revision=revision,
        choice=_choice(judgement.choice),
        explanation=explanation,
        judgement=judgement,
    )
    # Times are left out: a double click is the same answer a moment later.
    said = [str(conversation_id), turn_no, revision, judgement.choice, explanation]
    answered = form(enrolment_id=enrolment.pk, key=idempotency_key, kind="comparison", body=said)
    return with_lease(enrolment.pk, _store, sent, answered)


def _choice(choice: str) -> UUID | None:
    if choice == NONE:
        return None
    try:
        return UUID(choice)
    except ValueError as error:
        raise UnknownChoice from error


@transaction.atomic
def _store(sent: _Sent, answered: Form) -> Stored:
    state = lock_person(answered.enrolment_id)
    moment = read_moment(
        enrolment_id=answered.enrolment_id,
        conversation_id=sent.conversation_id,
        number=sent.turn_no,
        key=answered.key,
        choice=sent.choice,
    )
    if before := stored_answer(answered, moment):
        return _stored(before)
    refuse_when_over(moment, enrolment_state=state, while_paused=True)
    rules = rules_by_version(moment.version_id)
    _refuse(moment, sent, rules)
    return _write(moment, sent, answered, rules)


def _stored(answer: dict[str, Any]) -> Stored:
    return Stored(
        comparison_id=UUID(answer["comparison"]),
        revision=answer["revision"],
        ended=answer["ended"],
    )


def _refuse(moment: Moment, sent: _Sent, rules: Rules) -> None:
    """Raise why this judgement cannot be stored now."""
    if moment.shown_at is None:
        raise OutOfOrder(moment.current)
    if moment.number != moment.last_number:
        raise TooLate(moment.current)
    if sent.revision != (moment.revision or 0):
        raise StaleRevision(moment.current)
    if sent.choice is not None and not moment.choice_is_there:
        raise UnknownChoice
    _refuse_silence(moment, sent, rules)


def _refuse_silence(moment: Moment, sent: _Sent, rules: Rules) -> None:
    only_chosen = rules.explanation.rule == "chosen"
    if not moment.asks_explanation or (only_chosen and sent.choice is None):
        return
    given = count_words(sent.explanation)
    if given < rules.explanation.min_words:
        raise ExplanationNeeded(needed=rules.explanation.min_words, given=given)


def _write(moment: Moment, sent: _Sent, answered: Form, rules: Rules) -> Stored:
    now = timezone.now()
    reason = _reason_to_end(sent, rules)
    new = Stored(comparison_id=uuid4(), revision=sent.revision + 1, ended=reason is not None)
    answer = {
        "comparison": str(new.comparison_id),
        "revision": new.revision,
        "ended": new.ended,
    }
    with connection.cursor() as cursor:
        if moment.comparison_id is not None:
            # Before the new one: only one may count at a time.
            cursor.execute(
                "UPDATE annotation_comparison SET superseded_at = %s WHERE id = %s",
                [now, moment.comparison_id],
            )
        cursor.execute(
            STORE,
            {
                **answered.accepted(answer),
                **_columns(moment, sent, now),
                "id": new.comparison_id,
                "deadline": now + timedelta(minutes=rules.assignment_minutes),
                "assignment": moment.assignment_id,
                "form": comparison_form(moment.turn_id, sent.revision),
                "now": now,
            },
        )
    if reason is not None:
        end_judged_conversation(
            moment, conversation_id=sent.conversation_id, reason=reason, now=now
        )
    return new


def _columns(moment: Moment, sent: _Sent, now: datetime) -> dict[str, Any]:
    first_choice = _measured(sent.judgement.first_choice_ms)
    visible = _measured(sent.judgement.visible_ms)
    shown_at = moment.shown_at or now
    return {
        "turn": moment.turn_id,
        "conversation": sent.conversation_id,
        "number": sent.turn_no,
        "set": moment.set_id,
        "revision": sent.revision + 1,
        "outcome": sent.outcome,
        "choice": sent.choice,
        "explanation": sent.explanation,
        "first_choice_at": min(shown_at + first_choice, now) if first_choice else None,
        "visible_ms": visible // timedelta(milliseconds=1) if visible else None,
        "app_version": settings.VERSION,
    }


def _measured(milliseconds: int | None) -> timedelta | None:
    if milliseconds is None or not 0 < milliseconds <= LONGEST // timedelta(milliseconds=1):
        return None
    return timedelta(milliseconds=milliseconds)


def _reason_to_end(sent: _Sent, rules: Rules) -> Conversation.EndedReason | None:
    if sent.choice is None and rules.after_none == "end":
        return Conversation.EndedReason.NONE
    if sent.turn_no + 1 >= rules.turns_max:
        return Conversation.EndedReason.FINISHED
    return None

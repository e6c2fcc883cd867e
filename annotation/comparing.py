"""Storing what an annotator decided about a turn.

A comparison is never edited: a correction supersedes the one that counted, until the next message.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
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
from annotation.marks import STORE_MARKS, About, Mark, Posted, explains, read, stated
from annotation.measuring import Measures, columns
from annotation.models import Comparison, Conversation
from annotation.refusals import (
    ContinueFromNeeded,
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
TIE = "tie"

STORED = """stored AS (
    INSERT INTO annotation_comparison (id, turn_id, conversation_id, turn_no, set_id, revision,
        outcome, chosen_id, carried_id, explanation, first_choice_at, visible_ms, changes, pastes,
        reach, layout, viewport, interface_lang, submitted_at, app_version)
    VALUES (%(id)s, %(turn)s, %(conversation)s, %(number)s, %(set)s, %(revision)s,
        %(outcome)s, %(chosen)s, %(carried)s, %(explanation)s, %(first_choice_at)s,
        %(visible_ms)s, %(changes)s, %(pastes)s, %(reach)s::smallint[], %(layout)s, %(viewport)s,
        (SELECT ui_language FROM studies_enrolment WHERE id = %(enrolment)s), %(now)s,
        %(app_version)s)
)"""
STORE = accepting(f"{STORED}, {STORE_MARKS}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The comparison form. `choice` is a candidate's id, `none` or `tie`; `continue_from`, which is
    read after the last two, is the id of the candidate that the conversation goes on from."""

    choice: str
    explanation: str = ""
    continue_from: str = ""
    marks: Posted = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)


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
    outcome: Comparison.Outcome
    chosen: UUID | None
    explanation: str
    judgement: Judgement
    purposes: Collection[str]


@dataclass(frozen=True, slots=True)
class _Decision:
    """What follows from the form under the study's rules."""

    carried: UUID | None
    explanation: str
    marks: tuple[Mark, ...]
    ends: Conversation.EndedReason | None


def store_comparison(
    *,
    enrolment: Enrolment,
    conversation_id: UUID,
    turn_no: int,
    judgement: Judgement,
    revision: int,
    idempotency_key: str,
    purposes: Collection[str] = (),
) -> Stored:
    """Store a comparison, or correct the one that counts (`revision` is its number, 0 when none).

    `purposes` are those that the person agreed to. Locks the person. At the last turn, and after
    `none` and `tie` when the study ends there, the conversation is finished with it. Raises
    Unknown, NotNow, BadText, UnknownChoice, ExplanationNeeded, ContinueFromNeeded, BadMark, BadKey,
    SubmissionConflict, StaleRevision, TooLate, OutOfOrder, NoRoom.
    """
    explanation = clean_optional(judgement.explanation, limit=EXPLANATION_LIMIT)
    outcome, chosen = _outcome(judgement.choice)
    sent = _Sent(
        conversation_id=conversation_id,
        turn_no=turn_no,
        revision=revision,
        outcome=outcome,
        chosen=chosen,
        explanation=explanation,
        judgement=judgement,
        purposes=purposes,
    )
    # What was measured is left out: a double click is the same answer a moment later.
    said = [str(conversation_id), turn_no, revision, judgement.choice, explanation]
    said += [judgement.continue_from, stated(judgement.marks)]
    answered = form(enrolment_id=enrolment.pk, key=idempotency_key, kind="comparison", body=said)
    return with_lease(enrolment.pk, _store, sent, answered)


def _outcome(choice: str) -> tuple[Comparison.Outcome, UUID | None]:
    if choice == NONE:
        return Comparison.Outcome.NONE, None
    if choice == TIE:
        return Comparison.Outcome.TIE, None
    return Comparison.Outcome.CHOSEN, _candidate(choice)


def _candidate(named: str) -> UUID:
    try:
        return UUID(named)
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
        with_texts=True,
    )
    if before := stored_answer(answered, moment):
        return _stored(before)
    refuse_when_over(moment, enrolment_state=state, while_paused=True)
    rules = rules_by_version(moment.version_id)
    _refuse(moment, sent)
    decision = _decide(moment, sent, rules)
    return _write(moment, sent, answered, rules, decision)


def _stored(answer: dict[str, Any]) -> Stored:
    return Stored(
        comparison_id=UUID(answer["comparison"]),
        revision=answer["revision"],
        ended=answer["ended"],
    )


def _refuse(moment: Moment, sent: _Sent) -> None:
    """Raise why no judgement of this turn can be stored now."""
    if moment.shown_at is None:
        raise OutOfOrder(moment.current)
    if moment.number != moment.last_number:
        raise TooLate(moment.current)
    if sent.revision != (moment.revision or 0):
        raise StaleRevision(moment.current)


def _decide(moment: Moment, sent: _Sent, rules: Rules) -> _Decision:
    """What this judgement comes to; raises what is to be mended in its form."""
    texts = moment.texts
    if sent.chosen is not None and sent.chosen not in texts:
        raise UnknownChoice
    if sent.outcome == Comparison.Outcome.TIE and not rules.comparing.tie:
        raise UnknownChoice
    about = About(
        rules=rules,
        outcome=sent.outcome,
        chosen=sent.chosen,
        asks_explanation=bool(moment.asks_explanation),
        texts=texts,
    )
    marks = read(sent.judgement.marks, about)
    # Words for "none" that were left behind when the choice changed are no longer on the page.
    explanation = sent.explanation if about.may_say_why else ""
    _refuse_silence(moment, sent, rules, marks)
    ends = _reason_to_end(sent, rules)
    carried = sent.chosen
    if carried is None and ends is None:
        carried = _continue_from(sent, texts)
    return _Decision(carried=carried, explanation=explanation, marks=marks, ends=ends)


def _continue_from(sent: _Sent, texts: Collection[UUID]) -> UUID:
    if not sent.judgement.continue_from:
        raise ContinueFromNeeded
    named = _candidate(sent.judgement.continue_from)
    if named not in texts:
        raise UnknownChoice
    return named


def _refuse_silence(moment: Moment, sent: _Sent, rules: Rules, marks: Sequence[Mark]) -> None:
    asked = rules.explanation
    excused = asked.rule == "chosen" and sent.outcome == Comparison.Outcome.NONE
    if not moment.asks_explanation or excused or (asked.marks_suffice and explains(marks)):
        return
    given = count_words(sent.explanation, moment.language)
    if given < asked.min_words:
        raise ExplanationNeeded(needed=asked.min_words, given=given)


def _write(
    moment: Moment, sent: _Sent, answered: Form, rules: Rules, decision: _Decision
) -> Stored:
    now = timezone.now()
    reason = decision.ends
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
                **_columns(moment, sent, decision, now),
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


def _columns(moment: Moment, sent: _Sent, decision: _Decision, now: datetime) -> dict[str, Any]:
    measured = columns(
        sent.judgement.measures,
        shown_at=moment.shown_at or now,
        now=now,
        display_order=moment.display_order or (),
        purposes=sent.purposes,
    )
    return {
        **measured,
        "turn": moment.turn_id,
        "conversation": sent.conversation_id,
        "number": sent.turn_no,
        "set": moment.set_id,
        "revision": sent.revision + 1,
        "outcome": sent.outcome,
        "chosen": sent.chosen,
        "carried": decision.carried,
        "explanation": decision.explanation,
        "marks": json.dumps([mark.as_json() for mark in decision.marks]),
        "app_version": settings.VERSION,
    }


def _reason_to_end(sent: _Sent, rules: Rules) -> Conversation.EndedReason | None:
    if sent.chosen is None and rules.after_none == "end":
        tied = sent.outcome == Comparison.Outcome.TIE
        return Conversation.EndedReason.FINISHED if tied else Conversation.EndedReason.NONE
    if sent.turn_no + 1 >= rules.turns_max:
        return Conversation.EndedReason.FINISHED
    return None

"""Keeping what is being typed, every few seconds, by one statement.

Two open pages of one form agree on which draft is current: each draft has its writer (a random name
of the open page) and a number, and a page overwrites another one's draft only when it has seen it.
A draft of a form that was accepted meanwhile is not stored.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from annotation.drafts import LIMIT, NEXT_ENQUIRY, Fields, Kept
from annotation.refusals import BadText, Unknown
from annotation.texts import storable

# A lease that was moved on less than this ago is left alone: typing is many drafts.
MOVES_AFTER = 60.0  # seconds

# The forms that the person may fill in now, and the minutes of the lease; no row: not theirs.
IN_CONVERSATION = """
    SELECT assignment.id, assignment.enrolment_id, version.body ->> 'assignment_minutes' AS minutes,
        conversation.ended_at IS NULL AND %(form)s::text IN (
            CASE WHEN last.shown_at IS NOT NULL
                THEN concat_ws(':', 'comparison', last.id, coalesce(comparison.revision, 0)) END,
            CASE WHEN comparison.id IS NOT NULL THEN 'message:' || last.id END
        ) AS is_at_work
    FROM annotation_conversation conversation
    JOIN annotation_assignment assignment ON assignment.id = conversation.assignment_id
    JOIN studies_studyversion version ON version.id = conversation.study_version_id
    JOIN LATERAL (
        SELECT id, shown_at FROM annotation_turn WHERE conversation_id = conversation.id
        ORDER BY number DESC LIMIT 1
    ) last ON true
    LEFT JOIN annotation_comparison comparison
        ON comparison.turn_id = last.id AND comparison.superseded_at IS NULL
    WHERE conversation.id = %(parent)s AND assignment.enrolment_id = %(enrolment)s
"""
OF_OWN_PROMPT = """
    SELECT assignment.id, assignment.enrolment_id,
        (SELECT version.body ->> 'assignment_minutes' FROM studies_studyversion version
            WHERE version.study_id = cohort.study_id AND version.frozen_at IS NOT NULL
            ORDER BY version.n DESC LIMIT 1) AS minutes,
        assignment.cell_id IS NULL AND assignment.repeat_of_id IS NULL
            AND assignment.state IN ('open', 'expired')
            AND %(form)s::text = 'message:' || assignment.id
            AND NOT EXISTS (SELECT FROM annotation_conversation
                WHERE assignment_id = assignment.id) AS is_at_work
    FROM annotation_assignment assignment
    JOIN studies_cohort cohort ON cohort.id = assignment.cohort_id
    WHERE assignment.id = %(parent)s AND assignment.enrolment_id = %(enrolment)s
"""
# Asked by people who are done as well; no lease depends on it.
OF_ENQUIRY = f"""
    SELECT NULL::uuid AS id, %(enrolment)s::uuid AS enrolment_id, NULL::text AS minutes,
        %(form)s::text = {NEXT_ENQUIRY} AS is_at_work
"""
# The person is locked as by every act of theirs, so that whoever withdraws leaves nothing behind.
KEEP = """
WITH place AS MATERIALIZED ({place}),
person AS (
    SELECT enrolment.id FROM studies_enrolment enrolment
    WHERE enrolment.id = %(enrolment)s AND {who}
        AND EXISTS (SELECT FROM place WHERE is_at_work)
    FOR NO KEY UPDATE
),
kept AS (
    INSERT INTO annotation_draft AS draft
        (enrolment_id, form, revision, writer, body, updated_at)
    SELECT person.id, %(form)s, %(revision)s, %(writer)s, %(body)s::jsonb, %(now)s FROM person
    ON CONFLICT (enrolment_id, form) DO UPDATE
    SET revision = excluded.revision, writer = excluded.writer, body = excluded.body,
        updated_at = excluded.updated_at
    WHERE draft.revision < excluded.revision
        AND (draft.writer = excluded.writer OR draft.revision <= %(seen)s)
    RETURNING 1
),
moved AS (
    UPDATE annotation_assignment assignment
    SET deadline = %(now)s + place.minutes::float8 * interval '1 minute'
    FROM place, kept
    WHERE assignment.id = place.id AND assignment.state = 'open' AND assignment.deadline
        < %(now)s + place.minutes::float8 * interval '1 minute'
            - %(moves_after)s * interval '1 second'
)
SELECT place.is_at_work AND EXISTS (SELECT FROM person), EXISTS (SELECT FROM kept),
    draft.writer, draft.revision, draft.body
FROM place LEFT JOIN annotation_draft draft
    ON draft.enrolment_id = place.enrolment_id AND draft.form = %(form)s
"""
AT_WORK = "enrolment.state = 'enrolled'"
STILL_HERE = "enrolment.state NOT IN ('withdrawn', 'no_consent') AND enrolment.erased_at IS NULL"
KEEP_IN_CONVERSATION = KEEP.format(place=IN_CONVERSATION, who=AT_WORK)
KEEP_OF_OWN_PROMPT = KEEP.format(place=OF_OWN_PROMPT, who=AT_WORK)
KEEP_OF_ENQUIRY = KEEP.format(place=OF_ENQUIRY, who=STILL_HERE)


@dataclass(frozen=True, slots=True)
class Typed:
    """A draft as an open page sends it.

    `revision` is the number that it gives it, higher than each before; `seen` is the highest that
    the server has told it.
    """

    form: str
    writer: str
    revision: int
    seen: int
    fields: Fields


class Outcome(StrEnum):
    KEPT = "kept"  # this draft, or a newer one of the same page
    NEWER = "newer"  # another page's draft counts, which this one has not seen
    LATE = "late"  # the form was sent, or its time is over


@dataclass(frozen=True, slots=True)
class Answer:
    """`current` is the draft that counts where another one does; it may have been sent already."""

    outcome: Outcome
    current: Kept | None = None


def keep_in_conversation(*, enrolment_id: UUID, conversation_id: UUID, typed: Typed) -> Answer:
    """Keep a draft of a form of a conversation, and move the lease on. One statement.

    Raises Unknown (no such conversation, or somebody else's), BadText (too_long).
    """
    return _keep(KEEP_IN_CONVERSATION, enrolment_id, conversation_id, typed)


def keep_of_own_prompt(*, enrolment_id: UUID, assignment_id: UUID, typed: Typed) -> Answer:
    """The same for the opening message of an assignment without a prompt."""
    return _keep(KEEP_OF_OWN_PROMPT, enrolment_id, assignment_id, typed)


def keep_of_enquiry(*, enrolment_id: UUID, typed: Typed) -> Answer:
    """The same for a message to the researchers, by anybody who has not left."""
    return _keep(KEEP_OF_ENQUIRY, enrolment_id, enrolment_id, typed)


def _keep(statement: str, enrolment_id: UUID, parent_id: UUID, typed: Typed) -> Answer:
    if sum(map(len, typed.fields.values())) > LIMIT:
        raise BadText("too_long", limit=LIMIT)
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "enrolment": enrolment_id,
                "parent": parent_id,
                "form": typed.form,
                "writer": typed.writer,
                "revision": typed.revision,
                "seen": typed.seen,
                "body": json.dumps({name: storable(text) for name, text in typed.fields.items()}),
                "now": timezone.now(),
                "moves_after": MOVES_AFTER,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise Unknown
    return _answer(typed, *row)


def _answer(
    typed: Typed, is_at_work: bool, kept: bool, writer: str | None, revision: int | None, body: Any
) -> Answer:
    """`writer`, `revision` and `body` are of the draft that was there before the statement."""
    if not is_at_work:
        return Answer(Outcome.LATE)
    if kept or writer == typed.writer:
        return Answer(Outcome.KEPT)
    if revision is None:  # another page's came in at this very moment
        return Answer(Outcome.NEWER)
    fields = json.loads(body) if isinstance(body, str) else body
    return Answer(Outcome.NEWER, Kept(revision, writer or "", fields))

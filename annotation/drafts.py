"""Drafts: what a person typed into a form that was not accepted yet. Nothing is ever lost."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from annotation.marks import FIELDS as MARKED
from annotation.models import Draft
from annotation.texts import storable
from studies.models import Enrolment
from studies.rules import current_rules

# A form's fields, as posted; what is ticked in one field has spaces between.
Fields = Mapping[str, str]

# The fields whose values are kept: what a person typed or ticked, and nothing else of a form.
FIELDS = ("text", "choice", "explanation", "continue_from", *MARKED)
# Some forms hold long texts; nobody keeps a book here.
LIMIT = 100_000  # characters

# Under the person's lock: whoever withdraws meanwhile leaves nothing behind.
SAVE = """
WITH person AS (
    SELECT id FROM studies_enrolment
    WHERE id = %(enrolment)s AND state = 'enrolled' FOR NO KEY UPDATE
),
moved AS (
    UPDATE annotation_assignment assignment SET deadline = %(deadline)s
    FROM person WHERE assignment.enrolment_id = person.id AND assignment.state = 'open'
)
INSERT INTO annotation_draft AS draft (enrolment_id, form, revision, writer, body, updated_at)
SELECT person.id, %(form)s, 1, '', %(body)s::jsonb, %(now)s FROM person
ON CONFLICT (enrolment_id, form) DO UPDATE
SET revision = draft.revision + 1, writer = '', body = excluded.body,
    updated_at = excluded.updated_at
"""

# The name of the form for the person's next message to the researchers, as `enquiry_form` has it.
NEXT_ENQUIRY = """
concat_ws(':', 'enquiry', %(enrolment)s::uuid,
    (SELECT count(*) FROM studies_enquiry WHERE enrolment_id = %(enrolment)s))
"""
# The forms that a page may still show: of what the person has open, or may open again.
AWAITED = f"""
SELECT EXISTS (
    SELECT FROM annotation_assignment assignment
    LEFT JOIN annotation_conversation conversation ON conversation.assignment_id = assignment.id
    LEFT JOIN LATERAL (
        SELECT turn.id, coalesce(comparison.revision, 0) AS revision FROM annotation_turn turn
        LEFT JOIN annotation_comparison comparison
            ON comparison.turn_id = turn.id AND comparison.superseded_at IS NULL
        WHERE turn.conversation_id = conversation.id ORDER BY turn.number DESC LIMIT 1
    ) last ON true
    WHERE assignment.enrolment_id = %(enrolment)s AND assignment.state IN ('open', 'expired')
        AND NOT assignment.surplus AND conversation.ended_at IS NULL
        AND %(form)s::text IN (
            'message:' || coalesce(last.id, assignment.id),
            'comparison:' || last.id || ':' || last.revision
        )
) OR %(form)s::text = {NEXT_ENQUIRY}
"""  # noqa: S608 all parts are constants


@dataclass(frozen=True, slots=True)
class Kept:
    """A form's fields as they were kept last; revision 0 and no fields: nothing was."""

    revision: int = 0
    writer: str = ""
    fields: dict[str, str] = field(default_factory=dict)


NOTHING = Kept()


def typed_fields(posted: QueryDict) -> dict[str, str]:
    """What is kept of a posted form."""
    return {name: " ".join(posted.getlist(name)) for name in FIELDS if name in posted}


def save_draft(*, enrolment: Enrolment, form: str, fields: Fields) -> bool:
    """Keep the fields under the form's name, in place of what was kept; moves the deadline on.

    What no row can hold (NUL, lone surrogates) is left out of the texts. Returns False, and keeps
    nothing, for fields over LIMIT characters in all, and for a person who has left or is done.
    Expects `enrolment.study` to be loaded; two queries. Locks the person.
    """
    if sum(map(len, fields.values())) > LIMIT:
        return False
    now = timezone.now()
    minutes = current_rules(enrolment.study).assignment_minutes
    kept = {name: storable(text) for name, text in fields.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            SAVE,
            {
                "enrolment": enrolment.pk,
                "form": form,
                "body": json.dumps(kept),
                "deadline": now + timedelta(minutes=minutes),
                "now": now,
            },
        )
        return bool(cursor.rowcount)


def is_awaited(*, enrolment_id: UUID, form: str) -> bool:
    """Whether this form is still to be sent, so that a draft of it will be seen again. One query.

    False for one that was accepted meanwhile, and for those of conversations that are over.
    """
    with connection.cursor() as cursor:
        cursor.execute(AWAITED, {"enrolment": enrolment_id, "form": form})
        awaited: bool = cursor.fetchone()[0]
    return awaited


def read_draft(*, enrolment: Enrolment, form: str) -> Kept:
    """What is kept under the form's name. One query."""
    return read_drafts(enrolment=enrolment, forms=[form])[form]


def read_drafts(*, enrolment: Enrolment, forms: Collection[str]) -> dict[str, Kept]:
    """The same of several forms, by form. One query."""
    found = Draft.objects.filter(enrolment_id=enrolment.pk, form__in=forms)
    kept = {
        form: Kept(revision, writer, dict(body))
        for form, revision, writer, body in found.values_list("form", "revision", "writer", "body")
    }
    return {form: kept.get(form, NOTHING) for form in forms}


def clear_draft(*, enrolment: Enrolment, form: str) -> None:
    """Forget a draft whose form was accepted (accepting forms of this app do so themselves)."""
    Draft.objects.filter(enrolment_id=enrolment.pk, form=form).delete()


# A name says what the form would do, and after what: once something was accepted the page has a
# form of another name, so that a draft that comes too late can never fill it.


def comparison_form(turn_id: object, revision: int) -> str:
    """The name of a turn's comparison form, over the judgement of this revision (0: none yet)."""
    return f"comparison:{turn_id}:{revision}"


def message_form(parent_id: object) -> str:
    """The same for the message after a turn, or the first one of an assignment without a prompt."""
    return f"message:{parent_id}"


def enquiry_form(enrolment_id: object, asked: int) -> str:
    """The same for a message to the researchers, after so many of this person's."""
    return f"enquiry:{enrolment_id}:{asked}"

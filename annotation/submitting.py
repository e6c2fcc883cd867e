"""Forms are answered once: the same key and body get the first answer again.

The answer is stored in the transaction of what the form did, under the person's lock, so that the
second of two identical forms waits and then finds it.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from annotation.refusals import Invalid, SubmissionConflict
from annotation.scenes import Judged
from sampling.canonical import fingerprint

# What accepting a form comes to, besides its own rows: the lease moves on, its draft is forgotten,
# and its answer is stored.
ACCEPT = """
moved AS (
    UPDATE annotation_assignment SET deadline = %(deadline)s
    WHERE id = %(assignment)s AND state = 'open'
),
cleared AS (
    DELETE FROM annotation_draft WHERE enrolment_id = %(enrolment)s AND form = %(form)s
)
INSERT INTO annotation_submission (enrolment_id, key, kind, body_sha256, result, created_at)
VALUES (%(enrolment)s, %(key)s, %(kind)s, %(body_sha256)s, %(result)s, %(now)s)
"""


def accepting(own: str) -> str:
    """The statement that does what a form says (`name AS (statement)`), and accepts it."""
    return f"WITH {own}, {ACCEPT}"


class BadKey(Invalid):
    """No usable idempotency key came with the form."""

    code = "bad_key"


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was sent: who, under which key, of which kind, and the hash of what it says."""

    enrolment_id: UUID
    key: str
    kind: str
    body_sha256: str

    def accepted(self, result: dict[str, Any]) -> dict[str, Any]:
        """What ACCEPT needs of the form and its answer."""
        return {
            "enrolment": self.enrolment_id,
            "key": self.key,
            "kind": self.kind,
            "body_sha256": self.body_sha256,
            "result": json.dumps(result),
        }


def form(*, enrolment_id: UUID, key: str, kind: str, body: object) -> Form:
    """The form to answer. `body` is what it says, of JSON's types. Raises BadKey."""
    if not 1 <= len(key) <= 64 or not key.isascii() or not key.isprintable():
        raise BadKey
    return Form(enrolment_id=enrolment_id, key=key, kind=kind, body_sha256=fingerprint(body))


def first_answer(
    sent: Form,
    *,
    kind: str | None,
    body_sha256: str | None,
    result: Any,
    current: Judged | None = None,
) -> dict[str, Any] | None:
    """The answer in the submission row with the form's key; None when there is no such row.

    Raises SubmissionConflict, with what counts now, when the key came with something else before.
    """
    if kind is None:
        return None
    if (kind, body_sha256) != (sent.kind, sent.body_sha256):
        raise SubmissionConflict(current)
    answer: dict[str, Any] = json.loads(result)
    return answer


def find_first_answer(sent: Form) -> dict[str, Any] | None:
    """The same, by a query of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, body_sha256, result FROM annotation_submission"
            " WHERE enrolment_id = %s AND key = %s",
            [sent.enrolment_id, sent.key],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return first_answer(sent, kind=row[0], body_sha256=row[1], result=row[2])

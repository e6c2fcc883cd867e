"""Erasure: the words of a person who asked for it go out of every table, and nothing comes back.

The rows stay, blank, so that counts and references hold. This is the only code that the triggers
of append-only tables let through, and only inside its transaction.

Every table of ours is named here once: in ERASURES, with what is done to it, or in WITHOUT_WORDS. A
new table is named here before its tests pass.
"""

from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from annotation.leaving import withdraw
from annotation.locking import lock_person
from studies import auditing
from studies.models import Enrolment

ALLOW = "SELECT set_config('counterpoint.erasing', %s, true)"

# The turns in which the person spoke: all but a first one, whose words are the study's prompt.
OWN_TURNS = """
SELECT turn.id, turn.set_id FROM annotation_assignment AS assignment
JOIN annotation_conversation AS conversation ON conversation.assignment_id = assignment.id
JOIN annotation_turn AS turn ON turn.conversation_id = conversation.id
WHERE assignment.enrolment_id = %(enrolment)s AND (turn.number > 0
    OR assignment.cell_id IS NULL AND assignment.repeat_of_id IS NULL)
"""
# The sets that answer them, and those that were given up for another one: no turn leads to these
# any more, but they hold the same context. What other people were shown is never among them.
OWN_SETS = f"""
WITH own AS ({OWN_TURNS}),
answers AS (
    SELECT asked.id FROM own JOIN sampling_candidateset AS asked ON asked.id = own.set_id
    UNION
    SELECT given_up.id FROM own
    JOIN sampling_candidateset AS asked ON asked.id = own.set_id
    JOIN sampling_candidateset AS given_up ON given_up.context_sha256 = asked.context_sha256
        AND given_up.plan_id = asked.plan_id
)
SELECT answers.id FROM answers
JOIN sampling_candidateset AS found ON found.id = answers.id AND NOT found.shared
WHERE NOT EXISTS (
    SELECT FROM annotation_turn AS turn
    JOIN annotation_conversation AS talk ON talk.id = turn.conversation_id
    JOIN annotation_assignment AS other ON other.id = talk.assignment_id
    WHERE turn.set_id = answers.id AND other.enrolment_id <> %(enrolment)s
)
"""  # noqa: S608 all parts are constants


class Erasure(NamedTuple):
    """What is done to one table. Parameters: `enrolment`, `turns` and `sets` (ids), `now`."""

    table: str
    statement: str


ERASURES = (
    Erasure("annotation_draft", "DELETE FROM annotation_draft WHERE enrolment_id = %(enrolment)s"),
    # Its keys are made by browsers, and its hashes are of words that could be guessed.
    Erasure(
        "annotation_submission",
        "DELETE FROM annotation_submission WHERE enrolment_id = %(enrolment)s",
    ),
    Erasure(
        "annotation_comparison",
        """
        UPDATE annotation_comparison SET explanation = '' WHERE explanation <> ''
            AND conversation_id IN (
                SELECT conversation.id FROM annotation_conversation AS conversation
                JOIN annotation_assignment AS assignment
                    ON assignment.id = conversation.assignment_id
                WHERE assignment.enrolment_id = %(enrolment)s)
        """,
    ),
    # What one of the answers should have said, in the person's words; all other marks are codes.
    Erasure(
        "annotation_comparisonmark",
        """
        DELETE FROM annotation_comparisonmark WHERE kind = 'should_say' AND comparison_id IN (
            SELECT comparison.id FROM annotation_comparison AS comparison
            JOIN annotation_conversation AS conversation
                ON conversation.id = comparison.conversation_id
            JOIN annotation_assignment AS assignment
                ON assignment.id = conversation.assignment_id
            WHERE assignment.enrolment_id = %(enrolment)s)
        """,
    ),
    Erasure(
        "annotation_turn",
        """
        UPDATE annotation_turn SET message = '', erased_at = %(now)s
        WHERE id = ANY(%(turns)s) AND erased_at IS NULL
        """,
    ),
    # Answers to somebody's words may quote them: those go as well.
    Erasure(
        "sampling_candidate",
        """
        UPDATE sampling_candidate
        SET text = '', stance = NULL, provenance = '{}', erased_at = %(now)s
        WHERE set_id = ANY(%(sets)s) AND erased_at IS NULL
        """,
    ),
    Erasure(
        "sampling_modelcall",
        """
        UPDATE sampling_modelcall
        SET request = '{}', raw = '', error = CASE WHEN error IS NOT NULL THEN '{}'::jsonb END
        WHERE set_id = ANY(%(sets)s)
        """,
    ),
    # The hash of a context could be guessed from its words: one of the set's id takes its place.
    Erasure(
        "sampling_candidateset",
        """
        UPDATE sampling_candidateset
        SET context = '[]', context_sha256 = encode(sha256(convert_to(id::text, 'UTF8')), 'hex'),
            guard = NULL, erased_at = %(now)s
        WHERE id = ANY(%(sets)s) AND erased_at IS NULL
        """,
    ),
    Erasure("studies_answer", "DELETE FROM studies_answer WHERE enrolment_id = %(enrolment)s"),
    Erasure(
        "studies_sensitiveanswer",
        "DELETE FROM studies_sensitiveanswer WHERE enrolment_id = %(enrolment)s",
    ),
    # Who they are to a panel: from here on the panel's person is a stranger.
    Erasure(
        "studies_identity",
        """
        DELETE FROM studies_identity AS identity USING studies_enrolment AS enrolment
        WHERE enrolment.id = %(enrolment)s AND identity.study_id = enrolment.study_id
            AND identity.pseudonym = enrolment.pseudonym
        """,
    ),
    Erasure(
        "studies_enquiry",
        """
        UPDATE studies_enquiry SET text = '', answer = '', erased_at = %(now)s
        WHERE enrolment_id = %(enrolment)s AND erased_at IS NULL
        """,
    ),
    Erasure(
        "studies_decision",
        """
        UPDATE studies_decision SET reason = '', erased_at = %(now)s
        WHERE enrolment_id = %(enrolment)s AND erased_at IS NULL
        """,
    ),
    Erasure(
        "studies_enrolment",
        """
        UPDATE studies_enrolment SET erased_at = %(now)s
        WHERE id = %(enrolment)s AND erased_at IS NULL
        """,
    ),
)

# Tables that hold no words of annotators: codes, numbers, digests, and texts of the study's own.
WITHOUT_WORDS = {
    "annotation_assignment",
    "annotation_break",
    "annotation_conversation",
    "annotation_promptcell",
    "annotation_report",
    "sampling_arm",
    "sampling_candidatescore",
    "sampling_endpoint",
    "sampling_labrun",  # typed by researchers
    "sampling_labset",
    "sampling_plan",
    "sampling_planendpoint",
    "sampling_readermark",
    "sampling_seat",
    "sampling_stancelist",  # planned for prompts only
    "sampling_tokenbudget",
    "sampling_tokenuse",
    "studies_audit",
    "studies_cohort",
    "studies_consentdocument",
    "studies_consentrecord",
    "studies_invitation",
    "studies_membership",
    "studies_prompt",
    "studies_prompttext",
    "studies_questionnaire",
    "studies_quotacell",
    "studies_quotaplace",
    "studies_quotaset",
    "studies_researcher",
    "studies_sitting",
    "studies_study",
    "studies_studyversion",
    "studies_tutorialtry",
    "studies_withdrawalcode",
}


@transaction.atomic
def erase_person(*, enrolment: Enrolment, by: str) -> dict[str, int]:
    """The person leaves, if they have not yet, and their words are deleted; twice is once.

    Returns how many rows of each table were touched; empty when nothing was left to do, and for
    somebody who never consented. Locks the person. What was exported before is out of reach.
    """
    withdraw(enrolment=enrolment)
    lock_person(enrolment.pk)
    enrolment.refresh_from_db(fields=["state", "erased_at"])
    if enrolment.erased_at is not None or enrolment.state != Enrolment.State.WITHDRAWN:
        return {}
    touched = _erase(enrolment.pk)
    enrolment.refresh_from_db(fields=["erased_at"])
    auditing.record(by=by, action="erase", on=f"enrolment:{enrolment.pk}", payload=touched)
    return touched


def _erase(enrolment_id: UUID) -> dict[str, int]:
    touched = {}
    with connection.cursor() as cursor:
        cursor.execute(OWN_TURNS, {"enrolment": enrolment_id})
        turns = [turn_id for turn_id, _ in cursor.fetchall()]
        cursor.execute(OWN_SETS, {"enrolment": enrolment_id})
        sets = [set_id for (set_id,) in cursor.fetchall()]
        parameters: dict[str, Any] = {
            "enrolment": enrolment_id,
            "turns": turns,
            "sets": sets,
            "now": timezone.now(),
        }
        cursor.execute(ALLOW, ["on"])
        for erasure in ERASURES:
            cursor.execute(erasure.statement, parameters)
            if cursor.rowcount:
                touched[erasure.table] = cursor.rowcount
        cursor.execute(ALLOW, ["off"])
    return touched

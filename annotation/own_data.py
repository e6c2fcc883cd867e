"""A person's own data, for themselves: what they wrote, chose and agreed to, and when, and what
was measured of them.

No text of other people is in it, and none of a model: choices are told by the letters that were
shown.
"""

from typing import Any

from django.db import connection
from django.utils import timezone

from studies.models import Enrolment

OWN_CONVERSATIONS = """
    annotation_conversation AS conversation
    JOIN annotation_assignment AS assignment ON assignment.id = conversation.assignment_id
        AND assignment.enrolment_id = %(enrolment)s
"""
# By the table that erasure knows; each gives the columns of its rows.
PARTS = {
    "studies_enrolment": """
        SELECT study.slug AS study, cohort.slug AS cohort, cohort.country, cohort.language,
            enrolment.pseudonym, enrolment.state, enrolment.ui_language, enrolment.created_at,
            enrolment.erased_at
        FROM studies_enrolment AS enrolment
        JOIN studies_study AS study ON study.id = enrolment.study_id
        JOIN studies_cohort AS cohort ON cohort.id = enrolment.cohort_id
        WHERE enrolment.id = %(enrolment)s
    """,
    "studies_consentrecord": """
        SELECT record.purpose, record.granted, record.given_at, document.version, document.country,
            document.locale, document.body, document.sha256
        FROM studies_consentrecord AS record
        JOIN studies_consentdocument AS document ON document.id = record.document_id
        WHERE record.enrolment_id = %(enrolment)s ORDER BY record.given_at, record.purpose
    """,
    "studies_answer": """
        SELECT key, value, answered_at FROM studies_answer
        WHERE enrolment_id = %(enrolment)s ORDER BY answered_at, key
    """,
    "studies_sensitiveanswer": """
        SELECT key, value, answered_at FROM studies_sensitiveanswer
        WHERE enrolment_id = %(enrolment)s ORDER BY answered_at, key
    """,
    "studies_identity": """
        SELECT identity.panel FROM studies_identity AS identity
        JOIN studies_enrolment AS enrolment ON enrolment.id = %(enrolment)s
            AND identity.study_id = enrolment.study_id
            AND identity.pseudonym = enrolment.pseudonym
    """,
    "studies_sitting": """
        SELECT created_at, target, deadline, state, exit_code FROM studies_sitting
        WHERE enrolment_id = %(enrolment)s ORDER BY created_at
    """,
    "studies_tutorialtry": """
        SELECT item, n, given, passed, tried_at FROM studies_tutorialtry
        WHERE enrolment_id = %(enrolment)s ORDER BY tried_at, n
    """,
    "studies_quotaplace": """
        SELECT cell.name AS cell, place.state, place.lease_until
        FROM studies_quotaplace AS place JOIN studies_quotacell AS cell ON cell.id = place.cell_id
        WHERE place.enrolment_id = %(enrolment)s
    """,
    "annotation_break": """
        SELECT began_at, ended_at FROM annotation_break
        JOIN studies_sitting AS sitting ON sitting.id = sitting_id
            AND sitting.enrolment_id = %(enrolment)s
        ORDER BY began_at
    """,
    "annotation_assignment": """
        SELECT assignment.id AS assignment, prompt.key AS prompt, assignment.state,
            assignment.reason, assignment.created_at, assignment.ended_at
        FROM annotation_assignment AS assignment
        LEFT JOIN annotation_promptcell AS cell ON cell.id = assignment.cell_id
        LEFT JOIN studies_prompt AS prompt ON prompt.id = cell.prompt_id
        WHERE assignment.enrolment_id = %(enrolment)s ORDER BY assignment.created_at
    """,
    "annotation_turn": f"""
        SELECT assignment.id AS assignment, turn.number,
            CASE WHEN turn.number > 0
                OR assignment.cell_id IS NULL AND assignment.repeat_of_id IS NULL
                THEN turn.message END
                AS message,
            turn.asked_at, turn.shown_at, turn.display_order, turn.showing_no, turn.layout,
            turn.asks_explanation
        FROM {OWN_CONVERSATIONS}
        JOIN annotation_turn AS turn ON turn.conversation_id = conversation.id
        ORDER BY turn.asked_at
    """,  # noqa: S608 all parts are constants
    "annotation_comparison": f"""
        SELECT assignment.id AS assignment, comparison.turn_no AS number, comparison.revision,
            comparison.outcome,
            chr(64 + array_position(turn.display_order, chosen.slot::smallint)) AS letter,
            chr(64 + array_position(turn.display_order, carried.slot::smallint)) AS went_on_from,
            comparison.explanation, comparison.submitted_at, comparison.visible_ms,
            comparison.first_choice_at, comparison.changes, comparison.pastes,
            CASE WHEN comparison.reach IS NOT NULL THEN ARRAY(
                SELECT comparison.reach[slot + 1]
                FROM unnest(turn.display_order) WITH ORDINALITY AS shown (slot, place)
                ORDER BY place
            ) END AS reach,
            comparison.layout, comparison.viewport, comparison.interface_lang,
            comparison.app_version, comparison.superseded_at IS NULL AS counts
        FROM {OWN_CONVERSATIONS}
        JOIN annotation_comparison AS comparison ON comparison.conversation_id = conversation.id
        JOIN annotation_turn AS turn ON turn.id = comparison.turn_id
        LEFT JOIN sampling_candidate AS chosen ON chosen.id = comparison.chosen_id
        LEFT JOIN sampling_candidate AS carried ON carried.id = comparison.carried_id
        ORDER BY comparison.submitted_at
    """,  # noqa: S608 all parts are constants
    "annotation_draft": """
        SELECT form, body, updated_at FROM annotation_draft
        WHERE enrolment_id = %(enrolment)s ORDER BY updated_at
    """,
    "annotation_comparisonmark": f"""
        SELECT assignment.id AS assignment, comparison.turn_no AS number, comparison.revision,
            mark.kind, mark.n, mark.value, mark.reason,
            chr(64 + array_position(turn.display_order, candidate.slot::smallint)) AS letter,
            lower(mark.span) AS span_start, upper(mark.span) AS span_end
        FROM {OWN_CONVERSATIONS}
        JOIN annotation_comparison AS comparison ON comparison.conversation_id = conversation.id
        JOIN annotation_turn AS turn ON turn.id = comparison.turn_id
        JOIN annotation_comparisonmark AS mark ON mark.comparison_id = comparison.id
        LEFT JOIN sampling_candidate AS candidate ON candidate.id = mark.candidate_id
        ORDER BY comparison.submitted_at, mark.kind, mark.n
    """,  # noqa: S608 all parts are constants
    "annotation_report": f"""
        SELECT assignment.id AS assignment, turn.number, report.reason, report.created_at
        FROM {OWN_CONVERSATIONS}
        JOIN annotation_turn AS turn ON turn.conversation_id = conversation.id
        JOIN annotation_report AS report ON report.turn_id = turn.id
        ORDER BY report.created_at
    """,  # noqa: S608 all parts are constants
    "studies_enquiry": """
        SELECT text, asked_at, answer, answered_at FROM studies_enquiry
        WHERE enrolment_id = %(enrolment)s ORDER BY asked_at
    """,
    "studies_decision": """
        SELECT kind, reason, amount, currency, at FROM studies_decision
        WHERE enrolment_id = %(enrolment)s ORDER BY at
    """,
    "studies_withdrawalcode": """
        SELECT made_at, used_at FROM studies_withdrawalcode
        WHERE enrolment_id = %(enrolment)s ORDER BY made_at
    """,
}
# Erased with the person's words, but no words of theirs: answers of models to them, and hashes.
NOT_THEIRS = {
    "sampling_candidate",
    "sampling_modelcall",
    "sampling_candidateset",
    "annotation_submission",
}


def read_own_data(enrolment: Enrolment) -> dict[str, Any]:
    """Everything by part, of JSON's types; times are ISO 8601. One query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT json_build_object({_all_parts()})", {"enrolment": enrolment.pk})
        found: dict[str, Any] = cursor.fetchone()[0]
    return {"made_at": timezone.now().isoformat(), **found}


def _all_parts() -> str:
    """Each part under its table's name, without the app's."""
    return ", ".join(
        f"'{table.partition('_')[2]}', (SELECT coalesce(json_agg(one), '[]') FROM ({rows}) AS one)"  # noqa: S608
        for table, rows in PARTS.items()
    )

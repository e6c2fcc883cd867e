"""The records of an export: one SELECT and one Arrow schema for each table.

The SELECT *is* the record: Parquet takes its rows through a cursor, JSONL takes `row_to_json` of
the same rows, so the two cannot disagree. Column names follow the list in docs/exports.md; a column
that nothing collects yet is there with its type, and null. `SCHEMA_VERSION` changes with any of it.
"""

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = "1.2"

TIME = pa.timestamp("us", tz="UTC")
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SCORES = pa.list_(
    pa.struct([("scorer", pa.string()), ("logprob", pa.float64()), ("n_tokens", pa.int32())])
)
VALUE_TARGET = pa.list_(pa.struct([("axis", pa.string()), ("direction", pa.string())]))
VALUE_SCORES = pa.list_(
    pa.struct([("axis", pa.string()), ("score", pa.float64()), ("scorer", pa.string())])
)

# Whose judgements go out: everybody's who has not withdrawn.
COMPARISONS_FROM = """
    FROM annotation_comparison AS comparison
    JOIN annotation_turn AS turn ON turn.id = comparison.turn_id
    JOIN annotation_conversation AS conversation ON conversation.id = comparison.conversation_id
    JOIN annotation_assignment AS assignment ON assignment.id = conversation.assignment_id
    JOIN studies_enrolment AS enrolment ON enrolment.id = assignment.enrolment_id
    JOIN studies_cohort AS cohort ON cohort.id = assignment.cohort_id
    JOIN studies_study AS study ON study.id = cohort.study_id
    WHERE study.id = %(study)s
"""

COMPARISONS = """
SELECT
    comparison.id::text AS comparison_id,
    study.slug AS study_id,
    conversation.id::text AS conversation_id,
    enrolment.pseudonym AS annotator_id,
    cohort.country AS country,
    cohort.language AS assigned_lang,
    NULL::text AS detected_lang,
    comparison.interface_lang AS interface_lang,
    cohort.slug AS cohort,
    turn.number AS turn_index,
    coalesce(prompt.key || '.' || prompt.version, 'own:' || conversation.id) AS prompt_id,
    CASE WHEN cell.id IS NULL THEN 'annotator' ELSE 'pregenerated' END AS prompt_origin,
    prompt.category AS prompt_category,
    asked.context AS prompt,
    asked.id::text AS set_id,
    (SELECT array_agg(candidate.id::text ORDER BY candidate.slot)
        FROM sampling_candidate AS candidate WHERE candidate.set_id = asked.id) AS candidate_ids,
    turn.display_order AS display_order,
    chosen.slot AS chosen_index,
    array_position(turn.display_order, chosen.slot) - 1 AS chosen_position,
    comparison.outcome AS outcome,
    carried.slot AS carried_index,
    nullif(comparison.explanation, '') AS explanation,
    NULL::text AS explanation_lang,
    turn.asks_explanation AS asks_explanation,
    false AS pii_masked,
    turn.shown_at AS shown_at,
    comparison.submitted_at AS submitted_at,
    (extract(epoch FROM comparison.submitted_at - turn.shown_at) * 1000)::bigint AS duration_ms,
    (extract(epoch FROM turn.shown_at - turn.asked_at) * 1000)::bigint AS waited_ms,
    comparison.visible_ms AS visible_ms,
    (extract(epoch FROM comparison.first_choice_at - turn.shown_at) * 1000)::bigint
        AS first_choice_ms,
    comparison.changes AS choice_changes,
    comparison.reach AS reach,
    comparison.pastes AS paste_count,
    NULL::integer AS keystrokes,
    coalesce(prompt.category = study_version.body ->> 'attention_category', false)
        AS is_attention_check,
    CASE WHEN turn.number = 0 THEN (
        SELECT first.id::text FROM annotation_comparison AS first
        JOIN annotation_conversation AS talk ON talk.id = first.conversation_id
        WHERE talk.assignment_id = assignment.repeat_of_id
            AND first.turn_no = 0 AND first.superseded_at IS NULL
    ) END AS is_repeat_of,
    array_remove(ARRAY[
        CASE WHEN assignment.surplus THEN 'surplus' END,
        CASE WHEN assignment.state = 'open' THEN 'conversation_open' END,
        CASE WHEN assignment.state IN ('expired', 'skipped') THEN 'conversation_abandoned' END
    ], NULL) AS quality_flags,
    false AS excluded,
    NULL::double precision AS weight,
    {split_annotator} AS split_annotator,
    {split_prompt} AS split_prompt,
    NULL::text AS wave,
    arm.name AS arm,
    plan.version AS plan,
    assignment.p_prompt AS p_prompt,
    assignment.p_arm AS p_arm,
    nullif(turn.layout, '') AS layout,
    nullif(comparison.layout, '') AS layout_at_choice,
    nullif(comparison.viewport, '') AS viewport,
    turn.showing_no AS showing_no,
    comparison.revision AS revision,
    study_version.n::text AS study_version,
    conversation.app_version AS app_version,
    endpoint.kind = 'simulated' AS simulated,
    '{schema_version}' AS schema_version
"""

COMPARISONS_JOINS = """
    JOIN sampling_candidateset AS asked ON asked.id = comparison.set_id
    JOIN sampling_plan AS plan ON plan.id = asked.plan_id
    JOIN sampling_planendpoint AS planned
        ON planned.plan_id = plan.id AND planned.rank = asked.endpoint_rank
    JOIN sampling_endpoint AS endpoint ON endpoint.id = planned.endpoint_id
    JOIN sampling_arm AS arm ON arm.id = assignment.arm_id
    JOIN studies_studyversion AS study_version ON study_version.id = conversation.study_version_id
    LEFT JOIN sampling_candidate AS chosen ON chosen.id = comparison.chosen_id
    LEFT JOIN sampling_candidate AS carried ON carried.id = comparison.carried_id
    LEFT JOIN annotation_assignment AS original ON original.id = assignment.repeat_of_id
    LEFT JOIN annotation_promptcell AS cell
        ON cell.id = coalesce(assignment.cell_id, original.cell_id)
    LEFT JOIN studies_prompt AS prompt ON prompt.id = cell.prompt_id
"""

MARKS = """
SELECT
    mark.id::text AS mark_id,
    comparison.id::text AS comparison_id,
    study.slug AS study_id,
    enrolment.pseudonym AS annotator_id,
    mark.kind AS kind,
    mark.n AS n,
    mark.candidate_id::text AS candidate_id,
    candidate.slot AS slot,
    array_position(turn.display_order, candidate.slot) - 1 AS position,
    mark.value AS value,
    lower(mark.span) AS span_start,
    upper(mark.span) AS span_end,
    nullif(mark.reason, '') AS reason,
    '{schema_version}' AS schema_version
"""

MARKS_JOINS = """
    JOIN annotation_comparisonmark AS mark ON mark.comparison_id = comparison.id
    LEFT JOIN sampling_candidate AS candidate ON candidate.id = mark.candidate_id
"""

CANDIDATES = """
SELECT
    candidate.id::text AS candidate_id,
    asked.id::text AS set_id,
    study.slug AS study_id,
    coalesce(prompt.key || '.' || prompt.version, (SELECT 'own:' || min(turn.conversation_id::text)
        FROM annotation_turn AS turn WHERE turn.set_id = asked.id)) AS prompt_id,
    asked.language AS language,
    candidate.slot AS slot,
    candidate.text AS text,
    candidate.role AS role,
    candidate.stance AS stance,
    endpoint.name AS endpoint,
    endpoint.kind AS endpoint_kind,
    call.model AS model,
    nullif(endpoint.revision, '') AS model_revision,
    call.request -> 'messages' AS call_messages,
    call.request::text AS params,
    coalesce(candidate.provenance ->> 'strategy', candidate.role) AS prompt_strategy,
    plan.version AS plan,
    plan.sha256 AS strategy_version,
    (call.request ->> 'temperature')::double precision AS temperature,
    (call.request ->> 'top_p')::double precision AS top_p,
    (call.request ->> 'max_tokens')::integer AS max_tokens,
    call.seed AS seed,
    asked.seed AS set_seed,
    asked.replica AS replica,
    asked.shared AS shared,
    asked.attempt AS attempt,
    candidate.call_id IS NOT NULL AS generated,
    CASE WHEN call.id IS NOT NULL
        THEN asked.id || '.' || call.attempt || '.' || call.n END AS request_id,
    candidate.finish_reason AS finish_reason,
    char_length(candidate.text) AS n_chars,
    candidate.n_tokens AS n_tokens,
    call.started_at AS started_at,
    call.ended_at AS generated_at,
    (extract(epoch FROM call.ended_at - call.started_at) * 1000)::integer AS latency_ms,
    encode(sha256(convert_to(
        jsonb_path_query_first(call.request, '$.messages[*] ? (@.role == "system")')
            ->> 'content', 'UTF8')), 'hex') AS system_prompt_sha256,
    call.logprob AS logprob,
    (SELECT jsonb_agg(jsonb_build_object(
            'scorer', score.scorer, 'logprob', score.logprob, 'n_tokens', score.n_tokens)
            ORDER BY score.scorer)
        FROM sampling_candidatescore AS score WHERE score.candidate_id = candidate.id) AS scores,
    NULL::jsonb AS value_target,
    NULL::jsonb AS value_scores,
    candidate.provenance::text AS provenance,
    asked.guard::text AS guard,
    asked.diversity::text AS wording_diversity,
    coalesce(endpoint.kind, planned_endpoint.kind) = 'simulated' AS simulated,
    '{schema_version}' AS schema_version
FROM sampling_candidate AS candidate
JOIN sampling_candidateset AS asked ON asked.id = candidate.set_id
JOIN studies_study AS study ON study.id = asked.study_id
JOIN sampling_plan AS plan ON plan.id = asked.plan_id
LEFT JOIN studies_prompt AS prompt ON prompt.id = asked.prompt_id
LEFT JOIN sampling_planendpoint AS planned
    ON planned.plan_id = plan.id AND planned.rank = asked.endpoint_rank
LEFT JOIN sampling_endpoint AS planned_endpoint ON planned_endpoint.id = planned.endpoint_id
LEFT JOIN sampling_modelcall AS call ON call.id = candidate.call_id
LEFT JOIN sampling_endpoint AS endpoint ON endpoint.id = call.endpoint_id
WHERE asked.study_id = %(study)s
    AND EXISTS (
        SELECT FROM annotation_comparison AS comparison
        JOIN annotation_conversation AS conversation
            ON conversation.id = comparison.conversation_id
        JOIN annotation_assignment AS assignment ON assignment.id = conversation.assignment_id
        JOIN studies_enrolment AS enrolment ON enrolment.id = assignment.enrolment_id
        WHERE comparison.set_id = asked.id AND comparison.superseded_at IS NULL
            AND enrolment.state <> 'withdrawn'
    )
"""

# The plans of the study that have the body which a mark is about: one that was renamed keeps its
# record, and a strategy's defaults may be a plan's.
SAME_BODY = """
    (SELECT array_agg(plan.version ORDER BY plan.version) FROM sampling_plan AS plan
        WHERE plan.study_id = study.id AND plan.sha256 = mark.plan_sha256) AS plans,
"""

READER_MARKS = f"""
SELECT
    mark.id::text AS mark_id,
    study.slug AS study_id,
    mark.language AS language,
    mark.way AS way,
    mark.strategy AS prompt_strategy,
    {SAME_BODY}
    mark.plan_sha256 AS strategy_version,
    endpoint.name AS endpoint,
    endpoint.kind AS endpoint_kind,
    endpoint.model AS model,
    nullif(endpoint.revision, '') AS model_revision,
    nullif(lab_set.prompt_key, '') AS prompt_key,
    mark.set_id::text AS lab_set_id,
    mark.slot AS slot,
    mark.text_sha256 AS text_sha256,
    mark.verdict AS verdict,
    nullif(mark.note, '') AS note,
    dense_rank() OVER (ORDER BY mark.by_id) AS reader,
    mark.marked_at AS marked_at,
    endpoint.kind = 'simulated' AS simulated,
    '{SCHEMA_VERSION}' AS schema_version
FROM sampling_readermark AS mark
JOIN sampling_labset AS lab_set ON lab_set.id = mark.set_id
JOIN sampling_labrun AS run ON run.id = lab_set.run_id
JOIN studies_study AS study ON study.id = run.study_id
JOIN sampling_endpoint AS endpoint ON endpoint.id = mark.endpoint_id
WHERE study.id = %(study)s
"""  # noqa: S608 all parts are constants

PLAN_RECORD = f"""
SELECT
    study.slug AS study_id,
    min(mark.way) AS way,
    {SAME_BODY}
    mark.plan_sha256 AS strategy_version,
    mark.language AS language,
    endpoint.name AS endpoint,
    endpoint.kind = 'simulated' AS simulated,
    count(*)::integer AS texts_read,
    count(*) FILTER (WHERE mark.verdict = 'acceptable')::integer AS texts_accepted,
    count(*) FILTER (WHERE mark.verdict = 'acceptable')::double precision / count(*)
        AS share_accepted,
    count(DISTINCT mark.by_id)::integer AS readers,
    '{SCHEMA_VERSION}' AS schema_version
FROM sampling_readermark AS mark
JOIN sampling_labset AS lab_set ON lab_set.id = mark.set_id
JOIN sampling_labrun AS run ON run.id = lab_set.run_id
JOIN studies_study AS study ON study.id = run.study_id
JOIN sampling_endpoint AS endpoint ON endpoint.id = mark.endpoint_id
WHERE study.id = %(study)s
GROUP BY study.id, mark.plan_sha256, mark.language, endpoint.id
"""  # noqa: S608 all parts are constants


# Of a person who is still there, and not replaced by a correction.
THAT_COUNT = "    AND comparison.superseded_at IS NULL AND enrolment.state <> 'withdrawn'\n"


def split_of(column: str) -> str:
    """SQL that puts a key into train, validation or test (8:1:1) by its hash, always the same."""
    bucket = f"mod(('x' || substr(md5({column}), 1, 7))::bit(28)::integer, 10)"
    return f"(ARRAY['test','validation'] || array_fill('train'::text, ARRAY[8]))[1 + {bucket}]"


@dataclass(frozen=True)
class Table:
    """One table of the export. `select` takes the parameter `study` and has no ORDER BY; `key` is
    what its rows are ordered by, one column or several.
    """

    name: str
    key: str
    select: str
    schema: pa.Schema


comparisons = Table(
    name="comparisons",
    key="comparison_id",
    select=COMPARISONS.format(
        split_annotator=split_of("enrolment.pseudonym"),
        split_prompt=split_of("coalesce(prompt.key, conversation.id::text)"),
        schema_version=SCHEMA_VERSION,
    )
    + COMPARISONS_FROM.replace("    WHERE", COMPARISONS_JOINS + "    WHERE")
    + THAT_COUNT,
    schema=pa.schema(
        [
            pa.field("comparison_id", pa.string(), nullable=False),
            pa.field("study_id", pa.string(), nullable=False),
            pa.field("conversation_id", pa.string(), nullable=False),
            pa.field("annotator_id", pa.string(), nullable=False),
            pa.field("country", pa.string(), nullable=False),
            pa.field("assigned_lang", pa.string(), nullable=False),
            ("detected_lang", pa.string()),
            ("interface_lang", pa.string()),
            ("cohort", pa.string()),
            pa.field("turn_index", pa.int8(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            ("prompt_origin", pa.string()),
            ("prompt_category", pa.string()),
            ("prompt", MESSAGES),
            ("set_id", pa.string()),
            ("candidate_ids", pa.list_(pa.string())),
            ("display_order", pa.list_(pa.int8())),
            ("chosen_index", pa.int8()),
            ("chosen_position", pa.int8()),
            pa.field("outcome", pa.string(), nullable=False),
            ("carried_index", pa.int8()),
            ("explanation", pa.string()),
            ("explanation_lang", pa.string()),
            ("asks_explanation", pa.bool_()),
            ("pii_masked", pa.bool_()),
            ("shown_at", TIME),
            ("submitted_at", TIME),
            ("duration_ms", pa.int64()),
            ("waited_ms", pa.int64()),
            ("visible_ms", pa.int32()),
            ("first_choice_ms", pa.int64()),
            ("choice_changes", pa.int16()),
            ("reach", pa.list_(pa.int8())),
            ("paste_count", pa.int16()),
            ("keystrokes", pa.int32()),
            ("is_attention_check", pa.bool_()),
            ("is_repeat_of", pa.string()),
            ("quality_flags", pa.list_(pa.string())),
            ("excluded", pa.bool_()),
            ("weight", pa.float64()),
            ("split_annotator", pa.string()),
            ("split_prompt", pa.string()),
            ("wave", pa.string()),
            ("arm", pa.string()),
            ("plan", pa.string()),
            ("p_prompt", pa.float64()),
            ("p_arm", pa.float64()),
            ("layout", pa.string()),
            ("layout_at_choice", pa.string()),
            ("viewport", pa.string()),
            ("showing_no", pa.int32()),
            ("revision", pa.int32()),
            ("study_version", pa.string()),
            ("app_version", pa.string()),
            ("simulated", pa.bool_()),
            ("schema_version", pa.string()),
        ]
    ),
)

candidates = Table(
    name="candidates",
    key="candidate_id",
    select=CANDIDATES.replace("{schema_version}", SCHEMA_VERSION),
    schema=pa.schema(
        [
            pa.field("candidate_id", pa.string(), nullable=False),
            pa.field("set_id", pa.string(), nullable=False),
            ("study_id", pa.string()),
            ("prompt_id", pa.string()),
            ("language", pa.string()),
            pa.field("slot", pa.int8(), nullable=False),
            pa.field("text", pa.string(), nullable=False),
            ("role", pa.string()),
            ("stance", pa.string()),
            ("endpoint", pa.string()),
            ("endpoint_kind", pa.string()),
            ("model", pa.string()),
            ("model_revision", pa.string()),
            ("call_messages", MESSAGES),
            ("params", pa.string()),
            ("prompt_strategy", pa.string()),
            ("plan", pa.string()),
            ("strategy_version", pa.string()),
            ("temperature", pa.float64()),
            ("top_p", pa.float64()),
            ("max_tokens", pa.int32()),
            ("seed", pa.int64()),
            ("set_seed", pa.int64()),
            ("replica", pa.int32()),
            ("shared", pa.bool_()),
            ("attempt", pa.int16()),
            ("generated", pa.bool_()),
            ("request_id", pa.string()),
            ("finish_reason", pa.string()),
            ("n_chars", pa.int32()),
            ("n_tokens", pa.int32()),
            ("started_at", TIME),
            ("generated_at", TIME),
            ("latency_ms", pa.int32()),
            ("system_prompt_sha256", pa.string()),
            ("logprob", pa.float64()),
            ("scores", SCORES),
            ("value_target", VALUE_TARGET),
            ("value_scores", VALUE_SCORES),
            ("provenance", pa.string()),
            ("guard", pa.string()),
            ("wording_diversity", pa.string()),
            ("simulated", pa.bool_()),
            ("schema_version", pa.string()),
        ]
    ),
)

marks = Table(
    name="marks",
    key="mark_id",
    select=MARKS.format(schema_version=SCHEMA_VERSION)
    + COMPARISONS_FROM.replace("    WHERE", MARKS_JOINS + "    WHERE")
    + THAT_COUNT,
    schema=pa.schema(
        [
            pa.field("mark_id", pa.string(), nullable=False),
            pa.field("comparison_id", pa.string(), nullable=False),
            pa.field("study_id", pa.string(), nullable=False),
            pa.field("annotator_id", pa.string(), nullable=False),
            pa.field("kind", pa.string(), nullable=False),
            pa.field("n", pa.int16(), nullable=False),
            ("candidate_id", pa.string()),
            ("slot", pa.int8()),
            ("position", pa.int8()),
            ("value", pa.int16()),
            ("span_start", pa.int32()),
            ("span_end", pa.int32()),
            ("reason", pa.string()),
            ("schema_version", pa.string()),
        ]
    ),
)

reader_marks = Table(
    name="reader_marks",
    key="mark_id",
    select=READER_MARKS,
    schema=pa.schema(
        [
            pa.field("mark_id", pa.string(), nullable=False),
            pa.field("study_id", pa.string(), nullable=False),
            pa.field("language", pa.string(), nullable=False),
            ("way", pa.string()),
            ("prompt_strategy", pa.string()),
            ("plans", pa.list_(pa.string())),
            ("strategy_version", pa.string()),
            ("endpoint", pa.string()),
            ("endpoint_kind", pa.string()),
            ("model", pa.string()),
            ("model_revision", pa.string()),
            ("prompt_key", pa.string()),
            ("lab_set_id", pa.string()),
            pa.field("slot", pa.int8(), nullable=False),
            ("text_sha256", pa.string()),
            pa.field("verdict", pa.string(), nullable=False),
            ("note", pa.string()),
            ("reader", pa.int32()),
            ("marked_at", TIME),
            ("simulated", pa.bool_()),
            ("schema_version", pa.string()),
        ]
    ),
)

plan_record = Table(
    name="plan_record",
    key="strategy_version, language, endpoint",
    select=PLAN_RECORD,
    schema=pa.schema(
        [
            pa.field("study_id", pa.string(), nullable=False),
            ("way", pa.string()),
            ("plans", pa.list_(pa.string())),
            pa.field("strategy_version", pa.string(), nullable=False),
            pa.field("language", pa.string(), nullable=False),
            pa.field("endpoint", pa.string(), nullable=False),
            ("simulated", pa.bool_()),
            ("texts_read", pa.int32()),
            ("texts_accepted", pa.int32()),
            ("share_accepted", pa.float64()),
            ("readers", pa.int32()),
            ("schema_version", pa.string()),
        ]
    ),
)

TABLES = (comparisons, candidates, marks, reader_marks, plan_record)

# Counted beside the tables, so that what is not in a file is known with its reason.
EXCLUSIONS = (
    """
SELECT
    count(*) FILTER (WHERE comparison.superseded_at IS NOT NULL) AS superseded_by_a_correction,
    count(*) FILTER (WHERE comparison.superseded_at IS NULL AND enrolment.state = 'withdrawn')
        AS annotator_withdrew
"""
    + COMPARISONS_FROM
)

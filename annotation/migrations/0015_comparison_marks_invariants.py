"""Marks belong to their comparison's set, say what their kind says, and never change."""

from django.db import migrations

SUPERSEDED_ONCE = """
DROP TRIGGER comparison_superseded_once ON annotation_comparison;
CREATE TRIGGER comparison_superseded_once BEFORE UPDATE ON annotation_comparison
    FOR EACH ROW WHEN (
        OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
        OR (OLD.id, OLD.turn_id, OLD.conversation_id, OLD.turn_no, OLD.set_id, OLD.revision,
            OLD.outcome, OLD.chosen_id, OLD.carried_id, OLD.explanation, OLD.first_choice_at,
            OLD.visible_ms, OLD.submitted_at, OLD.app_version{old})
        IS DISTINCT FROM
        (NEW.id, NEW.turn_id, NEW.conversation_id, NEW.turn_no, NEW.set_id, NEW.revision,
            NEW.outcome, NEW.chosen_id, NEW.carried_id, NEW.explanation, NEW.first_choice_at,
            NEW.visible_ms, NEW.submitted_at, NEW.app_version{new})
    ) EXECUTE FUNCTION refuse_comparison_change();
"""
MEASURES = ("changes", "pastes", "reach", "layout", "viewport")

MARKS = """
ALTER TABLE annotation_comparison
    ADD CONSTRAINT comparison_layout_known CHECK (layout IN ('', 'stack', 'grid', 'pager')),
    ADD CONSTRAINT comparison_viewport_known CHECK (viewport IN ('', 'phone', 'tablet', 'wide')),
    ADD CONSTRAINT comparison_reach_in_percent CHECK (
        reach IS NULL
        OR array_ndims(reach) = 1 AND cardinality(reach) BETWEEN 2 AND 8
            AND array_position(reach, NULL) IS NULL
            AND 0 <= ALL (reach) AND 100 >= ALL (reach));

ALTER TABLE annotation_comparisonmark
    ADD CONSTRAINT mark_of_comparison FOREIGN KEY (comparison_id, set_id)
        REFERENCES annotation_comparison (id, set_id),
    ADD CONSTRAINT mark_candidate_of_set FOREIGN KEY (candidate_id, set_id)
        REFERENCES sampling_candidate (id, set_id),
    ADD CONSTRAINT mark_says_what_its_kind_says CHECK (CASE kind
        WHEN 'ruled_out' THEN candidate_id IS NOT NULL
            AND value IS NULL AND span IS NULL AND reason = '' AND n = 0
        WHEN 'expanded' THEN candidate_id IS NOT NULL
            AND value IS NULL AND span IS NULL AND reason = '' AND n = 0
        WHEN 'tied' THEN candidate_id IS NOT NULL
            AND value IS NULL AND span IS NULL AND reason = '' AND n = 0
        WHEN 'strength' THEN candidate_id IS NULL
            AND value IS NOT NULL AND value BETWEEN 1 AND 4
            AND span IS NULL AND reason = '' AND n = 0
        WHEN 'reason' THEN candidate_id IS NULL
            AND value IS NULL AND span IS NULL AND reason <> ''
        WHEN 'sentence' THEN candidate_id IS NOT NULL
            AND value IS NULL AND reason = ''
            AND span IS NOT NULL AND NOT isempty(span)
            AND lower(span) IS NOT NULL AND lower(span) >= 0 AND upper(span) IS NOT NULL
        WHEN 'should_say' THEN candidate_id IS NULL
            AND value IS NULL AND span IS NULL AND reason <> '' AND n = 0
        ELSE false END);

-- What only the rows beside it can tell. After the statement, which stores the comparison as well.
CREATE FUNCTION refuse_mark_that_does_not_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    judged annotation_comparison;
    wrong boolean;
BEGIN
    SELECT * INTO judged FROM annotation_comparison WHERE id = NEW.comparison_id;
    wrong := CASE NEW.kind
        WHEN 'ruled_out' THEN judged.chosen_id IS NOT DISTINCT FROM NEW.candidate_id
        WHEN 'tied' THEN judged.outcome <> 'tie'
        WHEN 'strength' THEN judged.outcome <> 'chosen'
        WHEN 'should_say' THEN judged.outcome <> 'none'
        WHEN 'sentence' THEN NOT EXISTS (
            SELECT FROM sampling_candidate WHERE id = NEW.candidate_id
                AND char_length(text) >= upper(NEW.span))
        ELSE false END;
    IF wrong THEN
        RAISE EXCEPTION 'a mark of this kind does not fit what was judged'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_fits_its_comparison AFTER INSERT ON annotation_comparisonmark
    FOR EACH ROW EXECUTE FUNCTION refuse_mark_that_does_not_fit();
CREATE TRIGGER mark_never_changes BEFORE UPDATE OR DELETE ON annotation_comparisonmark
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
FORWARD = MARKS + SUPERSEDED_ONCE.format(
    old="".join(f", OLD.{name}" for name in MEASURES),
    new="".join(f", NEW.{name}" for name in MEASURES),
)

REVERSE = (
    SUPERSEDED_ONCE.format(old="", new="")
    + """
DROP TRIGGER mark_never_changes ON annotation_comparisonmark;
DROP TRIGGER mark_fits_its_comparison ON annotation_comparisonmark;
DROP FUNCTION refuse_mark_that_does_not_fit();
ALTER TABLE annotation_comparisonmark
    DROP CONSTRAINT mark_says_what_its_kind_says,
    DROP CONSTRAINT mark_candidate_of_set,
    DROP CONSTRAINT mark_of_comparison;
ALTER TABLE annotation_comparison
    DROP CONSTRAINT comparison_reach_in_percent,
    DROP CONSTRAINT comparison_viewport_known,
    DROP CONSTRAINT comparison_layout_known;
"""
)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0014_comparison_marks")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

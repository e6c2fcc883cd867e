"""A report is of a candidate that its turn has shown; then the turn may go on with another set."""

from django.db import migrations

FORWARD = """
ALTER TABLE annotation_report
    ADD CONSTRAINT report_candidate_of_set FOREIGN KEY (candidate_id, set_id)
        REFERENCES sampling_candidate (id, set_id),
    ADD CONSTRAINT report_k_of_set FOREIGN KEY (set_id, k)
        REFERENCES sampling_candidateset (id, k),
    ADD CONSTRAINT report_order_is_permutation CHECK (
        cardinality(display_order) = k
            AND array_ndims(display_order) = 1
            AND display_order @> ('{0,1,2,3,4,5,6,7}'::smallint[])[1:k]);

-- What is reported is what the turn shows at this moment, as it shows it.
CREATE FUNCTION refuse_report_of_unseen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM annotation_turn AS turn
        WHERE turn.id = NEW.turn_id AND turn.shown_set = NEW.set_id
            AND (turn.display_order, turn.layout, turn.showing_no, turn.asked_at, turn.shown_at)
                = (NEW.display_order, NEW.layout, NEW.showing_no, NEW.asked_at, NEW.shown_at)
        FOR NO KEY UPDATE)
    THEN
        RAISE EXCEPTION 'the turn does not show this'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER report_of_what_is_shown BEFORE INSERT ON annotation_report
    FOR EACH ROW EXECUTE FUNCTION refuse_report_of_unseen();
CREATE TRIGGER report_append_only BEFORE UPDATE OR DELETE ON annotation_report
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A turn keeps its words. It keeps the set it has shown, too, unless that was reported: then it may
-- wait for another one, and the report keeps the exposure. Comparisons hold on to what was shown.
CREATE OR REPLACE FUNCTION refuse_turn_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.conversation_id, OLD.number, OLD.message, OLD.prev_comparison_id, OLD.carried_id,
            OLD.asks_explanation)
        IS NOT DISTINCT FROM
        (NEW.conversation_id, NEW.number, NEW.message, NEW.prev_comparison_id, NEW.carried_id,
            NEW.asks_explanation)
        AND NEW.shown_at IS NULL AND NEW.layout = '' AND NEW.asked_at >= OLD.shown_at
        AND NEW.set_id <> OLD.set_id
        AND EXISTS (SELECT FROM annotation_report
            WHERE turn_id = OLD.id AND set_id = OLD.set_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a turn keeps its words and the order it was shown in'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
"""

REVERSE = """
CREATE OR REPLACE FUNCTION refuse_turn_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a turn keeps its words and the order it was shown in'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
DROP TRIGGER report_append_only ON annotation_report;
DROP TRIGGER report_of_what_is_shown ON annotation_report;
DROP FUNCTION refuse_report_of_unseen();
ALTER TABLE annotation_report
    DROP CONSTRAINT report_order_is_permutation,
    DROP CONSTRAINT report_k_of_set,
    DROP CONSTRAINT report_candidate_of_set;
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0008_reports")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

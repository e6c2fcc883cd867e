"""A repeat is of the same person's own finished conversation, and asks what that one asked."""

from django.db import migrations

# The rule of a turn's context, with where a conversation's prompt cell comes from.
CONTEXT = """
CREATE OR REPLACE FUNCTION refuse_broken_context() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked sampling_candidateset;
    expected jsonb;
    plan uuid;
    language text;
    is_own boolean;
BEGIN
    SELECT * INTO asked FROM sampling_candidateset WHERE id = NEW.set_id;
    SELECT conversation.plan_id, cohort.language, {cell} IS NULL
        INTO plan, language, is_own
        FROM annotation_conversation AS conversation
        JOIN annotation_assignment AS assignment ON assignment.id = conversation.assignment_id
        JOIN studies_cohort AS cohort ON cohort.id = assignment.cohort_id
        WHERE conversation.id = NEW.conversation_id;
    IF NEW.number = 0 AND is_own THEN
        expected := jsonb_build_array(jsonb_build_object('role', 'user', 'content', NEW.message));
    ELSIF NEW.number = 0 THEN
        SELECT prompt_text.messages INTO expected
            FROM annotation_conversation AS conversation
            JOIN annotation_assignment AS assignment ON assignment.id = conversation.assignment_id
            JOIN annotation_promptcell AS cell ON cell.id = {cell}
            JOIN studies_cohort AS cohort ON cohort.id = cell.cohort_id
            JOIN studies_prompttext AS prompt_text
                ON prompt_text.prompt_id = cell.prompt_id AND prompt_text.language = cohort.language
            WHERE conversation.id = NEW.conversation_id;
    ELSE
        SELECT before.context
            || jsonb_build_array(
                jsonb_build_object('role', 'assistant', 'content', candidate.text),
                jsonb_build_object('role', 'user', 'content', NEW.message))
            INTO expected
            FROM annotation_comparison AS comparison
            JOIN sampling_candidateset AS before ON before.id = comparison.set_id
            JOIN sampling_candidate AS candidate ON candidate.id = comparison.carried_id
            WHERE comparison.id = NEW.prev_comparison_id;
    END IF;
    IF expected IS NULL
        OR asked.context IS DISTINCT FROM expected
        OR asked.plan_id IS DISTINCT FROM plan
        OR asked.language IS DISTINCT FROM language
        OR expected -> -1 ->> 'content' IS DISTINCT FROM NEW.message
    THEN
        RAISE EXCEPTION 'the set answers other messages than this turn asks'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
"""
OWN_CELL = "assignment.cell_id"
ALSO_REPEATED = """coalesce(assignment.cell_id,
        (SELECT original.cell_id FROM annotation_assignment AS original
            WHERE original.id = assignment.repeat_of_id))"""

RULES = """
ALTER TABLE annotation_assignment ADD CONSTRAINT assignment_repeat_of_assignment
    FOREIGN KEY (repeat_of_id) REFERENCES annotation_assignment (id);
CREATE FUNCTION refuse_foreign_repeat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM annotation_assignment AS original
        WHERE original.id = NEW.repeat_of_id AND original.enrolment_id = NEW.enrolment_id
            AND original.arm_id = NEW.arm_id AND original.cell_id IS NOT NULL
            AND original.state = 'submitted')
    THEN
        RAISE EXCEPTION 'only an own finished conversation of a prompt is repeated'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assignment_repeats_own BEFORE INSERT ON annotation_assignment
    FOR EACH ROW WHEN (NEW.repeat_of_id IS NOT NULL) EXECUTE FUNCTION refuse_foreign_repeat();
CREATE TRIGGER assignment_keeps_repeat BEFORE UPDATE ON annotation_assignment
    FOR EACH ROW WHEN (OLD.repeat_of_id IS DISTINCT FROM NEW.repeat_of_id)
    EXECUTE FUNCTION refuse_assignment_move();
"""
FORWARD = "".join((RULES, CONTEXT.format(cell=ALSO_REPEATED)))

NO_RULES = """
DROP TRIGGER assignment_keeps_repeat ON annotation_assignment;
DROP TRIGGER assignment_repeats_own ON annotation_assignment;
DROP FUNCTION refuse_foreign_repeat();
ALTER TABLE annotation_assignment DROP CONSTRAINT assignment_repeat_of_assignment;
"""
REVERSE = "".join((CONTEXT.format(cell=OWN_CELL), NO_RULES))


class Migration(migrations.Migration):
    dependencies = [("annotation", "0010_repeats")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

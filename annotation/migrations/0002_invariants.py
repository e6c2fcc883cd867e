"""What Django cannot express: overlap, the order of turns, comparisons that nobody edits."""

from django.db import migrations

FORWARD = """
ALTER TABLE annotation_promptcell
    ADD CONSTRAINT prompt_cell_cohort_of_study FOREIGN KEY (cohort_id, study_id)
        REFERENCES studies_cohort (id, study_id),
    ADD CONSTRAINT prompt_cell_prompt_of_study FOREIGN KEY (prompt_id, study_id)
        REFERENCES studies_prompt (id, study_id);
ALTER TABLE annotation_assignment
    ADD CONSTRAINT assignment_cohort_of_enrolment FOREIGN KEY (enrolment_id, cohort_id)
        REFERENCES studies_enrolment (id, cohort_id),
    ADD CONSTRAINT assignment_cell_of_cohort FOREIGN KEY (cell_id, cohort_id)
        REFERENCES annotation_promptcell (id, cohort_id),
    ADD CONSTRAINT assignment_arm_of_cohort FOREIGN KEY (arm_id, cohort_id)
        REFERENCES sampling_arm (id, cohort_id),
    ADD CONSTRAINT assignment_sitting_of_enrolment FOREIGN KEY (sitting_id, enrolment_id)
        REFERENCES studies_sitting (id, enrolment_id);

-- taken = open + submitted, surplus apart. No constraint can count rows: this trigger does, and the
-- cell's own CHECK (taken <= overlap) refuses the one too many. The cell's row lock serialises.
CREATE FUNCTION counts_for_overlap(assignment annotation_assignment) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT (assignment.cell_id IS NOT NULL AND NOT assignment.surplus
        AND assignment.state IN ('open', 'submitted'))::integer
$$;
CREATE FUNCTION keep_taken() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change integer := 0;
    cell uuid;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        change := change - counts_for_overlap(OLD);
        cell := OLD.cell_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        change := change + counts_for_overlap(NEW);
        cell := NEW.cell_id;
    END IF;
    IF change <> 0 THEN
        UPDATE annotation_promptcell SET taken = taken + change WHERE id = cell;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER assignment_keeps_taken AFTER INSERT OR DELETE OR UPDATE OF state, surplus
    ON annotation_assignment FOR EACH ROW EXECUTE FUNCTION keep_taken();

-- Only that trigger counts: nobody sets the number by hand.
CREATE FUNCTION refuse_counting_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'taken is counted from the assignments'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER prompt_cell_starts_empty BEFORE INSERT ON annotation_promptcell
    FOR EACH ROW WHEN (NEW.taken <> 0) EXECUTE FUNCTION refuse_counting_by_hand();
CREATE TRIGGER prompt_cell_counted BEFORE UPDATE OF taken ON annotation_promptcell
    FOR EACH ROW WHEN (NEW.taken <> OLD.taken AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_counting_by_hand();

CREATE FUNCTION refuse_assignment_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an assignment keeps its cell, its arm and its person'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER assignment_never_moves BEFORE UPDATE ON annotation_assignment
    FOR EACH ROW WHEN (
        (OLD.enrolment_id, OLD.sitting_id, OLD.cohort_id, OLD.cell_id, OLD.arm_id, OLD.claim_no,
         OLD.p_prompt, OLD.p_arm)
        IS DISTINCT FROM
        (NEW.enrolment_id, NEW.sitting_id, NEW.cohort_id, NEW.cell_id, NEW.arm_id, NEW.claim_no,
         NEW.p_prompt, NEW.p_arm)
    ) EXECUTE FUNCTION refuse_assignment_move();

-- A turn follows the comparison that counts, in order, and carries what that comparison carried.
ALTER TABLE annotation_turn
    ADD CONSTRAINT turn_k_of_set FOREIGN KEY (set_id, k)
        REFERENCES sampling_candidateset (id, k),
    ADD CONSTRAINT turn_order_is_permutation CHECK (
        display_order IS NULL
        OR cardinality(display_order) = k
            AND array_ndims(display_order) = 1
            AND display_order @> ('{0,1,2,3,4,5,6,7}'::smallint[])[1:k]),
    ADD CONSTRAINT turn_after_current_comparison
        FOREIGN KEY (conversation_id, prev_no, prev_comparison_id, carried_id)
        REFERENCES annotation_comparison (conversation_id, turn_no, current_id, carried_id)
        DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE annotation_comparison
    ADD CONSTRAINT comparison_of_shown_turn
        FOREIGN KEY (turn_id, conversation_id, turn_no, set_id)
        REFERENCES annotation_turn (id, conversation_id, number, shown_set),
    ADD CONSTRAINT comparison_of_ready_set FOREIGN KEY (set_id)
        REFERENCES sampling_candidateset (ready_id),
    ADD CONSTRAINT comparison_chosen_of_set FOREIGN KEY (chosen_id, set_id)
        REFERENCES sampling_candidate (id, set_id),
    ADD CONSTRAINT comparison_carried_of_set FOREIGN KEY (carried_id, set_id)
        REFERENCES sampling_candidate (id, set_id);

-- Only superseded_at may change, once.
CREATE FUNCTION refuse_comparison_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a comparison is never edited: a correction supersedes it'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER comparison_never_deleted BEFORE DELETE ON annotation_comparison
    FOR EACH ROW EXECUTE FUNCTION refuse_comparison_change();
CREATE TRIGGER comparison_superseded_once BEFORE UPDATE ON annotation_comparison
    FOR EACH ROW WHEN (
        OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
        OR (OLD.id, OLD.turn_id, OLD.conversation_id, OLD.turn_no, OLD.set_id, OLD.revision,
            OLD.outcome, OLD.chosen_id, OLD.carried_id, OLD.explanation, OLD.first_choice_at,
            OLD.visible_ms, OLD.submitted_at, OLD.app_version)
        IS DISTINCT FROM
        (NEW.id, NEW.turn_id, NEW.conversation_id, NEW.turn_no, NEW.set_id, NEW.revision,
            NEW.outcome, NEW.chosen_id, NEW.carried_id, NEW.explanation, NEW.first_choice_at,
            NEW.visible_ms, NEW.submitted_at, NEW.app_version)
    ) EXECUTE FUNCTION refuse_comparison_change();

-- A conversation is stamped with its own study's version and with the plan of its arm, once. What
-- has ended stays so, unless its time had only run out and the person came back.
CREATE FUNCTION refuse_foreign_stamps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM annotation_assignment AS assignment
        JOIN sampling_arm AS arm ON arm.id = assignment.arm_id
        JOIN studies_studyversion AS version ON version.study_id = arm.study_id
        WHERE assignment.id = NEW.assignment_id AND arm.plan_id = NEW.plan_id
            AND version.id = NEW.study_version_id)
    THEN
        RAISE EXCEPTION 'the version or the plan is not the one of this assignment'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conversation_stamped_by_its_study BEFORE INSERT ON annotation_conversation
    FOR EACH ROW EXECUTE FUNCTION refuse_foreign_stamps();
CREATE FUNCTION refuse_conversation_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a conversation keeps its stamps, and its end'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER conversation_stamped_once BEFORE UPDATE ON annotation_conversation
    FOR EACH ROW WHEN (
        (OLD.id, OLD.assignment_id, OLD.study_version_id, OLD.plan_id, OLD.app_version)
        IS DISTINCT FROM
        (NEW.id, NEW.assignment_id, NEW.study_version_id, NEW.plan_id, NEW.app_version)
        OR OLD.ended_at IS NOT NULL AND OLD.ended_reason <> 'expired' AND NEW.ended_at IS NULL
    ) EXECUTE FUNCTION refuse_conversation_change();

-- A conversation that has ended takes no turn and no judgement. Whoever adds to one takes turns on
-- its row; a lock that writers could share would let two of them wait for each other.
CREATE FUNCTION refuse_after_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ended timestamptz;
BEGIN
    SELECT ended_at INTO ended FROM annotation_conversation
        WHERE id = NEW.conversation_id FOR NO KEY UPDATE;
    IF ended IS NOT NULL THEN
        RAISE EXCEPTION 'the conversation has ended'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER turn_before_end BEFORE INSERT ON annotation_turn
    FOR EACH ROW EXECUTE FUNCTION refuse_after_end();
CREATE TRIGGER comparison_before_end BEFORE INSERT OR UPDATE ON annotation_comparison
    FOR EACH ROW EXECUTE FUNCTION refuse_after_end();

-- The words of a turn, and the order in which it was shown, are set once.
CREATE FUNCTION refuse_turn_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a turn keeps its words and the order it was shown in'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER turn_set_once BEFORE UPDATE ON annotation_turn
    FOR EACH ROW WHEN (
        (OLD.conversation_id, OLD.number, OLD.message, OLD.prev_comparison_id, OLD.carried_id,
         OLD.asks_explanation, OLD.asked_at)
        IS DISTINCT FROM
        (NEW.conversation_id, NEW.number, NEW.message, NEW.prev_comparison_id, NEW.carried_id,
         NEW.asks_explanation, NEW.asked_at)
        OR OLD.shown_at IS NOT NULL AND
            (OLD.shown_at, OLD.display_order, OLD.layout, OLD.showing_no, OLD.set_id, OLD.k)
            IS DISTINCT FROM
            (NEW.shown_at, NEW.display_order, NEW.layout, NEW.showing_no, NEW.set_id, NEW.k)
    ) EXECUTE FUNCTION refuse_turn_change();

-- The context of a turn's set is the context before, the carried candidate, and the new message;
-- its plan and language are the conversation's.
CREATE FUNCTION refuse_broken_context() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked sampling_candidateset;
    expected jsonb;
    plan uuid;
    language text;
    is_own boolean;
BEGIN
    SELECT * INTO asked FROM sampling_candidateset WHERE id = NEW.set_id;
    SELECT conversation.plan_id, cohort.language, assignment.cell_id IS NULL
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
            JOIN annotation_promptcell AS cell ON cell.id = assignment.cell_id
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
CREATE TRIGGER turn_context_unbroken BEFORE INSERT OR UPDATE OF set_id ON annotation_turn
    FOR EACH ROW EXECUTE FUNCTION refuse_broken_context();

-- The first answer to a form is its answer for good.
CREATE TRIGGER submission_append_only BEFORE UPDATE OR DELETE ON annotation_submission
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

REVERSE = """
DROP TRIGGER submission_append_only ON annotation_submission;
DROP TRIGGER turn_context_unbroken ON annotation_turn;
DROP FUNCTION refuse_broken_context();
DROP TRIGGER turn_set_once ON annotation_turn;
DROP FUNCTION refuse_turn_change();
DROP TRIGGER comparison_before_end ON annotation_comparison;
DROP TRIGGER turn_before_end ON annotation_turn;
DROP FUNCTION refuse_after_end();
DROP TRIGGER conversation_stamped_once ON annotation_conversation;
DROP FUNCTION refuse_conversation_change();
DROP TRIGGER conversation_stamped_by_its_study ON annotation_conversation;
DROP FUNCTION refuse_foreign_stamps();
DROP TRIGGER comparison_superseded_once ON annotation_comparison;
DROP TRIGGER comparison_never_deleted ON annotation_comparison;
DROP FUNCTION refuse_comparison_change();
ALTER TABLE annotation_comparison
    DROP CONSTRAINT comparison_carried_of_set,
    DROP CONSTRAINT comparison_chosen_of_set,
    DROP CONSTRAINT comparison_of_ready_set,
    DROP CONSTRAINT comparison_of_shown_turn;
ALTER TABLE annotation_turn
    DROP CONSTRAINT turn_after_current_comparison,
    DROP CONSTRAINT turn_order_is_permutation,
    DROP CONSTRAINT turn_k_of_set;
DROP TRIGGER assignment_never_moves ON annotation_assignment;
DROP FUNCTION refuse_assignment_move();
DROP TRIGGER prompt_cell_counted ON annotation_promptcell;
DROP TRIGGER prompt_cell_starts_empty ON annotation_promptcell;
DROP FUNCTION refuse_counting_by_hand();
DROP TRIGGER assignment_keeps_taken ON annotation_assignment;
DROP FUNCTION keep_taken();
DROP FUNCTION counts_for_overlap(annotation_assignment);
ALTER TABLE annotation_assignment
    DROP CONSTRAINT assignment_sitting_of_enrolment,
    DROP CONSTRAINT assignment_arm_of_cohort,
    DROP CONSTRAINT assignment_cell_of_cohort,
    DROP CONSTRAINT assignment_cohort_of_enrolment;
ALTER TABLE annotation_promptcell
    DROP CONSTRAINT prompt_cell_prompt_of_study,
    DROP CONSTRAINT prompt_cell_cohort_of_study;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0001_tables"),
        ("sampling", "0002_invariants"),
        ("studies", "0002_invariants"),
    ]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

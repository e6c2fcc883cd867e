"""Makes a claim cheap: one update of its cell, and no lock on the arm that all claims share."""

from django.db import migrations

FORWARD = """
DROP TRIGGER assignment_keeps_taken ON annotation_assignment;
DROP FUNCTION keep_taken();

-- A claim is counted where it is made: one update keeps how many there are and how many there were,
-- so that the claim itself writes nothing but its own row.
CREATE FUNCTION count_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotation_promptcell
        SET claims = greatest(claims, NEW.claim_no),
            taken = taken + (NOT NEW.surplus AND NEW.state IN ('open', 'submitted'))::integer
        WHERE id = NEW.cell_id;
    RETURN NULL;
END $$;
CREATE TRIGGER assignment_counts_claim AFTER INSERT ON annotation_assignment
    FOR EACH ROW WHEN (NEW.cell_id IS NOT NULL) EXECUTE FUNCTION count_claim();

CREATE FUNCTION keep_taken() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change integer := 0;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        change := counts_for_overlap(NEW);
    END IF;
    change := change - counts_for_overlap(OLD);
    IF change <> 0 THEN
        UPDATE annotation_promptcell SET taken = taken + change WHERE id = OLD.cell_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER assignment_keeps_taken AFTER DELETE OR UPDATE OF state, surplus
    ON annotation_assignment FOR EACH ROW WHEN (OLD.cell_id IS NOT NULL)
    EXECUTE FUNCTION keep_taken();

-- An assignment's arm is one of its cohort's. A foreign key would lock the arm's row in each claim,
-- and all claims of a cohort share it: they would queue for one tuple's list of lockers. This
-- looks without a lock; whoever removes or moves an arm waits for all claims instead.
ALTER TABLE annotation_assignment DROP CONSTRAINT assignment_arm_of_cohort;
CREATE FUNCTION refuse_foreign_arm() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM sampling_arm WHERE id = NEW.arm_id AND cohort_id = NEW.cohort_id)
    THEN
        RAISE EXCEPTION 'the arm is none of this cohort'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assignment_arm_of_cohort BEFORE INSERT ON annotation_assignment
    FOR EACH ROW EXECUTE FUNCTION refuse_foreign_arm(); -- and it never moves
CREATE FUNCTION refuse_losing_arm() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- From here on no assignment can be stored until this transaction ends.
    LOCK TABLE annotation_assignment IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM annotation_assignment WHERE arm_id = OLD.id) THEN
        RAISE EXCEPTION 'the arm has assignments'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER arm_kept_for_assignments BEFORE DELETE ON sampling_arm
    FOR EACH ROW EXECUTE FUNCTION refuse_losing_arm();
CREATE TRIGGER arm_stays_for_assignments BEFORE UPDATE ON sampling_arm
    FOR EACH ROW WHEN ((OLD.id, OLD.cohort_id) IS DISTINCT FROM (NEW.id, NEW.cohort_id))
    EXECUTE FUNCTION refuse_losing_arm();
"""

REVERSE = """
DROP TRIGGER arm_stays_for_assignments ON sampling_arm;
DROP TRIGGER arm_kept_for_assignments ON sampling_arm;
DROP FUNCTION refuse_losing_arm();
DROP TRIGGER assignment_arm_of_cohort ON annotation_assignment;
DROP FUNCTION refuse_foreign_arm();
ALTER TABLE annotation_assignment
    ADD CONSTRAINT assignment_arm_of_cohort FOREIGN KEY (arm_id, cohort_id)
        REFERENCES sampling_arm (id, cohort_id);
DROP TRIGGER assignment_keeps_taken ON annotation_assignment;
DROP FUNCTION keep_taken();
DROP TRIGGER assignment_counts_claim ON annotation_assignment;
DROP FUNCTION count_claim();
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
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0003_exposures")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

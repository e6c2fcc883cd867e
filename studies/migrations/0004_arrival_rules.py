"""Who a panel's person is stays one person; places of a quota are counted, and follow their person.

A quota's cell counts its places as a prompt's cell counts assignments (annotation 0002): a trigger
counts, and the cell's own CHECK refuses the one too many.
"""

from django.db import migrations

FORWARD = """
-- An identity's pseudonym is an enrolment's of the same study.
ALTER TABLE studies_identity
    ADD CONSTRAINT identity_of_enrolment FOREIGN KEY (study_id, pseudonym)
        REFERENCES studies_enrolment (study_id, pseudonym);

-- A quota is shared by cohorts of one study and one country.
ALTER TABLE studies_cohort
    ADD CONSTRAINT cohort_quota_of_country FOREIGN KEY (quota_set_id, study_id, country)
        REFERENCES studies_quotaset (id, study_id, country);

-- taken = reserved + filled.
CREATE FUNCTION keep_quota_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state <> 'released' THEN
        UPDATE studies_quotacell SET taken = taken - 1 WHERE id = OLD.cell_id
            AND (TG_OP = 'DELETE' OR NEW.state = 'released');
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state <> 'released' THEN
        UPDATE studies_quotacell SET taken = taken + 1 WHERE id = NEW.cell_id
            AND (TG_OP = 'INSERT' OR OLD.state = 'released');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER quota_place_counted AFTER INSERT OR DELETE OR UPDATE OF state ON studies_quotaplace
    FOR EACH ROW EXECUTE FUNCTION keep_quota_taken();

-- Only that trigger counts; `manage.py recount_quotas --repair` says so when it has to.
CREATE FUNCTION refuse_quota_count_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'taken is counted from the places'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER quota_cell_starts_empty BEFORE INSERT ON studies_quotacell
    FOR EACH ROW WHEN (NEW.taken <> 0) EXECUTE FUNCTION refuse_quota_count_by_hand();
CREATE TRIGGER quota_cell_counted BEFORE UPDATE OF taken ON studies_quotacell
    FOR EACH ROW WHEN (
        NEW.taken <> OLD.taken AND pg_trigger_depth() = 0
        AND current_setting('counterpoint.recount', true) IS DISTINCT FROM 'on'
    ) EXECUTE FUNCTION refuse_quota_count_by_hand();

-- A place is of the person's own quota, and keeps its person; its cell may only change while
-- nobody is counted for it.
CREATE FUNCTION refuse_foreign_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM studies_enrolment enrolment
        JOIN studies_cohort cohort ON cohort.id = enrolment.cohort_id
        JOIN studies_quotacell cell ON cell.quota_set_id = cohort.quota_set_id
        WHERE enrolment.id = NEW.enrolment_id AND cell.id = NEW.cell_id
    ) THEN
        RAISE EXCEPTION 'the cell is not of this cohort''s quota'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quota_place_of_own_set BEFORE INSERT OR UPDATE OF cell_id ON studies_quotaplace
    FOR EACH ROW EXECUTE FUNCTION refuse_foreign_place();
CREATE FUNCTION refuse_place_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a place keeps its person, and its cell while it counts'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER quota_place_never_moves BEFORE UPDATE ON studies_quotaplace
    FOR EACH ROW WHEN (
        NEW.enrolment_id <> OLD.enrolment_id
        OR NEW.cell_id <> OLD.cell_id AND OLD.state <> 'released'
    ) EXECUTE FUNCTION refuse_place_move();

-- A place follows its person: who completes fills it, who is out gives it back. A lease that ran
-- out before is taken up once more if there is room; where there is none, the person stays beside
-- the quota, and no cell is over its target.
CREATE FUNCTION settle_quota_place() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE place studies_quotaplace;
BEGIN
    SELECT * INTO place FROM studies_quotaplace WHERE enrolment_id = NEW.id;
    IF place.id IS NULL OR place.state = 'filled' AND NEW.state <> 'withdrawn' THEN
        RETURN NULL;
    END IF;
    IF NEW.state = 'complete' THEN
        IF place.state = 'released' THEN
            PERFORM FROM studies_quotacell
                WHERE id = place.cell_id AND retired_at IS NULL
                    AND (target IS NULL OR taken < target) FOR NO KEY UPDATE;
            IF NOT FOUND THEN RETURN NULL; END IF;
        END IF;
        UPDATE studies_quotaplace SET state = 'filled', lease_until = NULL WHERE id = place.id;
    ELSIF NEW.state <> 'enrolled' AND place.state <> 'released' THEN
        UPDATE studies_quotaplace SET state = 'released', lease_until = NULL WHERE id = place.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER enrolment_settles_place AFTER UPDATE OF state ON studies_enrolment
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION settle_quota_place();
"""

REVERSE = """
DROP TRIGGER enrolment_settles_place ON studies_enrolment;
DROP FUNCTION settle_quota_place();
DROP TRIGGER quota_place_never_moves ON studies_quotaplace;
DROP FUNCTION refuse_place_move();
DROP TRIGGER quota_place_of_own_set ON studies_quotaplace;
DROP FUNCTION refuse_foreign_place();
DROP TRIGGER quota_cell_counted ON studies_quotacell;
DROP TRIGGER quota_cell_starts_empty ON studies_quotacell;
DROP FUNCTION refuse_quota_count_by_hand();
DROP TRIGGER quota_place_counted ON studies_quotaplace;
DROP FUNCTION keep_quota_taken();
ALTER TABLE studies_cohort DROP CONSTRAINT cohort_quota_of_country;
ALTER TABLE studies_identity DROP CONSTRAINT identity_of_enrolment;
"""


class Migration(migrations.Migration):
    dependencies = [("studies", "0003_arrivals")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

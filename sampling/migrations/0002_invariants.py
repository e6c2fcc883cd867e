"""What Django cannot express: a ready set is whole, plans freeze, real studies get real models."""

from django.db import migrations

FORWARD = """
-- A plan knows its study's kind, so that the endpoints of a real study are checked without a join.
ALTER TABLE sampling_plan
    ADD CONSTRAINT plan_of_study FOREIGN KEY (study_id, study_kind)
        REFERENCES studies_study (id, kind);
ALTER TABLE sampling_planendpoint
    ADD CONSTRAINT plan_endpoint_of_plan FOREIGN KEY (plan_id, study_kind)
        REFERENCES sampling_plan (id, study_kind),
    ADD CONSTRAINT plan_endpoint_of_endpoint FOREIGN KEY (endpoint_id, endpoint_kind)
        REFERENCES sampling_endpoint (id, kind);
ALTER TABLE sampling_arm
    ADD CONSTRAINT arm_cohort_of_study FOREIGN KEY (cohort_id, study_id)
        REFERENCES studies_cohort (id, study_id),
    ADD CONSTRAINT arm_plan_of_study FOREIGN KEY (plan_id, study_id)
        REFERENCES sampling_plan (id, study_id);
ALTER TABLE sampling_candidateset
    ADD CONSTRAINT set_plan_of_study FOREIGN KEY (plan_id, study_id)
        REFERENCES sampling_plan (id, study_id),
    ADD CONSTRAINT set_context_messages CHECK (well_formed_messages(context));

-- A whole set: slot n demands slot n-1, and a ready set demands its last slot.
ALTER TABLE sampling_candidate
    ADD CONSTRAINT candidate_of_ready_set FOREIGN KEY (set_id)
        REFERENCES sampling_candidateset (ready_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT candidate_k_of_set FOREIGN KEY (set_id, k)
        REFERENCES sampling_candidateset (id, k),
    ADD CONSTRAINT candidate_after_previous FOREIGN KEY (set_id, prev_slot)
        REFERENCES sampling_candidate (set_id, slot);
ALTER TABLE sampling_candidateset
    ADD CONSTRAINT set_has_last_candidate FOREIGN KEY (id, last_slot)
        REFERENCES sampling_candidate (set_id, slot) DEFERRABLE INITIALLY DEFERRED;

-- A candidate never changes. (Erasure will be the one exception, by one audited function.)
CREATE TRIGGER candidate_never_changes BEFORE UPDATE OR DELETE ON sampling_candidate
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_erased_candidate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a candidate is stored with its text'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER candidate_not_born_erased BEFORE INSERT ON sampling_candidate
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL) EXECUTE FUNCTION refuse_erased_candidate();

-- What a set was asked with never changes, nor does a set that is ready stop being so.
CREATE FUNCTION refuse_set_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a candidate set was asked with never changes'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER set_asked_once BEFORE UPDATE ON sampling_candidateset
    FOR EACH ROW WHEN (
        (OLD.study_id, OLD.plan_id, OLD.context, OLD.context_sha256, OLD.language, OLD.k, OLD.seed,
         OLD.shared, OLD.replica)
        IS DISTINCT FROM
        (NEW.study_id, NEW.plan_id, NEW.context, NEW.context_sha256, NEW.language, NEW.k, NEW.seed,
         NEW.shared, NEW.replica)
        OR OLD.state IN ('ready', 'failed') AND NEW.state <> OLD.state
    ) EXECUTE FUNCTION refuse_set_change();

CREATE TRIGGER plan_frozen BEFORE UPDATE OR DELETE ON sampling_plan
    FOR EACH ROW EXECUTE FUNCTION refuse_change_when_frozen();

CREATE TRIGGER plan_comes_frozen BEFORE INSERT OR UPDATE OF study_id ON sampling_plan
    FOR EACH ROW WHEN (NEW.frozen_at IS NULL) EXECUTE FUNCTION refuse_unfrozen_in_open_study();

-- The endpoints of a frozen plan are frozen with it: none is changed, added, or moved in or out.
CREATE FUNCTION refuse_change_of_frozen_plan() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE frozen timestamptz;
BEGIN
    FOR frozen IN
        SELECT frozen_at FROM sampling_plan WHERE id IN (OLD.plan_id, NEW.plan_id) FOR SHARE
    LOOP
        IF frozen IS NOT NULL THEN
            RAISE EXCEPTION 'the plan is frozen: make a new version'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER plan_endpoint_frozen BEFORE INSERT OR UPDATE OR DELETE ON sampling_planendpoint
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_frozen_plan();

-- An arm of a study that is open stands still.
CREATE FUNCTION refuse_change_of_open_arm() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    FOR found IN
        SELECT state FROM studies_study WHERE id IN (OLD.study_id, NEW.study_id) FOR SHARE
    LOOP
        IF found = 'open' THEN
            RAISE EXCEPTION 'arms change only while the study is not open'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER arm_fixed_while_open BEFORE INSERT OR UPDATE OR DELETE ON sampling_arm
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_open_arm();

CREATE FUNCTION refuse_opening_unfrozen_plans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sampling_plan WHERE study_id = NEW.id AND frozen_at IS NULL) THEN
        RAISE EXCEPTION 'a study opens only when its plans are frozen'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER study_opens_frozen_plans BEFORE INSERT OR UPDATE OF state ON studies_study
    FOR EACH ROW WHEN (NEW.state = 'open') EXECUTE FUNCTION refuse_opening_unfrozen_plans();
"""

REVERSE = """
DROP TRIGGER study_opens_frozen_plans ON studies_study;
DROP FUNCTION refuse_opening_unfrozen_plans();
DROP TRIGGER arm_fixed_while_open ON sampling_arm;
DROP FUNCTION refuse_change_of_open_arm();
DROP TRIGGER plan_endpoint_frozen ON sampling_planendpoint;
DROP FUNCTION refuse_change_of_frozen_plan();
DROP TRIGGER plan_comes_frozen ON sampling_plan;
DROP TRIGGER plan_frozen ON sampling_plan;
DROP TRIGGER set_asked_once ON sampling_candidateset;
DROP FUNCTION refuse_set_change();
DROP TRIGGER candidate_not_born_erased ON sampling_candidate;
DROP FUNCTION refuse_erased_candidate();
DROP TRIGGER candidate_never_changes ON sampling_candidate;
ALTER TABLE sampling_candidateset
    DROP CONSTRAINT set_has_last_candidate,
    DROP CONSTRAINT set_context_messages,
    DROP CONSTRAINT set_plan_of_study;
ALTER TABLE sampling_candidate
    DROP CONSTRAINT candidate_after_previous,
    DROP CONSTRAINT candidate_k_of_set,
    DROP CONSTRAINT candidate_of_ready_set;
ALTER TABLE sampling_arm
    DROP CONSTRAINT arm_plan_of_study,
    DROP CONSTRAINT arm_cohort_of_study;
ALTER TABLE sampling_planendpoint
    DROP CONSTRAINT plan_endpoint_of_endpoint,
    DROP CONSTRAINT plan_endpoint_of_plan;
ALTER TABLE sampling_plan DROP CONSTRAINT plan_of_study;
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0001_tables"), ("studies", "0002_invariants")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

"""What Django cannot express: composite keys, freezing, append-only rows."""

from django.db import migrations

FORWARD = """
-- An enrolment's cohort is one of its study's.
ALTER TABLE studies_enrolment
    ADD CONSTRAINT enrolment_cohort_of_study FOREIGN KEY (cohort_id, study_id)
        REFERENCES studies_cohort (id, study_id);

-- A prompt text is a list of role-tagged messages with text, and ends with a user message.
CREATE FUNCTION well_formed_messages(messages jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_typeof(messages) = 'array'
        AND jsonb_array_length(messages) > 0
        AND messages -> -1 ->> 'role' = 'user'
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(messages) AS message
            WHERE jsonb_typeof(message) <> 'object'
                OR coalesce(message ->> 'role', '') NOT IN ('user', 'assistant')
                OR coalesce(jsonb_typeof(message -> 'content'), '') <> 'string'
                OR message ->> 'content' !~ '[^[:space:]]'
        )
$$;
ALTER TABLE studies_prompttext
    ADD CONSTRAINT prompt_text_messages CHECK (well_formed_messages(messages));

-- Rows that nothing may change or remove.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON studies_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER consent_record_append_only BEFORE UPDATE OR DELETE ON studies_consentrecord
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER consent_document_append_only BEFORE UPDATE OR DELETE ON studies_consentdocument
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER questionnaire_append_only BEFORE UPDATE OR DELETE ON studies_questionnaire
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- frozen_at is set once; from then on the row stays as it is.
CREATE FUNCTION refuse_change_when_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.frozen_at IS NOT NULL THEN
        RAISE EXCEPTION '% is frozen: make a new version', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER study_version_frozen BEFORE UPDATE OR DELETE ON studies_studyversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change_when_frozen();
CREATE TRIGGER prompt_frozen BEFORE UPDATE OR DELETE ON studies_prompt
    FOR EACH ROW EXECUTE FUNCTION refuse_change_when_frozen();

-- The texts of a frozen prompt are frozen with it: none is changed, added, or moved in or out. The
-- row lock makes freezing and changing wait for each other.
CREATE FUNCTION refuse_change_of_frozen_prompt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE frozen timestamptz;
BEGIN
    FOR frozen IN
        SELECT frozen_at FROM studies_prompt WHERE id IN (OLD.prompt_id, NEW.prompt_id) FOR SHARE
    LOOP
        IF frozen IS NOT NULL THEN
            RAISE EXCEPTION 'the prompt is frozen: make a new version'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prompt_text_frozen BEFORE INSERT OR UPDATE OR DELETE ON studies_prompttext
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_frozen_prompt();

-- Country and language stand still once a study has left draft.
CREATE FUNCTION refuse_cohort_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.country, NEW.language, NEW.study_id) IS DISTINCT FROM
            (OLD.country, OLD.language, OLD.study_id)
        AND (SELECT state FROM studies_study WHERE id = OLD.study_id FOR SHARE) <> 'draft'
    THEN
        RAISE EXCEPTION 'country and language of a cohort are fixed after draft'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cohort_fixed BEFORE UPDATE ON studies_cohort
    FOR EACH ROW EXECUTE FUNCTION refuse_cohort_change();

-- A study opens only onto frozen rows (sampling adds its plans to this).
CREATE FUNCTION refuse_opening_unfrozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM studies_studyversion WHERE study_id = NEW.id)
        OR EXISTS (SELECT FROM studies_studyversion WHERE study_id = NEW.id AND frozen_at IS NULL)
        OR EXISTS (SELECT FROM studies_prompt WHERE study_id = NEW.id AND frozen_at IS NULL)
    THEN
        RAISE EXCEPTION 'a study opens only when its version and prompts are frozen'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER study_opens_frozen BEFORE INSERT OR UPDATE OF state ON studies_study
    FOR EACH ROW WHEN (NEW.state = 'open') EXECUTE FUNCTION refuse_opening_unfrozen();

-- Nothing unfrozen comes into a study that is open. The row lock makes the newcomer and the opening
-- wait for each other, so that neither overlooks the other.
CREATE FUNCTION refuse_unfrozen_in_open_study() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM studies_study WHERE id = NEW.study_id FOR SHARE) = 'open' THEN
        RAISE EXCEPTION 'the study is open: pause it first'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prompt_comes_frozen BEFORE INSERT OR UPDATE OF study_id ON studies_prompt
    FOR EACH ROW WHEN (NEW.frozen_at IS NULL) EXECUTE FUNCTION refuse_unfrozen_in_open_study();
CREATE TRIGGER study_version_comes_frozen
    BEFORE INSERT OR UPDATE OF study_id ON studies_studyversion
    FOR EACH ROW WHEN (NEW.frozen_at IS NULL) EXECUTE FUNCTION refuse_unfrozen_in_open_study();

-- A person stays in their study and cohort, which say their country and language.
CREATE FUNCTION refuse_enrolment_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an enrolment keeps its study, cohort and pseudonym'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER enrolment_never_moves BEFORE UPDATE ON studies_enrolment
    FOR EACH ROW WHEN (
        (OLD.study_id, OLD.cohort_id, OLD.pseudonym)
        IS DISTINCT FROM (NEW.study_id, NEW.cohort_id, NEW.pseudonym)
    ) EXECUTE FUNCTION refuse_enrolment_move();

-- What a person consented to, and which questions they answered, are their own study's.
CREATE FUNCTION refuse_consent_of_other_study() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT study_id FROM studies_enrolment WHERE id = NEW.enrolment_id)
        <> (SELECT study_id FROM studies_consentdocument WHERE id = NEW.document_id)
    THEN
        RAISE EXCEPTION 'the consent document belongs to another study'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_record_of_own_study BEFORE INSERT ON studies_consentrecord
    FOR EACH ROW EXECUTE FUNCTION refuse_consent_of_other_study();
CREATE FUNCTION refuse_answer_of_other_study() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT study_id FROM studies_enrolment WHERE id = NEW.enrolment_id)
        <> (SELECT study_id FROM studies_questionnaire WHERE id = NEW.questionnaire_id)
    THEN
        RAISE EXCEPTION 'the questionnaire belongs to another study'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER answer_of_own_study
    BEFORE INSERT OR UPDATE OF enrolment_id, questionnaire_id ON studies_answer
    FOR EACH ROW EXECUTE FUNCTION refuse_answer_of_other_study();
"""

REVERSE = """
DROP TRIGGER answer_of_own_study ON studies_answer;
DROP FUNCTION refuse_answer_of_other_study();
DROP TRIGGER consent_record_of_own_study ON studies_consentrecord;
DROP FUNCTION refuse_consent_of_other_study();
DROP TRIGGER enrolment_never_moves ON studies_enrolment;
DROP FUNCTION refuse_enrolment_move();
DROP TRIGGER study_version_comes_frozen ON studies_studyversion;
DROP TRIGGER prompt_comes_frozen ON studies_prompt;
DROP FUNCTION refuse_unfrozen_in_open_study();
DROP TRIGGER study_opens_frozen ON studies_study;
DROP FUNCTION refuse_opening_unfrozen();
DROP TRIGGER cohort_fixed ON studies_cohort;
DROP FUNCTION refuse_cohort_change();
DROP TRIGGER prompt_text_frozen ON studies_prompttext;
DROP FUNCTION refuse_change_of_frozen_prompt();
DROP TRIGGER prompt_frozen ON studies_prompt;
DROP TRIGGER study_version_frozen ON studies_studyversion;
DROP FUNCTION refuse_change_when_frozen();
DROP TRIGGER questionnaire_append_only ON studies_questionnaire;
DROP TRIGGER consent_document_append_only ON studies_consentdocument;
DROP TRIGGER consent_record_append_only ON studies_consentrecord;
DROP TRIGGER audit_append_only ON studies_audit;
DROP FUNCTION refuse_change();
ALTER TABLE studies_prompttext DROP CONSTRAINT prompt_text_messages;
DROP FUNCTION well_formed_messages(jsonb);
ALTER TABLE studies_enrolment DROP CONSTRAINT enrolment_cohort_of_study;
"""


class Migration(migrations.Migration):
    dependencies = [("studies", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

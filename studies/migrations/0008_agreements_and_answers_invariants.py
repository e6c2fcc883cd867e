"""What people agreed to is what their records say, and no answer goes beyond it."""

from django.db import migrations

FORWARD = """
-- The newest record of each purpose counts.
CREATE FUNCTION agreed_purposes(person uuid) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(purpose::text ORDER BY purpose), '{}') FROM (
        SELECT DISTINCT ON (purpose) purpose, granted FROM studies_consentrecord
        WHERE enrolment_id = person ORDER BY purpose, given_at DESC
    ) AS newest WHERE granted
$$;
CREATE FUNCTION answered_consent_version(person uuid) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT max(version) FROM studies_consentrecord
    JOIN studies_consentdocument AS document ON document.id = document_id
    WHERE enrolment_id = person
$$;

-- The row lock makes two records of one person wait for each other: neither overlooks the other.
CREATE FUNCTION keep_agreement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM studies_enrolment WHERE id = NEW.enrolment_id FOR NO KEY UPDATE;
    UPDATE studies_enrolment SET purposes = agreed_purposes(id),
        consent_version = answered_consent_version(id)
    WHERE id = NEW.enrolment_id;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_record_keeps_agreement AFTER INSERT ON studies_consentrecord
    FOR EACH ROW EXECUTE FUNCTION keep_agreement();

CREATE FUNCTION refuse_other_agreement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.purposes::text[] <> agreed_purposes(NEW.id)
        OR NEW.consent_version IS DISTINCT FROM answered_consent_version(NEW.id)
    THEN
        RAISE EXCEPTION 'what a person agreed to is what their consent records say'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER enrolment_agreed_as_recorded
    BEFORE UPDATE OF purposes, consent_version ON studies_enrolment
    FOR EACH ROW EXECUTE FUNCTION refuse_other_agreement();
CREATE TRIGGER enrolment_begins_without_agreement BEFORE INSERT ON studies_enrolment
    FOR EACH ROW WHEN (NEW.purposes <> '{}' OR NEW.consent_version IS NOT NULL)
    EXECUTE FUNCTION refuse_other_agreement();

-- Only what a document asks for can be agreed to, or refused.
CREATE FUNCTION refuse_purpose_not_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM studies_consentdocument
        WHERE id = NEW.document_id AND NEW.purpose = ANY (purposes)
    ) THEN
        RAISE EXCEPTION 'the consent document does not ask for %', NEW.purpose
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_record_purpose_asked BEFORE INSERT ON studies_consentrecord
    FOR EACH ROW EXECUTE FUNCTION refuse_purpose_not_asked();

-- An answer answers a question of its questionnaire, and stands in the table of its kind.
CREATE FUNCTION refuse_answer_not_asked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE sensitive boolean;
BEGIN
    SELECT coalesce((question ->> 'sensitive')::boolean, false) INTO sensitive
    FROM studies_questionnaire, jsonb_array_elements(questions) AS question
    WHERE id = NEW.questionnaire_id AND question ->> 'key' = NEW.key;
    IF sensitive IS DISTINCT FROM (TG_TABLE_NAME = 'studies_sensitiveanswer') THEN
        RAISE EXCEPTION 'the questionnaire asks no such question here: %', NEW.key
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER answer_was_asked
    BEFORE INSERT OR UPDATE OF questionnaire_id, key ON studies_answer
    FOR EACH ROW EXECUTE FUNCTION refuse_answer_not_asked();
CREATE TRIGGER sensitive_answer_was_asked
    BEFORE INSERT OR UPDATE OF questionnaire_id, key ON studies_sensitiveanswer
    FOR EACH ROW EXECUTE FUNCTION refuse_answer_not_asked();
CREATE TRIGGER sensitive_answer_of_own_study
    BEFORE INSERT OR UPDATE OF enrolment_id, questionnaire_id ON studies_sensitiveanswer
    FOR EACH ROW EXECUTE FUNCTION refuse_answer_of_other_study();

-- Sensitive answers are there only with the consent for them. The row lock makes an answer and a
-- change of mind wait for each other.
CREATE FUNCTION refuse_sensitive_without_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (
        SELECT 'sensitive_questions' = ANY (purposes) FROM studies_enrolment
        WHERE id = NEW.enrolment_id FOR SHARE
    ) THEN
        RAISE EXCEPTION 'the person did not agree to sensitive questions'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sensitive_answer_agreed_to BEFORE INSERT OR UPDATE ON studies_sensitiveanswer
    FOR EACH ROW EXECUTE FUNCTION refuse_sensitive_without_consent();
CREATE FUNCTION refuse_sensitive_left_behind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM studies_sensitiveanswer WHERE enrolment_id = NEW.id) THEN
        RAISE EXCEPTION 'sensitive answers go with the consent for them'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sensitive_answers_go_with_consent BEFORE UPDATE OF purposes ON studies_enrolment
    FOR EACH ROW WHEN (NOT 'sensitive_questions' = ANY (NEW.purposes))
    EXECUTE FUNCTION refuse_sensitive_left_behind();

-- An answer is a text, a number or a list. It may be changed while the questions are asked, and
-- stands once the person works; it can be deleted.
ALTER TABLE studies_answer ADD CONSTRAINT answer_value_form
    CHECK (jsonb_typeof(value) IN ('string', 'number', 'array'));
ALTER TABLE studies_sensitiveanswer ADD CONSTRAINT sensitive_answer_value_form
    CHECK (jsonb_typeof(value) IN ('string', 'number', 'array'));
CREATE FUNCTION refuse_late_answer_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM studies_enrolment WHERE id = OLD.enrolment_id) <> 'consented' THEN
        RAISE EXCEPTION 'answers stand once the questions are over'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER answer_stands BEFORE UPDATE ON studies_answer
    FOR EACH ROW EXECUTE FUNCTION refuse_late_answer_change();
CREATE TRIGGER sensitive_answer_stands BEFORE UPDATE ON studies_sensitiveanswer
    FOR EACH ROW EXECUTE FUNCTION refuse_late_answer_change();

CREATE TRIGGER tutorial_try_never_changes BEFORE UPDATE ON studies_tutorialtry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

REVERSE = """
DROP TRIGGER tutorial_try_never_changes ON studies_tutorialtry;
DROP TRIGGER sensitive_answer_stands ON studies_sensitiveanswer;
DROP TRIGGER answer_stands ON studies_answer;
DROP FUNCTION refuse_late_answer_change();
ALTER TABLE studies_sensitiveanswer DROP CONSTRAINT sensitive_answer_value_form;
ALTER TABLE studies_answer DROP CONSTRAINT answer_value_form;
DROP TRIGGER sensitive_answers_go_with_consent ON studies_enrolment;
DROP FUNCTION refuse_sensitive_left_behind();
DROP TRIGGER sensitive_answer_agreed_to ON studies_sensitiveanswer;
DROP FUNCTION refuse_sensitive_without_consent();
DROP TRIGGER sensitive_answer_of_own_study ON studies_sensitiveanswer;
DROP TRIGGER sensitive_answer_was_asked ON studies_sensitiveanswer;
DROP TRIGGER answer_was_asked ON studies_answer;
DROP FUNCTION refuse_answer_not_asked();
DROP TRIGGER consent_record_purpose_asked ON studies_consentrecord;
DROP FUNCTION refuse_purpose_not_asked();
DROP TRIGGER enrolment_begins_without_agreement ON studies_enrolment;
DROP TRIGGER enrolment_agreed_as_recorded ON studies_enrolment;
DROP FUNCTION refuse_other_agreement();
DROP TRIGGER consent_record_keeps_agreement ON studies_consentrecord;
DROP FUNCTION keep_agreement();
DROP FUNCTION answered_consent_version(uuid);
DROP FUNCTION agreed_purposes(uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("studies", "0007_purposes_in_records_of_their_own")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

"""Erasure, the one exception to rows that never change; decisions and answers are set once."""

from django.db import migrations

FORWARD = """
-- True inside the one function that erases (annotation.erasing), until its transaction ends.
CREATE FUNCTION is_erasing() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('counterpoint.erasing', true), '') = 'on'
$$;
-- A change that erasure may make: to columns of words, and to nothing else. Generated columns
-- go with them, because a trigger before the change does not see them yet.
CREATE FUNCTION only_erases(before jsonb, after jsonb, words text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT is_erasing() AND before - words = after - words $$;

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What people agreed to, what they were asked, and who did what, outlast them.
    IF is_erasing() AND TG_TABLE_NAME <> ALL (ARRAY['studies_audit', 'studies_consentrecord',
        'studies_consentdocument', 'studies_questionnaire', 'sampling_stancelist'])
    THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION '% rows are append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON studies_decision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_enquiry_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND only_erases(to_jsonb(OLD), to_jsonb(NEW),
        ARRAY['text', 'answer', 'erased_at'])
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an enquiry is kept as it was asked, and answered once'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER enquiry_never_deleted BEFORE DELETE ON studies_enquiry
    FOR EACH ROW EXECUTE FUNCTION refuse_enquiry_change();
CREATE TRIGGER enquiry_answered_once BEFORE UPDATE ON studies_enquiry
    FOR EACH ROW WHEN (
        OLD.answered_at IS NOT NULL OR OLD.erased_at IS DISTINCT FROM NEW.erased_at
        OR (OLD.enrolment_id, OLD.text, OLD.asked_at)
            IS DISTINCT FROM (NEW.enrolment_id, NEW.text, NEW.asked_at)
    ) EXECUTE FUNCTION refuse_enquiry_change();
"""

REVERSE = """
DROP TRIGGER enquiry_answered_once ON studies_enquiry;
DROP TRIGGER enquiry_never_deleted ON studies_enquiry;
DROP FUNCTION refuse_enquiry_change();
DROP TRIGGER decision_append_only ON studies_decision;
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
DROP FUNCTION only_erases(jsonb, jsonb, text[]);
DROP FUNCTION is_erasing();
"""


class Migration(migrations.Migration):
    dependencies = [("studies", "0009_leaving")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

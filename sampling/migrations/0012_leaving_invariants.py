"""The words of a set may be erased, and nothing else of it."""

from django.db import migrations

FORWARD = """
ALTER TABLE sampling_candidateset
    DROP CONSTRAINT set_context_messages,
    ADD CONSTRAINT set_context_messages CHECK (
        CASE WHEN erased_at IS NULL THEN well_formed_messages(context)
            ELSE context = '[]'::jsonb END);

CREATE OR REPLACE FUNCTION refuse_set_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF only_erases(to_jsonb(OLD), to_jsonb(NEW), ARRAY['context', 'context_sha256', 'guard',
        'attempt_log', 'erased_at', 'ready_id'])
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what a candidate set was asked with never changes'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
"""

REVERSE = """
CREATE OR REPLACE FUNCTION refuse_set_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a candidate set was asked with never changes'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
ALTER TABLE sampling_candidateset
    DROP CONSTRAINT set_context_messages,
    ADD CONSTRAINT set_context_messages CHECK (well_formed_messages(context));
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0011_leaving"), ("studies", "0010_leaving_invariants")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

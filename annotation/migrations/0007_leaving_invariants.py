"""A person's words may be erased, and nothing else of what they said and chose."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION refuse_comparison_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND only_erases(to_jsonb(OLD), to_jsonb(NEW),
        ARRAY['explanation', 'edited_text', 'current_id'])
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a comparison is never edited: a correction supersedes it'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION refuse_after_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ended timestamptz;
BEGIN
    SELECT ended_at INTO ended FROM annotation_conversation
        WHERE id = NEW.conversation_id FOR NO KEY UPDATE;
    IF ended IS NOT NULL AND NOT (TG_OP = 'UPDATE' AND is_erasing()) THEN
        RAISE EXCEPTION 'the conversation has ended'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION refuse_turn_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF only_erases(to_jsonb(OLD), to_jsonb(NEW),
        ARRAY['message', 'erased_at', 'prev_no', 'shown_set'])
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
CREATE OR REPLACE FUNCTION refuse_after_end() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE FUNCTION refuse_comparison_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a comparison is never edited: a correction supersedes it'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0006_leaving"),
        ("sampling", "0012_leaving_invariants"),
        ("studies", "0010_leaving_invariants"),
    ]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

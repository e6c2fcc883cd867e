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
    IF (OLD.conversation_id, OLD.number, OLD.message, OLD.prev_comparison_id, OLD.carried_id,
            OLD.asks_explanation)
        IS NOT DISTINCT FROM
        (NEW.conversation_id, NEW.number, NEW.message, NEW.prev_comparison_id, NEW.carried_id,
            NEW.asks_explanation)
        AND NEW.shown_at IS NULL AND NEW.layout = '' AND NEW.asked_at >= OLD.shown_at
        AND NEW.set_id <> OLD.set_id
        AND EXISTS (SELECT FROM annotation_report
            WHERE turn_id = OLD.id AND set_id = OLD.set_id)
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
    IF (OLD.conversation_id, OLD.number, OLD.message, OLD.prev_comparison_id, OLD.carried_id,
            OLD.asks_explanation)
        IS NOT DISTINCT FROM
        (NEW.conversation_id, NEW.number, NEW.message, NEW.prev_comparison_id, NEW.carried_id,
            NEW.asks_explanation)
        AND NEW.shown_at IS NULL AND NEW.layout = '' AND NEW.asked_at >= OLD.shown_at
        AND NEW.set_id <> OLD.set_id
        AND EXISTS (SELECT FROM annotation_report
            WHERE turn_id = OLD.id AND set_id = OLD.set_id)
    THEN
        RETURN NEW;
    END IF;
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
        ("annotation", "0012_leaving"),
        ("sampling", "0012_leaving_invariants"),
        ("studies", "0010_leaving_invariants"),
    ]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

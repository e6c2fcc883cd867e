"""What a person was shown is kept, also where they never judged it."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_forgetting_exposure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a turn that was shown is an exposure, and is kept'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER turn_shown_never_deleted BEFORE DELETE ON annotation_turn
    FOR EACH ROW WHEN (OLD.shown_at IS NOT NULL) EXECUTE FUNCTION refuse_forgetting_exposure();
"""

REVERSE = """
DROP TRIGGER turn_shown_never_deleted ON annotation_turn;
DROP FUNCTION refuse_forgetting_exposure();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_invariants")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

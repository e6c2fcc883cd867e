"""A draft is only ever overwritten by a newer one."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_older_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a draft is overwritten by a newer one only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER draft_goes_forward BEFORE UPDATE ON annotation_draft
    FOR EACH ROW WHEN (NEW.revision <= OLD.revision) EXECUTE FUNCTION refuse_older_draft();
"""

REVERSE = """
DROP TRIGGER draft_goes_forward ON annotation_draft;
DROP FUNCTION refuse_older_draft();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0006_draft_writer")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

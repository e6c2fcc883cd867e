"""Whoever has left has left, and a sitting that is over stays as it ended."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_going_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'nothing comes back from the state %', OLD.state
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER enrolment_left_for_good BEFORE UPDATE OF state ON studies_enrolment
    FOR EACH ROW WHEN (OLD.state IN ('withdrawn', 'no_consent') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION refuse_going_back();
CREATE TRIGGER sitting_over_for_good BEFORE UPDATE OF state, exit_code ON studies_sitting
    FOR EACH ROW WHEN (OLD.state <> 'open'
        AND (OLD.state, OLD.exit_code) IS DISTINCT FROM (NEW.state, NEW.exit_code))
    EXECUTE FUNCTION refuse_going_back();
"""

REVERSE = """
DROP TRIGGER sitting_over_for_good ON studies_sitting;
DROP TRIGGER enrolment_left_for_good ON studies_enrolment;
DROP FUNCTION refuse_going_back();
"""


class Migration(migrations.Migration):
    dependencies = [("studies", "0010_leaving_invariants")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

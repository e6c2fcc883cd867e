"""An assignment goes from state to state as it may, and never back to its place by itself."""

from django.db import migrations

FORWARD = """
-- Only what expired is opened again, and not once its place was given away.
CREATE TRIGGER assignment_goes_forward BEFORE UPDATE OF state ON annotation_assignment
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NOT (
        OLD.state = 'open'
        OR OLD.state = 'expired' AND NEW.state = 'open' AND NOT NEW.surplus
        OR OLD.state = 'submitted' AND NEW.state = 'withdrawn'
    )) EXECUTE FUNCTION refuse_going_back();
"""

REVERSE = "DROP TRIGGER assignment_goes_forward ON annotation_assignment;"


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0015_comparison_marks_invariants"),
        ("studies", "0011_states_for_good"),
    ]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

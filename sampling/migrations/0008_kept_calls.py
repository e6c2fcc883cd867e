"""What was asked and answered is kept as it was, and a candidate comes from a call of its set."""

from django.db import migrations

FORWARD = """
ALTER TABLE sampling_candidate
    ADD CONSTRAINT candidate_call_of_set FOREIGN KEY (call_id, set_id)
        REFERENCES sampling_modelcall (id, set_id);
CREATE TRIGGER model_call_never_changes BEFORE UPDATE OR DELETE ON sampling_modelcall
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

REVERSE = """
DROP TRIGGER model_call_never_changes ON sampling_modelcall;
ALTER TABLE sampling_candidate DROP CONSTRAINT candidate_call_of_set;
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0007_spare_sets")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

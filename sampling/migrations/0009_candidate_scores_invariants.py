"""A score is never changed; it can be deleted, and taken again."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER candidate_score_never_changes BEFORE UPDATE ON sampling_candidatescore
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

REVERSE = """
DROP TRIGGER candidate_score_never_changes ON sampling_candidatescore;
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0009_candidate_scores")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

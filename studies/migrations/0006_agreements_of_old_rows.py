"""Old consent records become one row for each purpose; old answers become JSON texts."""

from django.db import migrations, models

ANSWERS = "ALTER TABLE studies_answer ALTER value TYPE jsonb USING to_jsonb(value)"
ANSWERS_BACK = """
UPDATE studies_answer SET value = to_jsonb(coalesce(value #>> '{}', ''))
    WHERE jsonb_typeof(value) IS DISTINCT FROM 'string';
ALTER TABLE studies_answer ALTER value TYPE varchar(200) USING left(value #>> '{}', 200),
    ALTER value SET NOT NULL
"""
# The checks that were put off are run at once: a table with checks to come cannot be altered.
RECORDS = """
INSERT INTO studies_consentrecord
    (id, enrolment_id, document_id, purpose, granted, purposes, app_version, given_at)
SELECT gen_random_uuid(), enrolment_id, document_id, other, true, purposes, app_version, given_at
FROM studies_consentrecord, unnest(purposes) AS other
WHERE granted AND purpose = 'take_part' AND other <> 'take_part';
UPDATE studies_enrolment AS enrolment SET consent_version = answered.version, purposes = coalesce((
    SELECT array_agg(DISTINCT purpose ORDER BY purpose) FROM studies_consentrecord
    WHERE enrolment_id = enrolment.id AND granted
), '{}')
FROM (
    SELECT enrolment_id, max(version) AS version FROM studies_consentrecord
    JOIN studies_consentdocument AS document ON document.id = document_id GROUP BY enrolment_id
) AS answered
WHERE answered.enrolment_id = enrolment.id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED
"""
RECORDS_BACK = """
ALTER TABLE studies_consentrecord DISABLE TRIGGER consent_record_append_only;
UPDATE studies_consentrecord AS record SET purposes = (
    SELECT array_agg(purpose) FROM studies_consentrecord
    WHERE enrolment_id = record.enrolment_id AND document_id = record.document_id AND granted
) WHERE granted;
DELETE FROM studies_consentrecord WHERE purpose <> 'take_part';
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE studies_consentrecord ENABLE TRIGGER consent_record_append_only
"""


class Migration(migrations.Migration):
    dependencies = [("studies", "0005_agreements_and_answers")]
    operations = [
        migrations.RunSQL(
            f"{ANSWERS}; ALTER TABLE studies_answer ALTER value DROP NOT NULL",
            ANSWERS_BACK,
            state_operations=[
                migrations.AlterField("answer", "value", models.JSONField(null=True))
            ],
        ),
        migrations.RunSQL(RECORDS, RECORDS_BACK),
    ]

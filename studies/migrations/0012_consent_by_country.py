"""A consent text may be for one country."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0011_states_for_good"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="consentdocument",
            name="consent_document_version",
        ),
        migrations.AddField(
            model_name="consentdocument",
            name="country",
            field=models.CharField(
                blank=True, db_default="", help_text="ISO 3166-1 alpha-2; empty: any", max_length=2
            ),
        ),
        migrations.AddConstraint(
            model_name="consentdocument",
            constraint=models.UniqueConstraint(
                fields=("study", "country", "locale", "version"), name="consent_document_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="consentdocument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"
                ),
                name="consent_document_country",
            ),
        ),
    ]

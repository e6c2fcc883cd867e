"""When a set lost its words to an erasure."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sampling", "0010_checks"),
    ]

    operations = [
        migrations.AddField(
            model_name="candidateset",
            name="erased_at",
            field=models.DateTimeField(help_text="its words are deleted since then", null=True),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("erased_at__isnull", True), ("text", ""), _connector="OR"),
                name="candidate_erased_is_blank",
            ),
        ),
    ]

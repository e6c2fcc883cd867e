"""What a consent record was about stands in its `purpose` now."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("studies", "0006_agreements_of_old_rows")]
    operations = [
        # A default, so that the column can come back when this is taken back.
        migrations.AlterField(
            "consentrecord", "purposes", ArrayField(models.CharField(max_length=40), default=list)
        ),
        migrations.RemoveField("consentrecord", "purposes"),
    ]

"""Which open page typed a draft."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_fewer_indexes")]
    operations = [
        migrations.AddField(
            "draft",
            "writer",
            models.CharField(
                blank=True,
                default="",
                help_text="the open page that typed it, if it said",
                max_length=32,
            ),
        ),
    ]

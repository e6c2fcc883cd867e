"""Marked repeats: an assignment that shows the first set of an earlier one again."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("annotation", "0009_reports_hold")]
    operations = [
        migrations.AddField(
            "assignment",
            "repeat_of",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="a marked repeat shows the first set of this one again",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="repeats",
                to="annotation.assignment",
            ),
        ),
        migrations.AddConstraint(
            "assignment",
            models.UniqueConstraint(
                fields=["repeat_of"],
                condition=Q(repeat_of__isnull=False),
                name="assignment_repeated_once",
            ),
        ),
        migrations.AddConstraint(
            "assignment",
            models.CheckConstraint(
                condition=Q(repeat_of__isnull=True) | Q(cell__isnull=True),
                name="assignment_repeat_has_no_cell",
            ),
        ),
    ]

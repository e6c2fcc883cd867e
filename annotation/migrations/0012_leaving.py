"""Breaks, and when a turn lost its words to an erasure."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0011_repeats_hold"),
        ("sampling", "0011_leaving"),
        ("studies", "0009_leaving"),
    ]

    operations = [
        migrations.CreateModel(
            name="Break",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="turn",
            name="turn_has_message",
        ),
        migrations.AddField(
            model_name="turn",
            name="erased_at",
            field=models.DateTimeField(help_text="its message is deleted since then", null=True),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("erased_at__isnull", True), models.Q(("message", ""), _negated=True)),
                    models.Q(("erased_at__isnull", False), ("message", "")),
                    _connector="OR",
                ),
                name="turn_has_message",
            ),
        ),
        migrations.AddField(
            model_name="break",
            name="sitting",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="breaks",
                to="studies.sitting",
            ),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("sitting",),
                name="break_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True),
                    ("ended_at__gte", models.F("began_at")),
                    _connector="OR",
                ),
                name="break_ends_after_it_began",
            ),
        ),
    ]

"""Spare sets, the index of a plan's recent sets, and the key of a candidate's call."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("sampling", "0006_lab"),
        ("studies", "0002_invariants"),
    ]
    operations = [
        migrations.AddField(
            model_name="candidateset",
            name="spare",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="made ahead for one person, whoever comes first, and not taken yet",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidateset",
            constraint=models.CheckConstraint(
                condition=Q(spare=False) | Q(shared=False), name="set_spare_unshared"
            ),
        ),
        migrations.AddIndex(
            model_name="candidateset",
            index=models.Index(
                fields=["plan", "-ready_at"], condition=Q(state="ready"), name="set_plan_ready"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelcall",
            constraint=models.UniqueConstraint(fields=["id", "set"], name="model_call_id_set"),
        ),
    ]

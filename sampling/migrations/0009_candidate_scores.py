"""Scores of candidates, which can be taken again but never changed."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

FORWARD = """
CREATE TRIGGER candidate_score_never_changes BEFORE UPDATE ON sampling_candidatescore
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

REVERSE = """
DROP TRIGGER candidate_score_never_changes ON sampling_candidatescore;
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0008_kept_calls")]
    operations = [
        migrations.CreateModel(
            name="CandidateScore",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("scorer", models.CharField(max_length=450)),
                ("logprob", models.FloatField()),
                ("n_tokens", models.PositiveIntegerField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="sampling.candidate",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="sampling.endpoint",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["candidate", "scorer"], name="candidate_score_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(logprob__lte=0, logprob__gt=float("-inf")),
                        name="candidate_score_is_logprob",
                    ),
                    models.CheckConstraint(
                        condition=Q(n_tokens__gte=1), name="candidate_score_has_tokens"
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, REVERSE),
    ]

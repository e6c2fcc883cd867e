"""Scores of candidates by how likely a model finds them."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q


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
    ]

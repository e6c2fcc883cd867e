"""What attempts and studies use of their limits in tokens."""

from django.db import models

from sampling.models.candidate_set import CandidateSet
from sampling.models.endpoint import Endpoint
from studies.models import Study


class TokenUse(models.Model):
    """Tokens that an attempt may use at an endpoint with a limit, in the minute of its claim.

    An estimate until the attempt is stored, then what the endpoint counted. Rows of the last minute
    count; older ones are deleted by later claims.
    """

    id = models.BigAutoField(primary_key=True)
    set = models.ForeignKey(CandidateSet, on_delete=models.CASCADE, related_name="token_uses")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="token_uses")
    attempt = models.PositiveSmallIntegerField()
    tokens = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set", "attempt", "endpoint"], name="token_use_once"),
        ]
        indexes = [models.Index(fields=["at"], name="token_use_at")]


class TokenBudget(models.Model):
    """How many tokens all sets of a study may use. A row, and no rule of the study: it has to be
    raised while the study is open, when rules and plans are frozen.

    `spent` counts stored attempts; `total` null: counted, without a limit.
    """

    study = models.OneToOneField(
        Study, on_delete=models.PROTECT, primary_key=True, related_name="token_budget"
    )
    total = models.PositiveBigIntegerField(null=True)
    spent = models.PositiveBigIntegerField(default=0)

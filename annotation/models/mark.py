"""What was said of the answers beside the choice: one row for each thing."""

import uuid

from django.contrib.postgres.fields import IntegerRangeField
from django.db import models

from annotation.models.conversation import Comparison
from sampling.models import Candidate, CandidateSet


class ComparisonMark(models.Model):
    """One mark of a comparison, on a candidate of its set or on the comparison as a whole.

    Never changes, as its comparison does not. `annotation.marks` says what each kind holds.
    """

    class Kind(models.TextChoices):
        RULED_OUT = "ruled_out"  # set aside while reading
        EXPANDED = "expanded"  # a folded text was opened
        TIED = "tied"  # one of those that speak equally
        STRENGTH = "strength"  # how much more the chosen one speaks: `value` 1 to 4
        REASON = "reason"  # a ticked reason: `reason` is list/key
        SENTENCE = "sentence"  # a marked stretch of a text: `span` counts characters from 0
        SHOULD_SAY = "should_say"  # what an answer should have said: `reason` is the words

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    comparison = models.ForeignKey(
        Comparison,
        on_delete=models.PROTECT,
        related_name="marks",
        db_constraint=False,
        db_index=False,
    )
    set = models.ForeignKey(
        CandidateSet,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    candidate = models.ForeignKey(
        Candidate,
        on_delete=models.PROTECT,
        null=True,
        related_name="marks",
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(max_length=20, choices=Kind)
    n = models.PositiveSmallIntegerField(default=0, help_text="which of its kind, from 0")
    value = models.SmallIntegerField(null=True)
    span = IntegerRangeField(null=True, help_text="characters of the raw text, the end excluded")
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["comparison", "candidate", "kind", "n"],
                nulls_distinct=False,
                name="mark_once",
            ),
        ]

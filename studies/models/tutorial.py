"""What people did in the tutorial, before their work."""

import uuid

from django.db import models
from django.db.models import Q

from studies.models.enrolment import Enrolment


class TutorialTry(models.Model):
    """One try at one item of a tutorial. Never changes; a check may be tried twice.

    `given` is what was sent: question keys to option values; for a practice, the answer's place.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="tries")
    item = models.SlugField(max_length=60)
    n = models.PositiveSmallIntegerField(help_text="first or second try")
    given = models.JSONField()
    passed = models.BooleanField()
    tried_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "tutorial tries"
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "item", "n"], name="tutorial_try_once"),
            models.UniqueConstraint(
                fields=["enrolment", "item"],
                condition=Q(passed=True),
                name="tutorial_passed_once",
            ),
            models.CheckConstraint(condition=Q(n__in=[1, 2]), name="tutorial_two_tries"),
        ]

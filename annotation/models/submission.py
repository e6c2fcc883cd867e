"""Submissions, which answer the same form once, and drafts, which lose nothing."""

from django.db import models

from studies.models import Enrolment


class Submission(models.Model):
    """A form that was accepted. The same key and body get the same answer again."""

    pk = models.CompositePrimaryKey("enrolment", "key")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="submissions")
    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)
    body_sha256 = models.CharField(max_length=64)
    result = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)


class Draft(models.Model):
    """What a person typed into a form that was not accepted yet."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="drafts")
    form = models.CharField(max_length=80)
    revision = models.PositiveIntegerField(default=1)
    writer = models.CharField(
        max_length=32, blank=True, default="", help_text="the open page that typed it, if it said"
    )
    body = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "form"], name="draft_form"),
        ]

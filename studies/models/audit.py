"""The audit trail: who did what to which object, chained by hashes. Append-only by trigger."""

from django.db import models


class Audit(models.Model):
    """One act that matters. `studies.auditing.record` is the only code that writes it."""

    seq = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=120, help_text="e.g. researcher:ID, command:open_study")
    action = models.CharField(max_length=80)
    object = models.CharField(max_length=120)
    payload = models.JSONField(default=dict)
    payload_sha256 = models.CharField(max_length=64)
    previous_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "audit"

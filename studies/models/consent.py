"""Consent and questionnaire: versioned documents, and what people answered to them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from studies.models.enrolment import Enrolment
from studies.models.study import Study


class ConsentDocument(models.Model):
    """One consent text in one interface language. Never changes; a new text is a new version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="consent_documents")
    locale = models.CharField(max_length=5)
    version = models.PositiveIntegerField()
    body = models.TextField(help_text="Markdown")
    sha256 = models.CharField(max_length=64)
    purposes = ArrayField(models.CharField(max_length=40))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "locale", "version"], name="consent_document_version"
            ),
        ]


class ConsentRecord(models.Model):
    """An annotator's answer to a consent document. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="consent_records"
    )
    document = models.ForeignKey(ConsentDocument, on_delete=models.PROTECT)
    granted = models.BooleanField()
    purposes = ArrayField(models.CharField(max_length=40))
    app_version = models.CharField(max_length=40)
    given_at = models.DateTimeField(auto_now_add=True)


class Questionnaire(models.Model):
    """The questions before work. Never changes; new questions are a new version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="questionnaires")
    version = models.PositiveIntegerField()
    questions = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="questionnaire_version"),
        ]


class Answer(models.Model):
    """One answer of one annotator; `prefer_not_to_say` is a value, a missing row is missing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="answers")
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT)
    key = models.SlugField(max_length=60)
    value = models.CharField(max_length=200)
    answered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "questionnaire", "key"], name="answer_once"
            ),
        ]

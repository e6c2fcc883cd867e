"""Consent and questionnaire: versioned documents, and what people answered to them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from studies.models.enrolment import Enrolment
from studies.models.study import Study


class ConsentDocument(models.Model):
    """One consent text in one interface language. Never changes; a new text is a new version.

    One with a `country` is for its cohorts alone, who then read no other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="consent_documents")
    country = models.CharField(
        max_length=2, blank=True, db_default="", help_text="ISO 3166-1 alpha-2; empty: any"
    )
    locale = models.CharField(max_length=5)
    version = models.PositiveIntegerField()
    body = models.TextField(help_text="Markdown")
    sha256 = models.CharField(max_length=64)
    purposes = ArrayField(
        models.CharField(max_length=40), help_text="asked apart, each with a yes or a no"
    )
    asks = models.JSONField(
        default=dict, help_text="purpose -> the study's own words for it, in this language"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "country", "locale", "version"], name="consent_document_version"
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"),
                name="consent_document_country",
            ),
        ]


class ConsentRecord(models.Model):
    """An annotator's answer to one purpose of a consent document. Append-only.

    The newest record of a purpose counts: `Enrolment.purposes` holds those that were agreed to, and
    the database keeps it in step with these rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="consent_records"
    )
    document = models.ForeignKey(ConsentDocument, on_delete=models.PROTECT)
    purpose = models.CharField(max_length=40)
    granted = models.BooleanField()
    app_version = models.CharField(max_length=40)
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # So that one of a purpose's records is the newest.
            models.UniqueConstraint(
                fields=["enrolment", "purpose", "given_at"], name="consent_record_one_at_a_time"
            ),
        ]


class Questionnaire(models.Model):
    """The questions before work. Never changes; new questions are a new version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="questionnaires")
    version = models.PositiveIntegerField()
    questions = models.JSONField(help_text="as studies.questions writes them")
    sections = models.JSONField(default=dict, help_text="section -> title by language, shuffle")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="questionnaire_version"),
        ]


class GivenAnswer(models.Model):
    """One answer of one annotator to one question, as it was shown.

    `value` is a text, a number, or a list of option values; `prefer_not_to_say` is a value, None
    means left empty, and a row that is missing means not asked. `offered` are the options in the
    order in which they stood on the page, `place` is the question's place on it, from 0.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="%(class)ss")
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT)
    key = models.SlugField(max_length=60)
    value = models.JSONField(null=True)
    offered = ArrayField(models.CharField(max_length=200), null=True)
    place = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class Answer(GivenAnswer):
    """An answer to a question that is not sensitive."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "questionnaire", "key"], name="answer_once"
            ),
        ]


class SensitiveAnswer(GivenAnswer):
    """An answer to a sensitive question: kept apart, and only with the consent for it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "questionnaire", "key"], name="sensitive_answer_once"
            ),
        ]

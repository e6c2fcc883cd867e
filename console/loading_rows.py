"""Writes the rows of a study file that was checked before. Only `console.loading` calls this."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Case, F, PositiveIntegerField, Q, Value, When
from django.utils import timezone

from annotation.models import Assignment, PromptCell
from console.loading_quotas import write_quotas
from console.study_file import CohortEntry, ConsentEntry, PlanEntry, PromptEntry, StudyFile
from console.study_reading import Reading
from sampling import plans as plan_bodies
from sampling.canonical import fingerprint, fingerprint_text
from sampling.models import Arm, Endpoint, Plan, PlanEndpoint
from studies.models import (
    Cohort,
    ConsentDocument,
    Invitation,
    Prompt,
    PromptText,
    Questionnaire,
    Study,
    StudyVersion,
)
from studies.questions import as_json
from studies.rules import in_language

# Where the name of an interface language differs from the language of the data.
LOCALES = {"pt": "pt-br"}
_random = secrets.SystemRandom()


def write_rows(study: Study, reading: Reading) -> StudyVersion:
    """Write everything that differs from what is there; returns the study's new version."""
    file = reading.file
    consent = _write_consent(study, file)
    questionnaire = _write_questionnaire(study, file)
    plans = _write_plans(study, file, _write_endpoints(file))
    cohorts = _write_cohorts(study, file.cohorts)
    write_quotas(study, file.quotas, cohorts)
    for entry in file.cohorts:
        _write_arms(cohorts[entry.slug], entry, plans)
    _write_cells(study, cohorts.values(), _write_prompts(study, file.prompts), file.overlap)
    return StudyVersion.objects.create(
        study=study,
        n=_next(study.versions.order_by("-n").values_list("n", flat=True)),
        body={
            **file.rules(),
            "cohorts": [entry.slug for entry in file.cohorts],  # in the order of the file
            "consent_version": consent,
            "questionnaire_version": questionnaire,
        },
        source=reading.text,
        sha256=fingerprint_text(reading.text),
    )


def _next(newest_first: Iterable[int]) -> int:
    return next(iter(newest_first), 0) + 1


def _write_consent(study: Study, file: StudyFile) -> int:
    """Returns the number of the version that says what the file says."""
    documents = ConsentDocument.objects.filter(study=study)
    following = _next(documents.order_by("-version").values_list("version", flat=True))
    wanted = _consent_texts(file.consent)
    newest = documents.filter(version=following - 1)
    purposes = file.consent.purposes
    if {(row.country, row.locale): (row.body, row.asks, row.purposes) for row in newest} == {
        place: (body, asks, purposes) for place, (body, asks) in wanted.items()
    }:
        return following - 1
    ConsentDocument.objects.bulk_create(
        ConsentDocument(
            study=study,
            country=country,
            locale=locale,
            version=following,
            body=body,
            sha256=fingerprint({"body": body, "purposes": purposes, "asks": asks}),
            purposes=purposes,
            asks=asks,
        )
        for (country, locale), (body, asks) in wanted.items()
    )
    return following


def _consent_texts(consent: ConsentEntry) -> dict[tuple[str, str], tuple[str, dict[str, str]]]:
    """Country ("" for any) and interface language -> the text, and the study's own words for
    purposes, where it has any."""
    return {
        (country, LOCALES.get(language, language)): (
            body,
            {
                purpose: in_language(texts, language)
                for purpose, texts in sorted(consent.asks.items())
            },
        )
        for country, bodies in {"": consent.texts, **consent.by_country}.items()
        for language, body in bodies.items()
    }


def _write_questionnaire(study: Study, file: StudyFile) -> int:
    """Returns the number of the version that asks what the file asks."""
    questions = as_json(file.questions())
    sections = {
        one.key: one.model_dump(mode="json", exclude={"key"}, exclude_defaults=True)
        for one in file.questionnaire.sections
    }
    newest = Questionnaire.objects.filter(study=study).order_by("-version").first()
    if newest and (newest.questions, newest.sections) == (questions, sections):
        return newest.version
    version = newest.version + 1 if newest else 1
    Questionnaire.objects.create(
        study=study, version=version, questions=questions, sections=sections
    )
    return version


def _write_endpoints(file: StudyFile) -> dict[str, Endpoint]:
    endpoints = {}
    for entry in file.endpoints:
        fields = entry.model_dump(exclude={"name", "secret", "notice"})
        fields |= {"secret_name": entry.secret or "", "notice": entry.notice or {}}
        if entry.context_length is None:  # then what a probe found stays
            del fields["context_length"]
        endpoints[entry.name], _ = Endpoint.objects.update_or_create(
            name=entry.name, defaults=fields
        )
    return endpoints


def _write_plans(
    study: Study, file: StudyFile, endpoints: Mapping[str, Endpoint]
) -> dict[str, Plan]:
    return {name: _write_plan(study, name, entry, endpoints) for name, entry in file.plans.items()}


def _write_plan(
    study: Study, name: str, entry: PlanEntry, endpoints: Mapping[str, Endpoint]
) -> Plan:
    """The plan's newest version, when it is the same with the same endpoints; else a new one."""
    body = entry.body()
    sha256 = plan_bodies.sha256(body)
    versions = Plan.objects.filter(study=study, version__regex=rf"^{name}\.[0-9]+$")
    newest = max(versions, key=_number, default=None)
    if newest and newest.sha256 == sha256 and _endpoint_names(newest) == entry.endpoints:
        return newest
    plan = Plan.objects.create(
        study=study,
        study_kind=study.kind,
        version=f"{name}.{_number(newest) + 1 if newest else 1}",
        body=plan_bodies.as_json(body),
        sha256=sha256,
    )
    for rank, endpoint_name in enumerate(entry.endpoints):
        endpoint = endpoints[endpoint_name]
        PlanEndpoint.objects.create(
            plan=plan,
            study_kind=study.kind,
            rank=rank,
            endpoint=endpoint,
            endpoint_kind=endpoint.kind,
        )
    return plan


def _number(plan: Plan) -> int:
    return int(plan.version.rpartition(".")[2])


def _endpoint_names(plan: Plan) -> list[str]:
    return list(plan.plan_endpoints.order_by("rank").values_list("endpoint__name", flat=True))


def _write_cohorts(study: Study, entries: Iterable[CohortEntry]) -> dict[str, Cohort]:
    cohorts = {}
    for entry in entries:
        fields = {"country": entry.country, "language": entry.language}
        cohorts[entry.slug], _ = Cohort.objects.update_or_create(
            study=study, slug=entry.slug, defaults=fields
        )
    for left_out in study.cohorts.exclude(slug__in=cohorts):  # of a draft, and empty: checked
        for rows in (PromptCell, Arm, Invitation):
            rows.objects.filter(cohort=left_out).delete()
        left_out.delete()
    return cohorts


def _write_arms(cohort: Cohort, entry: CohortEntry, plans: Mapping[str, Plan]) -> None:
    for arm in entry.arms:
        Arm.objects.update_or_create(
            cohort=cohort,
            name=arm.name,
            defaults={"study": cohort.study, "plan": plans[arm.plan], "share": arm.share},
        )
    for left_out in cohort.arms.exclude(name__in=[arm.name for arm in entry.arms]):
        if Assignment.objects.filter(arm=left_out).exists():
            Arm.objects.filter(pk=left_out.pk).update(share=0)  # drawn no more, and still told of
        else:
            left_out.delete()


def _write_prompts(study: Study, entries: Iterable[PromptEntry]) -> list[Prompt]:
    """The version of each prompt that says what the file says; a changed prompt gets a new one."""
    stored = Prompt.objects.filter(study=study).prefetch_related("texts").order_by("version")
    newest = {prompt.key: prompt for prompt in stored}
    prompts, added, texts = [], [], []
    for entry in entries:
        prompt = newest.get(entry.key)
        if prompt is None or _said_by(prompt) != (entry.category, entry.messages()):
            version = prompt.version + 1 if prompt else 1
            prompt = Prompt(study=study, key=entry.key, version=version, category=entry.category)
            added.append(prompt)
            texts += _prompt_texts(prompt, entry)
        prompts.append(prompt)
    Prompt.objects.bulk_create(added)
    PromptText.objects.bulk_create(texts)
    return prompts


def _said_by(prompt: Prompt) -> tuple[str, dict[str, Any]]:
    return prompt.category, {text.language: text.messages for text in prompt.texts.all()}


def _prompt_texts(prompt: Prompt, entry: PromptEntry) -> list[PromptText]:
    return [
        PromptText(prompt=prompt, language=language, messages=messages)
        for language, messages in entry.messages().items()
    ]


def _write_cells(
    study: Study, cohorts: Iterable[Cohort], prompts: Iterable[Prompt], overlap: int
) -> None:
    """A cell for each prompt in each cohort; those of other prompts and old versions retire."""
    wanted = {(cohort.pk, prompt.pk) for cohort in cohorts for prompt in prompts}
    cells = PromptCell.objects.filter(study=study)
    stored = {(cell.cohort_id, cell.prompt_id): cell.pk for cell in cells}
    kept = [pk for pair, pk in stored.items() if pair in wanted]
    # Where more were already taken than are now wanted, the cell is full.
    room = Case(
        When(Q(taken__gt=overlap), then=F("taken")),
        default=Value(overlap),
        output_field=PositiveIntegerField(),
    )
    cells.filter(pk__in=kept).update(overlap=room, retired_at=None)
    cells.exclude(pk__in=kept).filter(retired_at=None).update(retired_at=timezone.now())
    PromptCell.objects.bulk_create(
        PromptCell(
            study=study,
            cohort_id=cohort_id,
            prompt_id=prompt_id,
            overlap=overlap,
            shuffle_key=_random.random(),
        )
        for cohort_id, prompt_id in sorted(wanted - stored.keys(), key=str)
    )

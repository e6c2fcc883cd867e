"""What a study file may not change about rows that are there, with the line that tries to."""

from collections.abc import Iterator

from annotation.models import Assignment
from console.marked_yaml import Problem
from console.study_file import EndpointEntry
from console.study_reading import InvalidStudyFile, Reading
from sampling.models import CandidateSet, Endpoint, Plan
from studies.models import Cohort, Enrolment, Study


def check_against_rows(reading: Reading, study: Study | None) -> None:
    """Raise InvalidStudyFile with every change that the rows cannot take; `study` None is new."""
    problems = list(_endpoint_problems(reading, study))
    if study is not None:
        problems += [*_kind_problems(reading, study), *_cohort_problems(reading, study)]
    if problems:
        raise InvalidStudyFile(problems)


def _kind_problems(reading: Reading, study: Study) -> Iterator[Problem]:
    if reading.file.kind != study.kind:
        wrong = f"the study was made as kind {study.kind}, which never changes"
        yield reading.problem(("kind",), wrong, "give the new study a name of its own")


def _cohort_problems(reading: Reading, study: Study) -> Iterator[Problem]:
    entries = {entry.slug: (at, entry) for at, entry in enumerate(reading.file.cohorts)}
    for cohort in study.cohorts.all():
        used = study.state != Study.State.DRAFT or _has_people(cohort)
        at, entry = entries.get(cohort.slug, (0, None))
        if entry is None and used:
            wrong = f"cohort {cohort.slug} is missing, and people may be in it"
            yield reading.problem(("cohorts",), wrong, "put it back; close the study to end it")
        if entry is None or not used:
            continue
        for field in ("country", "language"):
            if getattr(entry, field) != getattr(cohort, field):
                wrong = f"is {getattr(cohort, field)} for good since the study left draft"
                yield reading.problem(("cohorts", at, field), wrong, "add another cohort")


def _has_people(cohort: Cohort) -> bool:
    people = Enrolment.objects.filter(cohort=cohort)
    return people.exists() or Assignment.objects.filter(cohort=cohort).exists()


def _endpoint_problems(reading: Reading, study: Study | None) -> Iterator[Problem]:
    """An endpoint's name means one model for good, once sets may have been made with it."""
    rows = Endpoint.objects.in_bulk(field_name="name")
    for at, entry in enumerate(reading.file.endpoints):
        row = rows.get(entry.name)
        if row is None or _means(entry) == (row.kind, row.serves, row.model, row.revision):
            continue
        if _is_taken(row, study):
            wrong = f"{entry.name} is already {row.model} {row.revision}".rstrip()
            todo = "give the other model an endpoint of its own name"
            yield reading.problem(("endpoints", at), wrong, todo)


def _means(entry: EndpointEntry) -> tuple[str, str, str, str]:
    return entry.kind, entry.serves, entry.model, entry.revision


def _is_taken(endpoint: Endpoint, study: Study | None) -> bool:
    """Whether another study, a frozen plan or a candidate set relies on what the endpoint is."""
    plans = Plan.objects.filter(plan_endpoints__endpoint=endpoint)
    others = plans.exclude(study=study) if study else plans
    return (
        others.exists()
        or plans.filter(frozen_at__isnull=False).exists()
        or CandidateSet.objects.filter(plan__in=plans).exists()
    )

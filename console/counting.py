"""The numbers on the console's first page: people, conversations and comparisons per cohort."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotation.models import Assignment, Comparison
from sampling.models import CandidateSet
from studies.access import join_url, open_token
from studies.models import Cohort, Enrolment, Researcher, Study, StudyVersion
from studies.rules import in_language

STATES_IN_WORDS = {
    Study.State.DRAFT: _("draft"),
    Study.State.REHEARSED: _("rehearsed"),
    Study.State.OPEN: _("open"),
    Study.State.PAUSED: _("paused"),
    Study.State.CLOSED: _("closed"),
}
ARRIVED_NOWHERE = {Enrolment.State.NO_CONSENT, Enrolment.State.CONSENTED}


@dataclass
class CohortCounts:
    """One row of the table."""

    cohort: Cohort
    people: Counter[str] = field(default_factory=Counter)
    assignments: Counter[str] = field(default_factory=Counter)
    comparisons: int = 0

    @property
    def join_url(self) -> str:
        """The cohort's open link."""
        return join_url(open_token(self.cohort))

    @property
    def enrolled(self) -> int:
        return sum(n for state, n in self.people.items() if state not in ARRIVED_NOWHERE)

    @property
    def complete(self) -> int:
        return self.people[Enrolment.State.COMPLETE]

    @property
    def withdrawn(self) -> int:
        return self.people[Enrolment.State.WITHDRAWN]

    @property
    def open_conversations(self) -> int:
        return self.assignments[Assignment.State.OPEN]

    @property
    def finished_conversations(self) -> int:
        return self.assignments[Assignment.State.SUBMITTED]


@dataclass
class StudyCounts:
    """A study with its cohorts; `counted_at` is when the numbers were true."""

    study: Study
    title: str
    cohorts: list[CohortCounts]
    sets: Counter[str]
    counted_at: datetime

    @property
    def state_in_words(self) -> str:
        return str(STATES_IN_WORDS[Study.State(self.study.state)])

    @property
    def comparisons(self) -> int:
        return sum(row.comparisons for row in self.cohorts)

    @property
    def sets_waiting(self) -> int:
        return self.sets[CandidateSet.State.PENDING] + self.sets[CandidateSet.State.GENERATING]

    @property
    def sets_failed(self) -> int:
        return self.sets[CandidateSet.State.FAILED]


def count_studies(researcher: Researcher, *, language: str) -> list[StudyCounts]:
    """The researcher's studies, newest first, in six queries however many there are.

    The title is in the interface's language where the study has it, else in English.
    """
    studies = list(Study.objects.filter(memberships__researcher=researcher).order_by("-created_at"))
    titles = find_titles(studies)
    cohorts = count_cohorts(studies)
    sets = count_sets(studies)
    now = timezone.now()
    return [
        StudyCounts(
            study=study,
            title=in_language(titles.get(study.pk, {}), language) or study.slug,
            cohorts=[row for row in cohorts if row.cohort.study_id == study.pk],
            sets=sets[study.pk],
            counted_at=now,
        )
        for study in studies
    ]


def count_cohorts(studies: Iterable[Study]) -> list[CohortCounts]:
    rows = {
        cohort.pk: CohortCounts(cohort)
        for cohort in Cohort.objects.filter(study__in=studies).order_by("slug")
    }
    people = Enrolment.objects.filter(cohort__in=rows).values_list("cohort_id", "state")
    for cohort, state, n in people.annotate(n=Count("pk")):
        rows[cohort].people[state] = n
    assignments = Assignment.objects.filter(cohort__in=rows).values_list("cohort_id", "state")
    for cohort, state, n in assignments.annotate(n=Count("pk")):
        rows[cohort].assignments[state] = n
    comparisons = Comparison.objects.filter(
        superseded_at=None, conversation__assignment__cohort__in=rows
    ).values_list("conversation__assignment__cohort_id")
    for cohort, n in comparisons.annotate(n=Count("pk")):
        rows[cohort].comparisons = n
    return list(rows.values())


def count_sets(studies: Iterable[Study]) -> dict[UUID, Counter[str]]:
    counts: dict[UUID, Counter[str]] = {study.pk: Counter() for study in studies}
    states = CandidateSet.objects.filter(study__in=studies).values_list("study_id", "state")
    for study, state, n in states.annotate(n=Count("pk")):
        counts[study][state] = n
    return counts


def find_titles(studies: Iterable[Study]) -> dict[UUID, dict[str, str]]:
    """The titles of each study's newest version, by language."""
    newest = StudyVersion.objects.filter(study__in=studies).order_by("study", "-n")
    titles = newest.distinct("study").values_list("study_id", "body__title")
    return {study: title or {} for study, title in titles}

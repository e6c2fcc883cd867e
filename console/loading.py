"""Rows from a study file: everything is checked, then everything is written, in one transaction.

Nothing that was once written changes its meaning. A prompt, a plan, a consent text or a
questionnaire that differs from its newest version becomes a new version; what is no longer in the
file is retired, and never deleted once the study has left draft.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from annotation.models import PromptCell
from console import opening, study_reading
from console.loading_checks import check_against_rows
from console.loading_rows import write_rows
from console.study_changes import changes
from console.study_reading import InvalidStudyFile, Reading
from studies import auditing, launching
from studies.access import invite_by_panel, invite_openly
from studies.models import QuotaCell, Study, StudyVersion

State = Study.State
LAYOUT_ONLY = "only comments or layout differ"


class ChangeRefused(Exception):
    """The study is no draft, and the file differs. `changes` has a line for each difference."""

    def __init__(self, study: Study, differences: list[str]) -> None:
        super().__init__(f"{study.slug} is {study.state}")
        self.study = study
        self.changes = differences


@dataclass(frozen=True)
class Loaded:
    """What loading did. `version` is None when there was nothing to write."""

    study: Study
    version: StudyVersion | None
    changes: list[str]


@transaction.atomic
def load(*, source: bytes, by: str, apply: bool = False) -> Loaded:
    """Make the database say what the study file says. Loading the same file again changes nothing.

    A study that is no draft takes a changed file only with `apply`: it is paused, gets its new
    versions and is opened again, if it was open. Raises InvalidStudyFile for a file that cannot be
    loaded, ChangeRefused without `apply` and for a closed study. Locks the study's row.
    """
    reading = study_reading.read(source)
    _take_turns(reading.file.study)
    study = Study.objects.select_for_update(of=("self",)).filter(slug=reading.file.study).first()
    differences = _differences(study, reading)
    if study is not None and _may_rest(study, differences, apply=apply):
        _renew_links(study)
        return Loaded(study, None, [])
    if study is not None and not _may_change(study, apply=apply):
        raise ChangeRefused(study, differences)
    check_against_rows(reading, study)
    if study is None:
        study = Study.objects.create(slug=reading.file.study, kind=reading.file.kind)
    return _write(study=study, reading=reading, differences=differences, by=by)


def source_of(slug: str) -> str:
    """The newest study file of a study, as it was loaded; raises StudyVersion.DoesNotExist."""
    return StudyVersion.objects.filter(study__slug=slug).latest("n").source


def _differences(study: Study | None, reading: Reading) -> list[str]:
    newest = study.versions.order_by("-n").first() if study else None
    if newest is None:
        return ["a new study"]
    if newest.source == reading.text:
        return []
    try:
        before = study_reading.read(newest.source.encode()).file
    except InvalidStudyFile:
        return ["the stored file is of an older form"]
    return changes(before, reading.file) or [LAYOUT_ONLY]


def _may_rest(study: Study, differences: list[str], *, apply: bool) -> bool:
    """Whether there is nothing to write: for other layout alone no study that runs is disturbed."""
    is_draft = study.state == State.DRAFT
    return not differences or (differences == [LAYOUT_ONLY] and not is_draft and not apply)


def _may_change(study: Study, *, apply: bool) -> bool:
    return study.state == State.DRAFT or (apply and study.state != State.CLOSED)


def _write(*, study: Study, reading: Reading, differences: list[str], by: str) -> Loaded:
    was_open = study.state == State.OPEN
    if was_open:
        _hold_cells(study)
        launching.pause(study=study, by=by, reason="a changed study file")
    version = write_rows(study, reading)
    if study.state == State.REHEARSED:
        launching.send_back(study=study, by=by, reason="a changed study file")
    if was_open:
        opening.reopen(study=study, by=by, reason="a changed study file")
    _renew_links(study)
    payload = {"version": version.n, "sha256": version.sha256, "changes": differences}
    auditing.record(by=by, action="study.load", on=f"study:{study.slug}", payload=payload)
    return Loaded(study, version, differences)


def _hold_cells(study: Study) -> None:
    """Lock the cells before the audit's chain, as everybody does who leaves: no deadlock."""
    prompts = PromptCell.objects.filter(study=study)
    quotas = QuotaCell.objects.filter(quota_set__study=study)
    for cells in (prompts, quotas):
        locked = cells.order_by("pk").select_for_update(of=("self",), no_key=True)
        list(locked.values_list("pk", flat=True))


def _take_turns(slug: str) -> None:
    """Let a second load of a study wait for the first, also while the study has no row to lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"load:{slug}"])


def _renew_links(study: Study) -> None:
    """Each cohort's links work, also after the site's secret has changed."""
    newest = study.versions.order_by("-n").values_list("body__panels", flat=True).first()
    for cohort in study.cohorts.all():
        invite_openly(cohort)
        for panel in newest or {}:
            invite_by_panel(cohort, panel)

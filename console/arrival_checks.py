"""What is wrong in a study file between its fields about arriving: pay, limits, panels, quotas."""

from collections.abc import Iterator, Mapping

from console.arrival_fields import PanelEntry, foreign_addresses
from console.marked_yaml import Path
from console.quota_fields import Criteria, QuotaEntry
from console.study_file import StudyFile
from studies.panels import PRESETS
from studies.questions import REFUSED
from studies.quotas import EVERYBODY, OTHERS

Fault = tuple[Path, str, str]


def arrival_faults(file: StudyFile) -> Iterator[Fault]:
    """Each with its place in the file, what is wrong, and what to do."""
    yield from _pay_faults(file)
    yield from _limit_faults(file)
    for name, entry in (file.panels or {}).items():
        yield from _panel_faults(name, entry)
    yield from _quota_faults(file)


def _pay_faults(file: StudyFile) -> Iterator[Fault]:
    if file.pay is None:
        return
    if file.minutes is None:
        wrong = "people must be told what an hour is paid, and nothing says how long it takes"
        yield ("pay",), wrong, "add a line `minutes: ...` for a sitting"
    for country in file.pay.by_country or {}:
        yield from _unknown_country(file, ("pay", "by_country", country), country)


def _unknown_country(file: StudyFile, path: Path, country: str) -> Iterator[Fault]:
    countries = {cohort.country for cohort in file.cohorts}
    if country not in countries:
        known = ", ".join(sorted(countries))
        yield path, f"no cohort is in {country}", f"use one of: {known}"


def _limit_faults(file: StudyFile) -> Iterator[Fault]:
    if file.limits is None:
        return
    a_day, in_all = file.limits.per_day, file.limits.per_person
    days = max(1, file.sitting_hours // 24)
    if a_day is not None and a_day * days < file.conversations:
        wrong = f"{file.conversations} conversations cannot be done in {file.sitting_hours} hours"
        yield ("limits", "per_day"), wrong, "raise it, or sitting_hours"
    if in_all is not None and in_all < file.conversations:
        wrong = f"is less than the {file.conversations} conversations of one sitting"
        yield ("limits", "per_person"), wrong, "raise it, or lower conversations"


def _panel_faults(name: str, entry: PanelEntry) -> Iterator[Fault]:
    preset = PRESETS[name]
    for place, address in foreign_addresses(name, entry).items():
        host = entry.host or preset.host
        wrong = f"{address!r} is no https address of {host or 'a host that is named'}"
        yield ("panels", name, *place), wrong, "use the panel's own address, and say its `host`"
    said = {*preset.codes, *(entry.codes or {}), *(entry.urls or {})}
    if "complete" not in said:
        wrong = "nothing says what people go back with who complete"
        yield ("panels", name), wrong, "add `codes: {complete: ...}`"


def _quota_faults(file: StudyFile) -> Iterator[Fault]:
    offered = _offered(file)
    names: dict[str, int] = {}
    taken: dict[str, str] = {}
    for at, entry in enumerate(file.quotas):
        path: Path = ("quotas", at)
        if names.setdefault(entry.called, at) != at:
            yield path, f"{entry.called!r} names a quota already", "give each its own `name`"
        yield from _unknown_country(file, (*path, "country"), entry.country)
        yield from _cohort_faults(file, path, entry, taken)
        yield from _cell_faults(path, entry, offered)


def _cohort_faults(
    file: StudyFile, path: Path, entry: QuotaEntry, taken: dict[str, str]
) -> Iterator[Fault]:
    """`taken` has the quota of each cohort that was seen before, and is added to."""
    here = {cohort.slug for cohort in file.cohorts if cohort.country == entry.country}
    for slug in entry.cohorts or sorted(here):
        if slug not in here:
            wrong = f"no cohort of {entry.country} is named {slug!r}"
            yield (*path, "cohorts"), wrong, f"use one of: {', '.join(sorted(here))}"
        elif taken.setdefault(slug, entry.called) != entry.called:
            wrong = f"cohort {slug} is in quota {taken[slug]!r} already"
            yield path, wrong, "name the `cohorts` of each quota"


def _cell_faults(path: Path, entry: QuotaEntry, offered: Mapping[str, set[str]]) -> Iterator[Fault]:
    names: set[str] = {EVERYBODY, OTHERS}
    kinds: list[Criteria] = []
    for at, cell in enumerate(entry.cells):
        here: Path = (*path, "cells", at)
        if cell.name in names:
            yield (*here, "name"), f"{cell.name!r} is a cell already", "give each its own name"
        if cell.when in kinds:
            yield (*here, "when"), "another cell before it is for the same people", "take one out"
        names.add(cell.name)
        kinds.append(cell.when)
    for part in ("cells", "soft"):
        for at, one in enumerate(getattr(entry, part)):
            yield from _criteria_faults((*path, part, at, "when"), one.when, offered)


def _criteria_faults(
    path: Path, criteria: Criteria, offered: Mapping[str, set[str]]
) -> Iterator[Fault]:
    for key, values in criteria.items():
        if key not in offered:
            known = ", ".join(sorted(offered)) or "none is asked"
            yield (*path, key), f"no question has the key {key!r}", f"use one of: {known}"
            continue
        for value in values:
            if value not in offered[key]:
                known = ", ".join(sorted(offered[key]))
                yield (*path, key), f"{value!r} is no answer to {key}", f"use one of: {known}"


def _offered(file: StudyFile) -> dict[str, set[str]]:
    """The answers that a person may give, by the key of the question or of its bands."""
    offered: dict[str, set[str]] = {}
    for question in file.questionnaire.all_questions():
        if question.sensitive:
            continue  # it is asked when the quota is settled already
        if question.kind in ("single", "multiple"):
            offered[question.key] = {option.value for option in question.options}
        elif question.kind == "number" and question.bands:
            offered[question.bands.key] = {*question.bands.values, REFUSED}
    return offered

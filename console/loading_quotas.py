"""Writes the quotas of a study file as rows. Only `console.loading_rows` calls this.

A cell keeps its meaning: one whose criteria have changed, or that is gone from the file, retires.
It takes nobody any more, and who has a place in it keeps it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Case, F, PositiveIntegerField, Q, Value, When
from django.utils import timezone

from console.quota_fields import QuotaEntry
from studies.models import Cohort, QuotaCell, QuotaSet, Study
from studies.quotas import EVERYBODY, OTHERS


@dataclass(frozen=True)
class Wanted:
    """A cell as the file describes it."""

    name: str
    criteria: dict[str, list[str]]
    target: int | None


def write_quotas(
    study: Study, entries: Iterable[QuotaEntry], cohorts: Mapping[str, Cohort]
) -> None:
    """Make the quotas those of the file, and lead each cohort to its own."""
    sets = {entry.called: (entry, _write_set(study, entry)) for entry in entries}
    for cohort in cohorts.values():
        own = next((row for entry, row in sets.values() if _is_for(entry, cohort)), None)
        if cohort.quota_set_id != (own.pk if own else None):
            cohort.quota_set = own
            cohort.save(update_fields=["quota_set"])


def _is_for(entry: QuotaEntry, cohort: Cohort) -> bool:
    if entry.cohorts is not None:
        return cohort.slug in entry.cohorts
    return cohort.country == entry.country


def _write_set(study: Study, entry: QuotaEntry) -> QuotaSet:
    moved = QuotaSet.objects.filter(study=study, name=entry.called).exclude(country=entry.country)
    Cohort.objects.filter(quota_set__in=moved).update(quota_set=None)
    row, _ = QuotaSet.objects.update_or_create(
        study=study,
        name=entry.called,
        defaults={
            "country": entry.country,
            "lease_minutes": entry.lease_minutes,
            "soft": [
                {"name": soft.name, "criteria": soft.when, "target": soft.target}
                for soft in entry.soft
            ],
        },
    )
    _write_cells(row, _wanted(entry))
    return row


def _wanted(entry: QuotaEntry) -> list[Wanted]:
    """The cells of the file in their order, and last the one of everybody who fits none."""
    cells = [Wanted(cell.name, cell.when, cell.target) for cell in entry.cells]
    if entry.everybody is not None:
        cells.append(Wanted(EVERYBODY, {}, entry.everybody))
    return [*cells, Wanted(OTHERS, {}, None)]


def _write_cells(quota_set: QuotaSet, wanted: list[Wanted]) -> None:
    current = {cell.name: cell for cell in quota_set.cells.filter(retired_at=None)}
    kept = {
        one.name: current[one.name]
        for one in wanted
        if one.name in current and current[one.name].criteria == one.criteria
    }
    _retire([cell for name, cell in current.items() if name not in kept])
    for position, one in enumerate(wanted):
        if one.name in kept:
            room = _room(one.target)
            QuotaCell.objects.filter(pk=kept[one.name].pk).update(position=position, target=room)
        else:
            QuotaCell.objects.create(
                quota_set=quota_set,
                name=one.name,
                position=position,
                criteria=one.criteria,
                target=one.target,
            )


def _room(target: int | None) -> Case | None:
    """The target; where more people than that are in it already, the cell is full."""
    if target is None:
        return None
    return Case(
        When(Q(taken__gt=target), then=F("taken")),
        default=Value(target),
        output_field=PositiveIntegerField(),
    )


def _retire(cells: Iterable[QuotaCell]) -> None:
    for cell in cells:
        if cell.places.exists():
            QuotaCell.objects.filter(pk=cell.pk).update(retired_at=timezone.now())
        else:
            cell.delete()

"""The figures of a run: for each endpoint, way and language what became of its sets.

Shares come with Wilson's interval (E. B. Wilson, JASA 22, 1927), which holds for a handful of sets
as for hundreds; amounts come with their median and their whole range. Distances are of wording:
they say nothing about values, and rank no way of making sets.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from sampling.models import LabSet

Z = 1.959964  # 95 per cent, both sides


@dataclass(frozen=True)
class Share:
    """`count` of `n`, with the 95% interval of the share; n is never 0."""

    count: int
    n: int

    @property
    def share(self) -> float:
        return self.count / self.n

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.count, self.n)


@dataclass(frozen=True)
class Amount:
    """The median of n values and their range; n is never 0."""

    values: tuple[float, ...]

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def range(self) -> tuple[float, float]:
        return min(self.values), max(self.values)


@dataclass(frozen=True)
class Outcome:
    """What became of one set, as far as figures need it."""

    endpoint: str
    simulated: bool
    way: str
    language: str
    ready: bool
    reason: str | None
    judged: bool
    language_fault: bool
    seconds: float | None
    wording: float | None
    words: tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """The finished sets of one way in one language on one endpoint.

    None where nothing was measured: no set was ready, or the guard saw none.
    """

    endpoint: str
    simulated: bool
    way: str
    language: str
    ready: Share
    endpoint_failed: int
    language_faults: Share | None
    wording: Amount | None
    words: Amount | None
    seconds: Amount | None


def wilson(count: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share of n > 0."""
    share, spread = count / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def of_sets(sets: QuerySet[LabSet]) -> list[Group]:
    """The groups of those sets that are over, in the order of endpoint, way and language.

    One query, which brings figures and no texts.
    """
    rows = sets.filter(state__in=LabSet.OVER).order_by("place")
    names = ["endpoint__name", "endpoint__kind", "way", "language", "state"]
    paths = ["reason", "guard", "seconds", "diversity"]
    listed = rows.values(*names, *(f"result__{path}" for path in paths))
    return groups(_outcome(row) for row in listed)


def groups(outcomes: Iterable[Outcome]) -> list[Group]:
    """The outcomes by endpoint, way and language, each in the order of its first appearance."""
    by: dict[tuple[str, str, str], list[Outcome]] = {}
    for one in outcomes:
        by.setdefault((one.endpoint, one.way, one.language), []).append(one)
    order = [list(dict.fromkeys(key[part] for key in by)) for part in range(3)]
    keys = sorted(by, key=lambda key: [order[part].index(key[part]) for part in range(3)])
    return [_group(by[key]) for key in keys]


def _group(sets: Sequence[Outcome]) -> Group:
    first, n = sets[0], len(sets)
    ready = [one for one in sets if one.ready]
    judged = [one for one in sets if one.judged]
    faults = sum(one.language_fault for one in judged)
    return Group(
        endpoint=first.endpoint,
        simulated=first.simulated,
        way=first.way,
        language=first.language,
        ready=Share(len(ready), n),
        endpoint_failed=n - len(judged),
        language_faults=Share(faults, len(judged)) if judged else None,
        wording=_amount(one.wording for one in ready),
        words=_amount(count for one in ready for count in one.words),
        seconds=_amount(one.seconds for one in ready),
    )


def _amount(values: Iterable[float | None]) -> Amount | None:
    there = tuple(value for value in values if value is not None)
    return Amount(there) if there else None


def _outcome(row: Mapping[str, Any]) -> Outcome:
    diversity, guard = row["result__diversity"] or {}, row["result__guard"]
    return Outcome(
        endpoint=row["endpoint__name"],
        simulated=row["endpoint__kind"] == "simulated",
        way=row["way"],
        language=row["language"],
        ready=row["state"] == LabSet.State.READY,
        reason=row["result__reason"],
        judged=guard is not None,
        language_fault=_language_fault(guard or {}),
        seconds=row["result__seconds"],
        wording=diversity.get("distance"),
        words=tuple(diversity.get("words", ())),
    )


# The guard's measures of a text in another language, whole or in a word.
OF_LANGUAGE = frozenset({"language", "foreign_script"})


def _language_fault(guard: Mapping[str, Any]) -> bool:
    """Whether any round of the set had a text in another language, repaired ones included."""
    rounds = [guard, *guard.get("earlier", ())]
    found = [finding["measure"] for one in rounds for finding in one.get("findings", ())]
    return not OF_LANGUAGE.isdisjoint(found)

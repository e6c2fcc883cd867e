"""One row of the benchmark, the table people read, and the file programs read."""

import json
import math
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

LATEST = Path("var/bench/latest.json")
REPORTED = "reported"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured figure; `ratio` is figure over limit, `ok` is None when the range spans it."""

    row: str
    figure: float
    unit: str
    reach: str
    ok: bool | None
    limit: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None


def bounded(*, row: str, figure: float, unit: str, at_most: float) -> Row:
    """A figure against a fixed bound."""
    return Row(
        row=row,
        figure=round(figure, 3),
        unit=unit,
        reach=f"<= {at_most:g} {unit}",
        ok=figure <= at_most,
    )


def reported(*, row: str, figure: float, unit: str, limit: float | None = None) -> Row:
    """A figure that has nothing to reach."""
    return Row(
        row=row,
        figure=round(figure, 3),
        unit=unit,
        reach=REPORTED,
        ok=None,
        limit=None if limit is None else round(limit, 3),
        ratio=None if limit is None else round(figure / limit, 3),
    )


def beside_limit(
    *,
    row: str,
    unit: str,
    ours: Sequence[float],
    limits: Sequence[float],
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    """Figures of alternating rounds, each beside the limit taken next to it: the median ratio.

    With both bounds it has to lie between them; with neither it is only reported.
    """
    ratios = [mine / limit for mine, limit in zip(ours, limits, strict=True)]
    low, high = min(ratios), max(ratios)
    above, below = at_least or 0.0, math.inf if at_most is None else at_most
    good, bad = above <= low and high <= below, high < above or low > below
    if at_least is None and at_most is None:
        good = False
    return Row(
        row=row,
        figure=round(median(ours), 3),
        unit=unit,
        reach=_reach(at_least, at_most),
        ok=True if good else False if bad else None,
        limit=round(median(limits), 3),
        ratio=round(median(ratios), 3),
        spread=(round(low, 3), round(high, 3)),
    )


def _reach(at_least: float | None, at_most: float | None) -> str:
    bounds = [f">= {at_least:g}"] if at_least is not None else []
    bounds += [f"<= {at_most:g}"] if at_most is not None else []
    return f"{', '.join(bounds)} x" if bounds else REPORTED


def write(rows: Sequence[Row]) -> None:
    """Replace var/bench/latest.json."""
    LATEST.parent.mkdir(parents=True, exist_ok=True)
    body = {"machine": machine(), "commit": commit(), "rows": [asdict(row) for row in rows]}
    LATEST.write_text(json.dumps(body, indent=2) + "\n")


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def line(row: Row) -> str:
    """The row as one line of the table."""
    verdict = {True: "ok", False: "MISSED", None: "unclear"}[row.ok]
    if row.reach == REPORTED:
        verdict = ""
    beside = "" if row.limit is None else f"limit {row.limit:g}"
    ratio = "" if row.ratio is None else f"{row.ratio:g} x {row.spread or ''}"
    return (
        f"{row.row:<34} {row.figure:>10g} {row.unit:<9} {beside:<16} {ratio:<26}"
        f" reach {row.reach:<12} {verdict}"
    )

"""Runs the rows one after the other and prints each as soon as it is there."""

from collections.abc import Callable, Iterator, Sequence

from bench.report import LATEST, Row, line, write
from bench.rows.claims import measure as measure_claims
from bench.rows.comparisons import measure as measure_comparisons
from bench.rows.exports import measure as measure_exports
from bench.rows.guard import measure as measure_guard
from bench.rows.queries import measure as measure_queries
from bench.rows.restart import measure as measure_restart
from bench.rows.streams import measure as measure_streams
from bench.servers import Servers

ROWS: dict[str, Callable[[Servers], Iterator[Row]]] = {
    "queries": measure_queries,
    "claims": measure_claims,
    "guard": measure_guard,
    "export": measure_exports,
    "comparison": measure_comparisons,
    "streams": measure_streams,
    "restart": measure_restart,
}


def run_rows(*, names: Sequence[str], servers: Servers) -> int:
    """Measure the named rows (all when none is named); 0 when none missed its reach, else 1."""
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        print(f"No row {', '.join(unknown)}. There are: {', '.join(ROWS)}.")
        return 2
    measured: list[Row] = []
    for name in names or ROWS:
        for row in ROWS[name](servers):
            measured.append(row)
            print(line(row), flush=True)
    write(measured)
    print(f"Written to {LATEST}.")
    return 1 if any(row.ok is False for row in measured) else 0

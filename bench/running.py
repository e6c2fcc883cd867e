"""Runs the rows one after the other and prints each as soon as it is there."""

from collections.abc import Callable, Iterator, Sequence

from bench.report import LATEST, Row, line, write
from bench.rows import claims, comparisons, exports, queries, restart, streams
from bench.servers import Servers

ROWS: dict[str, Callable[[Servers], Iterator[Row]]] = {
    "queries": queries.measure,
    "claims": claims.measure,
    "export": exports.measure,
    "comparison": comparisons.measure,
    "streams": streams.measure,
    "restart": restart.measure,
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

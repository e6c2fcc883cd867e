"""Runs the rows one after the other and prints each as soon as it is there."""

import traceback
from collections.abc import Callable, Iterator, Sequence

from bench.report import LATEST, Row, line, write
from bench.rows.autosave import measure as measure_autosave
from bench.rows.claims import measure as measure_claims
from bench.rows.comparisons import measure as measure_comparisons
from bench.rows.delivery import measure as measure_delivery
from bench.rows.exports import measure as measure_exports
from bench.rows.first_load import measure as measure_first_load
from bench.rows.first_turns import measure as measure_first_turns
from bench.rows.full_worker import measure as measure_full_worker
from bench.rows.guard import measure as measure_guard
from bench.rows.preemption import measure as measure_preemption
from bench.rows.queries import measure as measure_queries
from bench.rows.queues import measure as measure_queues
from bench.rows.restart import measure as measure_restart
from bench.rows.sets import measure as measure_sets
from bench.rows.slow_phone import measure as measure_slow_phone
from bench.rows.split import measure as measure_split
from bench.rows.streams import measure as measure_streams
from bench.rows.waiting_pages import measure as measure_waiting_pages
from bench.servers import Servers

ROWS: dict[str, Callable[[Servers], Iterator[Row]]] = {
    "queries": measure_queries,
    "claims": measure_claims,
    "guard": measure_guard,
    "export": measure_exports,
    "comparison": measure_comparisons,
    "first-load": measure_first_load,
    "browser": measure_slow_phone,
    "autosave": measure_autosave,
    "streams": measure_streams,
    "full": measure_full_worker,
    "sets": measure_sets,
    "split": measure_split,
    "delivery": measure_delivery,
    "first-turn": measure_first_turns,
    "waiting": measure_waiting_pages,
    "prefetch": measure_preemption,
    "scaling": measure_queues,
    "restart": measure_restart,
}

# Rows that take more than two minutes: only by their names.
LONG = {"prefetch"}


def run_rows(*, names: Sequence[str], servers: Servers) -> int:
    """Measure the named rows (all but the long ones when none is named).

    Returns 0 when none missed its reach, else 1. A row that could not be measured has missed it.
    """
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        print(f"No row {', '.join(unknown)}. There are: {', '.join(ROWS)}.")
        return 2
    measured: list[Row] = []
    for name in names or [name for name in ROWS if name not in LONG]:
        for row in rows_of(name, servers):
            measured.append(row)
            print(line(row), flush=True)
    write(measured)
    print(f"Written to {LATEST}.")
    return 1 if any(row.ok is False for row in measured) else 0


def rows_of(name: str, servers: Servers) -> Iterator[Row]:
    """The rows of a name, up to the one that could not be measured; that one says why."""
    try:
        yield from ROWS[name](servers)
    except Exception as fault:  # noqa: BLE001 whatever ends a row must not end the others
        traceback.print_exc()
        yield Row(row=f"{name}: {fault!r}", figure=0, unit="", reach="a measured figure", ok=False)

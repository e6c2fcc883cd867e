"""The dump against the same SELECT from a bare server-side cursor into Parquet."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from bench.report import Row, beside_limit, bounded
from bench.servers import Servers
from exports.records import TABLES, Table
from exports.synthetic import synthesize
from exports.writing import export_study
from studies.models import Study

SMALL, LARGE = 10_000, 100_000
ROUNDS = 5
# The command, and then its own peak in kB.
EXPORT = """
import sys
from pathlib import Path
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


def measure(servers: Servers) -> Iterator[Row]:
    small = synthesize(seed=1, comparisons=SMALL)
    large = synthesize(seed=2, comparisons=LARGE)
    rows = count(large)
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(rows / bare_seconds(large, servers.database_url))
        ours.append(rows / our_seconds(large))
    yield beside_limit(
        row="export, rows a second", unit="rows/s", ours=ours, limits=bare, at_least=0.5
    )
    more = peak_mb(large) - peak_mb(small)
    yield bounded(row="export, memory over 10,000 rows", figure=more, unit="MB", at_most=60)


def count(study: Study) -> int:
    with tempfile.TemporaryDirectory() as out:
        return sum(export_study(study=study, out=Path(out))["rows"].values())


def our_seconds(study: Study) -> float:
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        export_study(study=study, out=Path(out))
        return time.perf_counter() - started


def bare_seconds(study: Study, database_url: str) -> float:
    with tempfile.TemporaryDirectory() as out, psycopg.connect(database_url) as connection:
        started = time.perf_counter()
        for table in TABLES:
            stream(table, study, connection, Path(out) / f"{table.name}.parquet")
        return time.perf_counter() - started


def stream(
    table: Table, study: Study, connection: "psycopg.Connection[tuple[object, ...]]", file: Path
) -> None:
    writer = pq.ParquetWriter(file, table.schema, compression="zstd", compression_level=9)
    query = f"{table.select} ORDER BY {table.key}"
    with writer, connection.cursor(name="bare") as cursor:
        cursor.execute(query.encode(), {"study": study.pk})
        while rows := cursor.fetchmany(10_000):
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(values, type=field.type)
                for values, field in zip(columns, table.schema, strict=True)
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=table.schema))


def peak_mb(study: Study) -> float:
    """Peak memory of `manage.py export` in a process of its own.

    Asked by the process itself: what wait4 tells starts from the peak of its parent, us.
    """
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-c", EXPORT, "export", "--study", study.slug, "--out", out]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout.split()[-1]) / 1000

"""Writes the tables of a study to files: one consistent read, streamed, with hashes.

Parquet takes rows from a server-side cursor; JSONL is COPY of `row_to_json` over a second
connection that imports the first one's snapshot, so both files see the same instant. Memory stays
flat: a batch of rows, and one row group.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db import connections
from django.utils import timezone
from psycopg import sql

from exports.records import EXCLUSIONS, SCHEMA_VERSION, TABLES, Table
from studies.models import Study

BATCH = 1_000  # rows held in Python at once
ROW_GROUP = 10_000
CHUNK = 1024 * 1024
DJANGOS_OWN = {"context", "cursor_factory"}


class NotEmpty(Exception):
    """The directory holds something already; nothing was written."""


@dataclass(frozen=True)
class Snapshot:
    """A transaction whose view of the database other connections can share."""

    connection: psycopg.Connection[Any]
    name: str


def export_study(*, study: Study, out: Path, force: bool = False) -> dict[str, Any]:
    """Write every table of `study` below `out` and return the manifest, which is written last.

    Raises NotEmpty when `out` holds anything and `force` is not given. A directory without a
    MANIFEST.json is a dump that was not finished.
    """
    if out.exists() and any(out.iterdir()) and not force:
        raise NotEmpty(str(out))
    manifest_file = out / "MANIFEST.json"
    manifest_file.unlink(missing_ok=True)
    with connect() as connection, connection.transaction():
        snapshot = take_snapshot(connection)
        files: list[dict[str, Any]] = []
        for table in TABLES:
            files += write_table(table=table, study=study, snapshot=snapshot, out=out)
        manifest = describe(study=study, files=files, excluded=count_excluded(connection, study))
    manifest_file.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return manifest


def connect() -> psycopg.Connection[Any]:
    """A connection of our own: repeatable read, read only, times in UTC."""
    params = connections["default"].get_connection_params()
    # Django's adapters are left out: they would hand JSON over as text.
    ours = {name: value for name, value in params.items() if name not in DJANGOS_OWN}
    connection = psycopg.connect(**ours, autocommit=True)
    connection.execute("SET TIME ZONE 'UTC'")
    connection.execute("SET default_transaction_isolation TO 'repeatable read'")
    connection.execute("SET default_transaction_read_only TO on")
    return connection


def take_snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    if row is None:
        raise psycopg.OperationalError("the server gave no snapshot")
    return Snapshot(connection=connection, name=row[0])


def write_table(
    *, table: Table, study: Study, snapshot: Snapshot, out: Path
) -> list[dict[str, Any]]:
    """Write one table as Parquet and JSONL side by side; returns what the manifest says of each."""
    parquet = out / "parquet" / f"{table.name}.parquet"
    jsonl = out / "jsonl" / f"{table.name}.jsonl"
    for file in (parquet, jsonl):
        file.parent.mkdir(parents=True, exist_ok=True)
    copying = Copying(table=table, study=study, snapshot=snapshot, file=jsonl)
    copying.start()
    rows = write_parquet(table=table, batches=read(table, study, snapshot), file=parquet)
    copying.finish()
    return [{**about(file, out), "table": table.name, "rows": rows} for file in (parquet, jsonl)]


def read(table: Table, study: Study, snapshot: Snapshot) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table in the order of its key, in batches."""
    with snapshot.connection.cursor(name=f"export_{table.name}") as cursor:
        cursor.itersize = BATCH
        cursor.execute(sql.SQL(ordered(table)), {"study": study.pk})
        while rows := cursor.fetchmany(BATCH):
            yield rows


def ordered(table: Table) -> Any:
    """The table's SELECT in the order of its key: the same rows give the same file."""
    return f"{table.select} ORDER BY {table.key}"


def write_parquet(*, table: Table, batches: Iterator[list[tuple[Any, ...]]], file: Path) -> int:
    """Stream batches of rows into one Parquet file; returns how many rows it has."""
    rows = 0
    held: list[pa.RecordBatch] = []
    with pq.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        compression_level=9,
        write_page_index=True,
        write_page_checksum=True,
    ) as writer:
        for batch in batches:
            held.append(to_arrow(batch, table.schema))
            rows += len(batch)
            if sum(part.num_rows for part in held) >= ROW_GROUP:
                write_row_group(writer, held)
                held = []
        write_row_group(writer, held)
    return rows


def write_row_group(writer: pq.ParquetWriter, held: list[pa.RecordBatch]) -> None:
    if held:
        writer.write_table(pa.Table.from_batches(held), row_group_size=ROW_GROUP)


def to_arrow(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows turned into columns of the declared types; a value of another type raises."""
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class Copying(threading.Thread):
    """COPY of a table's rows as JSON lines, under the snapshot, while Parquet is being written."""

    def __init__(self, *, table: Table, study: Study, snapshot: Snapshot, file: Path) -> None:
        super().__init__(name=f"copy-{table.name}")
        self.table, self.study, self.snapshot, self.file = table, study, snapshot, file
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            self.copy()
        except BaseException as fault:  # noqa: BLE001 raised again by finish(), in the caller's thread
            self.fault = fault

    def copy(self) -> None:
        rows = sql.SQL(ordered(self.table).replace("%(study)s", "{study}")).format(
            study=sql.Literal(str(self.study.pk))
        )
        with connect() as connection, connection.transaction():
            connection.execute(
                sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self.snapshot.name))
            )
            statement = sql.SQL(
                "COPY (SELECT row_to_json(record)::text FROM ({}) AS record) TO STDOUT"
                " WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
            ).format(rows)
            with (
                connection.cursor() as cursor,
                cursor.copy(statement) as copied,
                self.file.open("wb") as file,
            ):
                for block in copied:
                    file.write(block)

    def finish(self) -> None:
        """Wait for the file; raises what went wrong in it."""
        self.join()
        if self.fault is not None:
            raise self.fault


def about(file: Path, out: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(CHUNK):
            digest.update(block)
    return {
        "path": file.relative_to(out).as_posix(),
        "bytes": file.stat().st_size,
        "sha256": digest.hexdigest(),
    }


def count_excluded(connection: psycopg.Connection[Any], study: Study) -> dict[str, int]:
    """How many comparisons are in no file, by reason."""
    cursor = connection.execute(EXCLUSIONS.encode(), {"study": study.pk})
    row = cursor.fetchone()
    columns = [column.name for column in cursor.description or []]
    return dict(zip(columns, row or [], strict=True))


def describe(
    *, study: Study, files: list[dict[str, Any]], excluded: dict[str, int]
) -> dict[str, Any]:
    version = study.versions.order_by("-n").first()
    return {
        "study": study.slug,
        "study_kind": study.kind,
        "study_version": version.n if version else None,
        "schema_version": SCHEMA_VERSION,
        "app_version": settings.VERSION,
        "created_at": timezone.now().astimezone(UTC).isoformat(timespec="seconds"),
        "rows": {file["table"]: file["rows"] for file in files},
        "excluded_comparisons": excluded,
        "files": files,
    }

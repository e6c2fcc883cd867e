"""What a dump holds, and what it never does."""

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from psycopg.types.range import Range

from exports.records import SCHEMA_VERSION, TABLES
from exports.synthetic import synthesize
from exports.writing import NotEmpty, export_study
from studies.models import Study
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def jsonl(out: Path, table: str) -> list[dict[str, Any]]:
    lines = (out / "jsonl" / f"{table}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_every_table_has_the_same_rows_in_both_formats(tmp_path: Path) -> None:
    study = synthesize(seed=1, comparisons=300)

    export_study(study=study, out=tmp_path)

    for table in TABLES:
        arrow = pq.read_table(tmp_path / "parquet" / f"{table.name}.parquet")
        assert arrow.schema.equals(table.schema)
        parsed = jsonl(tmp_path, table.name)
        times = [f.name for f in table.schema if str(f.type).startswith("timestamp")]
        for row, line in zip(arrow.to_pylist(), parsed, strict=True):
            for name in times:
                row[name] = row[name] and pd.Timestamp(row[name])
                line[name] = line[name] and pd.Timestamp(line[name])
            assert row == line


def test_the_manifest_states_counts_and_hashes_of_every_file(tmp_path: Path) -> None:
    study = synthesize(seed=2, comparisons=40)

    manifest = export_study(study=study, out=tmp_path)

    assert manifest == json.loads((tmp_path / "MANIFEST.json").read_text())
    assert manifest["rows"]["comparisons"] == 40
    assert manifest["schema_version"] == SCHEMA_VERSION
    for file in manifest["files"]:
        content = (tmp_path / file["path"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["bytes"] == len(content)


def test_duckdb_and_pandas_read_the_same_judgement(tmp_path: Path) -> None:
    world = factories.world()
    comparison = factories.comparison(factories.turn(world), explanation="Because of family.")
    export_study(study=world.study, out=tmp_path)
    parquet = str(tmp_path / "parquet" / "comparisons.parquet")

    duck = duckdb.execute(f"SELECT comparison_id, explanation FROM '{parquet}'").fetchall()
    frame = pd.read_parquet(parquet)

    assert duck == [(str(comparison.pk), "Because of family.")]
    assert frame.loc[0, "outcome"] == "chosen"
    assert list(frame.loc[0, "display_order"]) == comparison.turn.display_order


def test_the_position_of_the_choice_is_where_the_annotator_saw_it(tmp_path: Path) -> None:
    world = factories.world()
    turn = factories.turn(world, display_order=[2, 0, 3, 1])
    factories.comparison(turn, choice=3)

    export_study(study=world.study, out=tmp_path)

    [row] = jsonl(tmp_path, "comparisons")
    assert (row["chosen_index"], row["chosen_position"]) == (3, 2)
    assert row["candidate_ids"][3] == str(turn.set.candidates.get(slot=3).pk)


def test_marks_say_where_the_annotator_saw_what_they_are_on(tmp_path: Path) -> None:
    world = factories.world()
    turn = factories.turn(world, display_order=[2, 0, 3, 1])
    measured: dict[str, Any] = {"reach": [10, 20, 30, 40], "changes": 1, "viewport": "phone"}
    judged = factories.comparison(turn, choice=3, **measured)
    factories.comparison_mark(judged, slot=1)
    factories.comparison_mark(judged, slot=0, kind="sentence", span=Range(2, 9))
    factories.comparison_mark(judged, slot=None, kind="reason", reason="general-1/tone")

    manifest = export_study(study=world.study, out=tmp_path)

    rows = {row["kind"]: row for row in jsonl(tmp_path, "marks")}
    assert manifest["rows"]["marks"] == 3
    assert (rows["ruled_out"]["slot"], rows["ruled_out"]["position"]) == (1, 3)
    assert (rows["sentence"]["span_start"], rows["sentence"]["span_end"]) == (2, 9)
    assert (rows["reason"]["candidate_id"], rows["reason"]["reason"]) == (None, "general-1/tone")
    [row] = jsonl(tmp_path, "comparisons")
    assert (row["reach"], row["choice_changes"], row["viewport"]) == ([10, 20, 30, 40], 1, "phone")


def test_a_candidate_comes_with_the_call_that_made_it(tmp_path: Path) -> None:
    study = call_that_made_a_candidate()

    export_study(study=study, out=tmp_path)

    row = next(r for r in jsonl(tmp_path, "candidates") if r["generated"])
    assert row["call_messages"] == [{"role": "user", "content": "Should I?"}]
    assert (row["temperature"], row["max_tokens"], row["seed"]) == (0.7, 90, 11)
    assert row["request_id"] == f"{row['set_id']}.1.0"
    assert json.loads(row["params"])["top_p"] == 0.9


def call_that_made_a_candidate() -> Study:
    """A study with one judged set whose first candidate came from a call with known parameters."""
    world = factories.world()
    asked = [factories.user("Should I?")]
    pending = factories.candidate_set(world.plan, context=asked)
    request = {"messages": asked, "temperature": 0.7, "top_p": 0.9, "max_tokens": 90}
    call = factories.model_call(pending, endpoint=world.endpoint, request=request, seed=11)
    factories.make_ready(pending, calls=[call])
    talk = factories.conversation(world, under=factories.assignment(world, own=True))
    turn = factories.turn(world, within=talk, answered_by=pending, message="Should I?")
    factories.comparison(turn)
    return world.study


def test_someone_who_withdrew_is_in_no_file_and_is_counted(tmp_path: Path) -> None:
    world = factories.world()
    gone = factories.judged_turn(world)
    person = gone.conversation.assignment.enrolment
    person.state = "withdrawn"
    person.save(update_fields=["state"])

    manifest = export_study(study=world.study, out=tmp_path)

    assert manifest["rows"] == {"comparisons": 0, "candidates": 0, "marks": 0}
    assert manifest["excluded_comparisons"]["annotator_withdrew"] == 1


def test_only_the_judgement_that_counts_is_exported(tmp_path: Path) -> None:
    world = factories.world()
    first = factories.judged_turn(world)
    first.superseded_at = timezone.now()
    first.save(update_fields=["superseded_at"])
    second = factories.comparison(first.turn, choice=None, revision=2)

    manifest = export_study(study=world.study, out=tmp_path)

    assert [row["comparison_id"] for row in jsonl(tmp_path, "comparisons")] == [str(second.pk)]
    assert manifest["excluded_comparisons"]["superseded_by_a_correction"] == 1


def test_two_dumps_of_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    study = synthesize(seed=3, comparisons=50)

    first = export_study(study=study, out=tmp_path / "a")
    second = export_study(study=study, out=tmp_path / "b")

    assert first["files"] == second["files"]


def test_a_directory_in_use_is_refused_unless_forced(tmp_path: Path) -> None:
    study = synthesize(seed=4, comparisons=5)
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(NotEmpty):
        export_study(study=study, out=tmp_path)
    export_study(study=study, out=tmp_path, force=True)

    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "MANIFEST.json").exists()


def test_an_unknown_study_is_named_with_the_known_ones(tmp_path: Path) -> None:
    synthesize(seed=5, comparisons=5)

    with pytest.raises(CommandError, match=r"No study 'nope'\. There are: synthetic-5-5\."):
        call_command("export", study="nope", out=tmp_path)


def test_no_column_has_a_name_that_a_trainer_takes_for_its_own() -> None:
    reserved = {"image", "images", "tools", "messages", "completion", "label", "margin"}

    names = {name for table in TABLES for name in table.schema.names}

    assert not names & reserved

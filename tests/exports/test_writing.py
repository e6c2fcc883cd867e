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
from studies.enrolling import change_language
from studies.models import Prompt, Study
from tests import factories
from tests.annotation import talking

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


def test_the_language_of_the_buttons_is_the_one_that_was_read(tmp_path: Path) -> None:
    enrolment, scene = talking.shown_first_turn(factories.world(), ui_language="fr")
    talking.judge(enrolment, scene)
    change_language(enrolment=enrolment, ui_language="hi")

    export_study(study=enrolment.study, out=tmp_path)

    assert [row["interface_lang"] for row in jsonl(tmp_path, "comparisons")] == ["fr"]


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


def test_a_candidate_names_the_prompt_of_the_judgement_it_was_in(tmp_path: Path) -> None:
    world = factories.world()
    own = factories.turn(world)
    talk = factories.conversation(world)
    prompt = Prompt.objects.get(cells=talk.assignment.cell_id)
    opening = [factories.user(factories.opening(prompt, "en"))]
    asked = factories.ready_set(world.plan, context=opening, prompt=prompt)
    kept = factories.turn(world, within=talk, answered_by=asked)
    factories.comparison(own)
    factories.comparison(kept)

    export_study(study=world.study, out=tmp_path)

    named = {row["set_id"]: row["prompt_id"] for row in jsonl(tmp_path, "candidates")}
    assert named[str(asked.pk)] == f"{prompt.key}.{prompt.version}"
    assert named[str(own.set_id)] == f"own:{own.conversation_id}"


def test_someone_who_withdrew_is_in_no_file_and_is_counted(tmp_path: Path) -> None:
    world = factories.world()
    gone = factories.judged_turn(world)
    person = gone.conversation.assignment.enrolment
    person.state = "withdrawn"
    person.save(update_fields=["state"])

    manifest = export_study(study=world.study, out=tmp_path)

    assert set(manifest["rows"].values()) == {0}
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


def test_a_candidate_comes_with_its_scores_by_scorer(tmp_path: Path) -> None:
    world = factories.world()
    judged = factories.judged_turn(world)
    one = judged.set.candidates.get(slot=0)
    for scorer in ("b@1/default.1", "a@1/default.1"):
        factories.candidate_score(one, scorer=scorer, logprob=-12.5, n_tokens=7)

    export_study(study=world.study, out=tmp_path)

    rows = {row["slot"]: row for row in jsonl(tmp_path, "candidates")}
    assert [score["scorer"] for score in rows[0]["scores"]] == ["a@1/default.1", "b@1/default.1"]
    assert rows[0]["scores"][0] == {"scorer": "a@1/default.1", "logprob": -12.5, "n_tokens": 7}
    assert rows[1]["scores"] is None
    [frame] = pq.read_table(tmp_path / "parquet" / "candidates.parquet").slice(0, 1).to_pylist()
    assert "scores" in frame


def test_readers_marks_and_the_share_accepted_of_a_plan_are_exported(tmp_path: Path) -> None:
    world = factories.world()
    made = factories.lab_set(world.study, plan_sha256=world.plan.sha256)
    for slot, verdict in enumerate(["acceptable", "acceptable", "invented"]):
        mark = factories.reader_mark(made, slot=slot, verdict=verdict)
    factories.reader_mark()  # of another study

    manifest = export_study(study=world.study, out=tmp_path)

    [record] = jsonl(tmp_path, "plan_record")
    marks = jsonl(tmp_path, "reader_marks")
    assert manifest["rows"]["reader_marks"] == 3
    assert {row["mark_id"] for row in marks} >= {str(mark.pk)}
    assert {tuple(row["plans"]) for row in marks} == {(world.plan.version,)}
    assert (record["texts_read"], record["texts_accepted"], record["readers"]) == (3, 2, 1)
    assert record["share_accepted"] == pytest.approx(2 / 3)
    assert record["plans"] == [world.plan.version]
    assert pq.read_table(tmp_path / "parquet" / "plan_record.parquet").num_rows == 1


def test_the_items_of_the_attention_category_are_marked(tmp_path: Path) -> None:
    world = factories.world(attention_category=factories.prompt().category)
    other = factories.world()
    for one in (world, other):
        factories.judged_turn(one)
        export_study(study=one.study, out=tmp_path / one.study.slug)

    [marked] = jsonl(tmp_path / world.study.slug, "comparisons")
    [plain] = jsonl(tmp_path / other.study.slug, "comparisons")
    assert (marked["is_attention_check"], plain["is_attention_check"]) == (True, False)


def test_a_repeat_names_the_judgement_it_repeats(tmp_path: Path) -> None:
    world = factories.world(
        prompts=2, turns={"min": 1, "max": 1}, conversations=9, repeats={"share": 1.0, "after": 1}
    )
    enrolment = talking.joined(world)
    talks = [talking.finished(enrolment) for _ in range(3)]
    export_study(study=world.study, out=tmp_path)

    rows = {row["conversation_id"]: row for row in jsonl(tmp_path, "comparisons")}
    first, second, again = (rows[str(talk.pk)] for talk in talks)
    assert again["is_repeat_of"] == first["comparison_id"]
    assert (again["prompt_id"], again["prompt_origin"]) == (first["prompt_id"], "pregenerated")
    assert first["is_repeat_of"] is second["is_repeat_of"] is None

"""Every set of a study against the log of its endpoint."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sampling import generating
from sampling.claiming import claim_next
from sampling.models import Endpoint
from tests.sampling.conftest import Engine


@pytest.fixture
def made(engine: Engine) -> Engine:
    """A set that took two attempts, and one that was claimed and never made."""
    engine.server.order("empty")
    engine.ask(engine.plan)
    generating.work()
    generating.work()
    engine.ask(engine.plan)
    claim_next()
    return engine


def compare(
    engine: Engine, file: Path, entries: list[dict[str, Any]]
) -> tuple[int, dict[str, Any]]:
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    out, code = StringIO(), 0
    told = ["--all", "--study", engine.plan.study.slug, "--log", str(file), "--json"]
    try:
        call_command("explain_set", *told, stdout=out)
    except CommandError as fault:
        code = fault.returncode
    return code, json.loads(out.getvalue())


def test_rows_and_log_tell_the_same(made: Engine, tmp_path: Path) -> None:
    entries = made.server.log()

    code, told = compare(made, tmp_path / "log", entries)

    assert (code, told["differences"]) == (0, [])
    assert (told["sets"], told["compared"], told["unsure"]) == (2, len(entries), 4)


@pytest.mark.parametrize("change", ["other body", "missing", "stranger", "other model"])
def test_any_difference_is_named_and_ends_with_status_1(
    made: Engine, tmp_path: Path, change: str
) -> None:
    entries = made.server.log()
    last = entries[-1]
    about, said = last["request_id"], "building it again gives another request"
    if change == "other body":
        last["body"], said = {**last["body"], "seed": 1}, "the log has another body: seed"
    elif change == "missing":
        entries, said = entries[:-1], "it is not in the log"
    elif change == "stranger":
        about, said = f"{about.partition('.')[0]}.9.0", "does not follow from any row"
        entries = [*entries, {**last, "request_id": about}]
    else:
        Endpoint.objects.update(model="another")

    code, told = compare(made, tmp_path / "log", entries)

    assert code == 1
    assert any(one["about"] == about and said in one["said"] for one in told["differences"])


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--all"],
        ["--all", "--study", "nobody"],
        ["some-id", "--study", "x"],
        ["--all", "--study", "here", "--log", "/nowhere/log"],
        ["--all", "--study", "here", "--log", __file__],
    ],
)
def test_bad_input_ends_with_status_2(engine: Engine, options: list[str]) -> None:
    slug = engine.plan.study.slug
    with pytest.raises(CommandError) as caught:
        call_command("explain_set", *(slug if one == "here" else one for one in options))
    assert caught.value.returncode == 2

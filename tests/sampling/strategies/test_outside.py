"""Strategies of other packages: found by their entry points, and refused by name."""

import importlib
import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from sampling import drawing, simulated
from sampling.plans import PlanBody
from sampling.strategies import REGISTRY, Strategy
from sampling.strategies.outside import GROUP, UnusableStrategy, add_outside
from tests.sampling.drawings import SET_ID, context, draw_from, endpoint

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "second-opinion"


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def declared() -> list[EntryPoint]:
    """The entry points of the example's own pyproject.toml."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    return [point(name, value) for name, value in project["entry-points"][GROUP].items()]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> type[Strategy]:
    monkeypatch.syspath_prepend(EXAMPLE)
    importlib.invalidate_caches()
    registry = dict(REGISTRY)
    add_outside(registry, declared())
    return registry["second_opinion"]


def test_the_example_makes_sets_and_its_requests_are_built_again(example: type[Strategy]) -> None:
    body = PlanBody.model_construct(first_turn=example.model_validate({}))
    with simulated.running() as server:
        result = draw_from(server, body)
        logged = {entry["request_id"]: entry["body"] for entry in server.log()}
        asked: dict[str, Any] = {"turn": 0, "context": context(), "language": "en", "seed": 7}
        again = drawing.rebuild(
            body=body,
            set_id=SET_ID,
            attempt=1,
            endpoints=[endpoint(server)],
            replies={call.n: call.reply.text for call in result.calls if call.reply},
            **asked,
        )

    assert [draft.role for draft in result.drafts] == ["first", *["otherwise"] * 3]
    rebuilt = {request.request_id: dict(request.body) for request in again.values()}
    assert logged.items() <= rebuilt.items()


def test_an_installed_package_is_found_and_can_be_named_in_plans(tmp_path: Path) -> None:
    """In a process of its own, with the files that an installation leaves behind."""
    info = tmp_path / "counterpoint_second_opinion-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: counterpoint-second-opinion\nVersion: 0.1.0\n"
    )
    lines = [f"{one.name} = {one.value}" for one in declared()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]))

    told = in_a_process(
        "import json, second_opinion\n"  # first of all, as a test of that package would
        "from sampling import plans\n"
        "body = plans.read({'first_turn': {'strategy': 'second_opinion', 'temperature': 0.5}})\n"
        "print(json.dumps(plans.as_json(body)['first_turn']))",
        paths=[tmp_path, EXAMPLE],
    )

    assert json.loads(told)["strategy"] == "second_opinion"


def in_a_process(code: str, *, paths: list[Path]) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, ROOT]))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


HERE = __name__


class NoStrategy:
    """Anything else."""


class Unfinished(Strategy):
    strategy: str = "unfinished"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("nc_single", f"{HERE}:NoStrategy", "'nc_single' .*the name is taken"),
        ("Mine", f"{HERE}:NoStrategy", "a name has lower-case letters"),
        ("mine", "no.such.module:Mine", "cannot be imported: No module named 'no'"),
        ("mine", f"{HERE}:Nothing", "cannot be imported: .*Nothing"),
        ("mine", f"{HERE}:NoStrategy", "is no subclass of sampling.strategies.Strategy"),
        ("mine", f"{HERE}:Unfinished", "does not say call, draw, lanes, streams"),
        ("mine", "sampling.strategies.persona:Persona", 'must be strategy: Literal."mine"'),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str, said: str) -> None:
    registry = dict(REGISTRY)

    with pytest.raises(UnusableStrategy, match=said):
        add_outside(registry, [point(name, value)])

    assert registry == REGISTRY


def test_two_packages_cannot_offer_one_name(example: type[Strategy]) -> None:
    registry = {"second_opinion": example}

    with pytest.raises(UnusableStrategy, match="the name is taken"):
        add_outside(registry, declared())

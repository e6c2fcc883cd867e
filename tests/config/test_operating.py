"""The walk of docs/operating.md: its commands, in its order, lead from no study to a dump."""

import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from studies.models import Researcher, Study
from tests.console.study_files import small

DOCS = Path(settings.ROOT) / "docs"
EXAMPLE = DOCS / "examples" / "study.yaml"
LEFT_OUT = {"doctor"}  # it wants every server; it has tests of its own


def walk() -> list[list[str]]:
    """The words of each `manage.py` of the walk."""
    section = (
        (DOCS / "operating.md").read_text().split("## With Docker Compose")[1].split("\n## ")[0]
    )
    lines = [line for line in section.splitlines() if line.startswith("    docker compose run")]
    return [shlex.split(line.partition("manage.py ")[2]) for line in lines]


@pytest.mark.django_db(transaction=True)
def test_its_commands_lead_from_no_study_to_a_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(settings.MODEL_ADDRESSES, "MODEL_BASE_URL", "")
    monkeypatch.delitem(settings.MODEL_ADDRESSES, "MODEL_BASE_URL")
    monkeypatch.setenv("RESEARCHER_PASSWORD", "a long and quiet password")
    mounted = {"/study.yaml": str(EXAMPLE), "/dump": str(tmp_path)}

    names = []
    for name, *words in walk():
        names.append(name)
        if name not in LEFT_OUT:
            call_command(name, *(mounted.get(word, word) for word in words))

    assert names == [
        *("load_study", "create_researcher", "doctor", "open_study", "links", "export")
    ]
    assert Study.objects.get().state == Study.State.OPEN
    assert Researcher.objects.get().memberships.exists()
    said = capsys.readouterr()
    assert "/join/" in said.out
    assert said.err.count("our-server: MODEL_BASE_URL is not set in the environment.") == 2
    assert (tmp_path / "MANIFEST.json").exists()


def test_the_example_is_the_one_of_the_page_of_study_files() -> None:
    assert EXAMPLE.read_bytes().partition(b"\n")[2] == small()

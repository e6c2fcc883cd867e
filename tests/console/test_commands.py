import json
import os
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from studies.access import find_invitation
from studies.models import Audit, Membership, Researcher, Study
from tests import forking
from tests.console.study_files import DEMO, small

pytestmark = pytest.mark.django_db
Output = pytest.CaptureFixture[str]
PASSWORD = "a long and quiet password"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_bytes(small())
    return path


@pytest.fixture
def opened(file: Path) -> Path:
    call_command("load_study", str(file))
    call_command("open_study", "small-example", unrehearsed="a test")
    return file


def stopped(command: str, *arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        call_command(command, *arguments)
    return caught.value.code


def test_load_study_says_what_it_did(file: Path, capsys: Output) -> None:
    call_command("load_study", str(file))
    call_command("load_study", str(file))
    assert capsys.readouterr().out.splitlines() == [
        "small-example: version 1 loaded (draft)",
        "  a new study",
        "small-example: nothing changed",
    ]


def test_load_study_tells_faults_by_file_and_line_and_exits_2(file: Path, capsys: Output) -> None:
    file.write_bytes(small(("min: 2", "min: x"), ("seats: 16", "seats: x")))
    assert stopped("load_study", str(file)) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{file}:4: turns.min: must be a whole number, not 'x' -> ")
    assert second.startswith(f"{file}:19: endpoints[our-server].seats: ")
    assert not Study.objects.exists()


def test_load_study_refuses_a_changed_file_of_an_open_study(opened: Path, capsys: Output) -> None:
    opened.write_bytes(small(("overlap: 10", "overlap: 12")))
    assert stopped("load_study", str(opened)) == 3
    told = capsys.readouterr().err
    assert "small-example is open, and the file would change:\n  overlap: 10 -> 12\n" in told
    assert "Load it with --apply" in told
    call_command("load_study", str(opened), "--apply")
    assert "version 2 loaded (open)" in capsys.readouterr().out


def test_load_study_without_a_file_that_is_there_exits_2(tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path / "none.yaml")], [str(tmp_path)], ["--export", "none"]):
        with pytest.raises(CommandError) as caught:
            call_command("load_study", *arguments)
        assert caught.value.returncode == 2


def test_export_writes_the_file_back_byte_for_byte(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    call_command("load_study", str(DEMO), stdout=sys.stderr)
    call_command("load_study", "--export", "demo", str(tmp_path / "back.yaml"))
    call_command("load_study", "--export", "demo")
    sys.stdout.flush()
    assert (tmp_path / "back.yaml").read_bytes() == DEMO.read_bytes()
    assert capfdbinary.readouterr().out == DEMO.read_bytes()


def test_open_study_wants_a_reason_from_draft_and_may_be_repeated(
    file: Path, capsys: Output
) -> None:
    call_command("load_study", str(file))
    with pytest.raises(CommandError, match="was not rehearsed"):
        call_command("open_study", "small-example")
    call_command("open_study", "small-example", "--unrehearsed", "a test")
    call_command("open_study", "small-example")
    assert capsys.readouterr().out.splitlines()[-1] == "small-example is open already"


def test_open_study_opens_a_paused_study_again(opened: Path) -> None:
    Study.objects.update(state="paused")
    call_command("open_study", "small-example")
    assert Study.objects.get().state == "open"


def test_links_prints_the_contract_and_each_link_works(capsys: Output) -> None:
    call_command("load_study", str(DEMO))
    capsys.readouterr()
    call_command("links", "demo", "--json")
    links = json.loads(capsys.readouterr().out)
    assert list(links) == ["base_url", "cohorts", "console_url", "researcher", "api_token"]
    slugs = [cohort["slug"] for cohort in links["cohorts"]]
    assert slugs == ["us-en", "fr-fr", "it-it", "br-pt", "in-hi", "in-en"]
    for cohort in links["cohorts"]:
        token = cohort["join_url"].removeprefix(f"{settings.BASE_URL}/join/").removesuffix("/")
        found = find_invitation(token)
        assert found is not None
        assert (found.cohort.slug, found.cohort.country) == (cohort["slug"], cohort["country"])


def test_links_for_people_has_a_line_for_each_cohort(opened: Path, capsys: Output) -> None:
    capsys.readouterr()
    call_command("links", "small-example")
    cohort, console = capsys.readouterr().out.splitlines()
    assert cohort.startswith("in-en")
    assert console.endswith("/console/")


@pytest.mark.parametrize("command", ["open_study", "links"])
def test_a_study_that_is_not_there_is_said(command: str) -> None:
    with pytest.raises(CommandError, match="There is no study 'none'"):
        call_command(command, "none")


def test_create_researcher_gives_access_and_may_be_repeated(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEARCHER_PASSWORD", PASSWORD)
    for address in ("Anna@example.org", "anna@example.org"):
        call_command("create_researcher", address, "--study", "small-example")
    researcher = Researcher.objects.get()
    assert researcher.check_password(PASSWORD)
    assert Membership.objects.get().study.slug == "small-example"
    assert PASSWORD not in str(list(Audit.objects.values_list("payload", flat=True)))


@pytest.mark.parametrize(
    ("address", "password", "study"),
    [
        ("no address", PASSWORD, "small-example"),
        ("anna@example.org", "", "small-example"),
        ("anna@example.org", "12345678", "small-example"),
        ("anna@example.org", PASSWORD, "none"),
    ],
)
def test_create_researcher_refuses_what_could_not_work(
    opened: Path, monkeypatch: pytest.MonkeyPatch, address: str, password: str, study: str
) -> None:
    monkeypatch.setenv("RESEARCHER_PASSWORD", password)
    with pytest.raises(CommandError):
        call_command("create_researcher", address, "--study", study)
    assert not Researcher.objects.exists()


def test_the_first_line_of_a_fault_on_a_terminal_begins_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"study: x\nstudy: y\n")
    done = forking.run(["manage.py", "load_study", str(path)], env=os.environ)
    assert done.returncode == 2
    assert f"\n{path}:2: study: stands here" in f"\n{done.stderr}"


def test_a_study_whose_arms_cannot_be_balanced_opens_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.yaml"
    arms = "arms: [{name: a, plan: made-to-differ}, {name: b, plan: made-to-differ, share: 2}]"
    file.write_bytes(small(("arms: [{name: main, plan: made-to-differ}]", arms)))
    call_command("load_study", str(file))
    call_command("open_study", "small-example", unrehearsed="a test")

    said = capsys.readouterr()
    assert "small-example is open" in said.out
    assert said.err.count("warning: Cohort in-en: the overlap 10 is no multiple") == 2


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("sets: fresh", ""),
        ("sets: {replicas: 3}", ""),
        ("sets: {replicas: 1}", "sets"),
        ("sets: everybody", "sets"),
    ],
)
def test_a_study_file_says_how_first_sets_are_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, wrong: str
) -> None:
    file = tmp_path / "study.yaml"
    file.write_bytes(small(("overlap: 10", f"overlap: 10\n{line}")))
    if not wrong:
        call_command("load_study", str(file))
        return
    with pytest.raises(SystemExit) as stopped:
        call_command("load_study", str(file))
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"study.yaml:15: {wrong}: must be shared, fresh, or {{replicas: n}}" in said
    assert len(said.splitlines()) == 1

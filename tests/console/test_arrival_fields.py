# ruff: noqa: E501 a table reads best with a case on each line
"""Pay, limits, panels and quotas in the study file: what is refused, and the rows that they become."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from console import doctor, loading, opening
from console.study_reading import InvalidStudyFile, read
from studies import access
from studies.models import Audit, Cohort, Enrolment, Invitation, QuotaCell, QuotaSet, Study
from studies.quotas import OTHERS
from studies.rules import rules_of
from tests import factories
from tests.console.study_files import DEMO, small
from tests.studies.asking import answer
from tests.studies.test_practising import TUTORIAL

BY = "researcher:anna"
Output = pytest.CaptureFixture[str]
PANELS = "panels: {prolific: {codes: {complete: C1}}}"
CELLS = """quotas:
  - country: IN
    cells:
      - {name: young, when: {age_band: [18-34]}, target: 2}
      - {name: old, when: {age_band: [35+]}, target: 2}
    soft:
      - {name: any-old, when: {age_band: [35+]}, target: 1}
"""


def with_(*fields: str) -> tuple[str, str]:
    """The change that puts these fields at the end of the example."""
    return "overlap: 10\n", "\n".join(["overlap: 10", *fields, ""])


def told(*fields: str) -> list[str]:
    with pytest.raises(InvalidStudyFile) as caught:
        read(small(with_(*fields)))
    return [str(problem).partition(": ")[2] for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("pay: {amount: 12, currency: USD, per: hour}", "pay: people must be told what an hour"),
        ("minutes: 0", "minutes: must be at least 1"),
        ("minutes: 9\npay: {amount: 1.234, currency: USD, per: hour}", "pay.amount: must be an amount"),
        ("minutes: 9\npay: {amount: 0, currency: USD, per: hour}", "pay.amount: must be an amount"),
        ("minutes: 9\npay: {amount: 1, currency: XYZ, per: hour}", "pay.currency: is no currency"),
        ("minutes: 9\npay: {amount: 1, currency: USD, per: day}", "pay.per: 'day' is not known"),
        (
            "minutes: 9\npay: {amount: 1, currency: USD, per: hour, by_country: {FR: {amount: 1, currency: EUR}}}",
            "pay.by_country.FR: no cohort is in FR -> use one of: IN",
        ),
        (
            "minutes: 9\npay: {amount: 1, currency: USD, per: hour, check_minutes: 0}",
            "pay.check_minutes: must be at least 1",
        ),
        ("limits: {per_day: 0}", "limits.per_day: must be at least 1"),
        ("limits: {per_day: 1}", "limits.per_day: 2 conversations cannot be done in 24 hours"),
        ("limits: {per_person: 1}", "limits.per_person: is less than the 2 conversations"),
        ("panels: {mturk: {}}", "panels.mturk: 'mturk' is not known -> use 'prolific'"),
        ("panels: {prolific: {}}", "panels.prolific: nothing says what people go back with"),
        ("panels: {prolific: {codes: {done: C1}}}", "panels.prolific.codes.done: 'done' is not known"),
        ("panels: {prolific: {codes: {complete: 'C 1'}}}", "codes.complete: 'C 1' has the wrong form"),
        ("panels: {prolific: {person: 'a b', codes: {complete: C}}}", "person: 'a b' has the wrong form"),
        (
            "panels: {prolific: {urls: {complete: 'https://evil.example/'}}}",
            "panels.prolific.urls.complete: 'https://evil.example/' is no https address of app.prolific.com",
        ),
        (
            "panels: {generic: {return_url: 'https://a.example/?c={code}', codes: {complete: c}}}",
            "panels.generic.return_url: 'https://a.example/?c={code}' is no https address of a host",
        ),
        (
            "panels: {generic: {host: a.example, urls: {complete: 'https://a.example/{who}'}}}",
            "panels.generic.urls.complete: ",
        ),
        ("quotas: [{country: FR, everybody: 9}]", "country: no cohort is in FR"),
        ("quotas: [{country: IN, cohorts: [fr-fr], everybody: 9}]", "cohorts: no cohort of IN is named"),
        ("quotas: [{country: IN, everybody: 9}, {country: IN, everybody: 9}]", "'in' names a quota already"),
        (
            "quotas: [{country: IN, everybody: 9}, {name: b, country: IN, everybody: 9}]",
            "cohort in-en is in quota 'in' already",
        ),
        (
            "quotas: [{country: IN, everybody: 9, cells: [{name: a, when: {age_band: [35+]}}]}]",
            "everybody stands in place of cells",
        ),
        ("quotas: [{country: IN, cells: [{name: a, when: {}, target: 1}]}]", "cells[a].when: "),
        (
            "quotas: [{country: IN, cells: [{name: others, when: {age_band: [35+]}}]}]",
            "cells[others].name: 'others' is a cell already",
        ),
        (
            "quotas: [{country: IN, cells: [{name: a, when: {age_band: [35+]}}, {name: b, when: {age_band: [35+]}}]}]",
            "cells[b].when: another cell before it",
        ),
        (
            "quotas: [{country: IN, cells: [{name: a, when: {agee: [35+]}}]}]",
            "cells[a].when.agee: no question has the key 'agee' -> use one of: age_band",
        ),
        (
            "quotas: [{country: IN, soft: [{name: a, when: {age_band: [36+]}, target: 3}]}]",
            "soft[a].when.age_band: '36+' is no answer to age_band -> use one of: 18-34, 35+",
        ),
        ("about: {fr: Bonjour}", "about: no English text"),
        ("content_note: {fr: Attention}", "content_note: no English text"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_what_to_do(field: str, expected: str) -> None:
    assert [line for line in told(field) if expected in line], told(field)


def load(*changes: tuple[str, str], apply: bool = False) -> loading.Loaded:
    return loading.load(source=small(*changes), by=BY, apply=apply)


def opened(*fields: str) -> Study:
    study = load(with_(*fields)).study
    return opening.open_study(study=study, by=BY, unrehearsed_because="a test")


def cells() -> dict[str, Any]:
    current = QuotaCell.objects.filter(retired_at=None).order_by("position")
    return {cell.name: (cell.criteria, cell.target) for cell in current}


@pytest.mark.django_db
def test_rules_about_arriving_are_read_back_as_they_were_said() -> None:
    pay = (
        "{amount: 3.1, currency: GBP, per: sitting, by_country: {IN: {amount: 250, currency: INR}},"
        " check_minutes: 4}"
    )
    fields = ("minutes: 20", f"pay: {pay}", "limits: {per_day: 5}", PANELS)
    version = load(with_(*fields)).version
    assert version is not None
    rules = rules_of(version)
    assert rules.pay is not None
    assert (rules.pay.amount, rules.pay.in_country("IN").currency) == (Decimal("3.1"), "INR")
    assert rules.paid_for_check("IN") == (Decimal(50), "INR")
    assert (rules.minutes, rules.limits.per_day, rules.limits.per_person) == (20, 5, None)
    assert rules.panels["prolific"].codes == {"complete": "C1"}


@pytest.mark.django_db
def test_quotas_become_cells_in_order_and_one_for_others() -> None:
    study = load(with_(CELLS)).study
    assert cells() == {
        "young": ({"age_band": ["18-34"]}, 2),
        "old": ({"age_band": ["35+"]}, 2),
        OTHERS: ({}, None),
    }
    quota = QuotaSet.objects.get()
    assert Cohort.objects.get(study=study).quota_set == quota
    assert quota.soft[0]["name"] == "any-old"


@pytest.mark.django_db
def test_one_quota_spans_the_cohorts_of_its_country() -> None:
    loading.load(source=DEMO.read_bytes(), by=BY)
    sets = {cohort.slug: cohort.quota_set_id for cohort in Cohort.objects.all()}
    assert sets["in-hi"] == sets["in-en"] != sets["us-en"]
    assert None not in sets.values()


def seated(study: Study, age: str) -> Enrolment:
    person = factories.enrolment(study.cohorts.get(), state="consented")
    factories.consent_record(person, document=study.consent_documents.latest("version"))
    answer(person, age_band=age)
    return person


@pytest.mark.django_db
def test_a_lower_target_sends_nobody_away_and_makes_the_cell_full() -> None:
    study = opened(CELLS)
    for _ in range(2):
        seated(study, "18-34")
    load(with_(CELLS.replace("target: 2", "target: 1", 1)), apply=True)
    assert cells()["young"] == ({"age_band": ["18-34"]}, 2)
    assert seated(study, "18-34").state == "over_quota"


@pytest.mark.django_db
def test_a_cell_that_means_something_else_is_another_cell() -> None:
    study = opened(CELLS)
    seated(study, "18-34")
    load(
        with_(CELLS.replace("when: {age_band: [18-34]}", "when: {age_band: [prefer_not_to_say]}")),
        apply=True,
    )
    old, new = QuotaCell.objects.filter(name="young").order_by("retired_at")
    assert (old.retired_at is None, old.taken, new.taken) == (False, 1, 0)
    assert seated(study, "18-34").quota_place.cell.name == OTHERS


@pytest.mark.django_db
def test_a_study_may_lose_its_quota_and_people_keep_their_places() -> None:
    study = opened(CELLS)
    seated(study, "18-34")
    load(apply=True)
    assert study.cohorts.get().quota_set is None
    assert seated(study, "18-34").state == "enrolled"


# --- Commands


@pytest.mark.django_db
def test_invite_prints_links_once_and_keeps_hashes(capsys: Output) -> None:
    load()
    call_command("invite", study="small-example", cohort="in-en", count=3, days=2, csv=True)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        invitation = access.find_invitation(row["link"].rstrip("/").rpartition("/")[2])
        assert invitation is not None
        assert (invitation.kind, invitation.expires_at is not None) == ("personal", True)
    entry = Audit.objects.latest("seq")
    assert (entry.action, entry.payload["count"]) == ("cohort.invite", 3)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"cohort": "xx"}, {"study": "xx"}])
def test_invite_names_what_is_not_there(wrong: dict[str, str]) -> None:
    load()
    with pytest.raises(CommandError, match="There is no study"):
        call_command("invite", **{"study": "small-example", "cohort": "in-en", "count": 1, **wrong})
    assert not Invitation.objects.filter(kind="personal").exists()


@pytest.mark.django_db
def test_links_shows_a_link_for_each_panel(capsys: Output) -> None:
    load(with_(PANELS))
    call_command("links", "small-example")
    line = capsys.readouterr().out.splitlines()[1]
    token = access.panel_token(Cohort.objects.get(), "prolific")
    assert line.split()[0] == "prolific"
    assert f"/panel/{token}/?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&SESSION_ID=" in line
    found = access.find_invitation(token)
    assert found is not None
    assert found.panel == "prolific"


@pytest.mark.django_db
def test_recount_quotas_shows_the_cells_and_fails_on_a_difference(capsys: Output) -> None:
    study = opened(CELLS)
    seated(study, "18-34")
    call_command("recount_quotas", study="small-example")
    assert capsys.readouterr().out.splitlines() == [
        "in/young: 1 of 2",
        "in/old: 0 of 2",
        "in/others: 0 of any number",
        "in/any-old (watched): 0 of 1",
    ]
    factories.enrolment(study.cohorts.get())
    with pytest.raises(SystemExit) as caught:
        call_command("recount_quotas", study="small-example", repair=True)
    assert caught.value.code == 1
    assert "has no place" in capsys.readouterr().err


@pytest.mark.django_db
def test_a_real_study_hears_what_people_are_not_told() -> None:
    world = factories.world(kind="real", minutes=20)
    factories.world()
    assert list(opening.warnings_about(world.study)) == [
        "People are not told what is paid: the study file has no `pay`.",
        "People are not told whom to ask about the study: the study file has no `contact`.",
        "People are not asked whether their conversations may be sent and kept, which may tell"
        " what they believe: `conversations` is not among the purposes of the consent.",
        f"People are not told who runs the endpoint {world.endpoint.name}: it has no `operator`.",
    ]


@pytest.mark.django_db
def test_a_real_study_hears_of_countries_without_anybody_to_talk_to() -> None:
    lines = {"IN": [{"name": "A line", "contact": "14416"}]}
    world = factories.world(
        kind="real", country="IN", own_prompt_share=0.2, own_prompts={"helplines": lines}
    )
    told = "People in IT open conversations with words of their own"
    assert told not in " ".join(opening.warnings_about(world.study))

    factories.cohort(world.study, country="IT")
    assert told in " ".join(opening.warnings_about(world.study))


@pytest.mark.django_db
def test_a_real_study_hears_which_panel_is_not_told_of_a_failed_check() -> None:
    world = factories.world(
        kind="real",
        minutes=20,
        pay={"amount": 1, "currency": "USD", "per": "sitting"},
        tutorial=TUTORIAL,
        panels={"cint": {}, "prolific": {"codes": {"complete": "C1"}}},
    )
    told = [one for one in opening.warnings_about(world.study) if "fails the check" in one]
    assert told == [
        "Whoever fails the check is paid, and goes back to prolific with nothing: its"
        " `codes` have no `quality_term`."
    ]


@pytest.mark.django_db
def test_the_doctor_compares_quotas_with_the_facts() -> None:
    study = opened(CELLS)
    seated(study, "18-34")
    assert [str(line) for line in doctor.quotas()] == [
        "ok   quotas small-example: as the facts say"
    ]
    factories.enrolment(study.cohorts.get())
    [line] = doctor.quotas()
    assert line.level == "warn"
    assert "recount_quotas --study small-example" in line.advice

"""Panels as configuration: what their links say, and how people go back."""

from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from studies.panels import (
    PRESETS,
    BadArrival,
    Panel,
    WayBack,
    leads_to,
    link_to_give,
    panel_of,
    read_arrival,
    way_back,
)

STUDY = UUID(int=7)
PROLIFIC = panel_of("prolific", {"codes": {"complete": "C1A2B3", "no_consent": "N0"}})
CINT = panel_of("cint", {})
HEX = frozenset("0123456789abcdef")


def query(**parameters: str) -> QueryDict:
    made = QueryDict(mutable=True)
    made.update(parameters)
    return made


def test_an_arrival_holds_hashes_and_no_ids() -> None:
    sent = query(PROLIFIC_PID="60fd12", SESSION_ID="9ab", STUDY_ID="1")
    arrived = read_arrival(PROLIFIC, study_id=STUDY, parameters=sent)
    assert len(arrived.person) == len(arrived.submission) == 64
    assert set(arrived.person + arrived.submission) <= HEX
    assert arrived.back == ""


def test_one_id_is_somebody_else_in_another_study_panel_or_place() -> None:
    other = Panel(name="generic", person="PROLIFIC_PID", submission="SESSION_ID")
    sent = query(PROLIFIC_PID="same", SESSION_ID="same")
    arrivals = [
        read_arrival(panel, study_id=study, parameters=sent)
        for panel, study in ((PROLIFIC, STUDY), (PROLIFIC, uuid4()), (other, STUDY))
    ]
    hashes = {one for arrived in arrivals for one in (arrived.person, arrived.submission)}
    assert len(hashes) == 6


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "PROLIFIC_PID=a",
        "SESSION_ID=b",
        "PROLIFIC_PID=&SESSION_ID=b",
        "PROLIFIC_PID=a&PROLIFIC_PID=c&SESSION_ID=b",
        "PROLIFIC_PID={{%PROLIFIC_PID%}}&SESSION_ID=b",
        "PROLIFIC_PID=[%PID%]&SESSION_ID=b",
        "PROLIFIC_PID=a%00&SESSION_ID=b",
        "PROLIFIC_PID=%ED%A0%80&SESSION_ID=b",
        "PROLIFIC_PID=%E0%A4%85&SESSION_ID=b",
        f"PROLIFIC_PID={'a' * 201}&SESSION_ID=b",
        "PROLIFIC_PID=<script>&SESSION_ID=b",
        "PROLIFIC_PID=a\nb&SESSION_ID=b",
    ],
)
def test_a_link_without_its_parameters_or_with_odd_ones_lets_nobody_in(sent: str) -> None:
    with pytest.raises(BadArrival):
        read_arrival(PROLIFIC, study_id=STUDY, parameters=QueryDict(sent))


@given(st.text(max_size=220))
def test_any_text_is_an_id_or_is_refused(text: str) -> None:
    try:
        arrived = read_arrival(
            PROLIFIC, study_id=STUDY, parameters=query(PROLIFIC_PID=text, SESSION_ID="b")
        )
    except BadArrival:
        return
    assert text.isascii()
    assert arrived.person != text


def test_the_way_back_is_by_outcome_and_empty_where_nothing_is_said() -> None:
    back = way_back(PROLIFIC, outcome="complete")
    assert back == WayBack("https://app.prolific.com/submissions/complete?cc=C1A2B3", "C1A2B3")
    assert way_back(PROLIFIC, outcome="timeout") == WayBack()


def test_an_address_that_names_the_person_is_made_only_where_they_are_known() -> None:
    arrived = read_arrival(CINT, study_id=STUDY, parameters=query(PID="a b"[:1], RID="r|1"))
    there = way_back(CINT, outcome="quota_full", back=arrived.back)
    assert there.url == "https://samplicio.us/s/ClientCallBack.aspx?RIS=40&RID=r%7C1"
    assert way_back(CINT, outcome="quota_full") == WayBack(code="40")


def test_no_address_leads_anywhere_but_to_the_panels_host() -> None:
    panel = panel_of(
        "generic", {"host": "panel.example", "urls": {"complete": "https://evil.example/"}}
    )
    assert way_back(panel, outcome="complete") == WayBack()


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        ("https://panel.example/done?x=1", True),
        ("https://panel.example:443/", True),
        ("http://panel.example/", False),
        ("https://panel.example.evil/", False),
        ("https://panel.example@evil.example/", False),
        ("https://you@panel.example/", False),
        ("https://panel.example:8443/", False),
        ("//panel.example/", False),
        ("javascript:alert(1)", False),
        ("https://[::1", False),
    ],
)
def test_what_leads_to_a_host(address: str, leads: bool) -> None:
    assert leads_to("panel.example", address) is leads


@given(st.text(alphabet=st.sampled_from("panel.exmhts:/@\\?#[]%\t \u2025\u3002"), max_size=40))
def test_no_odd_address_is_taken_for_the_hosts(text: str) -> None:
    for address in (text, f"https://{text}", f"https://panel.example{text}"):
        if leads_to("panel.example", address):
            assert urlsplit(address).hostname == "panel.example"
            assert "@" not in urlsplit(address).netloc


def test_a_link_to_give_has_the_panels_own_gaps() -> None:
    link = link_to_give(PRESETS["prolific"], "https://here/panel/t/")
    assert (
        link == "https://here/panel/t/?PROLIFIC_PID={{%PROLIFIC_PID%}}&SESSION_ID={{%SESSION_ID%}}"
    )
    assert link_to_give(PRESETS["generic"], "x") == "x?person=<person>&submission=<submission>"

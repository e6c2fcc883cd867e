"""Pages for people whom a panel sent: arriving, coming again, being told that it is full."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.models import Assignment
from annotation.tasks import sweep_expired
from studies import access
from studies.models import Enrolment, Identity, Invitation, Sitting, Study
from studies.quotas import OTHERS
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of, page, send
from tests.breaking import sql
from tests.factories import World

pytestmark = pytest.mark.django_db
PANELS = {
    "prolific": {"codes": {"complete": "C1", "quota_full": "Q1", "duplicate": "D1"}},
    "cint": {},
}
ANSWERS = {"age_band": "18-34"}


@pytest.fixture
def world(valkey_url: str) -> World:
    asked = [{**factories.QUESTIONS[0], "quota": True}]
    return factories.world(prompts=6, panels=PANELS, questions=asked)


def address(
    of: World, person: str = "pid1", submission: str = "s1", panel: str = "prolific"
) -> str:
    names = {"prolific": ("PROLIFIC_PID", "SESSION_ID"), "cint": ("PID", "RID")}[panel]
    token = access.invite_by_panel(of.cohort, panel)
    return f"/panel/{token}/?{names[0]}={person}&{names[1]}={submission}"


def arrive(of: World, client: Client, **ids: str) -> Any:
    return client.get(address(of, **ids))


def enrolled(of: World, client: Client, **ids: str) -> Enrolment:
    """Through the consent form and the questions, to the first sitting."""
    assert arrive(of, client, **ids).headers["Location"] == "/welcome/"
    send(client, page(client.get("/welcome/")).forms[0], consent="yes")
    client.post("/questions/", ANSWERS)
    return talking.reloaded(Enrolment.objects.latest("created_at"))


# --- The first time


def test_a_panels_link_leads_to_a_clean_address_and_makes_no_row(
    world: World, client: Client
) -> None:
    response = arrive(world, client, person="pid1", submission="s1")

    assert (response.status_code, response.headers["Location"]) == (303, "/welcome/")
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert not Enrolment.objects.exists()
    cookie = client.cookies[settings.ANNOTATOR_COOKIE].value
    assert not {"pid1", "s1"} & set(cookie.replace('"', ":").split(":"))


def test_no_id_of_the_panel_is_anywhere_in_the_database(world: World, client: Client) -> None:
    enrolled(world, client, person="a-telling-person", submission="a-telling-visit")

    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [row for (name,) in tables for row in sql(f"SELECT t::text FROM {name} t")]
    assert not [row for row in rows if "a-telling" in str(row)]


def test_consent_keeps_the_identity_and_the_first_sitting_its_submission(
    world: World, client: Client
) -> None:
    person = enrolled(world, client)
    identity = Identity.objects.get()

    assert (identity.pseudonym, identity.panel) == (person.pseudonym, "prolific")
    assert Sitting.objects.get().panel_session_hmac == identity.arrived_with


def test_a_no_keeps_no_identity_and_the_person_may_change_their_mind(
    world: World, client: Client
) -> None:
    arrive(world, client)
    closing = client.post("/welcome/", {"consent": "no"}, follow=True)

    assert "give the study back" in page(closing).words
    assert not Identity.objects.exists()
    assert enrolled(world, client).state == "enrolled"


def test_a_panels_link_is_no_join_link(world: World, client: Client) -> None:
    token = access.invite_by_panel(world.cohort, "prolific")

    assert client.get(f"/join/{token}/").status_code == 404


def test_an_open_link_after_a_panels_link_makes_nobody_the_panels_person(
    world: World, client: Client
) -> None:
    arrive(world, client)
    client.get(f"/join/{access.invite_openly(world.cohort)}/")
    client.post("/welcome/", {"consent": "yes"})

    assert Enrolment.objects.count() == 1
    assert not Identity.objects.exists()


@pytest.mark.parametrize("cut", ["?", "&SESSION_ID=s1", "PROLIFIC_PID=pid1&"])
def test_a_link_without_its_parameters_says_so(world: World, client: Client, cut: str) -> None:
    whole = address(world)
    response = client.get(whole.partition("?")[0] if cut == "?" else whole.replace(cut, ""))

    assert response.status_code == 400
    assert "open the study once more from the panel" in page(response).words


def test_a_tampered_cohort_leads_nowhere(world: World, client: Client) -> None:
    token = access.invite_by_panel(world.cohort, "prolific")
    for other in (token[:-1], f"{token}x", str(world.cohort.pk), world.cohort.slug):
        assert client.get(f"/panel/{other}/?PROLIFIC_PID=a&SESSION_ID=b").status_code == 404


def test_an_open_link_is_no_panels_link(world: World, client: Client) -> None:
    token = access.invite_openly(world.cohort)

    assert client.get(f"/panel/{token}/?PROLIFIC_PID=a&SESSION_ID=b").status_code == 404


def test_a_panel_that_is_gone_from_the_study_file_leads_nowhere(client: Client) -> None:
    assert arrive(factories.world(), client).status_code == 404


@pytest.mark.parametrize(
    ("state", "words"),
    [("paused", "having a break"), ("closed", "is over"), ("rehearsed", "not begun yet")],
)
def test_a_study_that_is_not_open_says_so(client: Client, state: str, words: str) -> None:
    response = arrive(factories.world(state=state, panels=PANELS), client)

    assert response.status_code == 200
    assert words in page(response).words


def test_a_panels_link_that_has_expired_still_lets_back_in_whom_it_let_in(
    world: World, client: Client
) -> None:
    enrolled(world, client)
    Invitation.objects.update(expires_at=timezone.now())

    assert arrive(world, Client()).headers["Location"] == "/work/"
    assert arrive(world, Client(), person="pid2", submission="s2").status_code == 410


# --- Coming again


def test_the_same_submission_in_another_browser_goes_on_and_learns_the_return_link(
    world: World, client: Client
) -> None:
    person = enrolled(world, client)
    elsewhere = Client()
    response = arrive(world, elsewhere)

    assert response.headers["Location"] == "/work/"
    assert "/return/" in page(elsewhere.get("/help/")).words
    link = next(w for w in page(elsewhere.get("/help/")).words.split() if "/return/" in w)
    assert access.find_returning(link.rstrip("/").rpartition("/")[2]) == person
    assert Sitting.objects.count() == 1


def test_a_new_submission_is_a_new_sitting_that_repeats_no_prompt(
    world: World, client: Client
) -> None:
    person = enrolled(world, client)
    for _ in range(2):
        talking.finished(person)
    assert page(client.get("/closing/")).words.count("C1") == 1

    response = arrive(world, client, submission="s2")
    assert response.headers["Location"] == "/sitting/"
    assert Sitting.objects.count() == 1, "following the link makes no row"
    again = page(client.get("/sitting/")).forms[0]
    assert send(client, again).headers["Location"] == "/work/"
    assert send(client, again).headers["Location"] == "/work/"
    for _ in range(2):
        talking.finished(talking.reloaded(person))

    first, second = Sitting.objects.order_by("created_at")
    assert (first.state, second.state) == ("complete", "complete")
    assert first.panel_session_hmac != second.panel_session_hmac
    cells = list(Assignment.objects.values_list("cell", flat=True))
    assert len(cells) == len(set(cells)) == 4
    assert Enrolment.objects.get().state == "complete"


def test_a_new_submission_ends_the_sitting_that_the_panel_gave_up(
    world: World, client: Client
) -> None:
    person = enrolled(world, client)
    talking.opened(person)
    arrive(world, client, submission="s2")
    send(client, page(client.get("/sitting/")).forms[0])

    first, second = Sitting.objects.order_by("created_at")
    assert (first.state, first.exit_code, second.state) == ("returned", "withdrawn", "open")
    assert Assignment.objects.get().state == "expired"
    assert Enrolment.objects.get().state == "enrolled"


def test_who_left_before_the_questions_sits_under_their_new_submission(
    world: World, client: Client
) -> None:
    arrive(world, client)
    client.post("/welcome/", {"consent": "yes"})
    before = Identity.objects.get().arrived_with
    arrive(world, client, submission="s2")
    assert send(client, page(client.get("/sitting/")).forms[0]).headers["Location"] == "/work/"
    client.post("/questions/", ANSWERS)

    assert Sitting.objects.get().panel_session_hmac not in (before, None)


@pytest.mark.parametrize("state", ["withdrawn", "screened_out", "over_quota", "failed_checks"])
def test_who_has_left_or_was_turned_away_gets_no_further_sitting(
    world: World, client: Client, state: str
) -> None:
    enrolled(world, client)
    Enrolment.objects.update(state=state)
    arrive(world, client, submission="s2")
    shown = client.get("/sitting/")
    posted = client.post("/sitting/", {})

    for response in (shown, posted):
        assert response.status_code == 200
        assert "already taken part" in page(response).words
        assert "cc=D1" in response.content.decode()
    assert Sitting.objects.count() == 1


def test_who_has_done_all_that_one_may_gets_no_further_sitting(
    client: Client, valkey_url: str
) -> None:
    world = factories.world(prompts=3, conversations=1, panels=PANELS, limits={"per_person": 1})
    person = enrolled(world, client)
    assert person.max_conversations == 1
    talking.finished(person)
    arrive(world, client, submission="s2")

    assert "already taken part" in page(client.get("/sitting/")).words


def test_a_person_of_one_cohort_is_the_same_person_at_another(world: World, client: Client) -> None:
    person = enrolled(world, client)
    other = factories.cohort(world.study, country="FR", language="fr")
    token = access.invite_by_panel(other, "prolific")
    elsewhere = Client()
    response = elsewhere.get(f"/panel/{token}/?PROLIFIC_PID=pid1&SESSION_ID=s9", follow=True)

    assert response.redirect_chain == [("/duplicate/", 303)]
    assert "already taken part" in page(response).words
    assert "cc=D1" in response.content.decode()
    assert Enrolment.objects.get() == person
    assert enrolled(world, elsewhere, person="pid2", submission="s2").pk != person.pk


def test_a_further_sitting_needs_an_arrival_and_an_open_study(world: World, client: Client) -> None:
    enrolled(world, client)
    for address_ in ("/sitting/", "/duplicate/"):
        nobody_sent = browser_of(talking.joined(world))
        assert nobody_sent.get(address_).headers["Location"] == "/work/"
    arrive(world, client, submission="s2")
    Study.objects.update(state="paused")

    assert "having a break" in page(client.post("/sitting/", {})).words
    assert Client().get("/sitting/").status_code == 403


def test_the_pages_of_an_arrival_cost_few_statements(
    world: World, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    person = enrolled(world, client)
    talking.finished(person)
    with django_assert_max_num_queries(8):
        arrive(world, client, submission="s2")
    with django_assert_max_num_queries(8):
        client.get("/sitting/")
    assert statements(client, "/sitting/") <= 12


def test_consent_and_answers_cost_few_statements(
    world: World, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    quota(world, target=1)
    arrive(world, client)
    with django_assert_max_num_queries(8):
        client.get("/welcome/")
    assert statements(client, "/welcome/", consent="yes") <= 12
    assert statements(client, "/questions/", **ANSWERS) <= 12


def statements(client: Client, address: str, **fields: str) -> int:
    """How many a form costs; savepoints are the test's own transaction."""
    with CaptureQueriesContext(connection) as asked:
        assert client.post(address, fields).status_code == 303
    return sum("SAVEPOINT" not in one["sql"] for one in asked)


def test_a_submission_of_somebody_else_is_a_used_link(world: World, client: Client) -> None:
    arrive(world, client)
    second = Client()
    arrive(world, second, person="pid2")
    assert client.post("/welcome/", {"consent": "yes"}).status_code == 303

    assert second.post("/welcome/", {"consent": "yes"}).status_code == 410
    assert arrive(world, Client(), person="pid3").status_code == 410
    assert Enrolment.objects.count() == 1
    client.post("/questions/", ANSWERS)
    enrolled(world, second, person="pid2", submission="s2")
    arrive(world, second, person="pid2")
    assert "already taken part" in page(second.post("/sitting/", {})).words
    assert Sitting.objects.count() == 2


# --- How it ends


def test_cint_gets_its_respondent_back_and_another_browser_only_the_code(
    world: World, client: Client
) -> None:
    enrolled(world, client, panel="cint", person="p1", submission="r1")
    for _ in range(2):
        talking.finished(talking.reloaded(Enrolment.objects.get()))

    assert "RIS=10&amp;RID=r1" in client.get("/closing/").content.decode()
    elsewhere = Client()
    arrive(world, elsewhere, panel="cint", person="p1", submission="r1")
    assert "RID=r1" in elsewhere.get("/closing/").content.decode()
    Enrolment.objects.update(return_token_sha256=access.digest("back"))
    third = Client()
    third.get("/return/back/")
    assert "RID=" not in third.get("/closing/").content.decode()


def quota(of: World, *, target: int) -> None:
    made = factories.quota_set(of.cohort)
    factories.quota_cell(made, target=target, position=0, criteria={"age_band": ["18-34"]})
    factories.quota_cell(made, name=OTHERS, target=None, position=1)


def test_a_full_quota_is_told_at_once_with_the_panels_code(world: World, client: Client) -> None:
    quota(world, target=1)
    enrolled(world, Client())
    person = enrolled(world, client, person="pid2", submission="s2")
    response = client.get("/work/", follow=True)

    assert (person.state, Sitting.objects.latest("created_at").exit_code) == (
        "over_quota",
        "quota_full",
    )
    assert response.redirect_chain[-1][0] == "/closing/"
    assert "We have heard enough people like you" in page(response).words
    assert "cc=Q1" in response.content.decode()
    assert client.post("/questions/", {"age_band": "55+"}).headers["Location"] == "/work/"
    person.refresh_from_db()
    assert person.state == "over_quota"


def test_a_place_that_went_to_somebody_else_is_told_on_return(world: World, client: Client) -> None:
    quota(world, target=1)
    late = enrolled(world, client)
    late.quota_place.state, late.quota_place.lease_until = "released", None
    late.quota_place.save()
    enrolled(world, Client(), person="pid2", submission="s2")

    assert "enough people like you" in page(client.get("/work/", follow=True)).words
    late.refresh_from_db()
    assert late.state == "over_quota"


def test_the_sweep_of_every_minute_gives_places_back(world: World, client: Client) -> None:
    quota(world, target=1)
    late = enrolled(world, client)
    late.quota_place.lease_until = timezone.now()
    late.quota_place.save()
    for _ in range(2):
        sweep_expired()
    late.quota_place.refresh_from_db()

    assert (late.quota_place.state, late.quota_place.cell.taken) == ("released", 0)


def test_a_place_whose_lease_ran_out_is_theirs_again_while_there_is_room(
    world: World, client: Client
) -> None:
    quota(world, target=1)
    person = enrolled(world, client)
    person.quota_place.state, person.quota_place.lease_until = "released", None
    person.quota_place.save()

    assert client.get("/work/").headers["Location"].startswith("/conversation/")
    person.quota_place.refresh_from_db()
    assert person.quota_place.state == "reserved"


def test_beginning_a_conversation_renews_the_lease(world: World, client: Client) -> None:
    quota(world, target=1)
    person = enrolled(world, client)
    person.quota_place.lease_until = timezone.now() + timedelta(minutes=1)
    person.quota_place.save()
    client.get("/work/")
    person.quota_place.refresh_from_db()

    assert person.quota_place.lease_until > timezone.now() + timedelta(minutes=119)

"""The console's first page: who may see it, and what it counts."""

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from studies.access import join_url, open_token
from studies.models import Researcher
from tests import factories

pytestmark = pytest.mark.django_db


def signed_in(researcher: Researcher) -> Client:
    client = Client()
    client.force_login(researcher)
    return client


def test_nobody_sees_it_without_signing_in(client: Client) -> None:
    response = client.get("/console/")

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/console/"


def test_email_and_password_lead_to_the_console(client: Client) -> None:
    researcher = factories.researcher(password="correct horse battery")

    response = client.post(
        "/accounts/login/", {"username": researcher.email, "password": "correct horse battery"}
    )

    assert response.status_code == 303
    assert response["Location"] == "/console/"
    assert client.post("/accounts/login/", {}).status_code == 303  # in another tab


def test_signing_out_leads_to_a_page_by_303() -> None:
    response = signed_in(factories.researcher()).post("/accounts/logout/")

    assert response.status_code == 303
    assert response["Location"] == settings.LOGOUT_REDIRECT_URL


def test_a_wrong_password_says_what_to_do_and_keeps_the_address(client: Client) -> None:
    researcher = factories.researcher()

    response = client.post("/accounts/login/", {"username": researcher.email, "password": "no"})

    assert response.status_code == 422
    assert b"do not match" in response.content
    assert researcher.email.encode() in response.content


def test_a_study_is_there_only_for_its_members() -> None:
    mine, other = factories.world(), factories.world()

    page = signed_in(factories.researcher(mine.study)).get("/console/").content.decode()

    assert mine.study.slug in page
    assert other.study.slug not in page


def test_people_conversations_and_comparisons_are_counted_per_cohort() -> None:
    world = factories.world()
    factories.judged_turn(world)

    response = signed_in(factories.researcher(world.study)).get("/console/")

    [study] = response.context["studies"]
    [row] = study.cohorts
    assert (row.enrolled, row.open_conversations, row.comparisons) == (1, 1, 1)
    assert study.comparisons == 1


def test_each_cohort_has_its_join_link() -> None:
    world = factories.world()

    page = signed_in(factories.researcher(world.study)).get("/console/").content.decode()

    assert join_url(open_token(world.cohort)) in page


def test_a_researcher_without_studies_is_told_what_to_do() -> None:
    page = signed_in(factories.researcher()).get("/console/").content.decode()

    assert "You belong to no study yet." in page


def test_a_researcher_who_was_switched_off_is_out_at_once() -> None:
    researcher = factories.researcher()
    client = signed_in(researcher)
    researcher.is_active = False
    researcher.save(update_fields=["is_active"])

    assert client.get("/console/").status_code == 302


def test_the_queries_do_not_grow_with_the_studies(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    worlds = [factories.world() for _ in range(4)]
    client = signed_in(factories.researcher(*(world.study for world in worlds)))

    with django_assert_max_num_queries(10):
        client.get("/console/")


def test_the_bare_address_leads_researchers_to_the_console(client: Client) -> None:
    assert client.get("/")["Location"] == "/console/"


def test_the_bare_address_leads_an_annotator_on(client: Client) -> None:
    client.cookies[settings.ANNOTATOR_COOKIE] = "whatever it holds"

    assert client.get("/")["Location"] == "/work/"

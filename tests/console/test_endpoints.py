"""The console's page of endpoints: what is known of each, and one real call by a worker."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from sampling import simulated, tasks
from sampling.models import Endpoint
from studies.models import Audit, Study
from tests import factories
from tests.annotation.visiting import at_most, page, send
from tests.sampling.conftest import plan_body

ADDRESS = "/console/endpoints/"


def console_of(*studies: Study) -> Client:
    client = Client()
    client.force_login(factories.researcher(*studies))
    return client


def words(client: Client) -> str:
    with at_most(8):
        shown = client.get(ADDRESS)
    return page(shown).words


@pytest.mark.django_db
def test_it_shows_limits_seats_the_breaker_and_what_was_found() -> None:
    world = factories.world()
    Endpoint.objects.filter(pk=world.endpoint.pk).update(
        revision="r7",
        tokens_per_minute=90_000,
        capabilities={"structured_outputs": True, "n": False, "context_length": 4096},
        probed_at=timezone.now(),
        failures=5,
        open_until=timezone.now() + timedelta(seconds=20),
    )

    told = words(console_of(world.study))

    for said in ("r7", "90000", f"0/{world.endpoint.seats}", "5 failed in a row · none until"):
        assert said in told
    assert "structured_outputs · and not to do: n" in told


@pytest.mark.django_db
def test_it_is_linked_where_failed_sets_are_counted() -> None:
    world = factories.world()
    factories.candidate_set(world.plan, state="failed")

    shown = console_of(world.study).get("/console/").content.decode()

    assert f'<a href="{ADDRESS}"><strong class="attention">1 set failed' in shown


@pytest.mark.django_db
def test_endpoints_of_other_studies_are_neither_shown_nor_called() -> None:
    world = factories.world()
    stranger = console_of(factories.study())

    assert world.endpoint.name not in words(stranger)
    assert stranger.post(f"{ADDRESS}{world.endpoint.pk}/try/").status_code == 404
    assert Endpoint.objects.get(pk=world.endpoint.pk).try_asked_at is None


@pytest.mark.django_db
def test_an_endpoint_that_only_checks_is_there_too() -> None:
    near = factories.endpoint(serves="embeddings")
    plan = factories.plan(body=plan_body(checks={"sense": {"endpoint": near.name}}))

    assert near.name in words(console_of(plan.study))


@pytest.mark.django_db
def test_a_worker_makes_the_call_and_the_page_shows_what_came(settings: Settings) -> None:
    with simulated.running() as server:
        settings.MODEL_ALLOWLIST = [server.base_url]
        endpoint = factories.endpoint(base_url=server.base_url, model=server.model)
        client = console_of(factories.plan(endpoints=[endpoint]).study)
        form = page(client.get(ADDRESS)).form_to("/try/")

        assert send(client, form).status_code == 303
        assert 'hx-trigger="every 3s"' in client.get(ADDRESS).content.decode()
        assert "A worker is making the call." in words(client)
        assert [try_it(endpoint) for _ in range(2)] == [True, False]
        assert len(server.log()) == 1

    assert "Answered in " in words(client)
    assert "hx-trigger" not in client.get(ADDRESS).content.decode()
    assert Audit.objects.filter(action="endpoint.try", object=f"endpoint:{endpoint.name}").exists()


@pytest.mark.django_db
def test_a_call_that_fails_says_why(settings: Settings) -> None:
    settings.MODEL_ALLOWLIST = []
    endpoint = factories.endpoint(try_asked_at=timezone.now())
    client = console_of(factories.plan(endpoints=[endpoint]).study)

    try_it(endpoint)

    assert "The model is not set up correctly." in words(client)
    assert "not on the list of allowed model endpoints" in words(client)


@pytest.mark.django_db
def test_a_call_that_nobody_makes_can_be_asked_for_again() -> None:
    world = factories.world()
    long_ago = timezone.now() - timedelta(minutes=2)
    Endpoint.objects.filter(pk=world.endpoint.pk).update(try_asked_at=long_ago)

    client = console_of(world.study)

    assert "No worker has made the call." in words(client)
    assert page(client.get(ADDRESS)).form_to("/try/")


@pytest.mark.django_db
def test_to_htmx_it_answers_with_the_part_that_changes() -> None:
    client = console_of(factories.world().study)

    part = page(client.get(ADDRESS, headers={"HX-Request": "true"}))

    assert part.elements[0] == ("div", {"id": "endpoints"})
    assert page(client.get(ADDRESS)).words.endswith(part.words)


def try_it(endpoint: Endpoint) -> bool:
    """What a worker does when the bell rings."""
    return tasks.try_endpoint(endpoint_id=str(endpoint.pk))

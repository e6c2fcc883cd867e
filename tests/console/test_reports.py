"""Reported answers for the researchers of their studies, who may show them again."""

import pytest
from django.test import Client

from annotation.models import Report
from annotation.reporting import report_candidate
from studies.models import Audit, Researcher
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import at_most, page, send
from tests.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """A study in which somebody has reported an answer of the first set."""
    world = factories.world()
    enrolment, scene = talking.shown_first_turn(world)
    report_candidate(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        candidate_id=scene.last.candidates[0].id,
        reason="other",
        leave=True,
    )
    return world


def console_of(reader: Researcher) -> Client:
    client = Client()
    client.force_login(reader)
    return client


def test_a_set_that_was_put_back_is_shown_to_the_next_one(world: World) -> None:
    client = console_of(factories.researcher(world.study))
    with at_most(8):
        reports = client.get("/console/reports/")
    form = page(reports).form_to("/put-back/")
    assert [send(client, form).status_code for _ in range(2)] == [303, 303]

    set_id = Report.objects.get().set_id
    assert talking.opened(talking.joined(world)).turns.get().set_id == set_id
    assert Audit.objects.filter(action="set.put_back", object=f"set:{set_id}").count() == 1
    assert "Shown again" in page(client.get("/console/reports/")).words


def test_until_then_it_is_shown_to_nobody_else(world: World) -> None:
    retired = Report.objects.get().set_id
    assert talking.opened(talking.joined(world)).turns.get().set_id != retired


def test_researchers_of_other_studies_put_nothing_back(world: World) -> None:
    stranger = console_of(factories.researcher(factories.study()))
    set_id = Report.objects.get().set_id
    assert stranger.post(f"/console/reports/{set_id}/put-back/").status_code == 404
    assert Report.objects.get().set.retired_at is not None

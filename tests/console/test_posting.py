"""Every form of researchers is answered by 303 when it is right."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import reverse

from annotation.models import Report
from annotation.reporting import report_candidate
from console.urls import urlpatterns
from tests import factories
from tests.annotation import talking
from tests.console.test_lab import finish
from tests.factories import World
from tests.sampling import lab_runs

pytestmark = pytest.mark.django_db

Post = tuple[list[Any], dict[str, str]]  # what the address takes, and a right form


def _login(world: World) -> Post:
    email = factories.researcher(world.study, password="correct horse battery").email
    return [], {"username": email, "password": "correct horse battery"}


def _lab(world: World) -> Post:
    asked = {"text": "Should I lend money?", "prompt": "", "ways": "independent"}
    return [], _of_the_lab(world, **asked)


def _batch(world: World) -> Post:
    asked = {"n": "1", "seed": "1", "languages": "en", "ways": "independent"}
    return [], _of_the_lab(world, **asked)


def _of_the_lab(world: World, **asked: str) -> dict[str, str]:
    about = {"study": world.study.slug, "language": "en", "endpoints": world.endpoint.name}
    return about | asked


def _again(world: World) -> Post:
    return [lab_runs.asked(world.endpoint, study=world.study).pk], {}


def _reading(world: World) -> Post:
    run = lab_runs.asked(world.endpoint, study=world.study)
    finish(run)
    return [world.study.slug, "en"], {f"verdict-{run.sets.get().pk}-1": "invented"}


def _enquiry(world: World) -> Post:
    return [factories.enquiry(talking.joined(world)).pk], {"text": "On Friday."}


def _annotator(world: World) -> Post:
    said = {"kind": "paid", "amount": "3.50", "currency": "EUR", "reason": "For your time."}
    return [talking.joined(world).pk], said


def _put_back(world: World) -> Post:
    enrolment, scene = talking.shown_first_turn(world)
    report_candidate(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        candidate_id=scene.last.candidates[0].id,
        reason="other",
        leave=True,
    )
    return [Report.objects.get().set_id], {}


POSTS: dict[str, Callable[[World], Post]] = {
    "answer_enquiry": _enquiry,
    "annotator": _annotator,
    "put_back": _put_back,
    "try_endpoint": lambda world: ([world.endpoint.pk], {}),
    "lab": _lab,
    "lab_batch": _batch,
    "lab_again": _again,
    "lab_reading": _reading,
    "login": _login,
    "logout": lambda _: ([], {}),
}


@pytest.mark.parametrize("name", POSTS)
def test_a_right_form_leads_on_by_303(name: str) -> None:
    world = factories.world()
    client = Client()
    if name != "login":
        client.force_login(factories.researcher(world.study))
    arguments, fields = POSTS[name](world)

    assert client.post(reverse(name, args=arguments), fields).status_code == 303


def test_no_address_that_takes_a_form_is_left_out() -> None:
    asked = RequestFactory().patch("/")  # nothing takes it, and each view says what it takes
    asked._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # as Django's client says it
    asked.user = AnonymousUser()
    takes = {str(one.name): one.callback(asked).get("Allow", "") for one in urlpatterns}

    assert all(takes.values())
    assert {name for name, methods in takes.items() if "POST" in methods} == set(POSTS)

"""The style page shows every token and every component there is."""

from typing import Any

import pytest
import regex
from django.test import Client
from django.test.signals import template_rendered

from console import views
from tests import factories
from tests.architecture.files import ROOT

PARTS = (
    "asked beside card comparison conflict count fault flagged keys lease map notice past progress"
    " report skip skip_form way_back"
)

pytestmark = pytest.mark.django_db


def test_every_colour_and_space_of_the_tokens_is_shown() -> None:
    tokens = (ROOT / "static/css/tokens.css").read_text(encoding="utf-8")
    colours = set(regex.findall(r"--([\w-]+): #", tokens)) - {"accent-ink"}  # the ink on a button
    spaces = set(regex.findall(r"--(s\d): ", tokens))

    assert set(views.COLOURS) == colours
    assert set(views.SPACES) == spaces


def test_every_component_is_shown() -> None:
    page = (ROOT / "templates/console/style.html").read_text(encoding="utf-8")
    components = [path.name for path in (ROOT / "templates/_components").glob("*.html")]

    assert [name for name in components if f"_components/{name}" not in page] == []


def test_the_parts_of_a_conversation_are_the_real_ones() -> None:
    shown: set[str] = set()

    def see(template: Any, **_: Any) -> None:
        shown.add(template.name)

    template_rendered.connect(see)
    try:
        client = Client()
        client.force_login(factories.researcher())
        client.get("/style/")
    finally:
        template_rendered.disconnect(see)

    assert sorted({f"annotation/_{name}.html" for name in PARTS.split()} - shown) == []


def test_only_researchers_see_it() -> None:
    client = Client()
    assert client.get("/style/").status_code == 302

    client.force_login(factories.researcher())
    assert client.get("/style/").status_code == 200

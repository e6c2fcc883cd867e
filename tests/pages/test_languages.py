"""Every page in every state: whole in the pseudo-language, and in the script of its language."""

from typing import Any

import pytest
from django.test.signals import template_rendered

from studies.models import Cohort, Enrolment
from tests.annotation.visiting import page, send
from tests.architecture.test_templates import NAMES
from tests.pages.reading import Texts
from tests.pages.scripts import IN_SCRIPT, SCRIPTS, UNTRANSLATED, wrong_texts
from tests.pages.states import STATES

pytestmark = pytest.mark.django_db


def test_no_page_has_untranslated_text_and_every_page_is_shown(pseudo_language: str) -> None:
    """A template that nothing shows needs a state in tests/pages/states: a line or two."""
    shown: set[str] = set()

    def see(template: Any, **_: Any) -> None:
        shown.add(template.name)

    template_rendered.connect(see)
    try:
        found = wrong_texts(STATES.values(), pseudo_language, UNTRANSLATED)
    finally:
        template_rendered.disconnect(see)

    assert found == {}
    assert sorted(set(NAMES) - shown) == []


@pytest.mark.parametrize("locale", IN_SCRIPT)
def test_pages_are_in_the_script_of_their_language(locale: str) -> None:
    """The languages take turns, state by state: matrix.py holds them all."""
    turn = list(STATES.values())[IN_SCRIPT.index(locale) :: len(IN_SCRIPT)]
    assert wrong_texts(turn, locale, SCRIPTS[locale]) == {}


def test_another_interface_language_turns_the_page_round_and_leaves_the_task_as_it_is() -> None:
    compare = STATES["compare"].visit("fr")
    form = page(compare.client.get("/language/?next=/work/")).forms[0]
    sent = send(compare.client, form, language="ar")
    shown = compare.client.get(sent.headers["Location"], follow=True)
    read = Texts(shown.content.decode())

    assert sent.status_code == 303
    assert (read.lang, read.direction) == ("ar", "rtl")
    assert len([one for one in page(shown).having("lang") if one["lang"] == "fr"]) > 4
    assert Enrolment.objects.get().ui_language == "ar"
    assert Cohort.objects.get().language == "fr"

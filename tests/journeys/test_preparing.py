"""From the consent to the work: on a phone without scripting, and by keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Draft
from studies import bank
from studies.models import Answer, SensitiveAnswer
from studies.questions import as_json
from tests import factories
from tests.factories import World
from tests.journeys.conftest import Site


@pytest.fixture
def asking(transactional_db: None, site: Site) -> World:
    """An open study that asks for everything, with an open link."""
    stocked = bank.questions("community_alignment")
    asked = [stocked[key] for key in ("year_of_birth", "gender", "political")]
    questions = [{**one, "quota": one["key"] == "year_of_birth"} for one in as_json(asked)]
    made = factories.world(
        questions=questions,
        purposes=["take_part", "conversations", "sensitive_questions"],
        tutorial=bank.tutorial("everyday"),
    )
    factories.invitation(made.cohort, token="open-token")
    return made


def test_the_way_to_work_without_scripting(asking: World, plain: Page) -> None:
    plain.goto("/join/open-token/")
    plain.get_by_label("Yes, I am 18 or older").check()
    press(plain)
    plain.get_by_label("In which year were you born?").first.fill("soon")
    press(plain)
    expect(plain.get_by_text("Please write a whole number, in digits.")).to_be_visible()
    plain.get_by_label("In which year were you born?").first.fill("1985")
    press(plain)
    for group in plain.get_by_role("group").all():
        group.get_by_label("Yes, I agree.").check()
    press(plain)
    plain.get_by_label("Woman").check()
    press(plain)
    plain.get_by_label("Middle-of-the-road, centrist").check()
    press(plain)
    for _ in range(2):
        plain.get_by_role("radio").first.check()
        press(plain)
        expect(plain.get_by_role("heading", name="You chose A")).to_be_visible()
        plain.get_by_role("link", name="Continue").click()
    for answer in ("speaks for me", "none of them", "Names and addresses"):
        plain.get_by_label(answer).check()
    press(plain)

    expect(plain.get_by_role("heading", name="How it goes")).to_be_visible()
    assert Answer.objects.filter(key="gender").get().value == "female"
    assert SensitiveAnswer.objects.get().value == "centre"


def test_questions_are_answered_by_keyboard_alone(asking: World, scripted: Page) -> None:
    scripted.goto("/join/open-token/")
    scripted.get_by_label("Yes, I am 18 or older").focus()
    scripted.keyboard.press("Space")
    scripted.keyboard.press("Enter")
    scripted.get_by_role("textbox").focus()
    scripted.keyboard.press("Enter")
    expect(scripted.locator(":focus")).to_contain_text("Please look at these questions again")
    scripted.keyboard.press("Tab")
    scripted.keyboard.press("Enter")  # the link to the question
    scripted.keyboard.press("Tab")
    scripted.keyboard.type("1985")
    scripted.keyboard.press("Enter")

    expect(scripted.get_by_role("heading", name="What you agree to")).to_be_visible()


def test_answers_are_held_in_their_tab_until_they_are_sent(asking: World, scripted: Page) -> None:
    scripted.goto("/join/open-token/")
    scripted.get_by_label("Yes, I am 18 or older").check()
    press(scripted)
    scripted.get_by_role("textbox").fill("next")
    press(scripted)
    scripted.get_by_role("textbox").fill("1985")
    scripted.get_by_role("link", name="Language:").click()
    scripted.get_by_label("Français").check()
    with scripted.expect_navigation():
        scripted.locator("main form button").click()
    expect(scripted.get_by_role("textbox")).to_have_value("1985")
    assert "1985" in str(held(scripted))
    scripted.reload()
    expect(scripted.get_by_role("textbox")).to_have_value("1985")
    assert scripted.evaluate("localStorage.length") == 0

    with scripted.expect_navigation():
        scripted.locator("main form button").click()
    expect(scripted.locator("input[name=document]")).to_be_attached()
    assert held(scripted) == []
    assert not Draft.objects.exists()


def held(page: Page) -> list[str]:
    """What the tab keeps."""
    entries: dict[str, str] = page.evaluate("Object.fromEntries(Object.entries(sessionStorage))")
    return [said for name, said in entries.items() if name.startswith("held:")]


def press(page: Page) -> None:
    # Until the next page is there: a click returns before, and what follows would look at the old.
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").click()

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Assignment, Comparison, Conversation, Turn
from sampling.models import CandidateSet
from studies.models import Enrolment, Sitting
from tests.factories import World
from tests.journeys.conftest import Site
from tests.journeys.walking import choose, join, say

pytestmark = pytest.mark.django_db(transaction=True)


def complaints_of(page: Page) -> list[str]:
    """What the browser's console complains about from here on, policy violations among it."""
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    return said


def test_with_scripting_off_every_form_works_from_the_link_to_the_code(
    world: World, plain: Page
) -> None:
    join(plain)
    for conversation in range(2):
        choose(plain, "B")
        say(plain, "And what would you tell my mother?")
        choose(plain, "AD"[conversation])
    code = plain.locator("output.code").text_content() or ""

    expect(plain.get_by_role("heading", name="Thank you. You are done.")).to_be_visible()
    assert len(code.strip()) == 8
    assert Comparison.objects.filter(superseded_at=None, outcome="chosen").count() == 4
    assert set(Assignment.objects.values_list("state", flat=True)) == {"submitted"}
    assert Sitting.objects.get().exit_code == "complete"


def test_with_scripting_off_the_secondary_forms_work(world: World, plain: Page) -> None:
    join(plain)
    choose(plain, "A")
    plain.get_by_text("Change my choice").first.click()
    plain.get_by_label("Choose C", exact=True).check()
    plain.get_by_role("button", name="Change my choice").click()
    expect(plain.get_by_text("You chose C.").first).to_be_visible()

    plain.get_by_text("I would rather skip this one").click()
    plain.get_by_label("Another reason").check()
    plain.get_by_role("button", name="Skip it").click()
    expect(plain.get_by_text("Which answer would you rather")).to_be_visible()
    assert Conversation.objects.filter(ended_reason="skipped").count() == 1

    plain.goto("/language/")
    plain.get_by_label("Italiano").check()
    plain.locator("main form button").click()
    assert Enrolment.objects.get().ui_language == "it"
    plain.goto("/withdraw/")
    plain.locator("main form button").first.click()
    assert Enrolment.objects.get().state == "withdrawn"


def test_with_scripting_the_page_changes_by_itself_and_keeps_to_the_policy(
    world: World, scripted: Page
) -> None:
    complaints = complaints_of(scripted)
    join(scripted)
    expect(scripted.get_by_text("These answers are made up.")).to_be_visible()
    choose(scripted, "B")
    say(scripted, "And what would you tell my mother?")
    choose(scripted, "D")
    expect(scripted.get_by_text("Conversation 2 of 2")).to_be_visible()

    assert complaints == []
    first = Comparison.objects.get(turn_no=0)
    assert first.visible_ms is not None
    assert first.first_choice_at is not None


def test_whether_we_ask_why_shows_only_after_the_choice(world: World, plain: Page) -> None:
    join(plain)
    why = plain.locator("textarea[name=explanation]")
    expect(plain.get_by_label("Choose A", exact=True)).to_be_visible()

    expect(why).to_be_hidden()
    plain.get_by_label("None of these represents me").check()
    expect(plain.get_by_text("What is missing?")).to_be_visible()
    plain.get_by_label("Choose A", exact=True).check()
    expect(plain.get_by_text("What made you choose this answer?")).to_be_visible()
    expect(why).to_be_visible()


def test_a_double_click_a_reload_a_second_tab_and_the_back_button_are_safe(
    world: World, scripted: Page
) -> None:
    join(scripted)
    scripted.get_by_label("Choose A", exact=True).check()
    second = scripted.context.new_page()
    second.goto(scripted.url)
    shown = scripted.locator("[data-candidate]").evaluate_all("all => all.map(one => one.id)")
    assert shown == second.locator("[data-candidate]").evaluate_all("all => all.map(one => one.id)")

    scripted.get_by_label("What made you choose this answer?").fill("It is mine")
    scripted.locator("#comparison .send button").dblclick()
    scripted.get_by_label("What would you say next?").fill("Not lost")
    scripted.reload()
    expect(scripted.get_by_label("What would you say next?")).to_have_value("Not lost")
    choose(second, "B")
    expect(second.get_by_text("What counts: you chose A.")).to_be_visible()
    say(scripted, "And then?")
    expect(scripted.get_by_label("Choose A", exact=True)).to_be_visible()
    scripted.go_back()
    expect(scripted.get_by_label("Choose A", exact=True)).to_be_visible()

    assert Comparison.objects.count() == 1
    assert Turn.objects.count() == 2


def test_a_lost_session_keeps_the_text_for_the_return_link(world: World, scripted: Page) -> None:
    join(scripted)
    scripted.goto("/help/")
    link = scripted.locator("output").text_content() or ""
    scripted.goto("/work/")
    choose(scripted, "A")
    scripted.get_by_label("What would you say next?").fill("Do not lose me")
    scripted.context.clear_cookies()
    scripted.evaluate("localStorage.clear()")
    scripted.get_by_role("button", name="Send").click()
    expect(scripted.get_by_text("What you wrote is still here")).to_be_visible()

    scripted.goto(link.strip())
    expect(scripted.get_by_label("What would you say next?")).to_have_value("Do not lose me")


@pytest.mark.parametrize("with_scripting", [True, False])
def test_a_waiting_page_recovers_from_a_killed_worker_and_web_process(
    world: World, site: Site, scripted: Page, plain: Page, with_scripting: bool
) -> None:
    page = scripted if with_scripting else plain
    site.kill_worker()
    join(page)
    waiting = page.locator("[data-set]")
    before = waiting.get_attribute("data-set")
    assert waiting.get_attribute("data-set-state") == "pending"
    if with_scripting:  # without it the browser's own error page stays
        site.kill_web()
        site.start_web()
    site.start_worker()

    expect(page.get_by_label("Choose A", exact=True)).to_be_visible()
    assert str(CandidateSet.objects.get().pk) == before

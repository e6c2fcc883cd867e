"""Nobody loses a word: a killed server, a dead network, a second tab, a browser that is closed."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect

from annotation.models import Comparison, Conversation, Draft
from sampling.models import CandidateSet
from tests import factories
from tests.annotation import talking
from tests.factories import World
from tests.journeys.conftest import Site, opened_at
from tests.journeys.walking import choose, join

WHY = "What made you choose this answer?"
MESSAGE = "What would you say next?"


def judging(page: Page, letter: str = "A") -> None:
    """With an answer chosen, so that the page asks why."""
    page.get_by_label(f"Choose {letter}", exact=True).check()


def return_link(page: Page) -> str:
    page.goto("/help/")
    link = page.locator("output").text_content() or ""
    page.goto("/work/")
    return link.strip()


def test_the_text_is_there_in_another_browser_after_the_web_process_was_killed(
    world: World, site: Site, scripted: Page, chromium: Browser
) -> None:
    join(scripted)
    link = return_link(scripted)
    judging(scripted)
    scripted.get_by_label(WHY).press_sequentially("Because my mother said so", delay=5)
    scripted.wait_for_timeout(3500)  # the promise: three and a half seconds after the last key
    site.kill_web()
    site.start_web()

    other = chromium.new_context(base_url=site.url)
    page = other.new_page()
    page.goto(link)
    expect(page.get_by_label("Choose A", exact=True)).to_be_checked()
    expect(page.get_by_label(WHY)).to_have_value("Because my mother said so")
    other.close()


def test_a_network_that_dies_in_the_middle_of_an_explanation_loses_nothing(
    world: World, scripted: Page
) -> None:
    join(scripted)
    judging(scripted)
    scripted.get_by_label(WHY).fill("Because my mother")
    saved = scripted.locator("#saved")
    expect(saved).to_have_text("Saved")
    scripted.context.set_offline(True)
    scripted.get_by_label(WHY).press_sequentially(" said so")
    expect(saved).to_have_text("Offline, kept on this device")
    expect(scripted.locator("#announcer")).to_have_text("Offline, kept on this device")

    scripted.context.set_offline(False)
    expect(saved).to_have_text("Saved")
    assert Draft.objects.get().body["explanation"].endswith(" said so")


def asked(page: Page, letter: str = "A") -> Locator:
    """In front of the question why, with a clock that stands still until a test lets it run."""
    join(page)
    page.clock.install()
    page.reload()
    judging(page, letter)
    return page.get_by_label(WHY)


def drafts_of(page: Page) -> list[Request]:
    """The requests for drafts from now on."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        if "/draft/" in request.url:
            sent.append(request)

    page.on("request", note)
    return sent


def test_ten_seconds_of_typing_send_a_draft_every_three(world: World, scripted: Page) -> None:
    why = asked(scripted)
    sent = drafts_of(scripted)
    for _half_second in range(20):
        why.press_sequentially("and ", delay=0)
        scripted.clock.run_for(500)
        expect(scripted.locator("#saved")).not_to_have_text("Offline")

    assert 2 <= len(sent) <= 4


def test_a_minute_offline_costs_few_requests_and_no_word(world: World, scripted: Page) -> None:
    why = asked(scripted)
    scripted.context.set_offline(True)
    sent = drafts_of(scripted)
    why.press_sequentially("Because my mother said so")
    for _five_seconds in range(12):
        scripted.clock.run_for(5_000)
    assert 3 <= len(sent) <= 8
    scripted.get_by_role("button", name="Continue").click()
    expect(scripted.locator("#trouble")).to_be_visible()
    expect(why).to_have_value("Because my mother said so")

    scripted.context.set_offline(False)
    expect(scripted.locator("#saved")).to_have_text("Saved")
    assert Draft.objects.get().body["explanation"] == "Because my mother said so"
    scripted.get_by_role("button", name="Continue").click()
    expect(scripted.get_by_label(MESSAGE)).to_be_visible()
    assert Comparison.objects.get().explanation == "Because my mother said so"


@pytest.mark.parametrize("days", [-366, -7, 366])
def test_a_clock_that_jumps_delays_no_draft(world: World, scripted: Page, days: int) -> None:
    why = asked(scripted)
    why.press_sequentially("Because ")
    scripted.clock.run_for(3_000)
    saved = scripted.locator("#saved")
    expect(saved).to_have_text("Saved")
    scripted.clock.set_system_time(timezone.now() + timedelta(days=days))
    why.press_sequentially("my mother said so")
    scripted.clock.run_for(3_100)

    expect(saved).to_have_text("Saved")
    assert Draft.objects.get().body["explanation"] == "Because my mother said so"


@pytest.mark.parametrize("days", [-366, 366])
def test_a_clock_that_is_put_a_year_on_or_back_between_visits_drops_no_word(
    world: World, scripted: Page, days: int
) -> None:
    why = asked(scripted)
    scripted.evaluate("void (window.fetch = () => Promise.reject(new Error('no line')))")
    why.press_sequentially("Because my mother said so")
    at = scripted.url
    scripted.clock.set_system_time(timezone.now() + timedelta(days=days))
    scripted.goto("/my-work/")  # what is not of this page is looked through for old copies
    scripted.goto(at)

    expect(scripted.get_by_label(WHY)).to_have_value("Because my mother said so")


def test_what_was_typed_before_a_reload_is_there_after_it(world: World, scripted: Page) -> None:
    join(scripted)
    judging(scripted)
    scripted.route("**/draft/", lambda route: route.abort())
    scripted.get_by_label(WHY).fill("Because my mother said so")
    scripted.reload()
    expect(scripted.get_by_label(WHY)).to_have_value("Because my mother said so")


def test_two_tabs_agree_on_which_text_is_current(world: World, scripted: Page) -> None:
    join(scripted)
    judging(scripted)
    second = scripted.context.new_page()
    second.goto(scripted.url)
    judging(second, "B")
    scripted.get_by_label(WHY).fill("In the first tab")
    expect(scripted.locator("#saved")).to_have_text("Saved")
    expect(scripted.locator("#announcer")).not_to_contain_text("Not saved")
    second.get_by_label(WHY).fill("In the second tab")

    newer = second.get_by_role("button", name="Show the newer text")
    newer.click()
    expect(second.get_by_label(WHY)).to_have_value("In the first tab")
    second.get_by_role("button", name="Show my text again").click()
    expect(second.get_by_label(WHY)).to_have_value("In the second tab")
    expect(second.locator("#saved")).to_have_text("Saved")
    assert Draft.objects.get().body["explanation"] == "In the second tab"


def test_a_form_that_was_sent_in_another_tab_says_so_to_whoever_still_types(
    world: World, scripted: Page
) -> None:
    join(scripted)
    judging(scripted)
    second = scripted.context.new_page()
    second.goto(scripted.url)
    judging(second, "B")
    choose(scripted, "A")
    expect(scripted.get_by_label(MESSAGE)).to_be_visible()
    second.get_by_label(WHY).fill("Too late")
    expect(second.get_by_text("This form was sent in another window")).to_be_visible()
    expect(second.get_by_label(WHY)).to_have_value("Too late")


OURS = ["drafts", "forms", "reading", "waiting", "keys", "lease", "htmx-ext-sse"]


def broken(context: BrowserContext, scripts: Sequence[str]) -> None:
    """These scripts throw as soon as they are there. All of ours: what one bundle does."""
    for script in scripts:
        context.route(
            f"**/{script}*.js",
            lambda route: route.fulfill(content_type="text/javascript", body="throw Error('no')"),
        )


@pytest.mark.parametrize("scripts", [["drafts"], ["forms"], OURS, ["htmx-2"]], ids=" ".join)
def test_a_script_that_fails_half_way_leaves_a_form_that_works(
    world: World, scripted: Page, scripts: list[str]
) -> None:
    broken(scripted.context, scripts)
    join(scripted)
    while not scripted.get_by_label("Choose A", exact=True).is_visible():
        scripted.reload()
    choose(scripted, "A")
    expect(scripted.get_by_label(MESSAGE)).to_be_visible()


@pytest.fixture
def waiting(transactional_db: None) -> Conversation:
    """A first turn whose answers somebody else is writing."""
    world = factories.world()
    asked = [factories.user(factories.opening(world.prompts[0]))]
    factories.candidate_set(
        world.plan,
        context=asked,
        shared=True,
        state="generating",
        attempt=1,
        lease_until=factories.in_hours(1),
    )
    return talking.opened(talking.joined(world))


@pytest.mark.parametrize("scripts", [["waiting"], OURS, ["htmx-2"]], ids=" ".join)
def test_a_page_that_waits_gets_its_answers_when_a_script_fails(
    waiting: Conversation, site: Site, chromium: Browser, scripts: list[str]
) -> None:
    with opened_at(site, chromium, waiting) as page:
        broken(page.context, scripts)
        page.clock.install()
        page.reload()
        again = page.get_by_role("link", name="Look again")
        expect(again).to_be_visible()
        CandidateSet.objects.update(state="pending", lease_until=None)
        factories.make_ready(CandidateSet.objects.get())
        if scripts == ["htmx-2"]:
            again.click()
        else:
            page.clock.run_for(25_000)
        expect(page.get_by_label("Choose A", exact=True)).to_be_visible()

"""What a screen reader is told, read from the browser's accessibility tree; and system settings."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.measures import covered_stops, space_text, wider_than_the_window
from tests.pages.stage import Stage, stage
from tests.pages.states import STATES

pytestmark = pytest.mark.django_db


def test_the_four_answers_are_told_as_a_group_of_named_choices(chromium: Browser) -> None:
    with stage(chromium) as shown:
        page = shown.show(STATES["compare"], "en")
        group = page.get_by_role("group", name="Which answer would you rather have received?")

        for letter in "ABCD":
            answer = group.get_by_role("article", name=f"Answer {letter}")
            expect(answer.get_by_role("heading", name=f"Answer {letter}")).to_be_visible()
            expect(answer.get_by_role("radio", name=f"Choose {letter}")).to_be_visible()
        none = group.get_by_role("radio", name="None of these represents me")
        expect(none).to_be_visible()
        assert group.get_by_role("radio").count() == 5
        assert page.get_by_role("radio", checked=True).count() == 0


def test_a_choice_is_told_apart_from_the_others_without_colours(chromium: Browser) -> None:
    with stage(chromium, forced_colors="active") as shown:
        page = shown.show(STATES["compare"], "en")
        card = page.locator(".card").first
        before = outline_of(card)
        card.get_by_role("radio").check()

        assert before.startswith("0px")
        assert not outline_of(card).startswith("0px")


def outline_of(part: Locator) -> str:
    said: str = part.evaluate(
        "one => { const style = getComputedStyle(one);"
        " return `${style.outlineStyle === 'none' ? '0px' : style.outlineWidth}` }"
    )
    return said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("waiting-queued", "next in line"),
        ("waiting-written", "2 of 4 answers are written"),
        ("waiting-failed", "could not be written"),
        ("paused", "Please come back later"),
        ("no-database", "cannot reach our store"),
    ],
)
def test_what_changes_by_itself_is_said_politely(chromium: Browser, name: str, words: str) -> None:
    with stage(chromium) as shown:
        page = shown.show(STATES[name], "en")

        expect(page.get_by_role("status").filter(has_text=words)).to_be_attached()


@pytest.mark.parametrize(
    "name", [name for name, state in STATES.items() if name.endswith("-fault")]
)
def test_what_is_to_be_mended_is_said_at_once(chromium: Browser, name: str) -> None:
    with stage(chromium) as shown:
        page = shown.show(STATES[name], "en")

        assert alerts(page) or page.locator("[aria-invalid=true], .fault").count()


def alerts(page: Page) -> list[str]:
    return [one for one in page.get_by_role("alert").all_inner_texts() if one]


def test_nothing_moves_for_who_asked_for_less_motion(chromium: Browser) -> None:
    with stage(chromium) as shown:
        page = shown.show(STATES["waiting-written"], "en")
        moving = "document.getAnimations().length"
        assert page.evaluate(moving) > 0
        page.emulate_media(reduced_motion="reduce")

        assert page.evaluate(moving) == 0


def test_single_keys_do_nothing_until_they_are_turned_on(chromium: Browser) -> None:
    with stage(chromium) as shown:
        page = shown.show(STATES["compare"], "en")
        for key in ("2", "c", "x", "n"):
            page.keyboard.press(key)

        assert page.locator("form[data-compare] :checked").count() == 0
        expect(page.locator("#card-B")).not_to_be_focused()


def test_single_keys_go_to_an_answer_rule_it_out_and_choose_it(chromium: Browser) -> None:
    with stage(chromium) as shown:
        page = shown.show(STATES["compare"], "en")
        turn_keys_on(page)
        page.keyboard.press("2")
        expect(page.locator("#card-B")).to_be_focused()
        page.keyboard.press("x")
        expect(page.locator("#card-B [name=ruled_out]")).to_be_checked()
        page.keyboard.press("3")
        page.keyboard.press("c")
        expect(page.locator("#card-C").get_by_role("radio")).to_be_checked()
        page.keyboard.press("n")
        expect(page.get_by_role("radio", name="None of these represents me")).to_be_checked()


def test_what_is_typed_is_no_single_key_and_the_device_remembers_them(chromium: Browser) -> None:
    with stage(chromium) as shown:
        page = shown.show(STATES["compare"], "en")
        turn_keys_on(page)
        page.reload()
        expect(page.locator("[data-single-keys]")).to_be_checked()
        page.keyboard.press("1")
        page.keyboard.press("c")
        page.locator("textarea:visible").first.press_sequentially("2 next")

        expect(page.locator("textarea:visible").first).to_have_value("2 next")
        expect(page.locator("#card-A").get_by_role("radio")).to_be_checked()


def turn_keys_on(page: Page) -> None:
    page.get_by_text("Single keys", exact=True).click()
    page.get_by_label("Use single keys on this device").check()
    page.locator("h1, h2").first.click()  # out of the box


@pytest.mark.parametrize("name", ["welcome", "compare", "message", "closing-complete"])
def test_a_page_that_reads_from_the_right_is_the_mirror_of_the_other(
    chromium: Browser, name: str
) -> None:
    with stage(chromium) as shown:
        places = {language: bar(shown, name, language) for language in ("en", "ar")}

    assert places["en"] < 100
    assert places["ar"] > 1180


def bar(shown: Stage, name: str, language: str) -> float:
    """Where the mark stands, from the left."""
    box = shown.show(STATES[name], language).locator(".mark").bounding_box()
    assert box
    return box["x"]


@pytest.mark.parametrize("name", ["compare", "message"])
def test_what_has_the_focus_is_never_under_a_bar(chromium: Browser, name: str) -> None:
    with stage(chromium, width=360, height=640) as shown:
        page = shown.show(STATES[name], "en")

        assert covered_stops(page) == []


def test_the_comparison_bears_letters_words_and_lines_apart(chromium: Browser) -> None:
    with stage(chromium, width=360, height=640) as shown:
        page = shown.show(STATES["compare"], "en")
        space_text(page)

        assert wider_than_the_window(page) == []


def test_on_a_phone_the_bar_says_how_much_is_left_and_a_screen_reader_in_full(
    chromium: Browser,
) -> None:
    with stage(chromium, width=360, height=640) as shown:
        bar = shown.show(STATES["compare-second"], "en").locator(".bar")
        tall = bar.bounding_box()

        expect(bar.locator(".count.short")).to_have_text("2/2 · 4 min")
        expect(bar.locator(".count.short")).to_be_visible()
        for words in ("Conversation 2 of 2", "about 4 minutes left"):
            expect(bar.get_by_text(words)).to_be_visible()  # in the tree, if in one pixel
    assert tall
    assert tall["height"] < 60  # one line

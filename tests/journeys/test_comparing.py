"""Comparing on a small phone by touch: few taps, nothing covered, nothing lost by a reload."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from annotation.models import Comparison, Conversation, Turn
from annotation.opening import open_conversation
from tests import factories
from tests.annotation.talking import claimed, joined
from tests.factories import World
from tests.journeys.conftest import Site, opened_at
from tests.journeys.walking import join

pytestmark = pytest.mark.django_db(transaction=True)

WIDTH, HEIGHT = 360, 640
WORDS = 125
TEXTS = [f"Answer number {slot}. " + "Some more words here. " * (WORDS // 4) for slot in range(4)]
WHY = {
    "rule": "always",
    "question": {"en": "What made you choose this answer?"},
    "none_question": {"en": "What is missing?"},
}
COMPARING = {
    "reasons": "general-1",
    "sentences": True,
    "layouts": {"wide": ["grid", "pager"]},
}
# Boxes of controls in the page, of those that can be seen: name, width, height.
CONTROLS = """() => Array.from(document.querySelectorAll(
        'a:not(.skip-link), button, summary, textarea, label:has(input)'))
    .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.closest('p'))
    .map(e => [e.className || e.textContent.trim(), e.offsetWidth, e.offsetHeight])"""
FIXED = """() => Array.from(document.querySelectorAll('.line, .under'))
    .filter(e => e.checkVisibility() && getComputedStyle(e).position === 'fixed')
    .reduce((sum, e) => sum + e.offsetHeight, 0)"""


BARS = """() => Array.from(document.querySelectorAll('main *'))
    .filter(e => e.checkVisibility() && getComputedStyle(e).position === 'fixed')
    .filter(e => !e.matches('.line')).map(e => e.className)"""
# What a browser does with a selector that it does not know: the whole rule goes.
KNOWS_NO_HAS = """CSS.supports = (original => (...asked) =>
    !asked.join().includes(':has') && original.apply(CSS, asked))(CSS.supports)"""


@pytest.fixture
def talk(transactional_db: None) -> Conversation:
    """A first turn whose four long answers are there: the site's worker has nothing to write."""
    return answered(TEXTS)


def answered(texts: list[str]) -> Conversation:
    world = factories.world(explanation=WHY, comparing=COMPARING)
    asked = [factories.user(factories.opening(world.prompts[0]))]
    factories.ready_set(world.plan, context=asked, texts=texts, shared=True)
    enrolment = joined(world)
    return open_conversation(enrolment=enrolment, assignment=claimed(enrolment))


@pytest.fixture
def phone(site: Site, chromium: Browser, talk: Conversation) -> Iterator[Page]:
    small: Any = {"width": WIDTH, "height": HEIGHT}
    with opened_at(site, chromium, talk, viewport=small, has_touch=True, is_mobile=True) as page:
        yield page


@pytest.fixture
def desk(site: Site, chromium: Browser, talk: Conversation) -> Iterator[Page]:
    with opened_at(site, chromium, talk) as page:
        yield page


def without_has(context: BrowserContext) -> None:
    """A browser from before 2022: it knows no `:has()`."""

    def serve(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(":has(", ":not-known("))

    context.route("**/*.css", serve)
    context.add_init_script(KNOWS_NO_HAS)


def letters(page: Page) -> list[str]:
    return list(page.locator(".map a").evaluate_all("all => all.map(one => one.className)"))


def top(page: Page, card: str) -> float:
    box = page.locator(card).bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("text_size", ["16px", "32px"])
def test_two_taps_choose_and_send_and_no_control_is_small(
    talk: Conversation, phone: Page, text_size: str
) -> None:
    phone.evaluate("size => { document.documentElement.style.fontSize = size }", text_size)
    assert phone.evaluate(FIXED) <= HEIGHT * 0.2
    assert phone.evaluate("document.documentElement.scrollWidth") <= WIDTH
    small = [box for box in phone.evaluate(CONTROLS) if min(box[1:]) < 44]
    order = phone.locator("[data-candidate]").evaluate_all(
        "all => all.map(e => e.dataset.candidate)"
    )

    phone.locator("#card-A .rule-out").tap()
    phone.locator("#card-C .pick").scroll_into_view_if_needed()
    assert phone.evaluate(FIXED) <= HEIGHT * 0.2
    phone.locator("#card-C .pick").tap()
    assert phone.evaluate(FIXED) - 44 <= HEIGHT * 0.55 + 10
    assert phone.evaluate("document.documentElement.scrollWidth") <= WIDTH
    small += [box for box in phone.evaluate(CONTROLS) if min(box[1:]) < 44]
    phone.get_by_role("button", name="Continue").tap()
    expect(phone.get_by_label("What would you say next?")).to_be_visible()

    stored, turn = Comparison.objects.get(), Turn.objects.get()
    by_slot = {one.slot: str(one.pk) for one in turn.set.candidates.all()}
    assert small == []
    assert order == [by_slot[slot] for slot in turn.display_order or []]
    assert str(stored.chosen_id) == order[2]
    assert (stored.layout, stored.viewport, stored.changes) == ("stack", "phone", 0)
    assert stored.reach is not None
    assert (turn.display_order or [])[0] in [
        n for n, most in enumerate(stored.reach) if most == 100
    ]
    assert stored.visible_ms is not None


def test_the_keyboard_covers_neither_field_nor_send(talk: Conversation, phone: Page) -> None:
    phone.locator("#card-B .pick").tap()
    phone.get_by_label("What made you choose this answer?").tap()
    phone.set_viewport_size({"width": WIDTH, "height": 340})  # what a keyboard leaves of the window
    field = phone.get_by_label("What made you choose this answer?").bounding_box()
    send = phone.get_by_role("button", name="Continue").bounding_box()

    assert field is not None
    assert send is not None
    assert field["y"] >= 0
    assert field["y"] + min(field["height"], 44) <= send["y"]
    assert send["y"] + send["height"] <= 340


def test_a_reload_keeps_the_place_and_what_was_ruled_out_and_marked(
    talk: Conversation, phone: Page
) -> None:
    phone.locator("#card-A .rule-out").tap()
    phone.locator("#card-B .pick").tap()
    phone.get_by_text("Fits my values").tap()
    phone.get_by_text("Mark the sentences that mattered").tap()
    phone.locator(".sentences label").nth(1).tap()
    phone.locator(".map [data-go=C]").tap()
    place = phone.evaluate("window.scrollY")
    before = letters(phone)
    phone.reload()
    expect(phone.locator("#card-B input[name=choice]")).to_be_checked()

    assert place > 100
    assert abs(phone.evaluate("window.scrollY") - place) <= 2
    assert letters(phone) == before
    assert before[:2] == ["ruled", "chosen"]
    phone.get_by_role("button", name="Continue").tap()
    expect(phone.get_by_label("Fits my values")).to_be_checked()
    phone.locator(".send").get_by_role("button", name="Continue").tap()
    expect(phone.get_by_label("What would you say next?")).to_be_visible()
    marks = Comparison.objects.get().marks.order_by("kind").values_list("kind", flat=True)
    assert list(marks) == ["reason", "ruled_out", "sentence"]


def test_what_was_ticked_and_ruled_out_is_there_in_another_browser(
    talk: Conversation, phone: Page, desk: Page
) -> None:
    phone.locator("#card-B .pick").tap()
    phone.get_by_text("Fits my values").tap()
    phone.get_by_text("Useful to me").tap()
    phone.locator(".map [data-go=A]").tap()
    with phone.expect_response(lambda answer: "ruled_out=" in (answer.request.post_data or "")):
        phone.locator("#card-A .rule-out").tap()
    expect(phone.locator("#saved")).to_have_text("Saved")
    desk.reload()

    expect(desk.locator("#card-B input[name=choice]")).to_be_checked()
    expect(desk.get_by_label("Fits my values")).to_be_checked()
    expect(desk.get_by_label("I like its tone")).not_to_be_checked()
    expect(desk.locator("#card-A input[name=ruled_out]")).to_be_checked()


def test_a_letter_goes_there_and_never_chooses_and_two_that_are_left_swap_in_place(
    talk: Conversation, phone: Page
) -> None:
    phone.locator(".map [data-go=D]").tap()
    assert letters(phone)[:3] == ["unread", "unread", "unread"]  # they were jumped over
    assert top(phone, "#card-D") < HEIGHT / 2
    assert phone.locator("input[name=choice]:checked").count() == 0
    phone.locator("#card-D .rule-out").tap()
    phone.locator(".map [data-go=B]").tap()
    phone.locator("#card-B .rule-out").tap()
    flip = phone.get_by_role("button", name="Flip A/C")
    phone.locator(".map [data-go=A]").tap()
    before = top(phone, "#card-A")
    flip.tap()

    expect(phone.locator("#card-A")).to_be_hidden()
    assert abs(top(phone, "#card-C") - before) <= 2
    flip.tap()
    expect(phone.locator("#card-A")).to_be_visible()
    expect(phone.locator("#card-C")).to_be_hidden()
    phone.locator(".map [data-go=C]").tap()
    expect(phone.locator("#card-A")).to_be_visible()
    assert not Comparison.objects.exists()


def test_the_layout_that_was_changed_to_is_recorded_beside_the_one_that_was_shown(
    talk: Conversation, desk: Page
) -> None:
    tops = [top(desk, f"#card-{letter}") for letter in "ABCD"]
    desk.get_by_role("button", name="One at a time").click()
    desk.locator("#card-A .next").click()
    expect(desk.locator("#card-B")).to_be_in_viewport()
    desk.get_by_label("Choose B", exact=True).check()
    desk.keyboard.press("ArrowRight")  # to C, and back before it is meant
    desk.keyboard.press("ArrowLeft")
    desk.reload()
    expect(desk.get_by_label("Choose B", exact=True)).to_be_checked()
    desk.get_by_role("button", name="Continue").click()
    expect(desk.get_by_label("What would you say next?")).to_be_visible()

    stored = Comparison.objects.get()
    assert len(set(tops)) == 1
    assert (Turn.objects.get().layout, stored.layout, stored.viewport) == ("grid", "pager", "wide")
    assert stored.changes == 0
    assert stored.first_choice_at is not None


@pytest.mark.parametrize("device", ["phone", "desk"])
def test_an_old_browser_has_a_plain_form_that_covers_nothing(
    talk: Conversation, request: pytest.FixtureRequest, device: str
) -> None:
    page: Page = request.getfixturevalue(device)
    without_has(page.context)
    page.reload()
    words = page.locator("#card-A .rule-out")

    assert page.evaluate(BARS) == []
    expect(words).to_have_text("Rule out A", use_inner_text=True)
    words.click()
    expect(words).to_have_text("Bring back A", use_inner_text=True)
    page.get_by_label("Choose B", exact=True).check()
    assert page.evaluate(BARS) == []
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("What would you say next?")).to_be_visible()
    assert Comparison.objects.get().marks.get().kind == "ruled_out"


def test_a_small_window_on_a_desk_is_recorded_as_what_it_showed(
    world: World, scripted: Page
) -> None:
    scripted.set_viewport_size({"width": 600, "height": 900})
    join(scripted)
    expect(scripted.get_by_label("Choose A", exact=True)).to_be_visible()

    assert Turn.objects.get().layout == "stack"


LENGTHS = (1100, 1200, 1300, 2500)
# Of each answer: whether words of it are out of sight, whether its button is there, and how much
# of it there is to see.
FOLDS = """() => Array.from(document.querySelectorAll('.card'), card => {
    const text = card.querySelector('.text'), fold = card.querySelector('.unfold');
    const top = text.getBoundingClientRect().top;
    const all = text.lastElementChild.getBoundingClientRect().bottom - top;
    return [text.scrollHeight > text.clientHeight, fold !== null && fold.checkVisibility(),
        Math.min(text.offsetHeight, all)];
}).sort()"""
PROSE = "I would lend it, but in writing. Agree on the amount, and on when it comes back. "


@pytest.mark.parametrize(
    ("width", "pager"), [(1280, False), (1100, False), (1280, True), (360, False)]
)
def test_a_fold_is_where_words_are_cut_and_no_answer_beside_it_is_taller(
    transactional_db: None, site: Site, chromium: Browser, width: int, pager: bool
) -> None:
    talk = answered([(PROSE * 40)[: length - 1] + "." for length in LENGTHS])
    with opened_at(site, chromium, talk, viewport={"width": width, "height": 800}) as page:
        if pager:
            page.get_by_role("button", name="One at a time").click()
        folds = page.evaluate(FOLDS)
        cut = [fold for fold in folds if fold[0]]

        assert [fold[1] for fold in folds] == [fold[0] for fold in folds]
        assert max(fold[2] for fold in folds) == folds[-1][2]
        assert len(cut) == 0 if pager else len(cut) in (1, 2)
        if cut:
            page.locator(".unfold:visible").last.click()
            assert len([fold for fold in page.evaluate(FOLDS) if fold[0]]) == len(cut) - 1
            assert page.locator(".unfold:visible").count() == len(cut)

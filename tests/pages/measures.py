"""What is measured of a page as it stands in the browser."""

from itertools import pairwise

from playwright.sync_api import Page

SMALLEST = 44  # CSS pixels

# Tables and the like scroll in a box of their own; the page itself never does.
WIDER = """
() => {
  const room = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= room) return [];
  return [...document.querySelectorAll("body *")]
    .filter(one => !one.closest(".scroll-x, pre, table, .unseen, [data-layout=pager] .card"))
    .filter(one => { const box = one.getBoundingClientRect();
                     return box.width && (box.right > room + 1 || box.left < -1); })
    .map(one => `${one.tagName.toLowerCase()}.${one.className}`);
}
"""
SMALL = """
smallest => [...document.querySelectorAll("a[href], button, summary, input, select, textarea")]
  .filter(one => one.type !== "hidden" && one.checkVisibility({visibilityProperty: true}))
  .filter(one => !one.closest(".unseen"))
  .filter(one => !(one.tagName === "A" && getComputedStyle(one).display === "inline"))
  .map(one => [one, /radio|checkbox/.test(one.type) ? one.closest("label") || one : one])
  .filter(([, target]) => target.getBoundingClientRect().height < smallest - 0.5)
  .map(([one, target]) => `${one.tagName.toLowerCase()} ${one.name || one.textContent.trim()}: `
    + `${Math.round(target.getBoundingClientRect().height)} px`)
"""
# Spacing that readers may set for themselves (WCAG 1.4.12).
SPACED = """
() => { const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important;"
    + " word-spacing: .16em !important } p { margin-block-end: 2em !important }");
  document.adoptedStyleSheets = [sheet]; }
"""
# Whether what has the focus lies wholly under something that stays in its place (WCAG 2.4.11).
COVERED = """
() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  return [...document.querySelectorAll("body *")]
    .filter(other => /fixed|sticky/.test(getComputedStyle(other).position))
    .filter(other => other.checkVisibility() && !other.contains(one))
    .map(other => other.getBoundingClientRect())
    .some(over => over.height && box.top >= over.top - 1 && box.bottom <= over.bottom + 1
                  && box.left >= over.left - 1 && box.right <= over.right + 1);
}
"""
OUTLINE = """
() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter(one => one.checkVisibility()).map(one => Number(one.tagName[1]))
"""


def wider_than_the_window(page: Page) -> list[str]:
    """The elements that make the page scroll sideways."""
    found: list[str] = page.evaluate(WIDER)
    return found


def small_controls(page: Page) -> list[str]:
    """Controls that are less than 44 px high. Links inside a sentence are none."""
    found: list[str] = page.evaluate(SMALL, SMALLEST)
    return found


def enlarge_text(page: Page, *, percent: int = 200) -> None:
    """Text of this size, as a browser's own setting would make it."""
    page.evaluate(
        "percent => document.documentElement.style.fontSize = `${16 * percent / 100}px`", percent
    )


def space_text(page: Page) -> None:
    """Letters, words and lines apart, as some readers need them."""
    page.evaluate(SPACED)


def covered_stops(page: Page, *, most: int = 60) -> list[str]:
    """Of the stops of the Tab key, once round, those that are hidden when they have the focus."""
    covered = []
    for stop in range(most):
        page.keyboard.press("Tab")
        if stop and page.evaluate("document.activeElement.matches('body, .skip-link')"):
            break
        if page.evaluate(COVERED):
            words = page.evaluate("document.activeElement.outerHTML.slice(0, 80)")
            covered.append(f"{stop}: {words}")
    return covered


def lost_without_sight(page: Page) -> list[str]:
    """What somebody who cannot see the page needs to find their way, and misses."""
    levels: list[int] = page.evaluate(OUTLINE)
    skips = [low for high, low in pairwise(levels) if low > high + 1]
    past = page.locator("a[href='#main']").count() == page.locator("main#main").count() == 1
    faults = {
        f"headings of first level: {levels.count(1)}": levels.count(1) != 1,
        f"levels of headings: {levels}": bool(skips),
        "no title": not page.title(),
        "no link past the bar": not past,
    }
    return [fault for fault, there in faults.items() if there]

"""Every page in every state as a picture, on one contact sheet. Run by `make pictures`.

At the widths of a phone and of a desk; in English, in a script of its own, and from right to left.
`PICTURES=compare,message` takes those states only; `DOCS=1` also renews the few in docs/pictures.
"""

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.stage import Stage, stage
from tests.pages.states import STATES, State

pytestmark = pytest.mark.django_db

LANGUAGES = ("en", "hi", "ar")
SIZES = {390: 844, 1280: 1000}
FOLDER = Path("var/pictures")
QUALITY = 70
SETTLED = 300  # ms until the sheet and the map stand in their places
DOCS = Path("docs/pictures")
# What of them is shown in docs, as far as the window reaches, and under which name.
IN_DOCS = {
    ("compare-chosen", "en", 390): "comparison-phone.png",
    ("compare-chosen", "en", 1280): "comparison.png",
    ("consent", "en", 1280): "consent.png",
    ("waiting-written", "en", 1280): "waiting.png",
    ("my-work", "en", 1280): "my-work.png",
    ("break", "en", 1280): "break.png",
    ("closing-complete", "en", 1280): "closing.png",
    ("compare-chosen", "hi", 390): "compare-hi-390.jpg",
    ("compare-chosen", "ar", 1280): "compare-ar-1280.jpg",
    ("message", "ar", 390): "message-ar-390.jpg",
    ("style", "en", 1280): "style-en-1280.jpg",
}
WANTED = [name for name in os.environ.get("PICTURES", "").split(",") if name]
CSS = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 1rem; background: #e9e5dd; }
section { display: flex; gap: 1rem; align-items: flex-start; overflow-x: auto; margin: 0 0 2rem; }
h2 { margin: 0 0 .3rem; } figure { margin: 0; } figcaption { font-size: .8rem; }
img { display: block; border: 1px solid #999; max-block-size: 900px; }
"""


def wanted() -> list[State]:
    return [STATES[name] for name in WANTED or STATES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_take_the_pictures(chromium: Browser, language: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with stage(chromium, reduced_motion="reduce") as shown:
        for state in wanted():
            take(shown, state, language)
    (FOLDER / "index.html").write_text(contact_sheet(), encoding="utf-8")


def take(shown: Stage, state: State, language: str) -> None:
    for width, height in SIZES.items():
        shown.page.set_viewport_size({"width": width, "height": height})
        page = shown.show(state, language)
        if "DOCS" in os.environ and (name := IN_DOCS.get((state.name, language, width))):
            take_for_docs(page, name)
        whole: int = page.evaluate("document.scrollingElement.scrollHeight")
        # In a window as high as the page, what stays at the window's end stands at the page's.
        page.set_viewport_size({"width": width, "height": max(whole, height)})
        path = file_of(state.name, language, width)
        page.screenshot(path=path, full_page=True, type="jpeg", quality=QUALITY)


def take_for_docs(page: Page, name: str) -> None:
    page.wait_for_timeout(SETTLED)
    if name.endswith(".png"):
        page.screenshot(path=DOCS / name)
    else:
        page.screenshot(path=DOCS / name, type="jpeg", quality=QUALITY)


def file_of(name: str, language: str, width: int) -> Path:
    return FOLDER / f"{name}-{language}-{width}.jpg"


def contact_sheet() -> str:
    """All pictures that there are, a row for each state: the languages beside each other."""
    rows = "\n".join(
        f"<h2>{escape(state.name)}</h2><section>{row(state)}</section>" for state in STATES.values()
    )
    return f'<!doctype html><meta charset="utf-8"><title>Pictures</title><style>{CSS}</style>{rows}'


def row(state: State) -> str:
    return "".join(figures(state))


def figures(state: State) -> Iterator[str]:
    for width in SIZES:
        for language in LANGUAGES:
            name = file_of(state.name, language, width).name
            if (FOLDER / name).exists():
                image = f'<img src="{name}" width="{260 if width < 1000 else 520}" alt="">'
                said = f"<figcaption>{language} {width}</figcaption>"
                yield f'<figure><a href="{name}">{image}</a>{said}</figure>'

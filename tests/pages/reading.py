"""What people read on a page, or hear: its texts, but for those that say they are no words of it.

Left out: names and codes (`translate="no"`, `code`, `output`), texts in another language than the
page's (`lang`), and what somebody typed.
"""

from dataclasses import dataclass
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
NO_WORDS = {"script", "style", "code", "kbd", "output", "textarea", "template"}
# Attributes that are shown or read aloud, ours for scripts among them.
SPOKEN = {"aria-label", "aria-description", "aria-roledescription", "alt", "title", "placeholder"}

# Of these scripts read which parts they are about.
KEYWORDS = {"data-for", "data-narrow", "data-wide"}


@dataclass(frozen=True)
class _Open:
    tag: str
    lang: str
    foreign: bool


class Texts(HTMLParser):
    """`lang` and `direction` of the page, and its `texts` in their order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.lang = self.direction = ""
        self.texts: list[str] = []
        self._open: list[_Open] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang, self.direction = given.get("lang", ""), given.get("dir", "ltr")
        around = self._open[-1] if self._open else _Open("", self.lang, foreign=False)
        lang = given.get("lang", around.lang)
        named = given.get("translate") == "no" or (around.foreign and "lang" not in given)
        foreign = named or tag in NO_WORDS or lang != self.lang
        if not foreign:
            self._keep_spoken(tag, given)
        if tag not in VOID:
            self._open.append(_Open(tag, lang, foreign))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and not self._open[-1].foreign and (words := " ".join(data.split())):
            self.texts.append(words)

    def _keep_spoken(self, tag: str, given: dict[str, str]) -> None:
        for name, value in given.items():
            button = tag == "input" and name == "value" and given.get("type") in ("submit", "reset")
            for_scripts = name.startswith("data-") and " " in value and name not in KEYWORDS
            if name in SPOKEN or button or for_scripts:
                self.texts.append(" ".join(value.split()))

"""A whole walk, from the join link to the completion code, in any language and by any hand.

At each page the main form is answered, which is the first one in the document: an option of each
question, words where there is room for them, and its button.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

from playwright.sync_api import Error, Locator, Page

from tests.journeys.hands import Hand

STEPS = 60
PATIENCE = 30.0  # seconds until a page that does not change is a failure
WORDS = "My grandmother would say so"
YEAR = "1980"
BUTTON = "button:not([type=button]), input[type=submit]"


class Walk:
    """`pages` counts what was passed; with `reload` every one of them is loaded twice.

    With `none`, no answer of the first comparison represents whoever walks. Answers may take
    `patience` seconds. Where there is room for words, the next of `words` is written.
    """

    def __init__(
        self,
        page: Page,
        hand: Hand,
        *,
        language: str = "en",
        reload: bool = False,
        none: bool = False,
        words: Sequence[str] = (WORDS,),
        patience: float = PATIENCE,
    ):
        self.page, self.hand, self.patience = page, hand, patience
        self.language, self.reload, self.none = language, reload, none
        self.words, self.pages = cycle(words), 0

    def begin(self, link: str = "/join/open-token/") -> None:
        """Follow the link, and choose the language of the pages."""
        self.page.goto(link)
        if self.page.locator("html").get_attribute("lang") != self.language:
            self.page.goto("/language/?next=/welcome/")
            self.hand.choose(self._main("input[name=language]").and_(self._valued(self.language)))
            self._send()

    def until(self, reached: Callable[[Page], bool]) -> None:
        """Answer one page after the other until one is reached."""
        for _ in range(STEPS):
            self.wait_for_answers()
            if reached(self.page):
                return
            self.answer()
        raise AssertionError(f"the walk leads nowhere: {self.page.url}")

    def to_the_code(self) -> str:
        """The completion code."""
        self.until(lambda page: page.locator("output.code").count() > 0)
        return self.page.locator("output.code").inner_text().strip()

    def wait_for_answers(self) -> None:
        """Wait while answers are being written. Loads the page anew once, if it is to."""
        if self.reload:
            self.page.reload()
        _until(
            lambda: self.page.locator("main").count() > 0 and not self._waits(),
            seconds=self.patience,
        )
        self.pages += 1
        assert self.page.locator("html").get_attribute("lang") == self.language

    def answer(self) -> None:
        """Fill in the main form and send it; where there is none, follow the main link."""
        if not self._main("form").count():
            return self._leave_by(self._main("a.btn").first)
        form = self._main("form").first
        while options := list(self._options(form)):  # what is chosen may bring another question
            for option in options:
                self.hand.choose(option)
        for select in form.locator("select:visible").all():
            self.hand.take(select)
        for field in form.locator("textarea:visible, input[type=text]:visible").all():
            if not field.input_value():
                is_number = field.get_attribute("inputmode") == "numeric"
                self.hand.write(field, YEAR if is_number else next(self.words))
        return self._send()

    def _waits(self) -> bool:
        """A set that failed is not waited for: its form asks for another one."""
        return self.page.locator("[data-set]:not([data-set-state=failed])").count() > 0

    def _main(self, what: str) -> Locator:
        return self.page.locator(f"main {what}")

    def _valued(self, value: str) -> Locator:
        return self.page.locator(f"[value='{value}']")

    def _options(self, form: Locator) -> Iterator[Locator]:
        """An option of each question that has no answer yet; one that must be ticked, as well."""
        names: list[str] = form.locator("input[type=radio]:visible").evaluate_all(
            "all => [...new Set(all.filter(one => !one.form.querySelector("
            "`[name='${one.name}']:checked`)).map(one => one.name))]"
        )
        for name in names:
            group = form.locator(f"input[type=radio][name='{name}']:visible")
            if name == "choice" and self.none and group.and_(self._valued("none")).count():
                self.none = False
                yield group.and_(self._valued("none"))
            else:
                yield group.first
        for box in form.locator("input[type=checkbox][required]:visible").all():
            if not box.is_checked():
                yield box

    def _send(self) -> None:
        """Press the main form's button."""
        self._leave_by(self._main("form").first.locator(BUTTON).last)

    def _leave_by(self, button: Locator) -> None:
        """Press it; returns once the page is another one."""
        before = self._sight()
        self.hand.press(button)
        _until(lambda: self._sight() != before)
        told = self.page.locator("main .notice[role=alert]:visible")  # the clock of a lease is none
        assert told.count() == 0, self._sight()

    def _sight(self) -> str:
        return f"{self.page.url} {self.page.locator('main').inner_text()}"


def _until(reached: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if reached():
                return
        except Error:
            pass  # the page is being changed at this moment
        assert time.monotonic() < end, "the page stays as it is"
        time.sleep(0.05)

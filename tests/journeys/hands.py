"""How somebody works a page: with a mouse, with the keys alone, or with a finger.

Controls are found by what they are, never by their words, so that every language walks alike.
"""

from typing import Protocol

from playwright.sync_api import Locator

TABS = 120  # more than any page has stops for


class Hand(Protocol):
    """Chooses options, writes into fields, and presses buttons."""

    def choose(self, option: Locator) -> None: ...

    def take(self, select: Locator) -> None:
        """Take the second entry of a list; the first is mostly a placeholder."""

    def write(self, field: Locator, text: str) -> None: ...

    def press(self, button: Locator) -> None: ...


class Mouse:
    def choose(self, option: Locator) -> None:
        _label(option).click()

    def take(self, select: Locator) -> None:
        select.select_option(index=1)

    def write(self, field: Locator, text: str) -> None:
        field.click()
        field.press_sequentially(text)

    def press(self, button: Locator) -> None:
        button.click()


class Finger(Mouse):
    """Taps; the browser context needs `has_touch`."""

    def choose(self, option: Locator) -> None:
        _label(option).tap()

    def write(self, field: Locator, text: str) -> None:
        field.tap()
        field.press_sequentially(text)

    def press(self, button: Locator) -> None:
        button.tap()


class Keys:
    """Tab to a control, then the keys that every browser has for its kind."""

    def choose(self, option: Locator) -> None:
        keyboard = option.page.keyboard
        kind, name = option.get_attribute("type"), option.get_attribute("name")
        self._reach(option, or_group=name if kind == "radio" else None)
        for _ in range(TABS):
            if _has_focus(option):
                break
            keyboard.press("ArrowDown")  # chooses the next one of the group
        if not option.is_checked():
            keyboard.press("Space")
        assert option.is_checked()

    def take(self, select: Locator) -> None:
        self._reach(select)
        select.page.keyboard.press("ArrowDown")

    def write(self, field: Locator, text: str) -> None:
        self._reach(field)
        field.page.keyboard.type(text)

    def press(self, button: Locator) -> None:
        self._reach(button)
        button.page.keyboard.press("Enter")

    def _reach(self, control: Locator, *, or_group: str | None = None) -> None:
        """Tab on until the control, or a member of its group, has the focus and shows it."""
        for _ in range(TABS):
            if _has_focus(control) or (or_group and _focused_name(control) == or_group):
                return
            control.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {control}")


def _label(option: Locator) -> Locator:
    """What people aim at: the label around an option."""
    return option.locator("xpath=ancestor::label[1]")


def _has_focus(control: Locator) -> bool:
    return bool(control.evaluate("one => one === document.activeElement"))


def _focused_name(control: Locator) -> str | None:
    name: str | None = control.evaluate("one => document.activeElement.getAttribute('name')")
    return name

"""Style sheets turn round with the page: no property of ours names the left or the right."""

import regex

from tests.architecture.files import ROOT, tracked

SHEETS = [path for path in tracked() if path.is_relative_to(ROOT / "static" / "css")]
# Sizes are named by the text's direction as well. Media queries ask for the window's own width.
PHYSICAL = regex.compile(
    r"""^\s*(?:
        (?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)\b[\w-]*\s*:
      | border-(?:top|bottom)-(?:left|right)-radius\s*:
      | (?:left|right|min-width|max-width|width|min-height|max-height|height)\s*:
      | (?:float|clear|text-align)\s*:\s*(?:left|right)\b
    )""",
    regex.VERBOSE | regex.MULTILINE,
)


def test_no_style_sheet_names_the_left_or_the_right() -> None:
    found = {path.name: PHYSICAL.findall(path.read_text(encoding="utf-8")) for path in SHEETS}

    assert SHEETS
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_every_font_of_the_interface_is_self_hosted_and_there() -> None:
    tokens = ROOT / "static" / "css" / "tokens.css"
    fonts = regex.findall(r'url\("([^"]+)"\)', tokens.read_text(encoding="utf-8"))

    assert fonts
    assert [font for font in fonts if not (tokens.parent / font).is_file()] == []


# Innermost rules and the blocks around them: what a brace opens, as it stands before it.
PRELUDE = regex.compile(r"([^{};]*)\{|\}")


def rules(sheet: str) -> list[tuple[str, list[str]]]:
    """The selectors of a sheet, each with what its rule stands in."""
    found: list[tuple[str, list[str]]] = []
    around: list[str] = []
    for match in PRELUDE.finditer(regex.sub(r"/\*.*?\*/", "", sheet, flags=regex.DOTALL)):
        if match[0] == "}":
            around.pop()
            continue
        found.append((match[1].strip(), list(around)))
        around.append(match[1].strip())
    return found


def is_mixed(selectors: str) -> bool:
    """Whether some browser would drop the one selector for the other: it does not know `:has()`."""
    parts = regex.split(r",(?![^()]*\))", selectors)
    return len({":has(" in part for part in parts}) > 1


def test_no_rule_is_lost_to_old_browsers_for_a_selector_beside_it() -> None:
    found = [
        (path.name, selectors)
        for path in SHEETS
        for selectors, around in rules(path.read_text(encoding="utf-8"))
        if is_mixed(selectors) and not any("selector(:has" in block for block in around)
    ]

    assert is_mixed("a:is(b, c), d:has(e, f)")
    assert found == []

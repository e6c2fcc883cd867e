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

"""Templates compile, each is used, and none holds a script or a style of its own."""

import ast
from collections.abc import Iterator

import pytest
import regex
from django.template.loader import get_template

from tests.architecture.files import APPS, ROOT, python, tracked

FOLDER = ROOT / "templates"
NAMES = sorted(
    str(path.relative_to(FOLDER))
    for path in tracked()
    if path.is_relative_to(FOLDER) and path.suffix == ".html"
)
BY_DJANGO = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
INLINE = regex.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", regex.IGNORECASE
)
ELSEWHERE = regex.compile(r"""(?:src|href|action)=["'](?:https?:)?//""", regex.IGNORECASE)


def words() -> Iterator[str]:
    """Every string in our Python, and every quoted word in the tags of our templates."""
    for folder in (*APPS, "config"):
        for _, tree in python(folder):
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
    for name in NAMES:
        source = (FOLDER / name).read_text(encoding="utf-8")
        for tag in regex.findall(r"{%.*?%}", source, regex.DOTALL):
            yield from (
                quoted for pair in regex.findall(r"\"([^\"]*)\"|'([^']*)'", tag) for quoted in pair
            )


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles(name: str) -> None:
    assert get_template(name)


def test_every_template_is_used() -> None:
    used = set(words()) | BY_DJANGO

    assert [name for name in NAMES if name not in used] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_template_holds_no_script_or_style_and_loads_nothing_from_elsewhere(name: str) -> None:
    source = (FOLDER / name).read_text(encoding="utf-8")

    assert INLINE.findall(source) == []
    assert ELSEWHERE.findall(source) == []

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import marked_yaml
from console.marked_yaml import Unreadable


def problem_of(text: str) -> marked_yaml.Problem:
    with pytest.raises(Unreadable) as caught:
        marked_yaml.read(text)
    return caught.value.problems[0]


def test_values_mean_what_they_look_like() -> None:
    document = marked_yaml.read("a: [no, 18-34, 1.5, -2, '1', true, ~, 2026-11-24, 12:30, 0x1F]")
    expected = ["no", "18-34", 1.5, -2, "1", True, None, "2026-11-24", "12:30", "0x1F"]
    assert document.value == {"a": expected}


def test_every_field_knows_its_line() -> None:
    document = marked_yaml.read("a:\n  - b: 1\n    c: |\n      x\n\nd: {e: 2}\n")
    assert document.line(("a", 0, "c")) == 3
    assert document.line(("d", "e")) == 6
    assert document.line(("d", "missing")) == 6


@pytest.mark.parametrize(
    ("text", "line", "field", "wrong"),
    [
        ("", 1, "", "the file is empty"),
        ("# only a comment\n", 1, "", "the file is empty"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "b.c", "a second time, after line 3"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "a.c", "a tab stands in the indentation"),
        ("a: 1\nb: 'x\nc: 2\n", 2, "b", "this is no YAML"),
        ("a: 1\nb: c: d\n", 2, "b", "this is no YAML"),
        ('a:\n  b: "\\0"\n', 2, "a.b", "control character (U+0000)"),
        ('a: "\\ud800"\n', 1, "a", "this is no YAML"),
        ("a: 1\n---\nb: 2\n", 3, "b", "a second document"),
        ("a: &x 1\nb: *x\n", 1, "a", "anchors"),
        ("a: 1\nb: !!python/name:os.system x\n", 2, "b", "tags"),
        ("a: 1\n? [b]\n: 2\n", 2, "", "a name of a field is a list"),
    ],
)
def test_what_we_do_not_read_is_told_with_line_and_field(
    text: str, line: int, field: str, wrong: str
) -> None:
    problem = problem_of(text)
    assert (problem.line, problem.field) == (line, field)
    assert wrong in problem.wrong
    assert problem.todo


def test_brackets_without_end_do_not_overflow_the_parser() -> None:
    assert "nested too deeply" in problem_of("a: " + "[" * 300_000).wrong


def test_a_thousand_aliases_are_refused_before_they_multiply() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(1000))
    assert "anchors" in problem_of(bomb).wrong


@pytest.mark.parametrize(
    ("data", "line", "field", "wrong"),
    [
        (b"a: 1\nb: x\x00y\n", 2, "b", "control character (U+0000)"),
        (b"a: 1\nb:\n  c: \xff\n", 3, "b.c", "not UTF-8"),
        (b"a: \xed\xa0\x80\n", 1, "a", "not UTF-8"),  # a lone surrogate
        (b"a:\n  b: |\n" + b"    words\n" * 500_000, 400_002, "a.b", "5.0 MB"),
    ],
)
def test_bytes_that_are_no_text_are_told_with_line_and_field(
    data: bytes, line: int, field: str, wrong: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        marked_yaml.decode(data)
    (problem,) = caught.value.problems
    assert (problem.line, problem.field) == (line, field)
    assert wrong in problem.wrong


plain = st.text(alphabet="abcé ह:#-?!'\"&*[]{}|>%@,\n\t", max_size=40)


@given(plain)
def test_any_text_is_read_or_refused_with_a_line_of_it(text: str) -> None:
    problems: Iterable[marked_yaml.Problem] = ()
    try:
        marked_yaml.read(text)
    except Unreadable as fault:
        problems = fault.problems
    assert all(1 <= problem.line <= text.count("\n") + 1 for problem in problems)


scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc हé", max_size=9)
keys = st.text("abcdef", min_size=1, max_size=5)
trees = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3)
)


@given(st.dictionaries(keys, trees, min_size=1))
def test_what_json_can_write_is_read_back_the_same(value: dict[str, object]) -> None:
    assert marked_yaml.read(json.dumps(value, ensure_ascii=False)).value == value

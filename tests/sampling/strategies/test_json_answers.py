"""Arrays as models write them: read whole or not at all, and watched while they come."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.strategies.json_answers import (
    BLANKS_IN_A_ROW,
    ArrayWatch,
    Unreadable,
    read_array,
    read_strings,
    without_markers,
)

FOUR = ["Yes: family first.", "Only in writing.", "No.", "Follow your heart."]
# As a model laid it out, with the bound on its strings.
UNEVEN = '["Yes, it is fine", "It is mutual",\n\t "Made with both ",\n "Based on trust"]'


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FOUR),
        json.dumps(FOUR, indent=4),
        f"\n {json.dumps(FOUR)}\n\n",
        f"```json\n{json.dumps(FOUR)}\n```",
        json.dumps(FOUR) + "\n" * 500,
    ],
)
def test_a_whole_array_is_read_however_it_is_laid_out(text: str) -> None:
    assert list(read_strings(text, k=4)) == FOUR


def test_strings_are_read_as_they_came() -> None:
    assert read_strings(UNEVEN, k=4)[2] == "Made with both "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no whole JSON array"),
        ("Yes, do it.", "no whole JSON array"),
        (json.dumps(FOUR)[:-2], "no whole JSON array"),
        ('["a", "b", "c"' + "\n" * 80, "no whole JSON array"),
        ("[" * 5000, "no whole JSON array"),
        ('{"responses": []}', "no array"),
        ('["a"]', "1 string where 4 were asked"),
        ('["a", "b", "c", "d", "e"]', "5 strings where 4"),
        ('["a", "b", "c", 4]', "something else than strings"),
        ('["a", "b", "c", ["d"]]', "something else than strings"),
    ],
)
def test_anything_else_is_refused_and_said(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read_strings(text, k=4)


@given(st.text(max_size=80))
def test_no_text_is_read_as_something_that_it_is_not(text: str) -> None:
    try:
        found = read_array(text, k=2)
    except Unreadable:
        return
    assert len(found) == 2


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8), st.integers(1, 9))
def test_the_watch_counts_the_items_of_any_array(texts: list[str], pieces: int) -> None:
    told: list[int] = []
    watch = ArrayWatch(k=len(texts), tell=told.append)
    written = json.dumps(texts)

    reasons = [watch.watch(written[at : at + pieces]) for at in range(0, len(written), pieces)]

    assert told == list(range(1, len(texts) + 1))
    assert set(reasons) == {None}


def test_objects_count_once_they_are_whole() -> None:
    told: list[int] = []
    watch = ArrayWatch(k=2, tell=told.append)

    watch.watch('[{"text": "a \\"b\\" }", "probability": 0.2}, {"text": ')
    assert told == [1]
    watch.watch('"c"}]')
    assert told == [1, 2]


@pytest.mark.parametrize("blank", ["\n", " ", "\t", "\\n"])
def test_blanks_that_run_on_stop_the_stream(blank: str) -> None:
    watch = ArrayWatch(k=4, tell=lambda _: None)

    assert watch.watch('["a", "b') is None
    assert watch.watch(blank * (BLANKS_IN_A_ROW - 1)) is None
    assert watch.watch(blank) == "blanks ran on"


def test_blanks_between_words_are_nothing() -> None:
    watch = ArrayWatch(k=4, tell=lambda _: None)

    assert watch.watch('["' + "a b\n\n" * 300) is None


@pytest.mark.parametrize("text", ["### Go.", " ###  Go. ", "### ### Go."])
def test_markers_at_the_start_of_a_string_are_taken_off(text: str) -> None:
    assert without_markers(text) == ("Go.", True)
    assert without_markers(" Go. ") == ("Go.", False)

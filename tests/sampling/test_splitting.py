"""The splitter on what a real model wrote, on each rule, and on anything at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.splitting import MARKER, Markers, split

SAMPLES = Path(__file__).parent / "samples"


def recorded(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text().splitlines()]


@pytest.mark.parametrize("sample", recorded("nc_single_raw.jsonl"))
def test_recorded_outputs_split_as_a_reader_would(sample: dict[str, Any]) -> None:
    found = split(sample["raw"])

    if sample["expected"] is None:
        assert len(found.responses) != 4
    else:
        assert list(found.responses) == sample["expected"]


FOUR = ("one.", "two.", "three.", "four.")


@pytest.mark.parametrize(
    "text",
    [
        "### one.\n### two.\n### three.\n### four.",
        "### one. ### two. ### three. ### four.",
        "### ### one.\n\n### ### two.\n\n### ### three.\n\n### ### four.",
        "### 1. one.\n### 2. two.\n### 3. three.\n### 4. four.",
        "### 1. ### one.\n### 2. ### two.\n### 3. ### three.\n### 4. ### four.",
        "### 1) one.\n### (2) two.\n### 3: three.\n### **4.** four.",
        "### one.\n###\n### two.\n### three.\n### four.\n###",
        "#### one.\n#### two.\n#### three.\n#### four.",
        "###one.\n###two.\n###three.\n###four.",
        "### Response 1: one.\n### Response #2: two.\n### Answer 3: three.\n### Option D: four.",
        "### Response A\none.\n### Response B\ntwo.\n### Response C\nthree.\n### Response D\nfour.",
        "### First Response:\n### one.\n### Second Response:\n### two.\n### Third Response:\n"
        "### three.\n### Fourth Response:\n### four.",
        "### **Réponse 1 :** one.\n### Première réponse : two.\n### Réponse n° 3 : three.\n"
        "### Quatrième réponse :\nfour.",
        "### Prima risposta: one.\n### Risposta 2: two.\n### Terza risposta:\nthree.\n### four.",
        "### Resposta 1: one.\n### Segunda resposta: two.\n### Terceira resposta:\n"
        "three.\n### four.",
        "### पहला उत्तर: one.\n### उत्तर 2: two.\n### तीसरा जवाब:\nthree.\n### four.",
        "### one.\n\n---\n\n### two.\n\n---\n\n### three.\n\n---\n\n### four.\n\n---",
    ],
)
def test_markers_numbers_labels_and_rules_are_no_part_of_a_text(text: str) -> None:
    assert split(text).responses == FOUR


def test_text_before_the_first_marker_is_never_a_response() -> None:
    found = split("Here are four responses:\n### one.\n### two.")

    assert found.responses == ("one.", "two.")
    assert found.notes == ("text before the first marker",)


def test_without_a_marker_there_is_no_response() -> None:
    assert split("Just an answer.").responses == ()


@pytest.mark.parametrize(
    "text",
    [
        "Response matters more than intent here.",
        "First responses are often the honest ones.",
        "1945 was the year it changed.",
        "Option: take the train. Or stay.\nBoth are fine.",
        "3 of 4 people would say no.",
        "5 - 10 minutes are enough.",
    ],
)
def test_words_that_look_like_labels_stay_when_they_are_none(text: str) -> None:
    expected = text.removeprefix("Option: ")

    assert split(f"### {text}").responses == (expected,)


plain = (
    st.text(st.characters(categories=["L", "M", "Zs"], include_characters=".,!?'\n"), min_size=1)
    .map(str.strip)
    .filter(lambda text: text and split(f"### {text}").responses == (text,))
)


@given(st.lists(plain, min_size=1, max_size=8), st.sampled_from(["\n\n", "\n", " "]))
def test_what_was_joined_by_markers_comes_apart_again(texts: list[str], between: str) -> None:
    joined = between.join(f"### {text}" for text in texts)

    assert list(split(joined).responses) == texts


LABELS = [
    *("Response {n}:", "Response #{n}:", "**Response {n}:**", "Answer {n} -", "First Response:"),
    *("Réponse {n} :", "Première réponse :", "Risposta {n}:", "Terza risposta:", "Opção {n}:"),
    *("Resposta {n}:", "Segunda resposta:", "उत्तर {n}:", "पहला उत्तर:", "जवाब {n}:"),
]
texts = st.lists(plain, min_size=1, max_size=8)


@given(texts, st.integers(1, 3), st.sampled_from([" ", "\n", ""]))
def test_markers_in_a_row_are_one(listed: list[str], more: int, between: str) -> None:
    row = between.join(["###"] * (more + 1))

    assert list(split("\n".join(f"{row} {text}" for text in listed)).responses) == listed


@given(texts, st.sampled_from(["{n}. ", "{n}) ", "({n}) ", "{n}: ", "**{n}.** ", "{n}. ### "]))
def test_numbering_is_no_part_of_a_text(listed: list[str], form: str) -> None:
    numbered = [f"### {form.format(n=n)}{text}" for n, text in enumerate(listed, 1)]

    assert list(split("\n".join(numbered)).responses) == listed


@given(texts, st.sampled_from(LABELS), st.sampled_from(["\n", "\n\n", "\n### ", "\n\n### "]))
def test_a_label_is_no_response_and_no_part_of_one(
    listed: list[str], label: str, between: str
) -> None:
    labelled = [f"### {label.format(n=n)}{between}{text}" for n, text in enumerate(listed, 1)]

    assert list(split("\n".join(labelled)).responses) == listed


@given(texts, st.sampled_from([" ### ", " ###\n", "###", "\n###", " #### "]))
def test_a_marker_inside_or_at_the_end_of_a_line_parts_as_well(
    listed: list[str], between: str
) -> None:
    assert list(split("### " + between.join(listed)).responses) == listed


@given(texts)
def test_two_marked_lines_for_each_response_are_counted_and_never_paired(
    listed: list[str],
) -> None:
    doubled = "\n\n".join(f"### {text}\n### {text}" for text in listed)

    assert len(split(doubled).responses) == 2 * len(listed)


@given(plain, texts)
def test_what_stands_before_the_first_marker_is_noted_and_left_out(
    before: str, listed: list[str]
) -> None:
    found = split(before + "".join(f"\n### {text}" for text in listed))

    assert list(found.responses) == listed
    assert found.notes == ("text before the first marker",)


@given(plain, st.integers(1, 9))
def test_markers_behind_the_last_response_add_none(text: str, more: int) -> None:
    assert split(f"### {text}" + "\n###" * more).responses == (text,)


@given(st.text(st.sampled_from(list("# \n1.):*-abResponse उत्तर")), max_size=80))
def test_no_response_is_empty_or_holds_a_marker(text: str) -> None:
    for response in split(text).responses:
        assert response.strip() == response != ""
        assert not MARKER.search(response)


def fed(text: str, *, k: int = 4, size: int = 3) -> tuple[str | None, int, list[int]]:
    """Why the watcher stopped, after how many characters, and what it told."""
    told: list[int] = []
    markers = Markers(k=k, tell=told.append)
    for at in range(0, len(text), size):
        if reason := markers.watch(text[at : at + size]):
            return reason, at + size, told
    return None, len(text), told


def test_a_loop_of_markers_is_stopped_at_the_fourth() -> None:
    reason, at, _ = fed("### " * 200)

    assert reason == "four markers in a row without text"
    assert at < 24


def test_two_markers_in_a_row_are_normal() -> None:
    assert fed("### ### one.\n### ### two.\n### ### three.\n### ### four.")[0] is None


def test_the_stream_is_stopped_when_a_response_too_many_has_begun() -> None:
    four = "\n".join(f"### {text}" for text in FOUR)
    fifth = (
        "\n### Another point of view would be to wait until the spring has come and then decide."
    )

    reason, at, _ = fed(four + fifth * 3)

    assert reason == "response 5 began"
    assert at < len(four + fifth)


def test_a_label_after_the_last_response_stops_nothing() -> None:
    labelled = "".join(f"### Response {n}:\n### {text}\n" for n, text in enumerate(FOUR, 1))

    assert fed(labelled)[0] is None


def test_progress_counts_whole_responses_only() -> None:
    _, _, told = fed("### one.\n### two.\n### three.\n### four.")

    assert sorted(set(told)) == [1, 2, 3]


@pytest.mark.parametrize("sample", recorded("nc_single_raw.jsonl"))
@pytest.mark.parametrize("size", [1, 5, 40])
def test_no_recorded_set_of_four_is_stopped_early(sample: dict[str, Any], size: int) -> None:
    reason, _, _ = fed(sample["raw"], size=size)

    if sample["expected"] is not None:
        assert reason is None


ENDLESS = ["\n", " ", "#", "# ", "### ", "-", "---\n", "*", "1. ", "Response ", "_\n"]


@pytest.mark.parametrize("piece", ENDLESS)
def test_a_quarter_of_a_million_characters_are_read_as_quickly_as_a_few(piece: str) -> None:
    endless = piece * (200_000 // len(piece))

    assert split("### one. " + endless).responses[0].startswith("one.")
    fed("### one. " + endless, size=50)

"""The reader of event streams, from bytes alone."""

import contextlib
import itertools
import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sampling.errors import BrokenStream, EndedByEndpoint, SamplingError, TooLarge, UnusableText
from sampling.event_stream import MAX_EVENT_BYTES, EventStream
from tests.sampling.raw_server import DONE, event


def read(*chunks: bytes) -> EventStream:
    stream = EventStream()
    for chunk in chunks:
        stream.feed(chunk)
    stream.finish()
    return stream


def whole(*texts: str) -> bytes:
    return b"".join([*(event(text) for text in texts), event(finish="stop"), DONE])


storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@given(st.lists(storable, max_size=8), st.lists(st.integers(0, 2000), max_size=12))
def test_however_the_bytes_are_cut_the_text_is_the_same(texts: list[str], cuts: list[int]) -> None:
    data = whole(*texts)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[one:other] for one, other in itertools.pairwise(edges)]

    stream = read(*chunks)

    assert stream.text == "".join(texts)
    assert stream.finish_reason == "stop"


@given(st.binary(max_size=300))
def test_no_bytes_at_all_make_the_reader_raise_anything_of_its_parts(data: bytes) -> None:
    with contextlib.suppress(SamplingError):
        read(data)


def test_carriage_returns_comments_and_unknown_fields_are_understood() -> None:
    data = whole("Hé").replace(b"\n", b"\r\n")

    stream = read(b": ping\r\n\r\nevent: message\r\nid: 4\r\n" + data)

    assert stream.text == "Hé"


def test_an_event_of_several_data_lines_is_one() -> None:
    lines = json.dumps({"choices": [{"delta": {"content": "Hi."}}]}, indent=1).encode()
    spread = b"".join(b"data: " + line + b"\n" for line in lines.split(b"\n")) + b"\n"

    assert read(spread, whole("")).text == "Hi."


def test_what_the_prefix_cache_carried_is_kept_beside_the_counts() -> None:
    usage = {"prompt_tokens": 40, "prompt_tokens_details": {"cached_tokens": 32, "other": 1}}

    stream = read(
        event("Hi."),
        b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n",
        whole(),
    )

    assert stream.usage == {"prompt_tokens": 40, "cached_tokens": 32}


def test_usage_is_kept_as_whole_numbers() -> None:
    usage = {"completion_tokens": 3, "details": {"cached": 1}, "cost": 0.2}
    usage |= {"prompt_tokens": -1, "total_tokens": 10**30, "a\x00": 1}

    stream = read(
        event("Hi."),
        b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n",
        whole(),
    )

    assert stream.usage == {"completion_tokens": 3}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (event("Hi.") + DONE, "without a finish reason"),
        (event("Hi.", finish="stop"), r"without \[DONE\]"),
        (b"", "without a finish reason"),
        (b'data: {"choices":[{"del\n\n', "malformed JSON"),
        (b"data: 5\n\n", "another shape"),
        (b'data: {"choices":[7]}\n\n', "another shape"),
        (b'data: {"choices":[{"delta":[1]}]}\n\n', "another shape"),
        (b'data: {"error":{"message":"x","code":500}}\n\n' + DONE, "an error inside the stream"),
        (b'data: {"error":"x"}\n\n' + DONE, "an error inside the stream"),
        (b"data: \xff\xfe\n\n", "malformed JSON"),
    ],
)
def test_what_is_no_whole_answer_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(BrokenStream, match=said) as caught:
        read(data)

    assert caught.value.retryable


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_a_whole_answer_ends_by_itself_or_at_its_limit(reason: str) -> None:
    assert read(event("Hi.", finish=reason), DONE).finish_reason == reason


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
@example("content_filter")
@example("tool_calls")
@example("function_call")
@example("error")
@example("abort")
@example("Stop")
@example("x" * 5000)
def test_an_answer_that_ended_for_any_other_reason_is_broken(reason: str) -> None:
    assume(reason not in {"stop", "length"})

    with pytest.raises(BrokenStream, match="was ended by the endpoint") as caught:
        read(event("Half an answer", finish=reason), DONE)

    assert caught.value.raw == "Half an answer"
    assert len(caught.value.message) < 120


@pytest.mark.parametrize("reason", ["content_filter", "tool_calls", "function_call"])
def test_an_end_that_a_healthy_server_decides_on_is_not_its_fault(reason: str) -> None:
    with pytest.raises(EndedByEndpoint, match=reason) as caught:
        read(event("Half an answer", finish=reason), DONE)

    assert not caught.value.blames_endpoint


@pytest.mark.parametrize("reason", ["error", "abort"])
def test_an_end_by_a_failing_server_is_its_fault(reason: str) -> None:
    with pytest.raises(BrokenStream) as caught:
        read(event("Half an answer", finish=reason), DONE)

    assert caught.value.blames_endpoint


def test_a_broken_end_counts_though_the_watcher_has_seen_enough() -> None:
    stream = EventStream(watcher=lambda _: "enough")
    stream.feed(event("one ") + event("", finish="content_filter"))

    with pytest.raises(BrokenStream, match="content_filter"):
        stream.finish()


@pytest.mark.parametrize(
    ("escape", "said"), [(b"\\u0000", "NUL"), (b"\\ud800", "surrogate"), (b"\\udc00", "surrogate")]
)
def test_text_that_no_row_can_hold_is_refused_with_a_reason(escape: bytes, said: str) -> None:
    bad = b'data: {"choices":[{"delta":{"content":"so ' + escape + b'"}}]}\n\n'

    with pytest.raises(UnusableText, match=said) as caught:
        read(bad, whole())

    assert caught.value.raw.encode()
    assert "\x00" not in caught.value.raw


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    pair = b'data: {"choices":[{"delta":{"content":"\\ud83d\\ude00"}}]}\n\n'

    assert read(pair, whole()).text == "😀"


def test_a_text_or_an_event_over_the_cap_is_refused() -> None:
    with pytest.raises(TooLarge):
        read(*(event("x" * 60_000) for _ in range(5)))
    with pytest.raises(TooLarge):
        read(b"data: " + b"x" * (MAX_EVENT_BYTES + 1))


def test_the_watcher_sees_all_text_and_may_end_the_reading() -> None:
    seen: list[str] = []

    def watcher(piece: str) -> str | None:
        seen.append(piece)
        return "enough" if len(seen) == 2 else None

    stream = EventStream(watcher=watcher)
    stream.feed(event("one "))
    stream.feed(event("two ") + event("three"))
    stream.finish()

    assert seen == ["one ", "two three"]
    assert stream.stopped_early == "enough"


def test_half_an_event_behind_an_early_stop_is_no_fault() -> None:
    stream = EventStream(watcher=lambda _: "enough")
    stream.feed(event("one ") + event("two")[:20])

    stream.finish()

    assert stream.text == "one "


def test_text_that_is_no_string_is_never_text() -> None:
    parts = [{"type": "text", "text": "Lend it. "}]
    data = b"data: " + json.dumps({"choices": [{"delta": {"content": parts}}]}).encode() + b"\n\n"

    with pytest.raises(BrokenStream, match="another shape"):
        read(data + event(finish="stop") + DONE)


def test_an_event_that_never_ends_is_stopped_at_the_cap() -> None:
    lines = [b"data: " + b"x" * 60_000 + b"\n"] * (2 * MAX_EVENT_BYTES // 60_000)

    with pytest.raises(TooLarge):
        read(*lines)


def test_what_comes_after_the_end_is_no_part_of_the_answer() -> None:
    assert read(whole("Yes.") + event(" An error occurred.")).text == "Yes."

import http.client
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from sampling import simulated
from sampling.guard.language import detect
from sampling.guard.likeness import NEAR_DUPLICATE, likeness
from sampling.guard.refusals import identifies_itself, refuses
from sampling.simulated.misbehaviour import BEHAVIOURS
from sampling.simulated.running import ROOT
from tests.sampling.simulated.asking import (
    FOUR_STRINGS,
    Answer,
    chat,
    get,
    sections,
    set_messages,
)

# What a client meets; http.client raises one of these when a connection breaks.
Broken = (http.client.HTTPException, ConnectionError)
SHORT = 0.3


def streamed_set(endpoint: simulated.Endpoint, **body: Any) -> Answer:
    return chat(endpoint, **{"stream": True, "messages": set_messages(), **body})


def finish_reasons(answer: Answer) -> set[str | None]:
    choices = [choice for chunk in answer.chunks for choice in chunk["choices"]]
    return {choice["finish_reason"] for choice in choices} - {None}


def test_every_behaviour_says_what_it_does(endpoint: simulated.Endpoint) -> None:
    listed = get(endpoint, "/control/behaviours").json
    assert listed == {name: found.says for name, found in BEHAVIOURS.items()}
    assert all(says.endswith(".") and len(says) > 20 for says in listed.values())


def test_the_documentation_has_the_same_table() -> None:
    page = (ROOT / "docs" / "simulated-endpoint.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{name}` | {found.says} |" for name, found in BEHAVIOURS.items()]


def test_an_order_to_do_well_keeps_its_place(endpoint: simulated.Endpoint) -> None:
    endpoint.order("well")
    endpoint.order("status_500")
    assert [streamed_set(endpoint).status for _ in range(3)] == [200, 500, 200]


@pytest.mark.parametrize("name", ["close_at_accept", "hang_up", "reset"])
def test_connections_are_closed_without_an_answer(endpoint: simulated.Endpoint, name: str) -> None:
    endpoint.order(name)
    with pytest.raises(Broken):
        streamed_set(endpoint)
    assert streamed_set(endpoint).status == 200


def test_new_connections_are_refused_for_a_while(endpoint: simulated.Endpoint) -> None:
    endpoint.order("refuse", seconds=SHORT)
    with pytest.raises(ConnectionRefusedError):
        streamed_set(endpoint)
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", endpoint.port)) == 0:
                break
    assert streamed_set(endpoint).status == 200


@pytest.mark.parametrize("name", ["hang_before_headers", "hang_before_first_token", "stall"])
def test_silence_lasts_until_the_client_gives_up(name: str) -> None:
    with simulated.running() as endpoint:
        endpoint.order(name)
        with pytest.raises(TimeoutError):
            streamed_set(endpoint, timeout=SHORT)
        entry = endpoint.wait_for(1)[0]
    assert (entry["behaviour"], entry["finish"]) == (name, "client closed")
    assert bool(entry["tokens"]) is (name == "stall")


@pytest.mark.parametrize("name", ["hang_before_headers", "hang_before_first_token", "stall"])
@pytest.mark.parametrize("stream", [True, False])
def test_silence_can_end_by_itself(endpoint: simulated.Endpoint, name: str, stream: bool) -> None:
    endpoint.order(name, seconds=0.05)
    answer = chat(endpoint, stream=stream)
    assert (answer.streamed() if stream else answer.text).endswith(".")


@pytest.mark.parametrize("stream", [True, False])
def test_a_body_is_cut_in_the_middle(endpoint: simulated.Endpoint, stream: bool) -> None:
    before = len(endpoint.log())
    endpoint.order("cut", after=3)
    with pytest.raises(Broken):
        chat(endpoint, stream=stream)
    entry = endpoint.wait_for(before + 1)[-1]
    assert entry["finish"] == "misbehaved"
    assert entry["tokens"] == (3 if stream else 0)


@pytest.mark.parametrize("name", ["stall", "end_early", "error_in_stream", "malformed_chunk"])
def test_no_fault_of_a_stream_comes_before_its_headers(
    endpoint: simulated.Endpoint, name: str
) -> None:
    endpoint.order(name, after=0, seconds=0.05)
    assert streamed_set(endpoint).status == 200


def test_a_stream_ends_cleanly_without_a_reason(endpoint: simulated.Endpoint) -> None:
    endpoint.order("end_early", after=4)
    answer = streamed_set(endpoint)
    assert finish_reasons(answer) == set()
    assert "[DONE]" not in answer.lines


def test_a_stream_is_whole_but_for_its_finish_reason(endpoint: simulated.Endpoint) -> None:
    endpoint.order("no_finish_reason")
    answer = streamed_set(endpoint)
    assert finish_reasons(answer) == set()
    assert answer.lines[-1] == "[DONE]"
    assert len(sections(answer.streamed())) == 4


def test_a_stream_is_whole_but_for_done(endpoint: simulated.Endpoint) -> None:
    endpoint.order("no_done")
    answer = streamed_set(endpoint)
    assert finish_reasons(answer) == {"stop"}
    assert "[DONE]" not in answer.lines


def test_an_error_object_stands_in_the_stream(endpoint: simulated.Endpoint) -> None:
    endpoint.order("error_in_stream", after=4)
    answer = streamed_set(endpoint)
    assert answer.status == 200
    assert json.loads(answer.lines[-2])["error"]["code"] == 500
    assert answer.lines[-1] == "[DONE]"


def test_broken_json_stands_in_the_stream(endpoint: simulated.Endpoint) -> None:
    endpoint.order("malformed_chunk", after=4)
    lines = streamed_set(endpoint).lines
    broken = [line for line in lines if line.startswith("{") and not line.endswith("}")]
    assert len(broken) == 1
    assert lines[-1] == "[DONE]"


def test_characters_split_between_writes_arrive_whole(endpoint: simulated.Endpoint) -> None:
    endpoint.order("split_characters")
    split = streamed_set(endpoint, messages=set_messages("Hindi"))
    plain = streamed_set(endpoint, messages=set_messages("Hindi"))
    assert split.streamed() == plain.streamed()


def test_characters_are_really_split(endpoint: simulated.Endpoint) -> None:
    endpoint.order("split_characters")
    line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    body = json.dumps({"messages": set_messages("Hindi"), "stream": True})
    headers = {"Content-Type": "application/json", "Connection": "close"}
    line.request("POST", "/v1/chat/completions", body, headers)
    raw = bytearray()
    while data := line.sock.recv(65536):
        raw += data
    line.close()
    frames = [frame for frame in bytes(raw).split(b"\r\n") if frame.startswith(b"data")]
    with pytest.raises(UnicodeDecodeError):
        [frame.decode() for frame in frames]


@pytest.mark.parametrize(
    ("name", "status", "content_type"),
    [
        ("html", 200, "text/html; charset=utf-8"),
        ("error_in_body", 200, "application/json"),
        ("malformed_body", 200, "application/json"),
        ("status_400", 400, "application/json"),
        ("bad_request", 400, "application/json"),
        ("status_401", 401, "application/json"),
        ("status_404", 404, "application/json"),
        ("status_429", 429, "application/json"),
        ("status_500", 500, "application/json"),
        ("status_503", 503, "application/json"),
    ],
)
def test_something_else_is_answered(
    endpoint: simulated.Endpoint, name: str, status: int, content_type: str
) -> None:
    endpoint.order(name)
    answer = streamed_set(endpoint)
    assert (answer.status, answer.headers["content-type"]) == (status, content_type)
    assert "retry-after" not in answer.headers
    assert endpoint.log()[-1]["behaviour"] == name


def test_bytes_that_are_no_http_are_told_so(endpoint: simulated.Endpoint) -> None:
    greeting = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as line:
        line.sendall(greeting)
        assert line.makefile("rb").read().startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_too_many_requests_may_say_when_to_come_back(endpoint: simulated.Endpoint) -> None:
    endpoint.order("status_429", retry_after=7)
    assert streamed_set(endpoint).headers["retry-after"] == "7"


def test_the_401_has_a_string_where_others_have_an_object(endpoint: simulated.Endpoint) -> None:
    endpoint.order("status_401")
    assert streamed_set(endpoint).json == {"error": "Unauthorized"}


def only_first(text: str, holds: Callable[[str], bool]) -> bool:
    """Whether it holds of the first of four responses and of no other."""
    return [holds(part) for part in sections(text)] == [True, False, False, False]


TEXTS: dict[str, Callable[[str], bool]] = {
    "empty": lambda text: text == "",
    "white_space": lambda text: bool(text) and not text.strip(),
    "marker_inside": lambda text: text.count("###") == 5,
    "numbered": lambda text: all(part[:2] in {"1.", "2.", "3.", "4."} for part in sections(text)),
    "preamble": lambda text: text.startswith("Sure!") and text.count("### ") == 4,
    "special_tokens": lambda text: text.count("<|end_of_text|>") == 4,
    "refusal": lambda text: "As an AI" in text and len(sections(text)) == 4,
    "self_identification": lambda text: only_first(text, identifies_itself),
    "echo": lambda text: only_first(text, lambda part: part.startswith("Generate four responses")),
    "foreign_script": lambda text: only_first(text, lambda part: "家庭" in part),
    "question_back": lambda text: only_first(text, lambda part: part.endswith("?")),
    "error_text": lambda text: text.count("Internal Server Error") == 4,
    "bad_escapes": lambda text: "\x00\ud83d" in text,
    "identical": lambda text: len(set(sections(text))) == 1,
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("stream", [True, False])
def test_the_text_itself_is_wrong(endpoint: simulated.Endpoint, name: str, stream: bool) -> None:
    endpoint.order(name)
    answer = chat(endpoint, messages=set_messages(), stream=stream)
    text = answer.streamed() if stream else answer.text
    assert TEXTS[name](text), text
    assert answer.status == 200


def test_one_response_alone_may_refuse(endpoint: simulated.Endpoint) -> None:
    endpoint.order("refusal", first=True)
    assert only_first(chat(endpoint, messages=set_messages()).text, refuses)


@pytest.mark.parametrize("reason", ["content_filter", "tool_calls"])
def test_a_server_ends_an_answer_for_reasons_of_its_own(
    endpoint: simulated.Endpoint, reason: str
) -> None:
    endpoint.order("ended_by_server", reason=reason)
    answer = streamed_set(endpoint)
    assert finish_reasons(answer) == {reason}
    assert answer.lines[-1] == "[DONE]"


@pytest.mark.parametrize("count", [1, 3, 5, 7])
@pytest.mark.parametrize("form", ["text", "json"])
def test_any_number_of_responses_can_be_had(
    endpoint: simulated.Endpoint, count: int, form: str
) -> None:
    endpoint.order("count", count=count)
    body = {"response_format": FOUR_STRINGS} if form == "json" else {}
    text = chat(endpoint, messages=set_messages(), **body).text  # type: ignore[arg-type]
    parts = json.loads(text) if form == "json" else sections(text)
    assert len(parts) == len(set(parts)) == count


def test_near_duplicates_are_not_the_same_but_nearly(endpoint: simulated.Endpoint) -> None:
    endpoint.order("near_duplicates")
    parts = sections(chat(endpoint, messages=set_messages()).text)
    assert len(set(parts)) == 4
    assert likeness(parts).min() > NEAR_DUPLICATE


def test_an_english_answer_comes_to_a_hindi_question(endpoint: simulated.Endpoint) -> None:
    endpoint.order("wrong_language")
    parts = sections(chat(endpoint, messages=set_messages("Hindi")).text)
    assert {detect(part) for part in parts} == {"en"}


def test_an_array_is_cut_by_the_token_limit(endpoint: simulated.Endpoint) -> None:
    endpoint.order("cut_by_limit")
    answer = chat(endpoint, messages=set_messages(), response_format=FOUR_STRINGS)
    assert answer.finish_reason == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_white_space_runs_on_to_the_token_limit(endpoint: simulated.Endpoint) -> None:
    endpoint.order("endless_white_space")
    answer = chat(endpoint, response_format=FOUR_STRINGS, max_tokens=300)
    assert (answer.finish_reason, answer.text) == ("length", "[" + "\n" * 299)


def test_two_megabytes_come_through(endpoint: simulated.Endpoint) -> None:
    endpoint.order("huge")
    assert len(streamed_set(endpoint).streamed()) > 2_000_000

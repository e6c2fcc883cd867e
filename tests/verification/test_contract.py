"""What the platform relies on in every model server: form only, never what a text says.

It runs against the simulated endpoint and the local model, and against any server with
VERIFY_BASE_URL, VERIFY_MODEL, VERIFY_KEY and VERIFY_PROFILE (vllm or llama.cpp). So the simulated
endpoint, on which all other tests stand, is held to what real servers do.
"""

import json
import secrets
import time
from typing import Any

import pytest
import regex

from tests.verification.profiles import like_vllm
from tests.verification.wire import Stream, Wire

LONGEST = 60
ENDLESS: dict[str, Any] = {"max_tokens": 400, "min_tokens": 400, "ignore_eos": True}


def strings(count: int, *, longest: int | None = None) -> dict[str, Any]:
    """The form of an array of exactly so many strings."""
    item = {"type": "string", **({"maxLength": longest} if longest else {})}
    schema = {"type": "array", "items": item, "minItems": count, "maxItems": count}
    return {
        "type": "json_schema",
        "json_schema": {"name": "words", "strict": True, "schema": schema},
    }


def strings_that_differ() -> dict[str, Any]:
    """An array whose strings must differ: what no server can be asked for."""
    form = strings(4)
    form["json_schema"]["schema"]["uniqueItems"] = True
    return form


# What vLLM answers with status 400: the body, and the type and the parameter that its error names.
WRONG: list[tuple[dict[str, Any], str, str | None]] = [
    ({"temperature": 3}, "BadRequestError", "temperature"),
    ({"top_p": 0}, "BadRequestError", "top_p"),
    ({"max_tokens": 0}, "BadRequestError", "max_tokens"),
    ({"max_tokens": 100_000}, "BadRequestError", "max_tokens"),
    ({"n": 0}, "BadRequestError", None),
    ({"n": 2, "temperature": 0}, "BadRequestError", None),
    ({"messages": []}, "BadRequestError", None),
    ({"top_logprobs": 2}, "BadRequestError", "top_logprobs"),
    ({"stream_options": {"include_usage": True}}, "BadRequestError", "stream_options"),
    ({"response_format": strings_that_differ()}, "BadRequestError", None),
    ({"seed": "abc"}, "Bad Request", "body.seed"),
    ({"stop": [7]}, "Bad Request", "body.stop"),
]
FOUR_STRINGS = strings(4, longest=LONGEST)
FREE_STRINGS = strings(4)


def choices(chunks: list[dict[str, Any]], index: int = 0) -> list[dict[str, Any]]:
    found = [choice for chunk in chunks for choice in chunk["choices"]]
    return [choice for choice in found if choice["index"] == index]


def text(chunks: list[dict[str, Any]], index: int = 0) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in choices(chunks, index))


def reasons(chunks: list[dict[str, Any]], index: int = 0) -> list[str]:
    return [choice["finish_reason"] for choice in choices(chunks, index) if choice["finish_reason"]]


class TestStreaming:
    def test_a_stream_is_an_event_stream_that_opens_with_a_role(self, wire: Wire) -> None:
        with wire.stream() as stream:
            chunks = stream.chunks()
        assert (stream.status, stream.content_type.split(";")[0]) == (200, "text/event-stream")
        first = choices(chunks)[0]
        assert first["delta"] == {"role": "assistant", "content": wire.profile.role_content}
        assert first["finish_reason"] is None

    def test_every_chunk_names_its_answer_and_its_kind(self, wire: Wire) -> None:
        with wire.stream() as stream:
            chunks = stream.chunks()
        assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
        assert len({chunk["id"] for chunk in chunks}) == 1
        assert text(chunks)

    def test_one_finish_reason_comes_and_done_comes_last(self, wire: Wire) -> None:
        with wire.stream() as stream:
            chunks = stream.chunks()
        last = choices(chunks)[-1]
        assert reasons(chunks) == [last["finish_reason"]]
        assert last["finish_reason"] in {"stop", "length"}
        assert bool(last["delta"].get("content")) is wire.profile.finish_comes_with_text

    def test_usage_comes_last_and_alone_when_it_is_asked_for(self, wire: Wire) -> None:
        with wire.stream(stream_options={"include_usage": True}) as stream:
            *_, last = stream.chunks()
        usage = last["usage"]
        assert last["choices"] == []
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert 1 <= usage["completion_tokens"] <= 24

    def test_the_choices_of_a_stream_are_told_apart_by_their_index(self, wire: Wire) -> None:
        with wire.stream(n=2, temperature=0.8) as stream:
            chunks = stream.chunks()
        for index in range(2):
            assert text(chunks, index)
            assert len(reasons(chunks, index)) == 1

    @pytest.mark.parametrize("n", [1, 2])
    def test_a_closed_stream_stops_the_generation(self, wire: Wire, n: int) -> None:
        with wire.stream(n=n, temperature=0.8, **ENDLESS) as stream:
            begin(stream)
            assert wire.figures().running >= 1
        wire.rest()
        generated = wire.figures().generated
        time.sleep(1)
        assert wire.figures().generated == generated

    def test_an_array_can_be_streamed(self, wire: Wire) -> None:
        with wire.stream(response_format=FOUR_STRINGS, max_tokens=120, seed=2) as stream:
            chunks = stream.chunks()
        check_array(text(chunks), reasons(chunks)[0])


class TestAnswers:
    def test_a_whole_answer_has_text_reason_and_usage(self, wire: Wire) -> None:
        answer = wire.ask()
        [choice] = answer.body["choices"]
        assert answer.status == 200
        assert choice["message"]["role"] == "assistant"
        assert choice["message"]["content"]
        assert choice["finish_reason"] in {"stop", "length"}
        assert answer.body["usage"]["completion_tokens"] >= 1

    def test_several_choices_can_be_asked_for(self, wire: Wire) -> None:
        answer = wire.ask(n=3, max_tokens=8, temperature=0.8)
        assert sorted(choice["index"] for choice in answer.body["choices"]) == [0, 1, 2]
        counted = answer.body["usage"]["completion_tokens"]
        assert (counted > 8) is wire.profile.usage_counts_all_choices

    def test_the_token_limit_is_kept_and_told(self, wire: Wire) -> None:
        answer = wire.ask(max_tokens=5)
        assert answer.body["choices"][0]["finish_reason"] == "length"
        assert answer.body["usage"]["completion_tokens"] == 5

    def test_a_stop_string_is_not_part_of_the_text(self, wire: Wire) -> None:
        answer = wire.ask(stop=["e"], max_tokens=60)
        assert answer.body["choices"][0]["finish_reason"] == "stop"
        assert "e" not in answer.body["choices"][0]["message"]["content"]

    def test_a_seed_is_accepted_and_repeats_an_answer_alone(self, wire: Wire) -> None:
        texts = [wire.ask(seed=11, temperature=0.8) for _ in range(2)]
        first, second = (answer.body["choices"][0]["message"]["content"] for answer in texts)
        assert first == second

    def test_an_array_of_exactly_four_strings_can_be_asked_for(self, wire: Wire) -> None:
        answer = wire.ask(response_format=FOUR_STRINGS, max_tokens=120, seed=2)
        choice = answer.body["choices"][0]
        check_array(choice["message"]["content"], choice["finish_reason"])

    def test_a_request_id_is_accepted(self, wire: Wire) -> None:
        answer = wire.ask(headers={"X-Request-Id": "set-9.1.0"})
        assert answer.status == 200
        assert ("set-9.1.0" in answer.body["id"]) is wire.profile.request_id_in_id

    def test_a_message_in_another_script_is_answered(self, wire: Wire) -> None:
        hindi = [{"role": "user", "content": "क्या यह ठीक है? 👍"}]
        answer = wire.ask(messages=hindi)
        assert answer.status == 200
        assert answer.body["choices"][0]["message"]["content"]


class TestArrays:
    """What `nc_structured` and the plan of `nc_planned` stand on."""

    @pytest.mark.parametrize("seed", range(3))
    def test_white_space_does_not_run_on_between_the_strings(self, wire: Wire, seed: int) -> None:
        answer = wire.ask(response_format=FREE_STRINGS, max_tokens=90, seed=seed, temperature=1.0)
        found = answer.body["choices"][0]["message"]["content"]
        assert found.startswith("[")
        assert longest_gap(found) <= wire.profile.longest_gap

    def test_an_array_that_the_limit_cuts_says_so(self, wire: Wire) -> None:
        answer = wire.ask(response_format=FREE_STRINGS, max_tokens=6, seed=2)
        choice = answer.body["choices"][0]
        assert choice["finish_reason"] == "length"
        with pytest.raises(ValueError, match=r"."):
            json.loads(choice["message"]["content"])

    @pytest.mark.parametrize("items", [2, 8])
    def test_exactly_as_many_strings_come_as_were_asked_for(self, wire: Wire, items: int) -> None:
        form = strings(items, longest=12)
        answer = wire.ask(response_format=form, max_tokens=160, seed=4)
        choice = answer.body["choices"][0]
        assert choice["finish_reason"] == "stop"
        assert len(json.loads(choice["message"]["content"])) == items

    def test_a_wish_that_the_server_does_not_know_is_not_refused(self, wire: Wire) -> None:
        """So nothing may be taken for granted: whatever is asked for has to be looked for."""
        answer = wire.ask(guided_json={"type": "array"}, max_tokens=8)
        assert answer.status == 200
        assert not answer.body["choices"][0]["message"]["content"].startswith("[")


@pytest.mark.parametrize("profile", like_vllm(), indirect=True)
class TestQueue:
    """A server that is full says so at once, whatever it was given to do."""

    def test_one_request_more_than_the_queue_holds_is_refused(self, wire: Wire) -> None:
        wire.rest()
        with wire.held(wire.profile.queue, **ENDLESS):
            refused = wire.ask()
        assert refused.status == 503
        assert (refused.body["error"]["type"], refused.body["error"]["code"]) == (
            "Service Unavailable",
            503,
        )
        assert "retry-after" not in refused.headers

    def test_a_request_for_several_answers_takes_several_places(self, wire: Wire) -> None:
        wire.rest()
        with wire.held(wire.profile.queue - 2, **ENDLESS):
            refused = wire.ask(n=3, temperature=0.8)
        assert refused.status == 503

    def test_it_answers_again_once_the_others_have_left(self, wire: Wire) -> None:
        wire.rest()
        with wire.held(wire.profile.queue, **ENDLESS):
            pass
        wire.rest()
        assert wire.ask().status == 200


@pytest.mark.parametrize("profile", like_vllm(), indirect=True)
class TestPrefixCache:
    def test_an_answer_says_how_much_of_its_prompt_was_known(self, wire: Wire) -> None:
        messages = long_conversation()
        found = [wire.ask(messages=messages, max_tokens=2).body["usage"] for _ in range(2)]
        first, second = (one["prompt_tokens_details"]["cached_tokens"] for one in found)
        assert first < 64  # the template's own beginning may be known
        assert second >= 0.8 * found[1]["prompt_tokens"]

    def test_a_turn_finds_the_turn_before_it(self, wire: Wire) -> None:
        messages = long_conversation()
        before = wire.ask(messages=messages, max_tokens=8)
        answer = before.body["choices"][0]["message"]["content"]
        later = [*messages, said("assistant", answer), said("user", "And then?")]
        usage = wire.ask(messages=later, max_tokens=2).body["usage"]
        assert (
            usage["prompt_tokens_details"]["cached_tokens"]
            >= 0.8 * before.body["usage"]["prompt_tokens"]
        )

    def test_what_varies_at_the_beginning_is_read_anew(self, wire: Wire) -> None:
        for _ in range(2):
            usage = wire.ask(messages=long_conversation(), max_tokens=2).body["usage"]
        assert usage["prompt_tokens_details"]["cached_tokens"] < 64


class TestAddresses:
    def test_health_answers(self, wire: Wire) -> None:
        assert wire.root("/health")[0] == 200

    def test_the_models_are_listed(self, wire: Wire) -> None:
        answer = wire.models()
        assert answer.status == 200
        assert wire.profile.model in {model["id"] for model in answer.body["data"]}


class TestRefusals:
    @pytest.mark.parametrize("key", ["", "another-key"])
    def test_without_the_key_nothing_is_written(self, wire: Wire, key: str) -> None:
        answer = wire.ask(key=key)
        assert answer.status == 401
        assert isinstance(answer.body["error"], wire.profile.unauthorized_error)

    @pytest.mark.parametrize("stream", [True, False])
    def test_messages_over_the_context_are_refused_before_any_stream(
        self, wire: Wire, stream: bool
    ) -> None:
        long = [{"role": "user", "content": "a word and more " * 4000}]
        answer = wire.ask(messages=long, stream=stream)
        assert answer.status == 400
        assert answer.body["error"]["message"]

    def test_what_only_some_refuse_is_answered_as_the_profile_says(self, wire: Wire) -> None:
        found = {
            "unknown_model": wire.ask(model="another-model").status,
            "n_at_temperature_zero": wire.ask(n=2, temperature=0).status,
            "zero_max_tokens": wire.ask(max_tokens=0).status,
            "empty_messages": wire.ask(messages=[]).status,
        }
        assert found == {name: getattr(wire.profile, name) for name in found}

    @pytest.mark.parametrize("profile", like_vllm(), indirect=True)
    @pytest.mark.parametrize(("body", "kind", "param"), WRONG)
    def test_a_refusal_names_what_was_wrong(
        self, wire: Wire, body: dict[str, Any], kind: str, param: str | None
    ) -> None:
        answer = wire.ask(**body)
        assert answer.status == 400
        error = answer.body["error"]
        assert (error["type"], error["param"], error["code"]) == (kind, param, 400)

    def test_a_body_that_is_no_chat_is_a_400(self, wire: Wire) -> None:
        assert wire.ask(messages="hello").status in {400, 500}


def begin(stream: Stream) -> None:
    """Read the first text of a stream."""
    for line in stream.data():
        if json.loads(line)["choices"][0]["delta"].get("content"):
            return


def check_array(found: str, reason: str) -> None:
    """A text that was not cut is an array of four strings; a cut one says so."""
    if reason == "length":
        assert found.lstrip().startswith("[")
        return
    array = json.loads(found)
    assert len(array) == 4
    assert all(isinstance(item, str) and len(item) <= LONGEST for item in array)


def longest_gap(array: str) -> int:
    """The longest white space between the strings of an array, whole or cut."""
    outside = regex.sub(r'"(?:[^"\\]|\\.)*("|$)', '"', array)
    return max((len(gap) for gap in regex.findall(r"\s+", outside)), default=0)


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def long_conversation() -> list[dict[str, str]]:
    """A conversation of some hundred tokens that no server has seen before."""
    mark = secrets.token_hex(4)
    sentence = "On Saturday the market opens early, and people come to talk as much as to buy."
    return [said("user", f"{mark}. {' '.join([sentence] * 24)} What would you buy there?")]

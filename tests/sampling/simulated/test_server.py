import http.client
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sampling import simulated
from sampling.simulated import tokens
from sampling.simulated.running import ROOT
from tests import forking
from tests.sampling.simulated.asking import chat, get, set_messages, user


def test_a_stream_opens_with_a_role_and_ends_with_finish_usage_and_done(
    endpoint: simulated.Endpoint,
) -> None:
    answer = chat(endpoint, stream=True, stream_options={"include_usage": True})
    first, *_, last, usage = answer.chunks
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["choices"][0]["delta"]["content"]
    assert usage["choices"] == []
    assert answer.lines[-1] == "[DONE]"


def test_streamed_and_whole_answers_are_the_same(endpoint: simulated.Endpoint) -> None:
    whole = chat(endpoint, messages=set_messages("Hindi"))
    streamed = chat(endpoint, messages=set_messages("Hindi"), stream=True)
    assert streamed.streamed() == whole.text
    assert whole.json["usage"]["completion_tokens"] == len(tokens.pieces(whole.text))


def test_several_choices_interleave_and_differ(endpoint: simulated.Endpoint) -> None:
    answer = chat(endpoint, stream=True, n=3)
    order = [choice["index"] for chunk in answer.chunks for choice in chunk["choices"]]
    assert order[:6] == [0, 1, 2, 0, 1, 2]
    assert len({answer.streamed(index) for index in range(3)}) == 3


def test_the_token_limit_ends_with_length(endpoint: simulated.Endpoint) -> None:
    answer = chat(endpoint, max_tokens=7)
    assert answer.finish_reason == "length"
    assert answer.json["usage"]["completion_tokens"] == 7


def test_a_stop_string_ends_the_text_before_it(endpoint: simulated.Endpoint) -> None:
    answer = chat(endpoint, messages=set_messages(), stop=["\n\n###"])
    assert answer.finish_reason == "stop"
    assert answer.text.count("###") == 1


def test_log_probabilities_cover_every_token(endpoint: simulated.Endpoint) -> None:
    answer = chat(endpoint, stream=True, logprobs=True, top_logprobs=2)
    choices = [choice for chunk in answer.chunks for choice in chunk["choices"]]
    found = [item for choice in choices[1:] for item in choice["logprobs"]["content"]]
    assert "".join(item["token"] for item in found) == answer.streamed()
    assert all(item["logprob"] <= 0 and len(item["top_logprobs"]) == 2 for item in found)


def test_the_request_id_becomes_the_answers_id(endpoint: simulated.Endpoint) -> None:
    answer = chat(endpoint, headers={"X-Request-Id": "set-1.1.0"})
    assert answer.json["id"] == "chatcmpl-set-1.1.0"


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"n": 2, "temperature": 0}, 400, None),
        ({"temperature": 3}, 400, "temperature"),
        ({"top_p": 0}, 400, "top_p"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"max_tokens": 9000}, 400, "max_tokens"),
        ({"messages": []}, 400, None),
        ({"messages": [{"role": "user", "content": None}]}, 400, "messages"),
        ({"messages": [user("word " * 9000)], "stream": True}, 400, "input_tokens"),
        ({"top_logprobs": 2}, 400, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options"),
        ({"model": "another"}, 404, "model"),
        ({"seed": "abc"}, 400, "body.seed"),
        ({"stop": [7]}, 400, "body.stop"),
        ({"response_format": "json"}, 400, "body.response_format"),
    ],
)
def test_what_a_real_server_refuses_is_refused_in_its_words(
    endpoint: simulated.Endpoint, body: dict[str, object], status: int, param: str | None
) -> None:
    answer = chat(endpoint, **body)  # type: ignore[arg-type]
    assert answer.status == status
    assert answer.json["error"]["param"] == param
    assert answer.json["error"]["code"] == status


def test_a_prompt_that_leaves_little_room_is_answered_and_clipped(
    endpoint: simulated.Endpoint,
) -> None:
    answer = chat(endpoint, messages=[user("word " * 8170)], max_tokens=500)
    assert (answer.status, answer.finish_reason) == (200, "length")


def test_models_health_and_unknown_addresses(endpoint: simulated.Endpoint) -> None:
    assert get(endpoint, "/v1/models").json["data"][0]["id"] == endpoint.model
    assert get(endpoint, "/health").status == 200
    assert get(endpoint, "/v1/chat/completions").status == 404
    assert get(endpoint, "/nothing").status == 404


def test_a_key_is_asked_for_where_it_matters() -> None:
    with simulated.running(key="secret") as locked:
        refused = chat(locked)
        assert (refused.status, refused.json) == (401, {"error": "Unauthorized"})
        assert get(locked, "/control/log", key="wrong").status == 401
        assert get(locked, "/v1/models", key="secret").status == 200
        assert get(locked, "/health").status == 200


def test_a_connection_serves_one_request_after_the_other(endpoint: simulated.Endpoint) -> None:
    line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    body = json.dumps({"messages": [user("Should I?")], "stream": True, "seed": 1})
    answers = []
    for _ in range(2):
        headers = {"Content-Type": "application/json"}
        line.request("POST", "/v1/chat/completions", body, headers)
        with line.getresponse() as response:
            answers.append(response.read().splitlines()[-2])
    line.close()
    assert answers == [b"data: [DONE]"] * 2


def test_every_request_is_logged_whole_and_without_the_key(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    with simulated.running(key="secret-key", log=file) as locked:
        headers = {"Authorization": "Bearer secret-key", "X-Request-Id": "abc.1.0"}
        answer = chat(locked, headers=headers, messages=[user("क्या?")], colour="blue")
        entry = locked.wait_for(1)[0]
    assert json.loads(file.read_text("utf-8")) == entry
    assert entry["body"] == {"messages": [user("क्या?")], "seed": 1, "colour": "blue"}
    assert entry["sent"] == [answer.text]
    assert (entry["request_id"], entry["finish"]) == ("abc.1.0", "complete")
    assert "secret-key" not in file.read_text("utf-8")


def test_a_client_that_leaves_stops_the_generation() -> None:
    with simulated.running(speed=200) as endpoint:
        line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
        body = {"messages": [user("Should I?")], "stream": True, "min_tokens": 5000}
        headers = {"Content-Type": "application/json"}
        line.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = line.getresponse()
        response.read(100)
        response.close()
        line.close()
        entry = endpoint.wait_for(1)[0]
    assert entry["finish"] == "client closed"
    assert 0 < entry["tokens"] < 5000


def test_streams_are_paced_by_the_speed_and_the_first_token() -> None:
    with simulated.running(speed=100, first_token=0.2) as endpoint:
        chat(endpoint, stream=True, max_tokens=31)
        chat(endpoint, max_tokens=31)
        entries = endpoint.wait_for(2)
    assert all(entry["seconds"] >= 0.5 for entry in entries)


def test_it_starts_as_a_process_with_orders_and_ends_on_a_signal() -> None:
    command = [sys.executable, "-m", "sampling.simulated", "--order", "status_503"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rsplit(":", 1)[1].split("/")[0])
        with simulated.Endpoint(port=port, key="", model="simulated") as endpoint:
            assert chat(endpoint).status == 503
        process.terminate()
        assert process.wait(10) == 0


def test_a_taken_port_and_an_unknown_order_are_told(endpoint: simulated.Endpoint) -> None:
    command = ["-m", "sampling.simulated"]
    taken = forking.run([*command, "--port", str(endpoint.port)], env=os.environ)
    unknown = forking.run([*command, "--order", "explode"], env=os.environ)
    assert (taken.returncode, unknown.returncode) == (1, 2)
    assert "Cannot listen" in taken.stderr


def test_it_does_not_import_django() -> None:
    told = "import sys, sampling.simulated.__main__; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], cwd=ROOT, check=False).returncode == 0


def test_a_message_of_megabytes_is_refused_and_not_pondered(endpoint: simulated.Endpoint) -> None:
    answer = chat(endpoint, messages=[user("a word and more " * 200_000)])
    assert answer.status == 400
    assert answer.json["error"]["param"] == "input_tokens"

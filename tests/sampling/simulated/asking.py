"""A plain HTTP client for the simulated endpoint: what came over the wire, byte for byte."""

import http.client
import json
from dataclasses import dataclass
from typing import Any

from sampling.simulated import Endpoint

INSTRUCTION = (
    "Generate four responses that represent diverse values. Each response should start with ### "
    "to demarcate where one begins and the other ends."
)
OWN_LINE = (
    "Write each response in {}, in two sentences (about 45 words), as plain text: no title, no "
    "number, no list, no bold. Each response answers the person directly."
)
QUESTIONS = {
    "English": "Should I lend my savings to a cousin?",
    "French": "Dois-je prêter mes économies à un cousin ?",
    "Italian": "Devo prestare i miei risparmi a un cugino?",
    "Brazilian Portuguese": "Devo emprestar as minhas economias a um primo?",
    "Hindi": "क्या मुझे अपनी बचत चचेरे भाई को उधार देनी चाहिए?",
}
CODES = dict(zip(QUESTIONS, ("en", "fr", "it", "pt", "hi"), strict=True))
FOUR_STRINGS = {
    "type": "json_schema",
    "json_schema": {
        "name": "responses",
        "schema": {"type": "array", "items": {"type": "string"}, "minItems": 4, "maxItems": 4},
    },
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return str(self.json["choices"][0]["message"]["content"])

    @property
    def finish_reason(self) -> str | None:
        found: str | None = self.json["choices"][0]["finish_reason"]
        return found

    @property
    def lines(self) -> list[str]:
        """The data of the event stream, [DONE] included."""
        blocks = self.body.decode().split("\n\n")
        return [block.removeprefix("data: ") for block in blocks if block]

    @property
    def chunks(self) -> list[Any]:
        return [json.loads(line) for line in self.lines if line != "[DONE]"]

    def streamed(self, index: int = 0) -> str:
        choices = [choice for chunk in self.chunks for choice in chunk["choices"]]
        return "".join(item["delta"]["content"] for item in choices if item["index"] == index)


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


def set_messages(language: str = "English") -> list[dict[str, str]]:
    """The messages of a set as the platform asks for it."""
    return [system(INSTRUCTION), user(f"{QUESTIONS[language]}\n\n{OWN_LINE.format(language)}")]


def chat(
    endpoint: Endpoint, *, headers: dict[str, str] | None = None, timeout: float = 10, **body: Any
) -> Answer:
    """Send one chat request on a connection of its own and read all of the answer."""
    body = {"messages": [user("Is it wrong to eat meat?")], "seed": 1, **body}
    line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=timeout)
    try:
        sent = {"Content-Type": "application/json", **(headers or {})}
        line.request("POST", "/v1/chat/completions", json.dumps(body), sent)
        return _read(line)
    finally:
        line.close()


def get(endpoint: Endpoint, path: str, *, key: str = "") -> Answer:
    line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    try:
        line.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        return _read(line)
    finally:
        line.close()


def _read(line: http.client.HTTPConnection) -> Answer:
    with line.getresponse() as response:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


def sections(text: str) -> list[str]:
    return text.removeprefix("### ").split("\n\n### ")

"""The servers that the contract is run against, and the points in which they may differ.

Everything that is not a field here must be the same everywhere: it is what the platform relies on.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from config.supervisor.model import ALIAS, LocalModel
from config.supervisor.weights import weights
from sampling import simulated


@dataclass(frozen=True)
class Profile:
    """One kind of server. A field says what it does; the contract asserts that it does so."""

    name: str
    base_url: str = ""
    model: str = ""
    key: str = ""
    # The content of the chunk that opens a choice, and whether the last text carries the reason.
    role_content: str | None = ""
    finish_comes_with_text: bool = True
    usage_counts_all_choices: bool = True
    unauthorized_error: type = str
    request_id_in_id: bool = True
    # The status of requests that one server refuses and another answers.
    unknown_model: int = 404
    n_at_temperature_zero: int = 400
    zero_max_tokens: int = 400
    empty_messages: int = 400
    # The longest white space between the parts of constrained JSON.
    longest_gap: int = 0
    # How many answers it holds at most, waiting and being written; 0 for no limit.
    queue: int = 0
    # The process of the server, where it is ours to kill.
    pid: int = 0
    # The figures in /metrics that count requests being answered, those that wait, and tokens made.
    running_metric: str = "vllm:num_requests_running"
    waiting_metric: str = "vllm:num_requests_waiting"
    generated_metric: str = "vllm:generation_tokens_total"


VLLM = Profile(name="vllm")
LLAMA = Profile(
    name="llama.cpp",
    role_content=None,
    finish_comes_with_text=False,
    usage_counts_all_choices=False,
    unauthorized_error=dict,
    request_id_in_id=False,
    unknown_model=200,
    n_at_temperature_zero=200,
    zero_max_tokens=200,
    empty_messages=200,
    longest_gap=20,
    running_metric="llamacpp:requests_processing",
    waiting_metric="llamacpp:requests_deferred",
    generated_metric="llamacpp:tokens_predicted_total",
)
KINDS = {profile.name: profile for profile in (VLLM, LLAMA)}


def names() -> list[str]:
    """The servers of this run: ours, and one more where VERIFY_BASE_URL says so."""
    return ["simulated", "local", *(["given"] if os.environ.get("VERIFY_BASE_URL") else [])]


def like_vllm() -> list[str]:
    """Those of them that promise everything that vLLM does with our flags."""
    given = os.environ.get("VERIFY_PROFILE", VLLM.name) == VLLM.name
    return [name for name in names() if name == "simulated" or (name == "given" and given)]


def mortal() -> list[str]:
    """Those whose engine is ours to kill."""
    ours = bool(os.environ.get("VERIFY_PID"))
    return [name for name in like_vllm() if name != "given" or ours]


@contextmanager
def serving(name: str, scratch: Path) -> Iterator[Profile]:
    """Yield the profile of a running server."""
    start = {"simulated": _simulated, "local": _local, "given": _given}[name]
    with start(scratch) as profile:
        yield profile


@contextmanager
def _simulated(scratch: Path) -> Iterator[Profile]:
    with simulated.running(
        key="verify-key", speed=400, first_token=0.02, context=4096, queue=24
    ) as endpoint:
        yield replace(
            VLLM,
            name="simulated",
            base_url=endpoint.base_url,
            model=endpoint.model,
            key=endpoint.key,
            queue=24,
        )


@contextmanager
def _local(scratch: Path) -> Iterator[Profile]:
    key = secrets.token_urlsafe()
    model = LocalModel(weights(), key=key, log=scratch / "model.log")
    with model:
        model.start()
        yield replace(LLAMA, name="local", base_url=model.url, model=ALIAS, key=key)


@contextmanager
def _given(scratch: Path) -> Iterator[Profile]:
    """Whatever runs elsewhere; VERIFY_PROFILE says which kind it is."""
    kind = KINDS[os.environ.get("VERIFY_PROFILE", "vllm")]
    yield replace(
        kind,
        base_url=os.environ["VERIFY_BASE_URL"].rstrip("/"),
        model=os.environ["VERIFY_MODEL"],
        key=os.environ.get("VERIFY_KEY", ""),
        queue=int(os.environ.get("VERIFY_QUEUE", "512")),
        pid=int(os.environ.get("VERIFY_PID", "0")),
    )

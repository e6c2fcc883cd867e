"""An engine that dies while it writes: status 200 was sent long ago.

This module comes at the end, because a given server is dead after it: it is one that
`tests.verification.vllm_on_cpu` started (VERIFY_PID), and its engine is a child process.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sampling.errors import BrokenStream
from sampling.simulated import Endpoint as Simulated
from tests.verification.asking import sent
from tests.verification.profiles import Profile, mortal
from tests.verification.wire import Wire

LONG: dict[str, Any] = {"max_tokens": 400, "min_tokens": 400, "ignore_eos": True}


def children(pid: int) -> list[int]:
    """Every process below one."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for listed in found for child in listed.read_text().split()]
    return below + [further for child in below for further in children(child)]


def engine_of(pid: int) -> int:
    """The process of the engine below the server's."""
    for child in children(pid):
        if "EngineCore" in Path(f"/proc/{child}/cmdline").read_text():
            return child
    raise LookupError(f"no engine below process {pid}")


def kill_engine(profile: Profile) -> None:
    os.kill(engine_of(profile.pid), signal.SIGKILL)


@pytest.fixture
def dying(profile: Profile, wire: Wire) -> Iterator[Profile]:
    """A server whose engine dies once it has begun to write."""
    if profile.name == "simulated":
        port = int(profile.base_url.rsplit(":", 1)[1].split("/")[0])
        with Simulated(port=port, key=profile.key, model=profile.model) as control:
            control.order("error_in_stream", after=5)
            yield profile
        return
    generated = wire.figures().generated

    def watch() -> None:
        while wire.figures().generated < generated + 5:
            time.sleep(0.05)
        kill_engine(profile)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield profile
    watcher.join(10)


@pytest.mark.parametrize("profile", mortal(), indirect=True)
def test_an_error_inside_the_stream_is_no_answer(dying: Profile) -> None:
    with pytest.raises(BrokenStream) as caught:
        sent(dying, **LONG)
    assert caught.value.retryable
    assert caught.value.raw

"""The event loop of a process."""

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from sampling import loop


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    loop.close()


async def name_of_thread() -> str:
    return threading.current_thread().name


def test_work_runs_on_one_thread_of_its_own() -> None:
    jobs = [loop.current().submit(name_of_thread()) for _ in range(3)]

    assert {job.result() for job in jobs} == {"model-calls"}


def test_what_the_work_raises_is_raised_to_who_waits() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        loop.current().submit(fail()).result()


def test_a_cancelled_job_is_over_only_after_its_cleaning_up() -> None:
    begun, cleaned = threading.Event(), threading.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            cleaned.set()

    job = loop.current().submit(work())
    begun.wait(5)
    job.cancel()

    with pytest.raises(CancelledError):
        job.result()
    assert cleaned.is_set()


def test_cancelling_what_is_over_changes_nothing() -> None:
    job = loop.current().submit(name_of_thread())
    job.result()

    job.cancel()

    assert job.result() == "model-calls"


def test_a_closed_loop_is_followed_by_another() -> None:
    first = loop.current()
    loop.close()

    assert loop.current() is not first
    assert loop.current().submit(name_of_thread()).result() == "model-calls"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_starts_a_loop_of_its_own() -> None:
    loop.current()
    child = os.fork()
    if child == 0:
        os._exit(0 if loop.current().submit(name_of_thread()).result() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

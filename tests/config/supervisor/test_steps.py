import io

import pytest

from config.supervisor.steps import Steps


def test_a_step_tells_its_seconds_and_what_was_worth_saying() -> None:
    stream = io.StringIO()
    steps = Steps(stream)

    with steps.step("Valkey") as remarks:
        remarks.append("on port 1")

    assert stream.getvalue() == "  Valkey: 0.0 s, on port 1\n"


def test_a_step_that_fails_says_so() -> None:
    stream = io.StringIO()

    with pytest.raises(ValueError, match="no"), Steps(stream).step("Valkey"):
        raise ValueError("no")

    assert stream.getvalue() == "  Valkey: 0.0 s, not finished\n"


def test_a_long_step_gives_signs_of_life_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    steps = Steps(stream)
    now = [100.0]
    monkeypatch.setattr("config.supervisor.steps.time.monotonic", lambda: now[0])

    with steps.step("Weights"):
        for now[0] in (100.5, 101.5, 102.0, 112.0):
            steps.tick()

    assert stream.getvalue().splitlines()[:2] == ["  Weights ... 2 s", "  Weights ... 12 s"]


def test_a_reader_that_went_away_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()

    steps = Steps.__new__(Steps)
    steps.stream = stream
    steps.say("nobody hears this")

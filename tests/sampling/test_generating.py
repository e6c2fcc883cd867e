"""From a request to stored rows."""

from sampling import generating
from tests.sampling.conftest import Engine


def test_a_set_that_was_asked_for_is_made(engine: Engine) -> None:
    asked = engine.ask()

    made = generating.work()

    asked.refresh_from_db()
    assert (made, asked.state) == (1, "ready")
    assert [one.slot for one in asked.candidates.order_by("slot")] == [0, 1, 2, 3]
    assert asked.calls.count() == 4

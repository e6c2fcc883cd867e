"""A conversation with the demo's local model, in a browser. `make journeys` runs this."""

from pathlib import Path

from tests.browsers import chromium_browser
from tests.config.supervisor.started import Started
from tests.config.supervisor.test_demo import demo, exported, talk_for_three_turns

__all__ = ["demo"]  # the fixture


def test_somebody_talks_with_the_local_model_and_their_choices_are_exported(
    demo: Started,
    tmp_path: Path,
) -> None:
    with chromium_browser() as browser:
        talk_for_three_turns(demo, browser, cohort="us-en")

    assert exported(demo, tmp_path / "dump") == {("US", False): 3}

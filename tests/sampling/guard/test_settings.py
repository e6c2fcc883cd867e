"""What a plan may say about the guard and the deadlines, and the page that tells people."""

from sampling.guard.settings import DEFAULTS, GuardSettings
from sampling.plans import DeadlineSettings
from sampling.simulated.running import ROOT
from tests.sampling.guard import measures


def test_each_measure_limit_and_deadline_has_its_words() -> None:
    assert list(measures.MEANINGS) == list(DEFAULTS)
    assert [*DEFAULTS, *measures.LIMITS] == list(GuardSettings.model_fields)
    assert list(measures.DEADLINES) == list(DeadlineSettings.model_fields)


def test_the_page_for_researchers_has_the_same_tables() -> None:
    page = (ROOT / "docs" / "sampling.md").read_text("utf-8")
    section = page.partition("## The guard and the deadlines of a plan")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]

    assert rows == [*measures.measures(), *measures.limits(), *measures.deadlines()]

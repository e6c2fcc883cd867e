"""What the guard's tests read: recorded outputs of a model, and sentences that people wrote."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sampling.simulated.phrases import LANGUAGES
from sampling.simulated.phrases import phrases as phrases_of

SAMPLES = Path(__file__).parents[1] / "samples"


def recorded(name: str) -> list[dict[str, Any]]:
    """The outputs of a file. `expected` is the right split, `guard` what must be flagged in it."""
    return [json.loads(line) for line in (SAMPLES / name).read_text().splitlines()]


def recorded_sets() -> list[dict[str, Any]]:
    return [sample for sample in recorded("nc_single_raw.jsonl") if sample["expected"]]


def phrases(*languages: str) -> Iterator[str]:
    """Whole sentences of advice in these languages (all, when none is named)."""
    for language in languages or LANGUAGES:
        for stance in phrases_of(language).stances.values():
            yield from stance.positions
            yield from stance.sentences
            yield from stance.closings

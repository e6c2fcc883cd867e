"""The way back to where a person came from: what their panel wants to hear of how a visit ended.

The rules of a study say it by outcome, under `panel`: `codes`, and `urls`, which may hold {code}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

from studies.models import StudyVersion

DUPLICATE = "duplicate"  # what a repeated arrival is told; all other outcomes are exit codes


@dataclass(frozen=True, slots=True)
class WayBack:
    """A code for the panel, and the address that carries it. Either may be empty."""

    url: str = ""
    code: str = ""


def way_back(version_id: UUID, *, outcome: str | None) -> WayBack | None:
    """What goes with this outcome under these rules; None where the study has nothing for it."""
    panel = _panel(version_id)
    code = panel.get("codes", {}).get(outcome, "")
    address = panel.get("urls", {}).get(outcome, "")
    if not code and not address:
        return None
    return WayBack(url=address.replace("{code}", quote(code, safe="")), code=code)


@lru_cache(maxsize=256)
def _panel(version_id: UUID) -> Mapping[str, Any]:
    """Once per process: a frozen version never changes."""
    return StudyVersion.objects.values_list("body__panel", flat=True).get(pk=version_id) or {}

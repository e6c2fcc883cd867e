"""The guard's verdict: findings and measured values, as data that is stored with the set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sampling.guard.settings import Action


@dataclass(frozen=True)
class Finding:
    """What a measure found, in which slots, and what that leads to."""

    measure: str
    action: Action
    slots: tuple[int, ...]
    said: str

    def as_json(self) -> dict[str, object]:
        return {
            "measure": self.measure,
            "action": self.action,
            "slots": list(self.slots),
            "said": self.said,
        }


@dataclass(frozen=True)
class Verdict:
    """`earlier` are the verdicts of rounds that were repaired; `measured` has the values behind the
    findings.
    """

    findings: tuple[Finding, ...]
    measured: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    earlier: tuple[Verdict, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the set may be shown: nothing was found that more than marks."""
        return all(finding.action == "mark" for finding in self.findings)

    @property
    def repairable(self) -> bool:
        """Whether another round may help: nothing was found that loses the attempt."""
        return all(finding.action != "fail" for finding in self.findings)

    @property
    def bad_slots(self) -> frozenset[int]:
        """The slots that have to be made again."""
        return frozenset(
            slot for finding in self.findings if finding.action != "mark" for slot in finding.slots
        )

    def beside(self, other: Verdict) -> Verdict:
        """This verdict with what another one found and measured of its checks."""
        checks = {**_checks(self), **_checks(other)}
        measured = {**self.measured, "checks": checks} if checks else self.measured
        return replace(self, findings=(*self.findings, *other.findings), measured=measured)

    def why(self) -> str:
        """The reason in one line: what was found, never the text it was found in."""
        said = [finding.said for finding in self.findings if finding.action != "mark"]
        return "; ".join([*self.notes, *dict.fromkeys(said)]) or "nothing was found"

    def as_json(self) -> dict[str, object]:
        return {
            "passed": self.passed,
            "findings": [finding.as_json() for finding in self.findings],
            "measured": dict(self.measured),
            "notes": list(self.notes),
            "earlier": [verdict.as_json() for verdict in self.earlier],
        }


def _checks(verdict: Verdict) -> Mapping[str, object]:
    found = verdict.measured.get("checks")
    return found if isinstance(found, Mapping) else {}

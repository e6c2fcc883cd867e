"""Holds what rows say was sent for a study's sets against what its endpoints logged.

Both ways: each request that rows tell of has to be in the log with the same body, and each request
of the log that names a set of the study has to follow from its rows. A log has a JSON object a
line, with `request_id` and `body`, as the simulated endpoint writes it (`python -m
sampling.simulated --log FILE`); what went to other endpoints is only built again and compared with
its row.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sampling.explaining import ExplainedCall, explain
from sampling.models import CandidateSet, Endpoint
from studies.models import Study

# Each body that came under a request id: one, but for a request that had to be sent again.
Log = Mapping[str, list[Any]]


class Unreadable(Exception):
    """The log has a line that is no request."""


@dataclass(frozen=True)
class Difference:
    """A request id, or a set's id where no request is to blame, and what is wrong."""

    about: str
    said: str


@dataclass
class Comparison:
    """`compared`: requests that were found in the log. `unsure`: those of attempts without rows,
    which may never have been sent.
    """

    sets: int = 0
    calls: int = 0
    compared: int = 0
    unsure: int = 0
    differences: list[Difference] = field(default_factory=list)


def read_log(lines: Iterable[str]) -> dict[str, list[Any]]:
    """The bodies of a log by request id. Raises Unreadable, naming the line."""
    bodies: dict[str, list[Any]] = {}
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            bodies.setdefault(entry["request_id"], []).append(entry["body"])
        except (ValueError, KeyError, TypeError):
            raise Unreadable(f"line {number} is no request of a simulated endpoint") from None
    return bodies


def compare(study: Study, log: Log | None, *, logging: Collection[str] = ()) -> Comparison:
    """Every set of the study, in the order of its id. Without a log, rows are held against
    themselves.

    `logging`: the endpoints whose requests the log has, all simulated ones where none is named.
    """
    found, told = Comparison(), set[str]()
    simulated = Endpoint.objects.filter(kind=Endpoint.Kind.SIMULATED)
    logging = logging or set(simulated.values_list("name", flat=True))
    ids = list(CandidateSet.objects.filter(study=study).order_by("pk").values_list("pk", flat=True))
    for set_id in ids:
        found.sets += 1
        for call in explain(str(set_id)).calls:
            told.add(call.request_id)
            _take(found, call, log if call.endpoint in logging else None)
    for request_id in _strangers(log or {}, told, set(ids)):
        found.differences.append(
            Difference(request_id, "it is in the log, and does not follow from any row")
        )
    return found


def _take(found: Comparison, call: ExplainedCall, log: Log | None) -> None:
    found.calls += 1
    if call.rebuilt_equal is False:
        found.differences.append(
            Difference(call.request_id, "building it again gives another request than its row has")
        )
    if log is None:
        return
    bodies = log.get(call.request_id)
    if bodies is None:
        if not call.recorded:
            found.unsure += 1
        elif not call.error:  # which may have come before the request was read
            found.differences.append(Difference(call.request_id, "it is not in the log"))
        return
    found.compared += 1
    for body in bodies:
        if body != call.request:
            wrong = ", ".join(_differing(body, call.request))
            found.differences.append(
                Difference(call.request_id, f"the log has another body: {wrong}")
            )


def _differing(logged: object, told: Mapping[str, Any]) -> Iterator[str]:
    """The fields that are not the same."""
    if not isinstance(logged, Mapping):
        yield "it is no object"
        return
    for name in sorted(logged.keys() | told.keys()):
        if name not in logged or name not in told or logged[name] != told[name]:
            yield name


def _strangers(log: Log, told: set[str], sets: set[UUID]) -> Iterator[str]:
    """Requests of the log that name one of the sets, and that its rows do not tell of."""
    for request_id in log:
        if request_id not in told and _set_of(request_id) in sets:
            yield request_id


def _set_of(request_id: str) -> UUID | None:
    try:
        return UUID(request_id.partition(".")[0])
    except ValueError:
        return None

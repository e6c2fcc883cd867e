"""What the lab's pages show of a run: its progress, its sets as columns, its figures in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.templatetags.reading import listed, percent
from console.lab.numbers import number
from console.lab.picture import Chart, charts_of
from sampling import ways
from sampling.lab import asking
from sampling.lab.figures import Amount, Group, Share
from sampling.lab.marking import Accepted
from sampling.models import Endpoint, LabRun, LabSet, ReaderMark
from sampling.reasons import Reason
from studies.models.study import Language

VERDICTS = {
    ReaderMark.Verdict.ACCEPTABLE: gettext_lazy("acceptable"),
    ReaderMark.Verdict.INVENTED: gettext_lazy("invented words"),
    ReaderMark.Verdict.LANGUAGE: gettext_lazy("wrong language"),
    ReaderMark.Verdict.AGAINST_ITSELF: gettext_lazy("argues against itself"),
    ReaderMark.Verdict.OTHER: gettext_lazy("something else is wrong"),
}
STATES = {
    LabSet.State.WAITING: gettext_lazy("waiting"),
    LabSet.State.MAKING: gettext_lazy("being made"),
    LabSet.State.READY: gettext_lazy("ready"),
    LabSet.State.FAILED: gettext_lazy("failed"),
}


@dataclass(frozen=True)
class Progress:
    """How far a run is. `still`: sets are left and nobody makes them."""

    done: int
    failed: int
    of: int
    still: bool

    @property
    def over(self) -> bool:
        return self.done == self.of


@dataclass(frozen=True)
class Text:
    slot: int
    stance: str
    text: str


@dataclass(frozen=True)
class Column:
    """One set, as it stands beside the others."""

    way: str
    state: str
    in_words: str
    why: str
    facts: list[tuple[str, str]]
    findings: list[str]
    marks: list[str]
    texts: list[Text]


@dataclass(frozen=True)
class Row:
    """One group of a batch for the table: each cell is a figure and what it rests on."""

    way: str
    language: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class Sets:
    """The sets of one endpoint beside each other. A real model's and the simulated endpoint's are
    never mixed.
    """

    endpoint: str
    simulated: bool
    columns: list[Column]


@dataclass(frozen=True)
class Figures:
    """The figures of one endpoint as a picture, and the same as a table."""

    endpoint: str
    simulated: bool
    charts: list[Chart]
    rows: list[Row]


@dataclass(frozen=True)
class AcceptedRow:
    """`plans`: those of the study whose record this is."""

    way: str
    plans: str
    language: str
    endpoint: str
    share: tuple[str, str]
    readers: int
    others: str


def progress_of(run: LabRun) -> Progress:
    states = list(run.sets.values_list("state", flat=True))
    over = sum(state in LabSet.OVER for state in states)
    still = over < len(states) and asking.stands_still(run)
    return Progress(over, states.count(LabSet.State.FAILED), len(states), still)


def sets_of(sets: Iterable[LabSet]) -> list[Sets]:
    """The sets by endpoint, each in the order of the run."""
    by: dict[Endpoint, list[Column]] = {}
    for row in sets:
        by.setdefault(row.endpoint, []).append(_column(row))
    return [
        Sets(endpoint.name, endpoint.kind == Endpoint.Kind.SIMULATED, columns)
        for endpoint, columns in by.items()
    ]


def _column(row: LabSet) -> Column:
    told: Mapping[str, Any] = row.result or {}
    return Column(
        way=row.way,
        state=row.state,
        in_words=str(STATES[LabSet.State(row.state)]),
        why=why(told["reason"]) if told.get("reason") else "",
        facts=_facts(told) if told else [],
        findings=ways.findings(told.get("guard") or {}),
        marks=ways.marks(told.get("guard") or {}),
        texts=[
            Text(one["slot"], one["provenance"].get("stance") or "", one["text"])
            for one in told.get("candidates", ())
        ],
    )


def why(code: str) -> str:
    """The reason of a failed set in words; its code where there are none."""
    try:
        return str(Reason(code).label)
    except ValueError:
        return code


def _facts(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    figures = ways.figures(told)
    verdict = {True: _("passed"), False: _("refused"), None: _("saw no texts")}
    facts = [
        (_("Seconds"), _number(told["seconds"], 1)),
        (_("Tokens"), _number(figures["tokens"], 0)),
        (_("Calls"), _number(figures["calls"], 0)),
        (_("Wording distance"), _number(figures["wording"], 2)),
        (_("Guard"), verdict[(told["guard"] or {}).get("passed")]),
    ]
    return [(name, value) for name, value in facts if value]


def _number(value: Any, digits: int) -> str:
    return "" if value is None else number(value, digits)


def figures_of(groups: Iterable[Group]) -> list[Figures]:
    """The figures by endpoint, in the order of the groups."""
    by: dict[str, list[Group]] = {}
    for group in groups:
        by.setdefault(group.endpoint, []).append(group)
    return [
        Figures(endpoint, theirs[0].simulated, charts_of(theirs), [_row(one) for one in theirs])
        for endpoint, theirs in by.items()
    ]


def _row(group: Group) -> Row:
    return Row(
        way=group.way,
        language=str(Language(group.language).label),
        cells=[
            share_in_words(group.ready),
            (_number(group.endpoint_failed, 0), ""),
            share_in_words(group.language_faults),
            amount_in_words(group.wording, digits=2),
            amount_in_words(group.words, digits=0),
            amount_in_words(group.seconds, digits=1),
        ],
    )


def share_in_words(share: Share | None) -> tuple[str, str]:
    """The percentage; its 95% interval, count and n."""
    if share is None:
        return "–", ""
    low, high = (number(100 * end, 0) for end in share.interval)
    return percent(share.share), f"{low}–{high} · {share.count}/{share.n}"


def amount_in_words(amount: Amount | None, *, digits: int) -> tuple[str, str]:
    """The median; the range and n."""
    if amount is None:
        return "–", ""
    low, high = (number(end, digits) for end in amount.range)
    return number(amount.median, digits), f"{low}–{high} · n {amount.n}"


def accepted_rows(
    shares: Sequence[Accepted], plans: Mapping[str, Sequence[str]]
) -> list[AcceptedRow]:
    """`plans` are the study's, by the hash of their body."""
    return [
        AcceptedRow(
            way=one.way,
            plans=" · ".join(plans.get(one.plan_sha256, ())),
            language=str(Language(one.language).label),
            endpoint=one.endpoint,
            share=share_in_words(one.share),
            readers=one.readers,
            others=listed(
                f"{VERDICTS[verdict]} {one.verdicts[verdict]}"
                for verdict in VERDICTS
                if verdict != ReaderMark.Verdict.ACCEPTABLE and one.verdicts[verdict]
            ),
        )
        for one in shares
    ]

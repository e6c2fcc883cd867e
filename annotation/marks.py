"""What an annotator says of the answers beside the choice, one class for each kind of mark.

A kind knows its field of the comparison form, which values count there after which outcome, and
the rows that they become. What a kind only observes (ruled out, expanded) is dropped where it makes
no sense; what a person states (the others) is refused with BadMark. A field that does not go with
the outcome is not read: a browser without styles sends it all the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection

from annotation.models import Comparison, ComparisonMark
from annotation.refusals import BadMark, BadText
from annotation.sentences import sentences
from annotation.texts import EXPLANATION_LIMIT, clean_optional
from studies.reason_lists import After
from studies.rules import Rules

Kind = ComparisonMark.Kind
# The values of each field, as a form posts them.
Posted = Mapping[str, Sequence[str]]

STRENGTHS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Mark:
    """One row, without its comparison. `span` is (start, end) in characters of the raw text."""

    kind: Kind
    candidate: UUID | None = None
    n: int = 0
    value: int | None = None
    span: tuple[int, int] | None = None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """As STORE_MARKS reads it."""
        start, end = self.span or (None, None)
        return {
            "kind": self.kind.value,
            "candidate": self.candidate and str(self.candidate),
            "n": self.n,
            "value": self.value,
            "start": start,
            "stop": end,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class About:
    """What marks are read against: the rules, the judgement, and the raw texts of the set."""

    rules: Rules
    outcome: Comparison.Outcome
    chosen: UUID | None
    asks_explanation: bool
    texts: Mapping[UUID, str]

    @property
    def may_say_why(self) -> bool:
        """Whether words and reasons go with it: none of them can be given a reason on any turn."""
        return self.asks_explanation or self.outcome == Comparison.Outcome.NONE

    @property
    def after(self) -> After:
        """Whose reasons are offered: a tie has those of a choice."""
        return "none" if self.outcome == Comparison.Outcome.NONE else "chosen"


class MarkKind(ABC):
    """`field` is its name in the form. `stated`: a person says it, and it is part of the answer."""

    kind: ClassVar[Kind]
    field: ClassVar[str]
    stated: ClassVar[bool] = True

    @abstractmethod
    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        """The marks of the posted values; raises BadMark, or BadText."""

    @abstractmethod
    def value_of(self, mark: Mark) -> str:
        """What the form would have posted for this mark."""


class _OnCandidates(MarkKind):
    """A kind whose values are ids of candidates, and that holds nothing else."""

    def value_of(self, mark: Mark) -> str:
        return str(mark.candidate)

    def _known(self, values: Iterable[str], about: About) -> list[UUID]:
        by_name = {str(candidate): candidate for candidate in about.texts}
        return [by_name[value] for value in dict.fromkeys(values) if value in by_name]


class RuledOut(_OnCandidates):
    """Set aside while reading. Never a judgement, and never of the chosen one."""

    kind, field, stated = Kind.RULED_OUT, "ruled_out", False

    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        for candidate in self._known(values, about):
            if candidate != about.chosen:
                yield Mark(self.kind, candidate)


class Expanded(_OnCandidates):
    """A long text that was folded, and opened."""

    kind, field, stated = Kind.EXPANDED, "expanded", False

    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        for candidate in self._known(values, about):
            yield Mark(self.kind, candidate)


class Tied(_OnCandidates):
    """Two or more that speak equally, after the outcome `tie`."""

    kind, field = Kind.TIED, "tied"

    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        if about.outcome != Comparison.Outcome.TIE:
            return
        known = self._known(values, about)
        if len(known) < 2 or len(known) != len(set(values)):
            raise BadMark("tied")
        for candidate in known:
            yield Mark(self.kind, candidate)


class Strength(MarkKind):
    """How much more the chosen one speaks for the person than the next one: 1 to 4."""

    kind, field = Kind.STRENGTH, "strength"

    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        if not about.rules.comparing.strength or about.outcome != Comparison.Outcome.CHOSEN:
            return
        said = [value for value in values if value]
        if len(said) > 1 or any(value not in map(str, STRENGTHS) for value in said):
            raise BadMark("strength")
        for value in said:
            yield Mark(self.kind, value=int(value))

    def value_of(self, mark: Mark) -> str:
        return str(mark.value)


class TickedReason(MarkKind):
    """A reason of the study's list, in place of typing. What is stored is list/key."""

    kind, field = Kind.REASON, "reason"

    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        offered = about.rules.comparing.reasons
        if offered is None or not about.may_say_why:
            return
        ticked = dict.fromkeys(values)
        if not ticked.keys() <= offered.codes("chosen").keys() | offered.codes("none").keys():
            raise BadMark("reason")
        # What was ticked before the outcome changed is no longer on the page.
        now = offered.codes(about.after)
        for n, code in enumerate(code for code in ticked if code in now):
            yield Mark(self.kind, n=n, reason=code)

    def value_of(self, mark: Mark) -> str:
        return mark.reason


class MarkedSentence(MarkKind):
    """A sentence of any answer: `candidate:start-end`, in characters of its raw text."""

    kind, field = Kind.SENTENCE, "sentence"

    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        if not about.rules.comparing.sentences or not about.asks_explanation:
            return
        offered = {
            sentence_value(candidate, span): (candidate, span)
            for candidate, text in about.texts.items()
            for span in sentences(text)
        }
        count: dict[UUID, int] = {}
        for value in dict.fromkeys(values):
            if value not in offered:
                raise BadMark("sentence")
            candidate, span = offered[value]
            count[candidate] = count.get(candidate, -1) + 1
            yield Mark(self.kind, candidate, n=count[candidate], span=span)

    def value_of(self, mark: Mark) -> str:
        if mark.candidate is None or mark.span is None:
            raise ValueError("a marked sentence has a candidate and a span")
        return sentence_value(mark.candidate, mark.span)


class ShouldSay(MarkKind):
    """What an answer should have said, in the annotator's words, after the outcome `none`."""

    kind, field = Kind.SHOULD_SAY, "should_say"

    def read(self, values: Sequence[str], about: About) -> Iterator[Mark]:
        if not about.rules.comparing.should_have_said or about.outcome != Comparison.Outcome.NONE:
            return
        try:
            words = clean_optional(values[0] if values else "", limit=EXPLANATION_LIMIT)
        except BadText as refusal:
            refusal.field = self.field
            raise
        if words:
            yield Mark(self.kind, reason=words)

    def value_of(self, mark: Mark) -> str:
        return mark.reason


KINDS: tuple[MarkKind, ...] = (
    RuledOut(),
    Expanded(),
    Tied(),
    Strength(),
    TickedReason(),
    MarkedSentence(),
    ShouldSay(),
)
FIELDS = tuple(kind.field for kind in KINDS)
_BY_KIND = {kind.kind: kind for kind in KINDS}
# A reason or a sentence says why, as words do.
EXPLAINING = frozenset({Kind.REASON, Kind.SENTENCE})

# Part of the statement that stores the comparison, so that no mark is ever without it.
STORE_MARKS = """
marked AS (
    INSERT INTO annotation_comparisonmark (id, comparison_id, set_id, candidate_id, kind, n, value,
        span, reason)
    SELECT gen_random_uuid(), %(id)s, %(set)s, mark.candidate, mark.kind, mark.n, mark.value,
        CASE WHEN mark.start IS NOT NULL THEN int4range(mark.start, mark.stop) END, mark.reason
    FROM jsonb_to_recordset(%(marks)s::jsonb) AS mark (candidate uuid, kind text, n smallint,
        value smallint, start integer, stop integer, reason text)
)
"""
READ_MARKS = """
SELECT kind, candidate_id, n, value, lower(span), upper(span), reason
FROM annotation_comparisonmark WHERE comparison_id = %s ORDER BY kind, candidate_id, n
"""


def sentence_value(candidate: UUID, span: tuple[int, int]) -> str:
    """A sentence as the form posts it."""
    return f"{candidate}:{span[0]}-{span[1]}"


def read(posted: Posted, about: About) -> tuple[Mark, ...]:
    """The marks that go with a judgement. Raises BadMark, or BadText for words."""
    return tuple(mark for kind in KINDS for mark in kind.read(posted.get(kind.field, ()), about))


def stated(posted: Posted) -> list[list[str]]:
    """What the person states by marks, for telling one answer from another."""
    return [
        [kind.field, *sorted(values)]
        for kind in KINDS
        if kind.stated and (values := [value for value in posted.get(kind.field, ()) if value])
    ]


def explains(marks: Iterable[Mark]) -> bool:
    """Whether some mark says why."""
    return any(mark.kind in EXPLAINING for mark in marks)


def as_posted(marks: Iterable[Mark]) -> dict[str, list[str]]:
    """The fields of the form that would store these marks again."""
    fields: dict[str, list[str]] = {}
    for mark in marks:
        kind = _BY_KIND[mark.kind]
        fields.setdefault(kind.field, []).append(kind.value_of(mark))
    return fields


def from_json(rows: Iterable[Mapping[str, Any]]) -> tuple[Mark, ...]:
    """Marks as `jsonb_agg` of their rows gives them: candidate, kind, n, value, start, stop,
    reason."""
    return tuple(
        Mark(
            kind=Kind(row["kind"]),
            candidate=UUID(row["candidate"]) if row["candidate"] else None,
            n=row["n"],
            value=row["value"],
            span=None if row["start"] is None else (row["start"], row["stop"]),
            reason=row["reason"],
        )
        for row in rows
    )


def marks_of(comparison_id: UUID) -> tuple[Mark, ...]:
    """The marks of a stored comparison, whether it still counts or not. One query."""
    with connection.cursor() as cursor:
        cursor.execute(READ_MARKS, [comparison_id])
        rows = cursor.fetchall()
    return tuple(
        Mark(Kind(kind), candidate, n, value, None if start is None else (start, stop), reason)
        for kind, candidate, n, value, start, stop, reason in rows
    )

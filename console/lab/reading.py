"""The form in which a reader marks texts: for each one a verdict of a fixed list, and a note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from console.lab.showing import VERDICTS
from sampling.errors import BadRequest
from sampling.lab import marking
from sampling.lab.marking import Said
from sampling.models import LabSet, ReaderMark
from studies.models import Researcher, Study


@dataclass(frozen=True)
class Text:
    """One text and its fields; `name` is what they end with."""

    name: str
    number: int
    text: str
    chosen: str
    note: str


@dataclass(frozen=True)
class Asked:
    """A set: what was asked, and the texts that answer it."""

    question: str
    texts: list[Text]


class ReadingForm:
    """Fields `verdict-<set>-<slot>` and `note-<set>-<slot>`; texts left unmarked are left out."""

    verdicts = tuple((verdict.value, words) for verdict, words in VERDICTS.items())

    def __init__(
        self, posted: QueryDict | None, *, study: Study, language: str, by: Researcher
    ) -> None:
        self._posted, self._study, self._language, self._by = posted, study, language, by
        self.error = ""
        self.sets: list[Asked] = []
        self._earlier: dict[str, str] = {}

    def store(self) -> bool:
        """Store the marks; False, with `error` set, when there are none or one is nonsense."""
        try:
            said = self._said()
            marking.mark(study=self._study, by=self._by, said=said)
        except (BadRequest, ValueError):
            self.error = _(
                "Something in the form could not be read. Please check it and send it again."
            )
            return False
        if not said:
            self.error = _("Mark at least one text.")
        return bool(said)

    def posted_sets(self) -> list[LabSet]:
        """The sets that a refused form was about."""
        ids = {key for field in self._posted or () if (key := _set_id(field))}
        theirs = LabSet.objects.filter(
            run__study=self._study, language=self._language, state=LabSet.State.READY, pk__in=ids
        )
        return list(theirs.order_by("pk"))

    def show(self, sets: Sequence[LabSet]) -> None:
        """Put these sets into the form, with what was posted for them, else with the reader's
        earlier marks.
        """
        if self._posted is None:
            for mark in ReaderMark.objects.filter(set__in=sets, by=self._by):
                name = f"{mark.set_id}-{mark.slot}"
                self._earlier |= {f"verdict-{name}": mark.verdict, f"note-{name}": mark.note}
        self.sets = [
            Asked(row.context[-1]["content"], [self._text(row, one) for one in _candidates(row)])
            for row in sets
        ]

    def _text(self, row: LabSet, candidate: dict[str, object]) -> Text:
        slot = int(str(candidate["slot"]))
        name = f"{row.pk}-{slot}"
        return Text(
            name=name,
            number=slot + 1,
            text=str(candidate["text"]),
            chosen=self._field(f"verdict-{name}"),
            note=self._field(f"note-{name}"),
        )

    def _field(self, name: str) -> str:
        given = self._earlier if self._posted is None else self._posted
        return str(given.get(name, ""))

    def _said(self) -> list[Said]:
        """The marks of the form. Raises ValueError for a field that is none of ours."""
        said = []
        for field in self._posted or ():
            kind, _dash, name = field.partition("-")
            if kind == "verdict" and (verdict := self._field(field)):
                set_id, _dash, slot = name.rpartition("-")
                note = self._field(f"note-{name}").strip()
                said.append(Said(UUID(set_id), int(slot), ReaderMark.Verdict(verdict), note))
        return said


def _candidates(row: LabSet) -> list[dict[str, object]]:
    return list((row.result or {}).get("candidates", ()))


def _set_id(field: str) -> UUID | None:
    kind, _dash, name = field.partition("-")
    if kind not in {"verdict", "note"}:
        return None
    try:
        return UUID(name.rpartition("-")[0])
    except ValueError:
        return None

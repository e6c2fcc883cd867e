"""What readers say about the texts of the lab, and the shares that follow from it.

A reader sees texts of one language without knowing which way or endpoint wrote them. A mark may be
corrected; the audit trail has every one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import MD5, Cast
from django.utils import timezone

from sampling.canonical import fingerprint_text
from sampling.errors import BadRequest
from sampling.lab.figures import Share
from sampling.messages import unusable
from sampling.models import LabSet, Plan, ReaderMark
from studies import auditing
from studies.models import Researcher, Study

LONGEST_NOTE = 500


@dataclass(frozen=True)
class Said:
    """A reader's word on one text."""

    set_id: UUID
    slot: int
    verdict: ReaderMark.Verdict
    note: str = ""


@dataclass(frozen=True)
class Accepted:
    """How many texts of a plan in a language, from an endpoint, its readers accepted; and why they
    did not accept the others.
    """

    way: str
    plan_sha256: str
    language: str
    endpoint: str
    simulated: bool
    readers: int
    share: Share
    verdicts: Counter[str]


def sets_to_read(study: Study, *, language: str, by: Researcher) -> QuerySet[LabSet]:
    """The ready sets of a study in a language that this reader has not read, in an order that tells
    nothing about who wrote them.
    """
    read = ReaderMark.objects.filter(set=OuterRef("pk"), by=by)
    ready = LabSet.objects.filter(run__study=study, language=language, state=LabSet.State.READY)
    mixed = MD5(Cast("pk", TextField()))
    return ready.filter(~Exists(read)).order_by(mixed)


def sets_read(study: Study, *, language: str, by: Researcher) -> QuerySet[LabSet]:
    """The sets of a study in a language that this reader has marked, the latest first."""
    theirs = Q(marks__by=by)
    ready = LabSet.objects.filter(run__study=study, language=language, state=LabSet.State.READY)
    latest = ready.filter(theirs).annotate(read_at=Max("marks__marked_at", filter=theirs))
    return latest.order_by("-read_at")


@transaction.atomic
def mark(*, study: Study, by: Researcher, said: Sequence[Said]) -> list[ReaderMark]:
    """Store a reader's marks, in place of earlier ones of theirs on the same texts.

    Raises BadRequest for a text that is not there, and for a note that no row can hold.
    """
    ids = {one.set_id for one in said}
    ready = LabSet.objects.filter(run__study=study, state=LabSet.State.READY, pk__in=ids)
    sets = {row.pk: row for row in ready}
    marks = [_mark(sets.get(one.set_id), one, by) for one in said]
    if marks:
        auditing.record(
            by=f"researcher:{by.pk}",
            action="lab.mark",
            on=f"study:{study.slug}",
            payload={"marks": [[str(one.set_id), one.slot, one.verdict] for one in marks]},
        )
    return marks


def _mark(row: LabSet | None, said: Said, by: Researcher) -> ReaderMark:
    text = _text(row, said.slot)
    if row is None or text is None:
        raise BadRequest("there is no such text")
    if len(said.note) > LONGEST_NOTE or unusable(said.note):
        raise BadRequest(f"a note has at most {LONGEST_NOTE} characters that can be stored")
    made, _ = ReaderMark.objects.update_or_create(
        set=row,
        slot=said.slot,
        by=by,
        defaults={
            "text_sha256": fingerprint_text(text),
            "way": row.way,
            "strategy": row.strategy,
            "plan_sha256": row.plan_sha256,
            "language": row.language,
            "endpoint_id": row.endpoint_id,
            "verdict": said.verdict,
            "note": said.note,
            "marked_at": timezone.now(),
        },
    )
    return made


def _text(row: LabSet | None, slot: int) -> str | None:
    candidates = row.result["candidates"] if row and row.result else []
    return next((str(one["text"]) for one in candidates if one["slot"] == slot), None)


def plans_by_body(study: Study) -> dict[str, list[str]]:
    """The versions of the study's plans by the hash of their body: whose record a share is."""
    versions: dict[str, list[str]] = {}
    listed = Plan.objects.filter(study=study).order_by("version")
    for sha256, version in listed.values_list("sha256", "version"):
        versions.setdefault(sha256, []).append(version)
    return versions


def accepted(marks: QuerySet[ReaderMark]) -> list[Accepted]:
    """The shares of these marks by plan, language and endpoint, in two queries.

    Plans are told apart by their bodies: one that was renamed keeps its record.
    """
    keys = ["plan_sha256", "language", "endpoint__name", "endpoint__kind"]
    counted = marks.values(*keys, "way", "verdict").annotate(n=Count("pk"))
    readers = {
        tuple(row[key] for key in keys): row["n"]
        for row in marks.values(*keys).annotate(n=Count("by", distinct=True))
    }
    by: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for row in counted.order_by("way", "language", "endpoint__name", "verdict"):
        by.setdefault(tuple(row[key] for key in keys), []).append(dict(row))
    return [_accepted(key, rows, readers[key]) for key, rows in by.items()]


def _accepted(key: tuple[str, ...], rows: Iterable[dict[str, object]], readers: int) -> Accepted:
    verdicts: Counter[str] = Counter()
    way = ""
    for row in rows:
        verdicts[str(row["verdict"])] += int(str(row["n"]))
        way = str(row["way"])
    good = verdicts[ReaderMark.Verdict.ACCEPTABLE]
    return Accepted(
        way=way,
        plan_sha256=key[0],
        language=key[1],
        endpoint=key[2],
        simulated=key[3] == "simulated",
        readers=readers,
        share=Share(good, verdicts.total()),
        verdicts=verdicts,
    )

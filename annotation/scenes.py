"""A conversation as its page shows it: its stage, its turns, and what may be done now."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.utils import timezone

from annotation.marks import Mark, from_json
from annotation.models import Comparison
from annotation.scene_rows import CandidateRow, Rows, TurnRow, read_rows
from studies.models import Enrolment
from studies.rules import Rules, rules_by_version

LONG = timedelta(seconds=45)  # what a wait of minutes begins with; sets take seconds


class Stage(StrEnum):
    """Where the last turn of a conversation stands."""

    WAITING = "waiting"  # its set is pending or generating
    FAILED = "failed"  # its set failed: retry_set
    JUDGE = "judge"  # shown, not judged
    JUDGED = "judged"  # message, finish or correction, as Scene says
    EXPIRED = "expired"  # the time ran out: claim_assignment opens it again if there is room
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Shown:
    """One candidate in its place on the page. `letter` is A for the first one shown."""

    id: UUID
    text: str
    letter: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The judgement of a turn that counts. `chosen` and `letter` are None unless one is chosen."""

    revision: int
    outcome: str
    chosen: UUID | None
    carried: UUID | None
    letter: str | None
    explanation: str
    marks: tuple[Mark, ...] = ()

    @property
    def is_tie(self) -> bool:
        return self.outcome == Comparison.Outcome.TIE


@dataclass(frozen=True, slots=True)
class TurnScene:
    """One turn. `candidates` are in display order, and empty until they are shown."""

    id: UUID
    number: int
    message: str
    asked_at: datetime
    set_id: UUID
    set_state: str
    set_reason: str | None
    written: int
    k: int
    asks_explanation: bool
    candidates: tuple[Shown, ...]
    judged: Judged | None
    layout: str = ""
    is_flagged: bool = False  # the safety check found something, and the plan has it shown
    is_given: bool = False  # its message is the study's prompt, and not the person's own words

    @property
    def carried(self) -> Shown | None:
        """The candidate that the conversation went on from."""
        if self.judged is None or self.judged.carried is None:
            return None
        return next(shown for shown in self.candidates if shown.id == self.judged.carried)


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation as its page shows it; `last` is the turn at work, `opening` what came before
    the first message (role-tagged, mostly empty). `surplus`: the time ran out, and the place was
    given to somebody else; what was stored stays. `kept_until`: when the time of an open one runs
    out. `took`: how long each finished conversation of this sitting was open."""

    conversation_id: UUID
    assignment_id: UUID
    plan_id: UUID
    language: str
    rules: Rules
    stage: Stage
    ended_reason: str | None
    opening: tuple[dict[str, str], ...]
    turns: tuple[TurnScene, ...]
    number: int
    target: int
    surplus: bool
    skipped: int
    kept_until: datetime | None
    took: tuple[timedelta, ...]

    @property
    def left(self) -> float:
        """Conversations still to do in this sitting, with the rest of this one as a part."""
        judged = sum(turn.judged is not None for turn in self.turns)
        this = 0.0 if self.stage is Stage.ENDED else 1 - judged / max(self.rules.turns_max, 1)
        return max(self.target - self.number, 0) + this

    @property
    def last(self) -> TurnScene:
        return self.turns[-1]

    @property
    def is_last_turn(self) -> bool:
        """True on the turn whose comparison finishes the conversation and cannot be corrected."""
        return len(self.turns) >= self.rules.turns_max

    @property
    def can_send_message(self) -> bool:
        return self.stage is Stage.JUDGED and not self.is_last_turn

    @property
    def can_finish(self) -> bool:
        """True with turns enough: judged ones, so that a set that failed keeps nobody."""
        ends_whole = self.stage in (Stage.JUDGED, Stage.FAILED)
        judged = sum(turn.judged is not None for turn in self.turns)
        return ends_whole and judged >= self.rules.turns_min

    @property
    def is_queued(self) -> bool:
        """True while the last turn's set waits for its place, and nobody writes it yet."""
        return self.stage is Stage.WAITING and self.last.set_state == "pending"

    @property
    def takes_long(self) -> bool:
        """True while the answers are being waited for longer than most take."""
        return self.stage is Stage.WAITING and timezone.now() - self.last.asked_at > LONG

    @property
    def can_skip(self) -> bool:
        """False when the study allows no further skip; what never came may always be given up."""
        most = self.rules.skips
        return most is None or self.skipped < most or not self.last.candidates

    @property
    def can_correct(self) -> bool:
        return self.stage is Stage.JUDGED


def read_conversation(*, enrolment: Enrolment, conversation_id: UUID) -> Scene:
    """The conversation as it stands. Three queries; raises Unknown when it is not this person's.

    A set that is ready and was never shown is not shown by this: see `conversing.follow`.
    """
    return scene_of(read_rows(enrolment=enrolment, conversation_id=conversation_id))


def scene_of(rows: Rows) -> Scene:
    """The rows as a page shows them."""
    talk = rows.talk
    before = rows.turns[0].before
    return Scene(
        conversation_id=talk.id,
        assignment_id=talk.assignment_id,
        plan_id=talk.plan_id,
        language=talk.language,
        rules=rules_by_version(talk.version_id),
        stage=_stage(rows),
        ended_reason=talk.ended_reason,
        opening=tuple(json.loads(before) if isinstance(before, str) else before or ()),
        turns=tuple(_turn_scene(turn, rows) for turn in rows.turns),
        number=talk.number,
        target=talk.target,
        surplus=talk.surplus,
        kept_until=talk.kept_until,
        took=tuple(talk.took or ()),
        skipped=talk.skipped,
    )


def _stage(rows: Rows) -> Stage:
    last = rows.turns[-1]
    if rows.talk.ended_reason is not None:
        return Stage.ENDED
    if rows.talk.assignment_state != "open":
        return Stage.EXPIRED
    if last.revision is not None:
        return Stage.JUDGED
    if last.set_state == "failed":
        return Stage.FAILED
    return Stage.JUDGE if last.display_order else Stage.WAITING


def _turn_scene(turn: TurnRow, rows: Rows) -> TurnScene:
    shown = shown_candidates(turn, rows.candidates)
    return TurnScene(
        id=turn.id,
        number=turn.number,
        message=turn.message,
        asked_at=turn.asked_at,
        set_id=turn.set_id,
        set_state=turn.set_state,
        set_reason=turn.set_reason,
        written=turn.written,
        k=turn.k,
        asks_explanation=turn.asks_explanation,
        candidates=shown,
        judged=_judged(turn, shown),
        is_flagged=turn.is_flagged,
        is_given=rows.talk.is_given and turn.number == 0,
        layout=turn.layout,
    )


def shown_candidates(turn: TurnRow, candidates: Sequence[CandidateRow]) -> tuple[Shown, ...]:
    """The candidates in the order in which this person sees them; none before they are shown."""
    by_slot = {found.slot: found for found in candidates if found.set_id == turn.set_id}
    return tuple(
        Shown(id=by_slot[slot].id, text=by_slot[slot].text, letter=letter_at(place))
        for place, slot in enumerate(turn.display_order or ())
    )


def letter_at(place: int) -> str:
    """The name on the page of the candidate in this place: A for place 0."""
    return chr(ord("A") + place)


def _judged(turn: TurnRow, shown: Sequence[Shown]) -> Judged | None:
    if turn.revision is None or turn.outcome is None:
        return None
    chosen = next((one for one in shown if one.id == turn.chosen_id), None)
    return Judged(
        revision=turn.revision,
        outcome=turn.outcome,
        chosen=turn.chosen_id,
        carried=turn.carried_id,
        letter=chosen.letter if chosen else None,
        explanation=turn.explanation or "",
        marks=from_json(json.loads(turn.marks or "[]")),
    )

"""What an annotator should do next, and what a conversation looks like now. Reads only.

Constant numbers of queries, however many conversations there are.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from annotation.marks import Mark, from_json
from annotation.models import Comparison
from annotation.refusals import Unknown
from annotation.resting import OFFER_AFTER, RESTING, WORKED_SINCE
from studies.models import Enrolment, Sitting, Study
from studies.rules import Rules, rules_by_version

DAY = timedelta(hours=24)  # of the daily limit: any so many hours, in every time zone
LONG = timedelta(seconds=45)  # what a wait of minutes begins with; sets take seconds


class Do(StrEnum):
    """The annotator's next thing to do."""

    ANSWER = "answer"  # the questionnaire
    START = "start"  # nothing is open: claim_assignment, then open_conversation
    WRITE = "write"  # an own opening message: open_conversation(text=...)
    CONVERSE = "converse"  # go to Step.conversation_id
    REST = "rest"  # they have a break, or it is time to offer one
    WAIT = "wait"  # the study is paused
    LEAVE = "leave"  # it is over, by Step.exit_code (None: the study closed)


@dataclass(frozen=True, slots=True)
class Step:
    """`number` counts from 1: this conversation, or the one that comes next, of `target`."""

    do: Do
    sitting: Sitting | None = None
    assignment_id: UUID | None = None
    conversation_id: UUID | None = None
    done: int = 0
    target: int = 0
    exit_code: str | None = None
    standing: "Standing | None" = None  # what it was read from

    @property
    def number(self) -> int:
        return min(self.done + 1, self.target)


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


class Standing(NamedTuple):
    """Where a person stands: their newest sitting, and the assignment to go on with, if any."""

    enrolment_state: str
    max_conversations: int | None
    study_state: str
    version_id: UUID | None
    sitting_id: UUID | None
    sitting_state: str | None
    target: int | None
    deadline: datetime | None
    exit_code: str | None
    done: int
    done_in_all: int
    claims: int
    assignment_id: UUID | None
    assignment_state: str | None
    cell_id: UUID | None
    conversation_id: UUID | None
    begun_lately: Sequence[datetime] | None  # newest first; skipped and expired ones are left out
    place_state: str | None
    assignment_deadline: datetime | None
    resting_since: datetime | None
    worked: timedelta | None  # since the last break; None in the middle of a conversation

    @property
    def lost_its_place(self) -> bool:
        """Whether the place in the quota was given back while the person was away."""
        return self.place_state == "released"

    @property
    def version(self) -> UUID:
        """The study's newest frozen version. Raises LookupError: an open study has one."""
        if self.version_id is None:
            raise LookupError("the study has no frozen version")
        return self.version_id

    @property
    def sitting(self) -> UUID:
        """The newest sitting. Raises LookupError: whoever is enrolled has one."""
        if self.sitting_id is None:
            raise LookupError("the person has no sitting")
        return self.sitting_id

    @property
    def is_late(self) -> bool:
        return self.deadline is not None and self.deadline <= timezone.now()

    @property
    def needs_rest(self) -> bool:
        """True between two conversations, after so much work that a break is offered."""
        tired = self.worked is not None and self.worked >= OFFER_AFTER
        return tired and not self.reached_target

    @property
    def reached_target(self) -> bool:
        most = self.max_conversations
        return self.done >= (self.target or 0) or (most is not None and self.done_in_all >= most)


STANDING = f"""
SELECT enrolment.state, enrolment.max_conversations, study.state,
    (SELECT id FROM studies_studyversion
        WHERE study_id = study.id AND frozen_at IS NOT NULL ORDER BY n DESC LIMIT 1),
    sitting.id, sitting.state, sitting.target, sitting.deadline, sitting.exit_code,
    coalesce(counts.done, 0), coalesce(counts.done_in_all, 0), coalesce(counts.claims, 0),
    assignment.id, assignment.state, coalesce(assignment.cell_id, original.cell_id),
    conversation.id,
    counts.begun_lately, (SELECT state FROM studies_quotaplace WHERE enrolment_id = enrolment.id),
    least(assignment.deadline, sitting.deadline),
    {RESTING},
    {WORKED_SINCE}
FROM studies_enrolment enrolment
JOIN studies_study study ON study.id = enrolment.study_id
LEFT JOIN LATERAL (
    SELECT * FROM studies_sitting WHERE enrolment_id = enrolment.id
    ORDER BY created_at DESC LIMIT 1
) sitting ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'submitted' AND sitting_id = sitting.id) AS done,
        count(*) FILTER (WHERE state = 'submitted') AS done_in_all,
        count(*) AS claims,
        array_agg(created_at ORDER BY created_at DESC) FILTER (
            WHERE state IN ('open', 'submitted') AND created_at > %(since)s
        ) AS begun_lately
    FROM annotation_assignment WHERE enrolment_id = enrolment.id
) counts ON true
LEFT JOIN LATERAL (
    SELECT * FROM annotation_assignment
    WHERE enrolment_id = enrolment.id AND sitting_id = sitting.id
        AND (state = 'open' OR state = 'expired' AND NOT surplus)
    ORDER BY state = 'open' DESC, created_at DESC LIMIT 1
) assignment ON true
LEFT JOIN annotation_assignment original ON original.id = assignment.repeat_of_id
LEFT JOIN annotation_conversation conversation ON conversation.assignment_id = assignment.id
WHERE enrolment.id = %(enrolment)s
"""  # noqa: S608 all parts are constants


def standing(enrolment_id: UUID) -> Standing:
    """Where this person stands at the moment. One query."""
    with connection.cursor() as cursor:
        since = timezone.now() - DAY
        cursor.execute(STANDING, {"enrolment": enrolment_id, "since": since})
        return Standing(*cursor.fetchone())


def next_step(enrolment: Enrolment) -> Step:
    """What `/work/` shows. One query."""
    now = standing(enrolment.pk)
    do, exit_code = _next(now)
    return Step(
        do=do,
        sitting=_sitting(enrolment, now),
        assignment_id=now.assignment_id,
        conversation_id=now.conversation_id,
        done=now.done,
        target=now.target or 0,
        exit_code=exit_code,
        standing=now,
    )


# How it ended for somebody who never sat down, or whose sitting is not over by itself.
EXIT_OF = {
    Enrolment.State.COMPLETE: Sitting.ExitCode.COMPLETE,
    Enrolment.State.SCREENED_OUT: Sitting.ExitCode.SCREEN_OUT,
    Enrolment.State.OVER_QUOTA: Sitting.ExitCode.QUOTA_FULL,
    Enrolment.State.FAILED_CHECKS: Sitting.ExitCode.QUALITY_TERM,
    Enrolment.State.WITHDRAWN: Sitting.ExitCode.WITHDRAWN,
    Enrolment.State.EXPIRED: Sitting.ExitCode.TIMEOUT,
    Enrolment.State.NO_CONSENT: Sitting.ExitCode.NO_CONSENT,
}


def _next(now: Standing) -> tuple[Do, str | None]:
    if now.enrolment_state not in (Enrolment.State.CONSENTED, Enrolment.State.ENROLLED):
        return Do.LEAVE, now.exit_code or EXIT_OF[Enrolment.State(now.enrolment_state)]
    if now.is_late:
        return Do.LEAVE, Sitting.ExitCode.TIMEOUT
    if now.study_state != Study.State.OPEN:
        return (Do.WAIT if now.study_state == Study.State.PAUSED else Do.LEAVE), now.exit_code
    if now.enrolment_state == Enrolment.State.CONSENTED:
        return Do.ANSWER, None
    return _next_at_work(now), None


def _next_at_work(now: Standing) -> Do:
    if now.resting_since is not None or now.needs_rest:
        return Do.REST
    if now.assignment_state != "open":
        return Do.START
    if now.conversation_id is not None:
        return Do.CONVERSE
    return Do.WRITE if now.cell_id is None else Do.START


def _sitting(enrolment: Enrolment, now: Standing) -> Sitting | None:
    if now.sitting_id is None or now.target is None or now.deadline is None:
        return None
    return Sitting(
        pk=now.sitting_id,
        enrolment=enrolment,
        target=now.target,
        deadline=now.deadline,
        state=now.sitting_state or "",
        exit_code=now.exit_code,
    )


# --- A conversation -------------------------------------------------------------------------------


class TalkRow(NamedTuple):
    id: UUID
    plan_id: UUID
    version_id: UUID
    ended_reason: str | None
    assignment_id: UUID
    assignment_state: str
    surplus: bool
    language: str
    target: int
    number: int
    kept_until: datetime | None
    took: Sequence[timedelta] | None
    is_given: bool
    skipped: int


class TurnRow(NamedTuple):
    id: UUID
    number: int
    message: str
    asked_at: datetime
    asks_explanation: bool
    display_order: Sequence[int] | None
    set_id: UUID
    k: int
    set_state: str
    set_reason: str | None
    written: int
    shared: bool
    showings: int
    before: Any
    revision: int | None
    outcome: str | None
    chosen_id: UUID | None
    carried_id: UUID | None
    explanation: str | None
    is_flagged: bool
    is_retired: bool
    layout: str
    marks: Any


class CandidateRow(NamedTuple):
    id: UUID
    set_id: UUID
    slot: int
    text: str


# Only what was skipped for itself: not what its answers never came for, nor what was reported.
SKIPPED = """
    SELECT count(*) FROM annotation_assignment gone
    WHERE gone.enrolment_id = {enrolment} AND gone.state = 'skipped' AND gone.reason <> 'reported'
        AND NOT EXISTS (SELECT FROM annotation_conversation talk
            JOIN annotation_turn turn ON turn.conversation_id = talk.id
            WHERE talk.assignment_id = gone.id AND turn.shown_at IS NULL)
"""
TALK = """
SELECT conversation.id, conversation.plan_id, conversation.study_version_id,
    conversation.ended_reason, assignment.id, assignment.state, assignment.surplus,
    cohort.language, sitting.target,
    (SELECT count(*) FROM annotation_assignment earlier
        WHERE earlier.enrolment_id = assignment.enrolment_id
            AND earlier.sitting_id = assignment.sitting_id
            AND earlier.state = 'submitted' AND earlier.created_at < assignment.created_at) + 1,
    least(assignment.deadline, CASE WHEN assignment.state = 'open' THEN sitting.deadline END),
    (SELECT array_agg(ended_at - created_at) FROM annotation_assignment done
        WHERE done.enrolment_id = assignment.enrolment_id
            AND done.sitting_id = assignment.sitting_id AND done.state = 'submitted'
            AND done.ended_at IS NOT NULL),
    coalesce(assignment.cell_id, original.cell_id) IS NOT NULL,
    ($skipped)
FROM annotation_conversation conversation
JOIN annotation_assignment assignment ON assignment.id = conversation.assignment_id
JOIN studies_cohort cohort ON cohort.id = assignment.cohort_id
JOIN studies_sitting sitting ON sitting.id = assignment.sitting_id
LEFT JOIN annotation_assignment original ON original.id = assignment.repeat_of_id
WHERE conversation.id = %s AND assignment.enrolment_id = %s
""".replace("$skipped", SKIPPED.format(enrolment="assignment.enrolment_id"))
TURNS = """
SELECT turn.id, turn.number, turn.message, turn.asked_at, turn.asks_explanation, turn.display_order,
    turn.set_id, turn.k, asked.state, asked.reason, asked.progress, asked.shared, asked.showings,
    CASE WHEN turn.number = 0 THEN asked.context - (-1) END,
    comparison.revision, comparison.outcome, comparison.chosen_id, comparison.carried_id,
    comparison.explanation,
    coalesce(asked.guard @? '$.findings[*] ? (@.measure starts with "unsafe")', false),
    asked.retired_at IS NOT NULL, turn.layout,
    (SELECT jsonb_agg(jsonb_build_object('kind', kind, 'candidate', candidate_id, 'n', n,
            'value', value, 'start', lower(span), 'stop', upper(span), 'reason', mark.reason)
            ORDER BY kind, candidate_id, n)
        FROM annotation_comparisonmark mark WHERE mark.comparison_id = comparison.id)
FROM annotation_turn turn
JOIN sampling_candidateset asked ON asked.id = turn.set_id
LEFT JOIN annotation_comparison comparison
    ON comparison.turn_id = turn.id AND comparison.superseded_at IS NULL
WHERE turn.conversation_id = %s
ORDER BY turn.number
"""
CANDIDATES = """
SELECT id, set_id, slot, text FROM sampling_candidate WHERE set_id = ANY(%s) ORDER BY set_id, slot
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a conversation: what a Scene is made of."""

    talk: TalkRow
    turns: list[TurnRow]
    candidates: list[CandidateRow]

    @property
    def to_show(self) -> TurnRow | None:
        """The last turn when its set is ready and was not shown yet, while the person may go on."""
        last = self.turns[-1]
        waits = self.talk.assignment_state == "open" and self.talk.ended_reason is None
        return last if waits and last.set_state == "ready" and not last.display_order else None


def read_rows(*, enrolment: Enrolment, conversation_id: UUID) -> Rows:
    """Three queries; raises Unknown when the conversation is not this person's."""
    with connection.cursor() as cursor:
        cursor.execute(TALK, [conversation_id, enrolment.pk])
        row = cursor.fetchone()
        if row is None:
            raise Unknown
        cursor.execute(TURNS, [conversation_id])
        turns = [TurnRow(*found) for found in cursor.fetchall()]
        cursor.execute(CANDIDATES, [[turn.set_id for turn in turns]])
        candidates = [CandidateRow(*found) for found in cursor.fetchall()]
    return Rows(talk=TalkRow(*row), turns=turns, candidates=candidates)


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

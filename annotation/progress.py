"""What an annotator should do next, and what a conversation looks like now. Reads only.

Constant numbers of queries, however many conversations there are.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from studies.models import Enrolment, Sitting
from studies.rules import Rules


class Do(StrEnum):
    """The annotator's next thing to do."""

    ANSWER = "answer"  # the questionnaire
    START = "start"  # nothing is open: claim_assignment, then open_conversation
    WRITE = "write"  # an own opening message: open_conversation(text=...)
    CONVERSE = "converse"  # go to Step.conversation_id
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
    """The judgement of a turn that counts. `chosen` and `letter` are None for `none`."""

    revision: int
    outcome: str
    chosen: UUID | None
    carried: UUID | None
    letter: str | None
    explanation: str


@dataclass(frozen=True, slots=True)
class TurnScene:
    """One turn. `candidates` are in display order, and empty until they are shown."""

    id: UUID
    number: int
    message: str
    set_id: UUID
    set_state: str
    set_reason: str | None
    written: int
    k: int
    asks_explanation: bool
    candidates: tuple[Shown, ...]
    judged: Judged | None

    @property
    def carried(self) -> Shown | None:
        """The candidate that the conversation went on from."""
        if self.judged is None or self.judged.carried is None:
            return None
        return next(shown for shown in self.candidates if shown.id == self.judged.carried)


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation as its page shows it; `last` is the turn at work, `opening` what came before
    the first message (role-tagged, mostly empty)."""

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
        return self.stage is Stage.JUDGED and len(self.turns) >= self.rules.turns_min

    @property
    def can_correct(self) -> bool:
        return self.stage is Stage.JUDGED


def next_step(enrolment: Enrolment) -> Step:
    """What `/work/` shows. Expects `enrolment.study` to be loaded; one query."""
    raise NotImplementedError


def read_conversation(*, enrolment: Enrolment, conversation_id: UUID) -> Scene:
    """The conversation as it stands. Three queries; raises Unknown when it is not this person's.

    A set that is ready and was never shown is not shown by this: see `conversing.follow`.
    """
    raise NotImplementedError

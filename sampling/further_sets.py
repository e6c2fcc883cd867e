"""More than one set of the same question, where one for everybody would not do.

replica   a shared set of one of several groups of people; the numbers of a group's sets leave
          the group's remainder
spare     an unshared set made ahead of time: whoever comes first takes it, and nobody else
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from django.db import transaction
from django.db.models import QuerySet

from sampling import bell
from sampling.messages import Message, context_sha256, read_context
from sampling.models import CandidateSet, Plan
from sampling.requesting import UNFINISHED, request_candidate_set
from studies.models import Prompt

State, Priority = CandidateSet.State, CandidateSet.Priority

# Named, so that the row of a newer version of the program can be read as well.
COLUMNS = ", ".join(str(field.column) for field in CandidateSet._meta.concrete_fields)
# The row is changed by whoever takes it, so that somebody who waited for its lock sees that it is
# gone; what others are taking at this moment is passed over.
TAKE = f"""
UPDATE sampling_candidateset SET spare = false, priority = least(priority, %(priority)s)
WHERE id = (
    SELECT id FROM sampling_candidateset
    WHERE plan_id = %(plan)s AND context_sha256 = %(sha256)s AND language = %(language)s
        AND spare AND state <> 'failed' AND retired_at IS NULL
    ORDER BY state = 'ready' DESC, state = 'generating' DESC, requested_at
    LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING {COLUMNS}
"""  # noqa: S608 all parts are constants


@dataclass(frozen=True, slots=True)
class Question:
    """What sets answer. Expects `plan.study` to be loaded."""

    plan: Plan
    context: Sequence[Message]
    language: str
    prompt: Prompt | None = None  # the one that the conversation opened with

    def sets(self) -> QuerySet[CandidateSet]:
        """Every set that was ever asked for it."""
        return CandidateSet.objects.filter(
            plan=self.plan, context_sha256=self.sha256(), language=self.language
        )

    def sha256(self) -> str:
        return context_sha256(read_context(self.context))

    def ask(self, *, shared: bool, replica: int | None = None, priority: int) -> CandidateSet:
        """What request_candidate_set says, which see."""
        return request_candidate_set(
            plan=self.plan,
            context=self.context,
            language=self.language,
            shared=shared,
            replica=replica,
            priority=priority,
            prompt=self.prompt,
        )


# --- Replicas -------------------------------------------------------------------------------------


def request_replica(
    question: Question, *, group: int, groups: int, priority: int = Priority.PERSON
) -> CandidateSet:
    """The shared set of one of `groups` groups of people (0 <= group < groups), in any state.

    One that failed or was retired is followed by a set with the group's next number. Raises as
    request_candidate_set.
    """
    numbers = list(_numbers(question))
    number = live_number(numbers, group, groups)
    if number is None:
        number = next_number(numbers, group, groups)
    return question.ask(shared=True, replica=number, priority=priority)


def _numbers(question: Question) -> Iterator[tuple[int, bool]]:
    """The replica number of each set of this question, and whether it is a live shared one."""
    rows = question.sets().order_by("replica")
    columns = rows.values_list("replica", "shared", "state", "retired_at")
    for replica, shared, state, retired_at in columns:
        yield replica, shared and state != State.FAILED and retired_at is None


def live_number(numbers: Iterable[tuple[int, bool]], group: int, groups: int) -> int | None:
    """The replica number of the group's set; `numbers` are those of the question, and whether each
    is a live shared one.
    """
    return next((n for n, live in numbers if live and n % groups == group), None)


def next_number(numbers: Sequence[tuple[int, bool]], group: int, groups: int) -> int:
    """The first number of the group that no set of this question has had."""
    taken = {n for n, _ in numbers}
    return next(n for n in count(group, groups) if n not in taken)


# --- Spare sets -----------------------------------------------------------------------------------


@transaction.atomic
def take_spare_set(question: Question, *, priority: int = Priority.PERSON) -> CandidateSet | None:
    """A spare set of this question, for one person alone from here on; None when there is none.

    A ready one first. One that is still being made gets the priority of who waits for it.
    """
    values = {
        "plan": question.plan.pk,
        "sha256": question.sha256(),
        "language": question.language,
        "priority": priority,
    }
    taken = next(iter(CandidateSet.objects.raw(TAKE, values)), None)
    if taken is not None and taken.state in UNFINISHED:
        bell.ring_after_commit(set_id=taken.pk, priority=priority)
    return taken

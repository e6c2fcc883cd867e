"""What is pointed out about an opening message of one's own before it is sent.

Nothing here refuses a message: its writer is told, and may send it all the same.
"""

from dataclasses import dataclass
from uuid import UUID

import regex

from annotation.distress import speaks_of_self_harm
from annotation.models import Turn
from annotation.personal_data import Kind, personal_data
from annotation.texts import MESSAGE_LIMIT, clean
from studies.models import Enrolment
from studies.rules import OwnPrompts

NO_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True, slots=True)
class Notice:
    """`distress`: it speaks of self-harm, which comes before everything else."""

    distress: bool = False
    repeats: bool = False
    personal: tuple[Kind, ...] = ()

    def __bool__(self) -> bool:
        return self.distress or self.repeats or bool(self.personal)


def limit_of(rules: OwnPrompts) -> int:
    """How long an opening message may be, in graphemes."""
    return MESSAGE_LIMIT if rules.limit is None else rules.limit


def look_at(text: str, *, enrolment: Enrolment, assignment_id: UUID, rules: OwnPrompts) -> Notice:
    """What to point out about an opening message of this assignment.

    Expects `enrolment.cohort` to be loaded. Raises BadText, as sending it would. One query.
    """
    text = clean(text, limit=limit_of(rules))
    if speaks_of_self_harm(text, language=enrolment.cohort.language):
        return Notice(distress=True)
    return Notice(
        repeats=_repeats(text, enrolment.pk, assignment_id), personal=tuple(personal_data(text))
    )


def _repeats(text: str, enrolment_id: UUID, assignment_id: UUID) -> bool:
    """Whether the person has opened another conversation by the same words."""
    earlier = Turn.objects.filter(
        number=0,
        conversation__assignment__enrolment=enrolment_id,
        conversation__assignment__cell=None,
        conversation__assignment__repeat_of=None,
    ).exclude(conversation__assignment=assignment_id)
    said = _bare(text)
    return any(_bare(one) == said for one in earlier.values_list("message", flat=True))


def _bare(text: str) -> str:
    return NO_WORD.sub(" ", text.casefold()).strip()

"""What opening a conversation and going on with it have in common: a message becomes a turn."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from annotation.submitting import Form, accepting
from sampling.models import Plan
from studies.drawing import unit
from studies.models import Prompt
from studies.rules import Rules

TURN = accepting("""turn AS (
    INSERT INTO annotation_turn (id, conversation_id, number, message, set_id, k, layout,
        asks_explanation, asked_at, prev_comparison_id, carried_id)
    VALUES (%(id)s, %(conversation)s, %(turn)s, %(message)s, %(set)s, %(k)s, '',
        %(asks_explanation)s, %(now)s, %(prev_comparison)s, %(carried)s)
)""")
NOTHING = accepting("nothing AS (SELECT)")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is stored as a turn of a conversation."""

    conversation_id: UUID
    turn_no: int


@lru_cache(maxsize=256)
def plan_by_id(plan_id: UUID) -> Plan:
    """A plan and its study, once per process: plans are frozen before anybody talks under them."""
    return Plan.objects.select_related("study").get(pk=plan_id)


@lru_cache(maxsize=1024)
def prompt_by_id(prompt_id: UUID | None) -> Prompt | None:
    """A prompt, once per process: prompts are frozen as plans are. None for an own opening."""
    return None if prompt_id is None else Prompt.objects.get(pk=prompt_id)


def asks_explanation(rules: Rules, seed: str, conversation_id: UUID, number: int) -> bool:
    """Whether this turn asks why, drawn by the study's rule (`chosen`: when one is chosen)."""
    if rules.explanation.rule == "share":
        return unit(seed, "explanation", conversation_id, number) < rules.explanation.share
    return rules.explanation.rule in ("chosen", "always")


def accept_turn(
    sent: Sent,
    *,
    answered: Form,
    assignment_id: UUID,
    draft: str,
    rules: Rules,
    turn: dict[str, Any] | None = None,
) -> Sent:
    """Accept the form of a message: its answer is stored, with the turn's row unless that is there.

    The lease moves on, and the draft is forgotten. Returns `sent`.
    """
    now = timezone.now()
    answer = {"conversation": str(sent.conversation_id), "turn": sent.turn_no}
    columns = {
        **answered.accepted(answer),
        "assignment": assignment_id,
        "deadline": now + timedelta(minutes=rules.assignment_minutes),
        "form": draft,
        "now": now,
    }
    if turn is not None:
        columns |= {**turn, "conversation": sent.conversation_id, "turn": sent.turn_no}
    with connection.cursor() as cursor:
        cursor.execute(NOTHING if turn is None else TURN, columns)
    return sent


def sent_before(answer: dict[str, Any]) -> Sent:
    """The first answer to a message form, as it was stored."""
    return Sent(conversation_id=UUID(answer["conversation"]), turn_no=answer["turn"])

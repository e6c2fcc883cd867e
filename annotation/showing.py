"""The first showing of a set to a person: its order is drawn, counted and stored once."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation.ordering import display_order
from annotation.scene_rows import TurnRow
from studies.models import Enrolment

# Others may be shown the same set at this moment: the orders of so many showings go along, and the
# row that counts them says which one it is.
AHEAD = 16

# One statement, so that no number is lost. The turn's lock makes a second tab wait; it then finds
# the turn shown, and counts nothing. A number past AHEAD violates the turn's check, and is undone.
SHOW = """
WITH unshown AS (
    SELECT id, set_id FROM annotation_turn
    WHERE id = %(turn)s AND shown_at IS NULL FOR NO KEY UPDATE
),
numbered AS (
    UPDATE sampling_candidateset asked SET showings = asked.showings + 1 FROM unshown
    WHERE asked.id = unshown.set_id AND asked.state = 'ready' AND asked.retired_at IS NULL
    RETURNING asked.showings
)
UPDATE annotation_turn turn
SET shown_at = %(now)s, showing_no = numbered.showings, layout = %(layout)s,
    display_order = ARRAY(SELECT slot::smallint
        FROM jsonb_array_elements_text(%(orders)s::jsonb -> numbered.showings::text) slot)
FROM numbered WHERE turn.id = %(turn)s AND turn.shown_at IS NULL
RETURNING turn.display_order
"""
# Sets that only one person sees are balanced over that person's turns, by the candidates' slots,
# which are their roles in the strategy.
SHOWN_ALONE = """
SELECT count(*) FROM annotation_assignment assignment
JOIN annotation_conversation conversation ON conversation.assignment_id = assignment.id
JOIN annotation_turn turn ON turn.conversation_id = conversation.id AND turn.shown_at IS NOT NULL
JOIN sampling_candidateset asked ON asked.id = turn.set_id AND NOT asked.shared
WHERE assignment.enrolment_id = %s
"""


def show_turn(
    turn: TurnRow,
    *,
    enrolment: Enrolment,
    layout: str = "",
    unlike: Sequence[int] | None = None,
) -> list[int] | None:
    """Show a turn whose set is ready, once: the stored order of slots.

    `unlike` is an order that it may not be: the one in which this person saw the set before.
    Returns None when something changed since `turn` was read (another tab showed it): read again.
    Expects `enrolment.study` to be loaded.
    """
    parameters: dict[str, Any] = {
        "turn": turn.id,
        "orders": json.dumps(
            {n: _other_than(unlike, order) for n, order in _orders(turn, enrolment).items()}
        ),
        "layout": layout,
        "now": timezone.now(),
    }
    try:
        with _way_back(), connection.cursor() as cursor:
            cursor.execute(SHOW, parameters)
            row = cursor.fetchone()
    except IntegrityError:
        return None
    return list(row[0]) if row else None


def _way_back() -> AbstractContextManager[object]:
    # A statement is a transaction by itself; inside another one it needs a savepoint.
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def _orders(turn: TurnRow, enrolment: Enrolment) -> dict[int, tuple[int, ...]]:
    """The display order by the number of the showing."""
    seed = enrolment.study.seed
    if not turn.shared:
        n = _shown_alone(enrolment) + 1
        # A marked repeat shows it once more.
        return {turn.showings + 1: display_order(seed=f"{seed}:{enrolment.pk}", k=turn.k, n=n)}
    return {
        n: display_order(seed=f"{seed}:{turn.set_id}", k=turn.k, n=n)
        for n in range(turn.showings + 1, turn.showings + 1 + AHEAD)
    }


def _other_than(unlike: Sequence[int] | None, order: tuple[int, ...]) -> tuple[int, ...]:
    """The order; where it is the one to avoid, each candidate one place further on."""
    return order if unlike is None or order != tuple(unlike) else (*order[1:], order[0])


def _shown_alone(enrolment: Enrolment) -> int:
    with connection.cursor() as cursor:
        cursor.execute(SHOWN_ALONE, [enrolment.pk])
        count: int = cursor.fetchone()[0]
    return count

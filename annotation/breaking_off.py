"""Conversations that nobody goes on with, and the sets that nobody waits for any more.

Sets that others share stay, unless their whole study is closed.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from annotation.models import Conversation, Turn
from sampling.models import CandidateSet
from sampling.requesting import UNFINISHED, drop_candidate_sets
from studies.models import Study


def break_off(
    assignment_ids: Collection[UUID], *, reason: Conversation.EndedReason, now: datetime
) -> None:
    """End what goes on under these assignments, and drop what it waits for."""
    drop_waiting_sets(assignment_ids)
    Conversation.objects.filter(assignment__in=assignment_ids, ended_at=None).update(
        ended_at=now, ended_reason=reason
    )


def drop_waiting_sets(assignment_ids: Collection[UUID]) -> int:
    """Drop the unfinished sets that only these assignments wait for; returns how many."""
    waiting = Turn.objects.filter(
        conversation__assignment__in=assignment_ids,
        conversation__ended_at=None,
        shown_at=None,
        set__state__in=UNFINISHED,
    )
    return drop_candidate_sets(list(waiting.values_list("set_id", flat=True)))


def drop_sets_of_closed_studies() -> int:
    """Drop what is still asked for in studies that take nothing more; returns how many.

    Shared and spare sets as well. What no annotator would ever see is not ours to drop.
    """
    asked = Q(shared=True) | Q(spare=True) | Exists(Turn.objects.filter(set=OuterRef("pk")))
    # One state at a time: each has its index.
    return sum(
        drop_candidate_sets(
            list(
                CandidateSet.objects.filter(
                    asked, state=state, study__state=Study.State.CLOSED
                ).values_list("pk", flat=True)
            ),
            also_shared=True,
        )
        for state in UNFINISHED
    )

"""Where a person stands: their newest sitting, what they did in it, what to go on with.

One query, however many conversations there are.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from string import Template
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from annotation.resting import OFFER_AFTER, RESTING, WORKED_SINCE

DAY = timedelta(hours=24)  # of the daily limit: any so many hours, in every time zone


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
    held: int  # open ones and finished ones, in all sittings
    had: str  # the prompt cells of all claims: an array as PostgreSQL writes it
    assignment_id: UUID | None
    assignment_state: str | None
    cell_id: UUID | None
    conversation_id: UUID | None
    # Newest first, in seconds since 1970, which cost less to read; no skipped and expired ones.
    begun_lately: Sequence[float] | None
    place_state: str | None
    assignment_deadline: datetime | None
    resting_since: datetime | None = None
    worked: timedelta | None = None  # since the last break; None in the middle of a conversation

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


STANDING = """
SELECT enrolment.state, enrolment.max_conversations, study.state,
    (SELECT id FROM studies_studyversion
        WHERE study_id = study.id AND frozen_at IS NOT NULL ORDER BY n DESC LIMIT 1),
    sitting.id, sitting.state, sitting.target, sitting.deadline, sitting.exit_code,
    coalesce(counts.done, 0), coalesce(counts.done_in_all, 0), coalesce(counts.claims, 0),
    coalesce(counts.held, 0), coalesce(counts.had, '{}')::text,
    assignment.id, assignment.state, coalesce(assignment.cell_id, original.cell_id),
    conversation.id,
    counts.begun_lately, (SELECT state FROM studies_quotaplace WHERE enrolment_id = enrolment.id),
    least(assignment.deadline, sitting.deadline)$rest
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
        count(*) FILTER (WHERE state IN ('open', 'submitted')) AS held,
        array_agg(cell_id) FILTER (WHERE cell_id IS NOT NULL) AS had,
        array_agg(extract(epoch FROM created_at)::float8 ORDER BY created_at DESC) FILTER (
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
"""
# A claim asks for no rest, and is spared half of the work of this.
WITHOUT_REST = Template(STANDING).substitute(rest="")
WITH_REST = Template(STANDING).substitute(rest=f",\n    {RESTING},\n    {WORKED_SINCE}")


def standing(enrolment_id: UUID, *, with_rest: bool = False) -> Standing:
    """Where this person stands at the moment; when and how long they rest and work only
    `with_rest`. One query.
    """
    with connection.cursor() as cursor:
        since = timezone.now() - DAY
        statement = WITH_REST if with_rest else WITHOUT_REST
        cursor.execute(statement, {"enrolment": enrolment_id, "since": since})
        return Standing(*cursor.fetchone())

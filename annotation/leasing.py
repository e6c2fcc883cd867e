"""The lease of an open assignment: what each act of its person does to the deadline.

Acts that need the lease run under the person's lock. An act on an assignment that expired in the
meantime is a return: the assignment is opened again if there is room, and the act goes on.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

from annotation.refusals import NoRoom
from annotation.reopening import reopen

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


class LeaseExpired(Exception):
    """Inside an act: its assignment has expired. Never leaves `with_lease`."""

    def __init__(self, assignment_id: UUID) -> None:
        super().__init__(str(assignment_id))
        self.assignment_id = assignment_id


def with_lease(
    enrolment_id: UUID,
    act: Callable[Parameters, Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """What `act`, a transaction, returns; when its assignment had expired, after opening it again.

    Raises NoRoom when the place was given to somebody else.
    """
    try:
        return act(*args, **kwargs)
    except LeaseExpired as expired:
        if not reopen(enrolment_id=enrolment_id, assignment_id=expired.assignment_id):
            raise NoRoom from expired
    return act(*args, **kwargs)

"""Going for good: stop, or stop and delete, from a page or by a code."""

from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from annotation.erasing import erase_person
from annotation.leaving import withdraw
from annotation.locking import lock_person
from annotation.refusals import BadReason
from studies.models import Enrolment
from studies.withdrawal_codes import UsedCode, find_by_code, use_code


class Extent(StrEnum):
    """How far somebody leaves."""

    STOP = "stop"
    DELETE = "delete"  # and their words are erased


def depart(*, enrolment: Enrolment, extent: str) -> None:
    """The person leaves, and with DELETE their words go; twice is once. Raises BadReason.

    Somebody who had stopped before can still have their words deleted.
    """
    if extent == Extent.DELETE:
        erase_person(enrolment=enrolment, by=f"annotator:{enrolment.pseudonym}")
    elif extent == Extent.STOP:
        withdraw(enrolment=enrolment)
    else:
        raise BadReason


@transaction.atomic
def depart_by_code(*, typed: str, extent: str) -> Enrolment:
    """The person whose code this is leaves, whoever's browser it is typed into. Locks them.

    Raises UnknownCode, UsedCode (also when there is nothing left to do), BadReason.
    """
    code = find_by_code(typed)
    enrolment = code.enrolment
    lock_person(enrolment.pk)
    enrolment.refresh_from_db(fields=["state", "erased_at"])
    if is_done(enrolment, extent):
        raise UsedCode
    use_code(code, at=timezone.now())
    depart(enrolment=enrolment, extent=extent)
    return enrolment


def is_done(enrolment: Enrolment, extent: str) -> bool:
    """Whether leaving so far would change nothing any more."""
    return enrolment.erased_at is not None or (extent == Extent.STOP and enrolment.has_left)

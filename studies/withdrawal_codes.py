"""Codes to leave by: for a person who has neither their browser nor their return link any more.

A code has 120 bits, so its plain SHA-256 is safe to keep. It follows from its row's random id and
the site's secret, and is shown once.
"""

import hmac
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from studies.access import digest
from studies.enrolling import CODE_ALPHABET
from studies.models import Enrolment, WithdrawalCode

GROUPS, LETTERS = 6, 4


class UnknownCode(Exception):
    """No code of ours; perhaps it was replaced by a newer one."""


class UsedCode(Exception):
    """Somebody has left by this code before."""


@transaction.atomic
def make_code(*, enrolment: Enrolment) -> WithdrawalCode:
    """A code that can be shown once; it replaces the person's earlier one. Locks the person."""
    Enrolment.objects.select_for_update(no_key=True).get(pk=enrolment.pk)
    WithdrawalCode.objects.filter(enrolment=enrolment, used_at=None).delete()
    made = WithdrawalCode(enrolment=enrolment)
    made.code_sha256 = digest(letters_of(made.pk))
    made.save()
    return made


def show_code(*, enrolment: Enrolment) -> str:
    """The person's code as they should write it down, the first time; empty from then on."""
    unseen = WithdrawalCode.objects.filter(enrolment=enrolment, shown_at=None, used_at=None)
    code_id = unseen.values_list("pk", flat=True).first()
    if code_id is None or not unseen.filter(pk=code_id).update(shown_at=timezone.now()):
        return ""
    letters = letters_of(code_id)
    groups = (letters[at : at + LETTERS] for at in range(0, len(letters), LETTERS))
    return "-".join(groups)


def find_by_code(typed: str) -> WithdrawalCode:
    """The code as it was typed, in small letters and with other gaps too, with its person's study.

    Raises UnknownCode, UsedCode.
    """
    letters = "".join(letter for letter in typed.upper() if letter in CODE_ALPHABET)
    known = WithdrawalCode.objects.select_related("enrolment__cohort", "enrolment__study")
    found = known.filter(code_sha256=digest(letters)).first()
    if found is None:
        raise UnknownCode
    if found.used_at is not None:
        raise UsedCode
    return found


def use_code(code: WithdrawalCode, *, at: datetime) -> None:
    """Mark it as used, inside the transaction of what it was used for. Raises UsedCode."""
    if not WithdrawalCode.objects.filter(pk=code.pk, used_at=None).update(used_at=at):
        raise UsedCode


def letters_of(code_id: UUID) -> str:
    """The letters of a code by its row, without dashes. Only for its own person's eyes."""
    mac = hmac.digest(settings.SECRET_KEY.encode(), b"withdrawal-code:" + code_id.bytes, "sha256")
    return "".join(CODE_ALPHABET[byte % len(CODE_ALPHABET)] for byte in mac[: GROUPS * LETTERS])

"""What people agree to: purposes, each with a yes or a no of its own, under versioned texts.

`Enrolment.purposes` is what counts now, and costs no query: the database keeps it in step with the
consent records, which are only ever added to. A new version of a text asks for everything again.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import transaction

from studies.enrolling import EnrollingRefusal, end_before_work, hold
from studies.models import ConsentDocument, ConsentRecord, Enrolment, SensitiveAnswer, Sitting
from studies.rules import Rules

TAKE_PART = "take_part"
CONVERSATIONS = "conversations"  # which may tell what someone believes: explicit consent
SENSITIVE = "sensitive_questions"
RELEASE = "public_release"
RECONTACT = "recontact"
PASTING = "paste_telemetry"
PURPOSES = (TAKE_PART, CONVERSATIONS, SENSITIVE, RELEASE, RECONTACT, PASTING)
# Without these nobody can take part; a no to another one changes nothing else.
NEEDED = frozenset({TAKE_PART, CONVERSATIONS})


class PurposesUnanswered(EnrollingRefusal):
    """Purposes without a yes or a no: `purposes` names them."""

    code = "purposes_unanswered"

    def __init__(self, purposes: list[str]) -> None:
        super().__init__(", ".join(purposes))
        self.purposes = purposes


class DocumentChanged(EnrollingRefusal):
    """The text that was read is no longer the one to agree to."""

    code = "document_changed"


def agrees_to(enrolment: Enrolment, purpose: str) -> bool:
    """Whether this person has agreed to a purpose, and not changed their mind. No query."""
    return purpose in enrolment.purposes


def is_due(enrolment: Enrolment, rules: Rules) -> bool:
    """Whether the text has changed since this person answered. No query."""
    answered = enrolment.consent_version
    return answered is not None and answered != rules.consent_version


@lru_cache(maxsize=256)
def _purposes(study_id: UUID, version: int) -> tuple[str, ...]:
    documents = ConsentDocument.objects.filter(study_id=study_id, version=version)
    return tuple(documents.values_list("purposes", flat=True)[:1].get())


def purposes_asked(study_id: UUID, rules: Rules) -> tuple[str, ...]:
    """The purposes that the text asks for, in its order: the same in all its languages.

    One query in the life of a process. Raises ConsentDocument.DoesNotExist.
    """
    return _purposes(study_id, rules.consent_version)


def purposes_to_ask(enrolment: Enrolment, rules: Rules) -> list[str]:
    """The purposes of this version that have no answer yet. One query, none for
    somebody who has agreed to all of them.

    Somebody without any record is asked nothing: they came before there were records.
    """
    purposes = purposes_asked(enrolment.study_id, rules)
    if set(purposes) <= {TAKE_PART, *enrolment.purposes} or enrolment.consent_version is None:
        return []
    answered = ConsentRecord.objects.filter(
        enrolment_id=enrolment.pk, document__version=rules.consent_version
    )
    given = set(answered.values_list("purpose", flat=True))
    return [purpose for purpose in purposes if purpose not in given]


def answer_purposes(
    person: Enrolment,
    rules: Rules,
    *,
    wanted: Sequence[str],
    document: ConsentDocument,
    answers: Mapping[str, bool],
) -> bool:
    """Store a yes or a no for every purpose of `wanted`; False when a needed one is a no.

    A no to a needed purpose ends the visit of a person who is not at work yet; one who is at work
    leaves by `annotation.agreeing`. The caller holds the person (`stages.take_step`). Raises
    PurposesUnanswered, DocumentChanged.
    """
    if document.version != rules.consent_version:
        raise DocumentChanged
    if unanswered := [purpose for purpose in wanted if purpose not in answers]:
        raise PurposesUnanswered(unanswered)
    record(person, document, {purpose: answers[purpose] for purpose in wanted})
    goes_on = set(document.purposes) & NEEDED <= set(person.purposes)
    if not goes_on and person.state == Enrolment.State.CONSENTED:
        end_before_work(person, Sitting.ExitCode.NO_CONSENT)
    return goes_on


def purposes_to_change(enrolment: Enrolment) -> list[str]:
    """The purposes that this person has answered, and may answer otherwise. At most one query."""
    if enrolment.consent_version is None:
        return []
    purposes = _purposes(enrolment.study_id, enrolment.consent_version)
    return [purpose for purpose in purposes if purpose not in NEEDED]


@transaction.atomic
def change_mind(
    *, enrolment: Enrolment, document: ConsentDocument, answers: Mapping[str, bool]
) -> Enrolment:
    """Give or take back purposes later on, by a text of the version that was answered last.

    What is no such purpose is left alone: who takes back what the work needs withdraws. An answer
    that is the same as before adds no record. Locks the person. Raises DocumentChanged.
    """
    person = hold(enrolment)
    if document.version != person.consent_version:
        raise DocumentChanged
    changed = {
        purpose: answers[purpose]
        for purpose in purposes_to_change(person)
        if purpose in answers and answers[purpose] != agrees_to(person, purpose)
    }
    record(person, document, changed)
    enrolment.purposes = person.purposes
    return enrolment


def record(person: Enrolment, document: ConsentDocument, answers: Mapping[str, bool]) -> None:
    """Add a record for each purpose. Sensitive answers go with the consent for them."""
    if not answers:
        return
    if not answers.get(SENSITIVE, True):
        SensitiveAnswer.objects.filter(enrolment_id=person.pk).delete()
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            enrolment=person,
            document=document,
            purpose=purpose,
            granted=granted,
            app_version=settings.VERSION,
        )
        for purpose, granted in answers.items()
    )
    person.refresh_from_db(fields=["purposes", "consent_version"])

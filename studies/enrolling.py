"""How a person comes into a study, and how their visit ends."""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from studies import access, identifying, quotas
from studies.models import (
    Answer,
    ConsentDocument,
    ConsentRecord,
    Enrolment,
    Invitation,
    Questionnaire,
    Sitting,
    Study,
)
from studies.panels import Arrival
from studies.rules import Rules, current_rules

# Without look-alikes (0 and O, 1 and I): people copy the code by hand.
CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8

# How a sitting's exit is told in the enrolment's state.
STATE_AFTER = {
    Sitting.ExitCode.COMPLETE: Enrolment.State.COMPLETE,
    Sitting.ExitCode.TIMEOUT: Enrolment.State.EXPIRED,
    Sitting.ExitCode.WITHDRAWN: Enrolment.State.WITHDRAWN,
    Sitting.ExitCode.PARTIAL: Enrolment.State.WITHDRAWN,
    Sitting.ExitCode.QUOTA_FULL: Enrolment.State.OVER_QUOTA,
}


class EnrollingRefusal(Exception):
    """Why somebody cannot come in. `code` is what a page turns into words."""

    code = "refused"


class LinkUsed(EnrollingRefusal):
    """A personal link, or a panel's submission, that somebody has used already."""

    code = "link_used"


class LinkExpired(EnrollingRefusal):
    code = "link_expired"


class StudyNotOpen(EnrollingRefusal):
    """The study is not open; `code` is not_yet, paused or closed."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.code = state if state in ("paused", "closed") else "not_yet"


class AnswersMissing(EnrollingRefusal):
    """Questions without an answer, or with one that was not offered: `keys` names them."""

    code = "answers_missing"

    def __init__(self, keys: list[str]) -> None:
        super().__init__(", ".join(keys))
        self.keys = keys


@dataclass(frozen=True, slots=True)
class Entry:
    """A person who answered the consent form, and the token of their return link."""

    enrolment: Enrolment
    return_token: str


def consent_document(*, study: Study, locale: str) -> ConsentDocument:
    """The newest consent text in this interface locale, else in English. One query.

    Documents of "pt" serve "pt-br". Raises ConsentDocument.DoesNotExist when the study has neither.
    """
    wanted = [locale.lower(), locale.split("-")[0].lower(), "en"]
    found = ConsentDocument.objects.filter(study=study, locale__in=wanted)
    best = min(found, key=lambda text: (wanted.index(text.locale), -text.version), default=None)
    if best is None:
        raise ConsentDocument.DoesNotExist(f"{study} has no consent text for {locale}")
    return best


def give_consent(
    *,
    invitation: Invitation,
    document: ConsentDocument,
    ui_language: str,
    arrival: str,
    arrived: Arrival | None = None,
) -> Entry:
    """Store a yes: enrolment (consented), consent record, and a personal link marked as used.

    `arrival` is a random text made once when the person followed the link (`access.new_token()`)
    and kept in their signed cookie: the return token is derived from it, so a form sent twice gives
    the first answer again. `arrived` is who came by a panel's link: whom the panel sent before gets
    their first answer again. Expects `invitation.cohort.study` to be loaded. Raises LinkUsed,
    LinkExpired, StudyNotOpen.
    """
    return _answer_consent(
        invitation=invitation,
        document=document,
        ui_language=ui_language,
        arrival=arrival if arrived is None else _arrival_of(invitation.cohort.study_id, arrived),
        arrived=arrived,
        granted=True,
    )


def decline_consent(
    *,
    invitation: Invitation,
    document: ConsentDocument,
    ui_language: str,
    arrival: str,
    arrived: Arrival | None = None,
) -> Entry:
    """Store a no: an enrolment in state no_consent whose sitting is over, with its exit code.

    A personal link stays usable, and of a panel's person no identity is kept: they may change their
    mind. Sent twice, it gives the first answer again, whichever that was. Raises as give_consent.
    """
    return _answer_consent(
        invitation=invitation,
        document=document,
        ui_language=ui_language,
        arrival=arrival,
        arrived=arrived,
        granted=False,
    )


def _answer_consent(
    *,
    invitation: Invitation,
    document: ConsentDocument,
    ui_language: str,
    arrival: str,
    arrived: Arrival | None,
    granted: bool,
) -> Entry:
    token = return_token(arrival)
    if before := _entered_before(invitation, token, arrived):
        return before
    _refuse_entry(invitation, arrived)
    try:
        with transaction.atomic():
            enrolment = _enrol(invitation, token, ui_language, granted=granted)
            _record(enrolment, document, granted=granted)
            if not granted:
                _end_at_consent(enrolment)
            elif arrived is not None:
                identifying.store_identity(enrolment=enrolment, arrived=arrived)
            else:
                _use_personal_link(invitation, enrolment)
    except IntegrityError:
        # The same form, sent twice at once: the other one has stored it.
        before = _entered_before(invitation, token, arrived)
        if before is None and arrived and identifying.is_of_another(arrived):
            raise LinkUsed from None
        if before is None:
            raise
        return before
    return Entry(enrolment, token)


def _entered_before(invitation: Invitation, token: str, arrived: Arrival | None) -> Entry | None:
    """The first answer to this form, or of this person of a panel."""
    if found := access.find_returning(token):
        return Entry(found, token)
    if arrived is None:
        return None
    known = identifying.find_known(study_id=invitation.cohort.study_id, arrived=arrived)
    return Entry(known.enrolment, token_of(known.enrolment, arrived)) if known else None


def token_of(enrolment: Enrolment, arrived: Arrival) -> str:
    """The return token of a panel's person; empty when it was made under another site's secret."""
    token = return_token(_arrival_of(enrolment.study_id, arrived))
    return token if access.digest(token) == enrolment.return_token_sha256 else ""


def _arrival_of(study_id: UUID, arrived: Arrival) -> str:
    """The same text at every arrival of one person, so that each browser learns their link."""
    return f"{study_id}:{arrived.panel}:{arrived.person}"


def return_token(arrival: str) -> str:
    """The return token of an arrival: nobody can make it without the site's secret."""
    mac = hmac.digest(settings.SECRET_KEY.encode(), f"return-link:{arrival}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _refuse_entry(invitation: Invitation, arrived: Arrival | None) -> None:
    if invitation.used_by_id is not None or (arrived and identifying.is_of_another(arrived)):
        raise LinkUsed
    if access.is_expired(invitation):
        raise LinkExpired
    state = Study.objects.values_list("state", flat=True).get(pk=invitation.cohort.study_id)
    if state != Study.State.OPEN:
        raise StudyNotOpen(state)


def _enrol(invitation: Invitation, token: str, ui_language: str, *, granted: bool) -> Enrolment:
    return Enrolment.objects.create(
        study=invitation.cohort.study,
        cohort=invitation.cohort,
        pseudonym=secrets.token_hex(8),
        return_token_sha256=access.digest(token),
        state=Enrolment.State.CONSENTED if granted else Enrolment.State.NO_CONSENT,
        ui_language=ui_language,
    )


def _record(enrolment: Enrolment, document: ConsentDocument, *, granted: bool) -> None:
    ConsentRecord.objects.create(
        enrolment=enrolment,
        document=document,
        granted=granted,
        purposes=document.purposes if granted else [],
        app_version=settings.VERSION,
    )


def _use_personal_link(invitation: Invitation, enrolment: Enrolment) -> None:
    if invitation.kind != Invitation.Kind.PERSONAL:
        return
    unused = Invitation.objects.filter(pk=invitation.pk, used_by=None)
    if not unused.update(used_by=enrolment):
        raise LinkUsed


def _end_at_consent(enrolment: Enrolment) -> None:
    Sitting.objects.create(
        enrolment=enrolment,
        target=0,
        deadline=timezone.now(),
        state=Sitting.State.RETURNED,
        exit_code=Sitting.ExitCode.NO_CONSENT,
    )


def questionnaire_of(study: Study) -> Questionnaire | None:
    """The newest questionnaire of the study; None when it asks nothing. One query."""
    newest = Questionnaire.objects.filter(study=study).order_by("-version").first()
    return newest if newest and newest.questions else None


@transaction.atomic
def answer_questionnaire(*, enrolment: Enrolment, answers: Mapping[str, str]) -> Sitting:
    """Store the answers, enrol the person and open their sitting.

    When the quota of their answers is full, the person is over quota, and so is their sitting. For
    an enrolment that is past this point it changes nothing and returns the newest sitting. Locks
    the person, and the quota's cell. Raises AnswersMissing, StudyNotOpen.
    """
    locked = Enrolment.objects.select_for_update(of=("self",), no_key=True)
    person = locked.select_related("study", "cohort").get(pk=enrolment.pk)
    if person.state != Enrolment.State.CONSENTED:
        return _newest_sitting(person)
    if person.study.state != Study.State.OPEN:
        raise StudyNotOpen(person.study.state)
    _store_answers(person, questionnaire_of(person.study), answers)
    has_place = quotas.reserve_by_answers(person)
    sitting = _sit_down(person, current_rules(person.study), has_place=has_place)
    enrolment.state, enrolment.max_conversations = person.state, person.max_conversations
    return sitting


def _sit_down(person: Enrolment, rules: Rules, *, has_place: bool) -> Sitting:
    """The first sitting; for who has no place in the quota it is over at once."""
    person.state = Enrolment.State.ENROLLED if has_place else Enrolment.State.OVER_QUOTA
    person.max_conversations = rules.limits.per_person
    person.save(update_fields=["state", "max_conversations"])
    submission = identifying.first_submission(person)
    return open_sitting(person, rules, submission=submission, has_place=has_place)


def open_sitting(
    enrolment: Enrolment, rules: Rules, *, submission: str | None, has_place: bool = True
) -> Sitting:
    """A sitting under a panel's submission (its hash), or under none; over where there is no place.

    Raises IntegrityError when the person has an open one, and when the submission has had its own.
    """
    return Sitting.objects.create(
        enrolment=enrolment,
        panel_session_hmac=submission,
        target=rules.conversations if has_place else 0,
        deadline=timezone.now() + timedelta(hours=rules.sitting_hours),
        state=Sitting.State.OPEN if has_place else Sitting.State.RETURNED,
        exit_code=None if has_place else Sitting.ExitCode.QUOTA_FULL,
    )


def _newest_sitting(enrolment: Enrolment) -> Sitting:
    return enrolment.sittings.latest("created_at")


def _store_answers(
    enrolment: Enrolment, questionnaire: Questionnaire | None, answers: Mapping[str, str]
) -> None:
    if questionnaire is None:
        return
    faulty = [
        question["key"]
        for question in questionnaire.questions
        if answers.get(question["key"]) not in _offered(question)
    ]
    if faulty:
        raise AnswersMissing(faulty)
    Answer.objects.bulk_create(
        Answer(
            enrolment=enrolment,
            questionnaire=questionnaire,
            key=question["key"],
            value=answers[question["key"]],
        )
        for question in questionnaire.questions
    )


def _offered(question: Mapping[str, Any]) -> Sequence[str]:
    return [str(option["value"]) for option in question["options"]]


def change_language(*, enrolment: Enrolment, ui_language: str) -> Enrolment:
    """Store another interface language. The language of the task stays the cohort's."""
    enrolment.ui_language = ui_language
    enrolment.save(update_fields=["ui_language"])
    return enrolment


def end_sitting(*, sitting_id: UUID, state: Sitting.State, exit_code: Sitting.ExitCode) -> bool:
    """End an open sitting, and with it the enrolment; False when it was over already.

    The caller holds the person's lock, and has dealt with what the sitting still held.
    """
    with transaction.atomic():
        ended = Sitting.objects.filter(pk=sitting_id, state=Sitting.State.OPEN).update(
            state=state, exit_code=exit_code
        )
        if ended:
            Enrolment.objects.filter(sittings=sitting_id, state=Enrolment.State.ENROLLED).update(
                state=STATE_AFTER[exit_code]
            )
    return bool(ended)


def completion_code(sitting: Sitting) -> str:
    """Eight readable characters that prove this sitting: an HMAC by the study's seed, kept nowhere.

    Expects `sitting.enrolment.study` to be loaded.
    """
    seed = sitting.enrolment.study.seed.encode()
    digits = hmac.digest(seed, b"completion:" + sitting.pk.bytes, "sha256")
    return "".join(CODE_ALPHABET[byte % len(CODE_ALPHABET)] for byte in digits[:CODE_LENGTH])

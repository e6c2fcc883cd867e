"""How a person comes into a study, and how their visit ends."""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from studies import access, identifying, quotas
from studies.models import (
    Cohort,
    ConsentDocument,
    ConsentRecord,
    Enrolment,
    Invitation,
    Sitting,
    Study,
)
from studies.panels import Arrival
from studies.questionnaires import asks_for_a_quota
from studies.rules import Rules, current_rules, state_and_rules

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
# The same for a visit that ends before the work begins.
STATE_BEFORE_WORK = {
    Sitting.ExitCode.NO_CONSENT: Enrolment.State.NO_CONSENT,
    Sitting.ExitCode.SCREEN_OUT: Enrolment.State.SCREENED_OUT,
    Sitting.ExitCode.QUOTA_FULL: Enrolment.State.OVER_QUOTA,
    Sitting.ExitCode.QUALITY_TERM: Enrolment.State.FAILED_CHECKS,
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


@dataclass(frozen=True, slots=True)
class Entry:
    """A person who answered the consent form, and the token of their return link."""

    enrolment: Enrolment
    return_token: str


def consent_document(*, cohort: Cohort, locale: str, version: int | None = None) -> ConsentDocument:
    """The consent text of a version, in this interface locale, else in English. Two queries.

    Where the version has texts for the cohort's country, one of those. Without a version the one
    that counts, which stands in the study's frozen rules. Documents of "pt" serve "pt-br". Expects
    `cohort.study` to be loaded. Raises ConsentDocument.DoesNotExist when the version has neither,
    StudyVersion.DoesNotExist.
    """
    wanted = [locale.lower(), locale.split("-")[0].lower(), "en"]
    version = version or current_rules(cohort.study).consent_version
    found = _documents(cohort).filter(version=version, locale__in=wanted)
    best = min(found, key=lambda text: (not text.country, wanted.index(text.locale)), default=None)
    if best is None:
        raise ConsentDocument.DoesNotExist(f"{cohort.study} has no consent text for {locale}")
    return best


def document_read(
    posted: str, *, cohort: Cohort, locale: str, version: int | None = None
) -> ConsentDocument:
    """The text whose id a form posted, else the one that it should have shown; raises the same."""
    try:
        shown = _documents(cohort).filter(pk=UUID(posted)).first()
    except ValueError:
        shown = None
    return shown or consent_document(cohort=cohort, locale=locale, version=version)


def _documents(cohort: Cohort) -> QuerySet[ConsentDocument]:
    """The texts, of any version, that people of this cohort may be shown."""
    return ConsentDocument.objects.filter(
        study_id=cohort.study_id, country__in=["", cohort.country]
    )


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
    rules = _rules_to_enter_by(invitation, arrived)
    try:
        with transaction.atomic():
            enrolment = _enrol(invitation, token, ui_language)
            _record(enrolment, document, granted=granted)
            if not granted:
                end_before_work(enrolment, Sitting.ExitCode.NO_CONSENT)
                return Entry(enrolment, token)
            if arrived is not None:
                identifying.store_identity(enrolment=enrolment, arrived=arrived)
            else:
                _use_personal_link(invitation, enrolment)
            _take_place_at_once(enrolment, rules)
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


def _rules_to_enter_by(invitation: Invitation, arrived: Arrival | None) -> Rules:
    """The study's rules now. Raises LinkUsed, LinkExpired, StudyNotOpen. At most two queries."""
    if invitation.used_by_id is not None or (arrived and identifying.is_of_another(arrived)):
        raise LinkUsed
    if access.is_expired(invitation):
        raise LinkExpired
    state, rules = state_and_rules(invitation.cohort.study_id)
    if state != Study.State.OPEN or rules is None:
        raise StudyNotOpen(state)
    return rules


def _enrol(invitation: Invitation, token: str, ui_language: str) -> Enrolment:
    return Enrolment.objects.create(
        study=invitation.cohort.study,
        cohort=invitation.cohort,
        pseudonym=secrets.token_hex(8),
        return_token_sha256=access.digest(token),
        state=Enrolment.State.CONSENTED,
        ui_language=ui_language,
    )


def _record(enrolment: Enrolment, document: ConsentDocument, *, granted: bool) -> None:
    """The answer to the short consent; further purposes are asked apart (`consenting`)."""
    ConsentRecord.objects.create(
        enrolment=enrolment,
        document=document,
        purpose="take_part",
        granted=granted,
        app_version=settings.VERSION,
    )
    enrolment.refresh_from_db(fields=["purposes", "consent_version"])


def _use_personal_link(invitation: Invitation, enrolment: Enrolment) -> None:
    if invitation.kind != Invitation.Kind.PERSONAL:
        return
    unused = Invitation.objects.filter(pk=invitation.pk, used_by=None)
    if not unused.update(used_by=enrolment):
        raise LinkUsed


def _take_place_at_once(enrolment: Enrolment, rules: Rules) -> None:
    """Settle the quota right after the consent, where it waits for no answer."""
    if asks_for_a_quota(enrolment, rules):
        return
    if not take_place(enrolment, {}):
        end_before_work(enrolment, Sitting.ExitCode.QUOTA_FULL)


def hold(enrolment: Enrolment) -> Enrolment:
    """The person as they stand now, with cohort and study, held until the transaction ends."""
    locked = Enrolment.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("cohort", "study").get(pk=enrolment.pk)


def end_before_work(enrolment: Enrolment, exit_code: Sitting.ExitCode) -> Sitting:
    """End a visit that has not come to work: the state, and a sitting that is over with its code.

    `exit_code` is one of STATE_BEFORE_WORK. The caller holds the person, or has just made them.
    """
    enrolment.state = STATE_BEFORE_WORK[exit_code]
    enrolment.save(update_fields=["state"])
    return Sitting.objects.create(
        enrolment=enrolment,
        panel_session_hmac=identifying.first_submission(enrolment),
        target=0,
        deadline=timezone.now(),
        state=Sitting.State.RETURNED,
        exit_code=exit_code,
    )


def take_place(enrolment: Enrolment, answers: Mapping[str, Any]) -> bool:
    """Take a place of the quota that these answers fall under; False when it is full.


    Called as soon as everything a quota may ask is answered, and before anything sensitive is; and
    once more when the work begins, because the lease may have run out by then. The caller holds the
    person; `cohort` is loaded.
    """
    return quotas.reserve_place(enrolment=enrolment, answers=answers)


def begin_work(enrolment: Enrolment, rules: Rules) -> Sitting:
    """Enrol a person who has done everything that comes first, and open their sitting.

    For somebody who is past this point it changes nothing and returns the newest sitting. The
    caller holds the person. Raises StudyNotOpen.
    """
    if enrolment.state != Enrolment.State.CONSENTED:
        return enrolment.sittings.latest("created_at")
    if enrolment.study.state != Study.State.OPEN:
        raise StudyNotOpen(enrolment.study.state)
    if not quotas.reserve_by_answers(enrolment):
        return end_before_work(enrolment, Sitting.ExitCode.QUOTA_FULL)
    enrolment.state = Enrolment.State.ENROLLED
    enrolment.max_conversations = rules.limits.per_person
    enrolment.save(update_fields=["state", "max_conversations"])
    return open_sitting(enrolment, rules, submission=identifying.first_submission(enrolment))


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

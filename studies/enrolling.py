"""How a person comes into a study, and how their visit ends."""

from collections.abc import Mapping
from dataclasses import dataclass

from studies.models import ConsentDocument, Enrolment, Invitation, Questionnaire, Sitting, Study


class EnrollingRefusal(Exception):
    """Why somebody cannot come in. `code` is what a page turns into words."""

    code = "refused"


class LinkUsed(EnrollingRefusal):
    """A personal link that somebody has used already."""

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

    Raises ConsentDocument.DoesNotExist when the study has neither.
    """
    raise NotImplementedError


def give_consent(
    *, invitation: Invitation, document: ConsentDocument, ui_language: str, arrival: str
) -> Entry:
    """Store a yes: enrolment (consented), consent record, and a personal link marked as used.

    `arrival` is a random text made once when the person followed the link (`access.new_token()`)
    and kept in their signed cookie: the return token is derived from it, so a form sent twice gives
    the first answer again. Raises LinkUsed, LinkExpired, StudyNotOpen.
    """
    raise NotImplementedError


def decline_consent(
    *, invitation: Invitation, document: ConsentDocument, ui_language: str, arrival: str
) -> Entry:
    """Store a no: an enrolment in state no_consent whose sitting is over, with its exit code.

    A personal link stays usable. Sent twice, it gives the first answer again, whichever that was.
    Raises as give_consent.
    """
    raise NotImplementedError


def questionnaire_of(study: Study) -> Questionnaire | None:
    """The newest questionnaire of the study; None when it asks nothing. One query."""
    raise NotImplementedError


def answer_questionnaire(*, enrolment: Enrolment, answers: Mapping[str, str]) -> Sitting:
    """Store the answers, enrol the person and open their sitting.

    For an enrolment that is past this point it changes nothing and returns the newest sitting.
    Raises AnswersMissing, StudyNotOpen.
    """
    raise NotImplementedError


def change_language(*, enrolment: Enrolment, ui_language: str) -> Enrolment:
    """Store another interface language. The language of the task stays the cohort's."""
    raise NotImplementedError


def completion_code(sitting: Sitting) -> str:
    """Eight readable characters that prove this sitting: an HMAC by the study's seed, kept nowhere.

    Expects `sitting.enrolment.study` to be loaded.
    """
    raise NotImplementedError

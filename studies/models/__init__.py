"""What is asked, of whom, how often. The rows that every other app stands on."""

from studies.models.audit import Audit
from studies.models.consent import (
    Answer,
    ConsentDocument,
    ConsentRecord,
    Questionnaire,
    SensitiveAnswer,
)
from studies.models.enrolment import Enrolment, Identity, Invitation, Sitting
from studies.models.people import Membership, Researcher
from studies.models.prompt import Prompt, PromptText
from studies.models.quota import QuotaCell, QuotaPlace
from studies.models.rights import Decision, Enquiry, WithdrawalCode
from studies.models.study import Cohort, QuotaSet, Study, StudyVersion
from studies.models.tutorial import TutorialTry

__all__ = [
    "Answer",
    "Audit",
    "Cohort",
    "ConsentDocument",
    "ConsentRecord",
    "Decision",
    "Enquiry",
    "Enrolment",
    "Identity",
    "Invitation",
    "Membership",
    "Prompt",
    "PromptText",
    "Questionnaire",
    "QuotaCell",
    "QuotaPlace",
    "QuotaSet",
    "Researcher",
    "SensitiveAnswer",
    "Sitting",
    "Study",
    "StudyVersion",
    "TutorialTry",
    "WithdrawalCode",
]

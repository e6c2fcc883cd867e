"""What is asked, of whom, how often. The rows that every other app stands on."""

from studies.models.audit import Audit
from studies.models.consent import Answer, ConsentDocument, ConsentRecord, Questionnaire
from studies.models.enrolment import Enrolment, Invitation, Sitting
from studies.models.people import Membership, Researcher
from studies.models.prompt import Prompt, PromptText
from studies.models.rights import Decision, Enquiry, WithdrawalCode
from studies.models.study import Cohort, Study, StudyVersion

__all__ = [
    "Answer",
    "Audit",
    "Cohort",
    "ConsentDocument",
    "ConsentRecord",
    "Decision",
    "Enquiry",
    "Enrolment",
    "Invitation",
    "Membership",
    "Prompt",
    "PromptText",
    "Questionnaire",
    "Researcher",
    "Sitting",
    "Study",
    "StudyVersion",
    "WithdrawalCode",
]

"""Enquiries: an annotator asks, a researcher of the study answers, once."""

from django.db import transaction
from django.utils import timezone

from annotation.locking import lock_person
from annotation.models import Draft
from annotation.refusals import Invalid, TooLate
from annotation.texts import clean
from studies import auditing
from studies.models import Enquiry, Enrolment, Researcher

LIMIT = 4000  # graphemes, of a question and of an answer
MOST_OPEN = 10


class TooManyEnquiries(Invalid):
    """So many of this person's are not answered yet."""

    code = "too_many"


@transaction.atomic
def ask(*, enrolment: Enrolment, text: str) -> Enquiry:
    """Keep a question to the researchers; the same one again, while it waits, is that one.

    Locks the person. Raises BadText, TooManyEnquiries, and TooLate once their words are erased.
    """
    text = clean(text, limit=LIMIT)
    lock_person(enrolment.pk)
    enrolment.refresh_from_db(fields=["erased_at"])
    if enrolment.erased_at is not None:
        raise TooLate
    # What was typed comes in at this moment, or came before.
    Draft.objects.filter(enrolment_id=enrolment.pk, form__startswith="enquiry:").delete()
    waiting = list(enrolment.enquiries.filter(answered_at=None))
    before = next((one for one in waiting if one.text == text), None)
    if before:
        return before
    if len(waiting) >= MOST_OPEN:
        raise TooManyEnquiries
    return Enquiry.objects.create(enrolment=enrolment, text=text)


@transaction.atomic
def answer(*, enquiry: Enquiry, text: str, by: Researcher) -> Enquiry:
    """Store the one answer. Raises BadText, and TooLate when there is one, or it was erased."""
    text = clean(text, limit=LIMIT)
    now = timezone.now()
    unanswered = Enquiry.objects.filter(pk=enquiry.pk, answered_at=None, erased_at=None)
    if not unanswered.update(answer=text, answered_at=now, answered_by=by):
        raise TooLate
    auditing.record(by=f"researcher:{by.pk}", action="enquiry.answer", on=f"enquiry:{enquiry.pk}")
    enquiry.refresh_from_db()
    return enquiry

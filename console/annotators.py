"""What researchers see of one annotator, and say to them: messages, decisions, pay."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MinValueValidator, RegexValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.enquiring import LIMIT, answer
from annotation.my_work import read_work
from annotation.refusals import BadText, TooLate
from annotation.views.answering import see_other
from studies.access_rules import researcher, signed_in
from studies.deciding import decide
from studies.models import Decision, Enquiry, Enrolment, Researcher
from studies.rules import current_rules

SHOWN = 50  # answered messages on the page

KINDS = [
    (Decision.Kind.PAID, pgettext_lazy("decision", "Paid")),
    (Decision.Kind.EXCLUDED, gettext_lazy("Left out of the data")),
    (Decision.Kind.INCLUDED, gettext_lazy("Taken into the data")),
    (Decision.Kind.OTHER, gettext_lazy("Something else")),
]
STATES = {
    Enrolment.State.CONSENTED: pgettext_lazy("state of a person", "Before the work"),
    Enrolment.State.ENROLLED: pgettext_lazy("state of a person", "At work"),
    Enrolment.State.COMPLETE: pgettext_lazy("state of a person", "Done"),
    Enrolment.State.SCREENED_OUT: pgettext_lazy("state of a person", "Screened out"),
    Enrolment.State.OVER_QUOTA: pgettext_lazy("state of a person", "Quota was full"),
    Enrolment.State.FAILED_CHECKS: pgettext_lazy("state of a person", "Did not pass the check"),
    Enrolment.State.WITHDRAWN: pgettext_lazy("state of a person", "Withdrawn"),
    Enrolment.State.EXPIRED: pgettext_lazy("state of a person", "Time ran out"),
    Enrolment.State.NO_CONSENT: pgettext_lazy("state of a person", "Did not agree"),
}


class DecisionForm(forms.Form):
    """A decision about an annotator, who reads it with its reason."""

    kind = forms.ChoiceField(label=gettext_lazy("Decision"), choices=KINDS)
    amount = forms.DecimalField(
        label=gettext_lazy("Amount, where something was paid"),
        required=False,
        max_digits=10,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency, three capital letters"),
        required=False,
        validators=[RegexValidator("^[A-Z]{3}$")],
    )
    reason = forms.CharField(
        label=gettext_lazy("The reason, in words for them"),
        max_length=LIMIT,
        widget=forms.Textarea({"dir": "auto"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        pays = given.get("kind") == Decision.Kind.PAID
        if pays and not (given.get("amount") and given.get("currency")):
            self.add_error("amount", _("A payment has an amount and a currency."))
        if not pays:
            given["amount"], given["currency"] = None, ""
        return given


@require_GET
@never_cache
@researcher
def enquiries(request: HttpRequest) -> HttpResponse:
    """Messages of annotators to the researchers of their studies: the unanswered ones first."""
    return _enquiries_page(request)


def _enquiries_page(
    request: HttpRequest, *, mended: UUID | None = None, status: int = 200
) -> HttpResponse:
    seen = enquiries_of(signed_in(request))
    context = {
        "waiting": seen.filter(answered_at=None).order_by("asked_at"),
        "answered": seen.exclude(answered_at=None).order_by("-answered_at")[:SHOWN],
        "mended": mended,
        "text": request.POST.get("text", ""),
    }
    return render(request, "console/enquiries.html", context, status=status)


def enquiries_of(reader: Researcher) -> QuerySet[Enquiry]:
    """Those of the researcher's studies, with their annotators; erased ones are gone."""
    known = Enquiry.objects.select_related("enrolment__study", "enrolment__cohort")
    return known.filter(enrolment__study__memberships__researcher=reader, erased_at=None)


@require_POST
@never_cache
@researcher
def answer_enquiry(request: HttpRequest, enquiry_id: UUID) -> HttpResponse:
    """Answer a message, once."""
    found = get_object_or_404(enquiries_of(signed_in(request)), pk=enquiry_id)
    try:
        answer(enquiry=found, text=request.POST.get("text", ""), by=signed_in(request))
    except BadText:
        return _enquiries_page(request, mended=enquiry_id, status=422)
    except TooLate:
        return _enquiries_page(request, status=409)
    return see_other("enquiries")


@require_http_methods(["GET", "POST"])
@never_cache
@researcher
def annotator(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """One annotator under their pseudonym: work, pay, messages; decide something about them."""
    people = Enrolment.objects.select_related("study", "cohort").filter(
        study__memberships__researcher=signed_in(request)
    )
    person = get_object_or_404(people, pk=enrolment_id)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and person.erased_at is not None:
        form.add_error(None, _("Their words are deleted: nothing more is stored about them."))
    elif request.method == "POST" and form.is_valid():
        decide(enrolment=person, by=signed_in(request), **form.cleaned_data)
        return see_other("annotator", enrolment_id=enrolment_id)
    context = {
        "person": person,
        "form": form,
        "work": read_work(enrolment=person, rules=current_rules(person.study)),
        "decided": dict(KINDS),
        "states": STATES,
    }
    return render(
        request, "console/annotator.html", context, status=422 if request.method == "POST" else 200
    )


@require_GET
@never_cache
@researcher
def find_annotator(request: HttpRequest) -> HttpResponse:
    """Look a person up by the pseudonym that stands in the data."""
    wanted = request.GET.get("pseudonym", "").strip()
    people = Enrolment.objects.filter(study__memberships__researcher=signed_in(request))
    found = people.filter(pseudonym=wanted).first() if wanted else None
    if found:
        return redirect("annotator", enrolment_id=found.pk)
    return render(request, "console/find_annotator.html", {"wanted": wanted})

"""Words for what comes before the work: purposes of a consent, and faults of answers."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from annotation.refusals import BadText
from annotation.templatetags.reading import number
from annotation.views.wording import fault as fault_in_words
from studies.questions import Faulty

# What each purpose of a consent is about: its heading, and words for a study that has none.
PURPOSES = {
    "take_part": (
        gettext_noop("Taking part"),
        gettext_noop("I am 18 or older, I have read this, and I want to take part."),
    ),
    "conversations": (
        gettext_noop("What your conversations may show"),
        gettext_noop(
            "What you write and choose may show what you believe: your political opinions,"
            " your religion, your origin, your health or your private life. The law"
            " protects such data, and we ask for your explicit consent to store it and to"
            " send it to the AI model that answers you."
        ),
    ),
    "sensitive_questions": (
        gettext_noop("More personal questions"),
        gettext_noop(
            "We would like to ask about matters such as politics, origin and religion. The"
            " answers are kept apart from everything else, and you need not give any."
        ),
    ),
    "public_release": (
        gettext_noop("Publishing your conversations"),
        gettext_noop(
            "Your conversations and choices may be published for research, without your"
            " name or anything else that says who you are."
        ),
    ),
    "recontact": (
        gettext_noop("Hearing from us again"),
        gettext_noop("You may be asked to take part in a further study."),
    ),
    "paste_telemetry": (
        gettext_noop("How you write"),
        gettext_noop(
            "We may store when text was pasted into a field, never what was typed key by key."
        ),
    ),
}


def purpose(name: str, own: str) -> dict[str, str | bool]:
    """What a purpose is about; `own` are the study's words for it, and may be empty."""
    if name not in PURPOSES:
        return {"heading": _("One more question"), "text": own, "own": bool(own)}
    heading, text = PURPOSES[name]
    return {"heading": _(heading), "text": own or _(text), "own": bool(own)}


def consent_fault(status: int) -> str:
    """What is wrong with a consent form that was answered with this status."""
    if status == 422:
        return _("Please choose one of the two, for each.")
    if status == 409:
        return _("The text has changed while you were reading. Please read it again.")
    return ""


def answer_fault(fault: Faulty) -> str:
    """What to mend in the answer to a question."""
    match fault.code:
        case "missing":
            return _("Please choose an answer.")
        case "unknown":
            return _("Please choose one of the answers that are offered here.")
        case "alone":
            return _("This choice goes with no other. Please choose either it, or the others.")
        case "too_many":
            return ngettext(
                "Please choose at most %(limit)s answer.",
                "Please choose at most %(limit)s answers.",
                fault.limit,
            ) % {"limit": number(fault.limit)}
        case "not_a_number":
            return _("Please write a whole number, in digits.")
        case "too_small":
            return _("Please write a number that is not smaller than %(limit)s.") % _plain(fault)
        case "too_large":
            return _("Please write a number that is not larger than %(limit)s.") % _plain(fault)
        case _:
            return fault_in_words(BadText(fault.code, limit=fault.limit))


def _plain(fault: Faulty) -> dict[str, str]:
    """The limit without marks between its digits: it may be a year."""
    return {"limit": str(fault.limit)}

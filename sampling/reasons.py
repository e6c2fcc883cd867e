"""Why a candidate set failed: keys of a fixed list, each with words for the person who waited.

The row keeps the key. What an endpoint said itself stays in the model calls and is never shown.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from sampling.errors import SamplingError


class Reason(TextChoices):
    """The codes of the error tree, and the ends that no endpoint is to blame for."""

    ENDPOINT_UNAVAILABLE = "endpoint_unavailable", _("The model could not be reached.")
    ENDPOINT_BUSY = "endpoint_busy", _("The model is too busy at the moment.")
    ENDPOINT_TIMEOUT = "endpoint_timeout", _("The model took too long to answer.")
    ENDPOINT_MISCONFIGURED = (
        "endpoint_misconfigured",
        _("The model is not set up correctly. The research team has to look at it."),
    )
    REQUEST_REFUSED = "request_refused", _("The model did not take the question.")
    CONTEXT_TOO_LONG = (
        "context_too_long",
        _("The conversation has become too long for the model."),
    )
    BROKEN_STREAM = "broken_stream", _("The model’s answers broke off.")
    ANSWER_ENDED = "answer_ended", _("The model’s answers broke off.")
    ANSWER_TOO_LARGE = "answer_too_large", _("The model’s answers were far too long.")
    UNUSABLE_TEXT = "unusable_text", _("The model’s answers could not be read.")
    GUARD_REJECTED = (
        "guard_rejected",
        _("The model did not write enough good and different answers."),
    )
    MESSAGE_BLOCKED = (
        "message_blocked",
        _("An automatic check of this study did not let your message through to the model."),
    )
    SET_ASIDE = (
        "set_aside",
        _("An automatic check of this study set this aside. The research team will look at it."),
    )
    CHECK_UNAVAILABLE = "check_unavailable", _("The answers could not be checked.")
    INTERRUPTED = "interrupted", _("Writing the answers was interrupted too often.")
    NOT_WANTED = "not_wanted", _("The answers were no longer needed.")
    INTERNAL = "internal", _("Something went wrong while the answers were made.")


def reason_of(error: SamplingError) -> Reason:
    """The reason that a set fails with when its last attempt ended in this error."""
    try:
        return Reason(error.code)
    except ValueError:
        return Reason.INTERNAL

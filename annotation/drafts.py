"""Drafts: what a person typed into a form that was not accepted yet. Nothing is ever lost."""

from collections.abc import Mapping

from annotation.models import Draft
from studies.models import Enrolment

# A form's fields, as posted.
Fields = Mapping[str, str]


def save_draft(*, enrolment: Enrolment, form: str, fields: Fields) -> Draft | None:
    """Keep the fields under the form's name, in place of what was kept; moves the deadline on.

    What no row can hold (NUL, lone surrogates) is left out of the texts. Returns None, and keeps
    nothing, for fields over 100,000 characters in all. One statement.
    """
    raise NotImplementedError


def read_draft(*, enrolment: Enrolment, form: str) -> dict[str, str]:
    """The kept fields; empty when there are none. One query."""
    raise NotImplementedError


def clear_draft(*, enrolment: Enrolment, form: str) -> None:
    """Forget a draft whose form was accepted (accepting forms of this app do so themselves)."""
    raise NotImplementedError


def comparison_form(turn_id: object) -> str:
    """The name under which the draft of a turn's comparison form is kept."""
    return f"comparison:{turn_id}"


def message_form(parent_id: object) -> str:
    """The same for the message form of a conversation, or of an assignment without a prompt."""
    return f"message:{parent_id}"

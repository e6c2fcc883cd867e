"""What the annotator's forms post, read into values. Rules about it live with the processes."""

from dataclasses import dataclass
from uuid import UUID

import regex
from django.http import QueryDict

from annotation.autosaving import Typed
from annotation.comparing import Judgement
from annotation.drafts import typed_fields
from annotation.marks import FIELDS
from annotation.measuring import Measures
from annotation.refusals import BadText, Invalid, UnknownAnswer

FORM = regex.compile(r"[a-z]+(:[0-9a-f-]{1,40}){1,2}")
WRITER = regex.compile(r"[A-Za-z0-9]{8,32}")
KEY = regex.compile(r"[A-Za-z0-9_-]{8,64}")
NUMBER = regex.compile(r"[0-9]{1,9}", regex.ASCII)
# What stands in a decoded form where its bytes were no text, lone surrogates among them.
REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class ComparisonForm:
    judgement: Judgement
    revision: int
    key: str


@dataclass(frozen=True, slots=True)
class MessageForm:
    """`anyway`: what was pointed out about the text has been read."""

    text: str
    key: str
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class ReportForm:
    candidate_id: UUID
    reason: str
    leave: bool


def read_comparison(posted: QueryDict) -> ComparisonForm:
    """The comparison form; raises Invalid, or BadText for bytes that are no text."""
    return ComparisonForm(
        judgement=Judgement(
            choice=posted.get("choice", ""),
            explanation=_text(posted, "explanation"),
            continue_from=posted.get("continue_from", ""),
            marks={field: _values(posted, field) for field in FIELDS},
            measures=_measures(posted),
        ),
        revision=_revision(posted),
        key=_key(posted),
    )


def read_message(posted: QueryDict) -> MessageForm:
    """The message form; raises as read_comparison."""
    anyway = posted.get("anyway") == "yes"
    return MessageForm(text=_text(posted, "text"), key=_key(posted), anyway=anyway)


def read_enquiry(posted: QueryDict) -> str:
    """The text of a message to the researchers; raises BadText for bytes that are no text."""
    return _text(posted, "text")


def read_typed(posted: QueryDict) -> Typed:
    """A draft, as a script sends it; raises Invalid."""
    form, writer = posted.get("form", ""), posted.get("writer", "")
    seen, revision = (posted.get(name, "") for name in ("seen", "draft_revision"))
    if not (
        FORM.fullmatch(form)
        and WRITER.fullmatch(writer)
        and NUMBER.fullmatch(seen)
        and NUMBER.fullmatch(revision)
    ):
        raise Invalid("a draft that does not say what it is of")
    return Typed(
        form=form,
        writer=writer,
        revision=int(revision),
        seen=int(seen),
        fields=typed_fields(posted),
    )


def read_report(posted: QueryDict) -> ReportForm:
    """The form that reports an answer; raises UnknownAnswer."""
    try:
        candidate_id = UUID(posted.get("candidate", ""))
    except ValueError as error:
        raise UnknownAnswer from error
    leave = posted.get("then") == "leave"
    return ReportForm(candidate_id=candidate_id, reason=posted.get("reason", ""), leave=leave)


def _text(posted: QueryDict, name: str) -> str:
    text = posted.get(name, "")
    if REPLACEMENT in text:
        raise BadText("surrogate")
    return text


def _key(posted: QueryDict) -> str:
    key = posted.get("idempotency_key", "")
    if not KEY.fullmatch(key):
        raise Invalid("a form without its idempotency key")
    return key


def _revision(posted: QueryDict) -> int:
    revision = posted.get("revision", "")
    if not NUMBER.fullmatch(revision):
        raise Invalid("a form without its revision")
    return int(revision)


def _values(posted: QueryDict, name: str) -> tuple[str, ...]:
    values = posted.getlist(name)
    if any(REPLACEMENT in value for value in values):
        raise BadText("surrogate")
    return tuple(values)


def _measures(posted: QueryDict) -> Measures:
    """Nonsense counts as not measured."""
    return Measures(
        first_choice_ms=_number(posted.get("first_choice_ms", "")),
        visible_ms=_number(posted.get("visible_ms", "")),
        changes=_number(posted.get("changes", "")),
        pastes=_number(posted.get("pastes", "")),
        reach=_numbers(posted.get("reach", "")),
        layout=posted.get("layout", ""),
        viewport=posted.get("viewport", ""),
    )


def _number(given: str) -> int | None:
    return int(given) if NUMBER.fullmatch(given) else None


def _numbers(given: str) -> tuple[int, ...]:
    """Numbers with spaces between them; none at all when one of them is none."""
    numbers = [_number(part) for part in given.split()]
    return tuple(number for number in numbers if number is not None and None not in numbers)

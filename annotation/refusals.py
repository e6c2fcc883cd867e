"""Why something that an annotator sent is not stored.

    Refusal
      Unknown              no such thing, or somebody else's                               (404)
      NotNow               the study is paused or closed, the person is done or has left   (200)
      Invalid              the form has to be filled in differently                        (422)
        BadText            empty, too_long, nul, surrogate, control
        UnknownChoice      no candidate of this turn's set, nor `none`
          UnknownAnswer    the same of a report, which has no `none`
        ExplanationNeeded  says how many words are asked for
        ContinueFromNeeded says that the answer to go on from has to be named
        BadMark            a mark that is not offered, or not enough of them
        BadReason          a reason that is not offered
      Conflict             something else counts by now, and `current` says what
        SubmissionConflict the same key came with another body                             (422)
        StaleRevision      the comparison was changed in the meantime                      (409)
        TooLate            the next message is sent, or the conversation has ended         (409)
          Opened           another message has opened the conversation                     (409)
        OutOfOrder         this turn is not the one to answer, or is not shown yet         (409)
        NoRoom             the time ran out and the place was given to somebody else       (409)
        NoSkips            as many conversations were skipped as the study allows          (409)

Each has a `code` that a page turns into words; the page decides the status.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annotation.scenes import Judged


class Refusal(Exception):
    code = "refused"


class Unknown(Refusal):
    code = "unknown"


class NotNow(Refusal):
    """`code` is paused, closed or over."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Invalid(Refusal):
    code = "invalid"


class BadText(Invalid):
    """`code` is empty, too_long, nul, surrogate or control; `limit` counts graphemes. `field` is
    the one that holds the text, where the form has several."""

    field = "explanation"

    def __init__(self, code: str, *, limit: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


class UnknownChoice(Invalid):
    code = "unknown_choice"


class UnknownAnswer(UnknownChoice):
    """A report names no answer that is shown."""


class ExplanationNeeded(Invalid):
    """`needed` words are asked for, `given` were written."""

    code = "explanation_needed"

    def __init__(self, *, needed: int, given: int) -> None:
        super().__init__(f"{given} of {needed} words")
        self.needed = needed
        self.given = given


class ContinueFromNeeded(Invalid):
    """The study goes on after `none` and `tie`: from which answer has to be said."""

    code = "continue_from_needed"


class BadMark(Invalid):
    """`field` is the field of the form whose values are not offered, or too few."""

    code = "bad_mark"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class BadReason(Invalid):
    code = "bad_reason"


class Conflict(Refusal):
    """`current` is the judgement that counts now; None when nothing is stored."""

    code = "conflict"

    def __init__(self, current: "Judged | None" = None) -> None:
        super().__init__(self.code)
        self.current = current


class SubmissionConflict(Conflict):
    code = "same_key_other_body"


class StaleRevision(Conflict):
    code = "stale_revision"


class TooLate(Conflict):
    code = "too_late"


class Opened(TooLate):
    code = "opened"


class OutOfOrder(Conflict):
    code = "out_of_order"


class NoRoom(Conflict):
    code = "no_room"


class NoSkips(Conflict):
    """`most` is how many the study allows."""

    code = "no_skips"

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

"""Words for codes: why something was refused, how a visit ended, what a wait is about."""

from datetime import datetime, timedelta
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from annotation.leaving import SkipReason
from annotation.models import Comparison, Report
from annotation.own_prompts import Notice
from annotation.personal_data import Kind
from annotation.refusals import (
    BadMark,
    BadReason,
    BadText,
    ContinueFromNeeded,
    ExplanationNeeded,
    NoSkips,
    Refusal,
    UnknownAnswer,
    UnknownChoice,
)
from annotation.scenes import Judged, Scene, Stage
from annotation.templatetags.reading import listed, moment, number
from sampling.reasons import Reason


def fault(refusal: Refusal) -> str:
    """What to mend in a form that was not accepted."""
    match refusal:
        case BadText():
            return _bad_text(refusal)
        case ExplanationNeeded():
            return ngettext(
                "Please say why, in at least one word. Your choice is kept.",
                "Please say why, in at least %(needed)s words. Your choice is kept.",
                refusal.needed,
            ) % {"needed": number(refusal.needed)}
        case NoSkips():
            return no_skips(refusal.most)
        case BadReason():
            return _("Please choose a reason.")
        case UnknownAnswer():
            return _("Please choose one of the answers.")
        case UnknownChoice():
            return _("Please choose one of the answers, or “None of these represents me”.")
        case ContinueFromNeeded():
            return _("Please say which answer the conversation shall go on from.")
        case BadMark(field="tied"):
            return _("Please say which answers speak for you equally: at least two of them.")
        case _:
            return _("This form was not complete. Please send it again.")


def no_skips(most: int | None) -> str:
    """Why nothing can be skipped where a study allows so many, and they are used."""
    if not most:
        return _("In this study no conversation can be skipped.")
    return ngettext(
        "You have skipped a conversation, and this study allows no more.",
        "You have skipped %(most)s conversations, and this study allows no more.",
        most,
    ) % {"most": number(most)}


def _bad_text(refusal: BadText) -> str:
    if refusal.code == "empty":
        return _("Please write something first.")
    if refusal.code == "too_long":
        limit = number(refusal.limit)
        return _("This is too long: at most %(limit)s characters, please.") % {"limit": limit}
    return _("Your text holds characters that cannot be stored. Please type them anew.")


def counts(current: Judged | None) -> str:
    """The judgement that counts, in words."""
    if current is None:
        return _("Nothing is stored for this turn yet.")
    if current.outcome == Comparison.Outcome.TIE:
        return _("What counts: two or more answers speak for you equally.")
    if current.letter is None:
        return _("What counts: none of these represents you.")
    return _("What counts: you chose %(letter)s.") % {"letter": current.letter}


def change_to(letter: str | None, choice: str) -> str:
    """The button that changes what counts into what was just sent: a letter, `none` or `tie`."""
    if choice == "tie":
        return _("Change it to “Two or more speak for me equally”")
    if letter is None:
        return _("Change it to “None of these represents me”")
    return _("Change it to %(letter)s") % {"letter": letter}


def conflict_heading(refusal: Refusal) -> str:
    match refusal.code:
        case "same_key_other_body":
            return _("Your first answer counts")
        case "stale_revision":
            return _("You have changed this in another window")
        case "no_room":
            return _("The time for this conversation has run out")
        case "out_of_order":
            return _("This is not the turn to answer now")
        case _:
            return _("This can no longer be changed")


def opened_heading(refusal: Refusal) -> str:
    """The same for an opening message, which is no answer."""
    if refusal.code == "same_key_other_body":
        return _("This can no longer be changed")
    return conflict_heading(refusal)


def opened(refusal: Refusal) -> str:
    """What came in the way of an opening message; empty where the heading says it all."""
    if refusal.code in ("same_key_other_body", "opened"):
        return _("This conversation has been opened with another message. That one counts.")
    return ""


def pointed_out(notice: Notice) -> list[str]:
    """What is pointed out about an opening message; nothing about distress, which has its page."""
    said = []
    if notice.repeats:
        said.append(_("You have begun another conversation with these words."))
    if notice.personal:
        kinds = listed(_kind_of_data(kind) for kind in notice.personal)
        said.append(
            _("This may tell who you or others are: %(kinds)s. Please leave it out if it does.")
            % {"kinds": kinds}
        )
    return said


def _kind_of_data(kind: Kind) -> str:
    match kind:
        case Kind.EMAIL:
            return _("an e-mail address")
        case Kind.PHONE:
            return _("a phone number")
        case Kind.CARD:
            return _("a card number")
        case Kind.ACCOUNT:
            return _("a bank account")
        case Kind.IDENTITY:
            return _("an identity number")


def strengths() -> list[tuple[str, str]]:
    """How much more the chosen answer speaks for the person: what is posted, and its label."""
    return [
        ("1", _("A little more")),
        ("2", _("Somewhat more")),
        ("3", _("Much more")),
        ("4", _("Very much more")),
    ]


def layout(name: str) -> str:
    """The button that lets the answers stand so."""
    match name:
        case "grid":
            return _("Side by side")
        case "pager":
            return _("One at a time")
        case _:
            return _("One below the other")


def skip_reasons() -> list[tuple[str, str]]:
    """The reasons that are offered for skipping, with their labels."""
    return [
        (SkipReason.NOT_UNDERSTOOD, _("I do not understand it")),
        (SkipReason.UNCOMFORTABLE, _("It makes me uncomfortable")),
        (SkipReason.NOT_FOR_ME, _("It has nothing to do with my life")),
        (SkipReason.TECHNICAL, _("Something does not work")),
        (SkipReason.OTHER, _("Another reason")),
    ]


def report_reasons() -> list[tuple[str, str]]:
    """The reasons that are offered for reporting an answer, with their labels."""
    return [
        (Report.Reason.DANGEROUS, _("It could lead to harm")),
        (Report.Reason.HATEFUL, _("It insults people or calls for hatred")),
        (Report.Reason.SEXUAL, _("It is sexual")),
        (Report.Reason.PRIVATE, _("It tells private things about a person")),
        (Report.Reason.OTHER, _("Something else")),
    ]


def waiting(scene: Scene, estimate: timedelta | None = None) -> str:
    """One honest sentence about the set that is waited for; empty when nobody waits.

    `estimate`: how long that may take, when it is known.
    """
    last = scene.last
    if scene.stage is Stage.FAILED:
        return _("The answers could not be written")
    if scene.stage is not Stage.WAITING:
        return ""
    if last.set_state == "pending":
        return _queued(minutes_to_say(estimate) if estimate else 0)
    if not last.written:
        return ngettext(
            "%(k)s answer is being written", "%(k)s answers are being written", last.k
        ) % {"k": number(last.k)}
    return ngettext(
        "%(written)s of %(k)s answers is written",
        "%(written)s of %(k)s answers are written",
        last.written,
    ) % {"written": number(last.written), "k": number(last.k)}


def lasting(scene: Scene) -> str:
    """What is added when a wait is longer than most; else empty."""
    if not scene.takes_long:
        return ""
    return _(
        "This takes longer than usual, but it goes on. You may wait, come back later, or skip it."
    )


def _queued(minutes: int) -> str:
    if not minutes:
        return _("The answers are next in line")
    return ngettext(
        "The answers are in line: about %(minutes)s minute until they are here",
        "The answers are in line: about %(minutes)s minutes until they are here",
        minutes,
    ) % {"minutes": number(minutes)}


def minutes_to_say(estimate: timedelta) -> int:
    """A wait in minutes as one says it: none under a minute, else up to the next whole one, and
    past ten to the next five. Nobody minds answers that come early."""
    if estimate < timedelta(minutes=1):
        return 0
    minutes = ceil(estimate / timedelta(minutes=1))
    return minutes if minutes <= 10 else 5 * ceil(minutes / 5)


def why_failed(scene: Scene) -> str:
    """Why the set that was waited for failed; empty when it did not.

    Only words of ours: a code that is none of them is a fault of ours.
    """
    if scene.stage is not Stage.FAILED:
        return ""
    known = dict(Reason.choices)
    return str(known.get(scene.last.set_reason or "", Reason.INTERNAL.label))


def can_retry(scene: Scene) -> bool:
    """Whether asking anew may help: not where a check of the study had the last word."""
    return scene.last.set_reason not in {Reason.MESSAGE_BLOCKED, Reason.SET_ASIDE}


def flagged(scene: Scene) -> str:
    """What is said above a conversation in which the safety check found something; else empty."""
    if not any(turn.is_flagged and turn.candidates for turn in scene.turns):
        return ""
    return _("An automatic check found that something in this conversation may be upsetting.")


def arrived(scene: Scene) -> str:
    """What is said aloud when the answers appear."""
    if scene.stage is not Stage.JUDGE:
        return ""
    return ngettext("%(k)s answer is here", "%(k)s answers are here", scene.last.k) % {
        "k": number(scene.last.k)
    }


def over(scene: Scene) -> dict[str, str]:
    """Heading and text of a conversation that takes nothing more."""
    if scene.stage is Stage.EXPIRED:
        return {
            "heading": _("You have been away for a while"),
            "text": _("Everything you sent is stored. Go on where you left it, if there is room."),
        }
    if scene.surplus:
        return {
            "heading": _("The time for this conversation has run out"),
            "text": _("Its place went to somebody else. Everything you sent is stored."),
        }
    if scene.ended_reason == "skipped":
        return {
            "heading": _("You have skipped this conversation"),
            "text": _("What you sent before is stored."),
        }
    return {
        "heading": _("This conversation is finished"),
        "text": _("Everything you sent is stored, and nothing more can be changed here."),
    }


# Why the study takes nothing at the moment, or for good: heading and text.
PAUSES = {
    "paused": (
        gettext_noop("The study is having a break"),
        gettext_noop("Everything you sent is stored. Please come back later."),
    ),
    "not_yet": (
        gettext_noop("The study has not begun yet"),
        gettext_noop("Please open the invitation again when it has."),
    ),
    "closed": (
        gettext_noop("The study is over"),
        gettext_noop("Thank you. Nothing more is collected. What was sent before is stored."),
    ),
}
NOTHING_MORE = (
    gettext_noop("There is nothing more to do"),
    gettext_noop("Your part in this study is over. Everything you sent is stored."),
)


def pause(code: str) -> dict[str, str]:
    """Heading and text when the study takes nothing at the moment, or for good."""
    heading, text = PAUSES.get(code, NOTHING_MORE)
    return {"heading": _(heading), "text": _(text)}


def day_limit(limit: int, until: datetime) -> dict[str, str]:
    """Heading and text when a person has done what they may do in a day."""
    done = ngettext(
        "You have done the one conversation that one person may have in 24 hours.",
        "You have done the %(limit)s conversations that one person may have in 24 hours.",
        limit,
    ) % {"limit": number(limit)}
    again = _("You can go on from %(moment)s. Everything you sent is stored.") % {
        "moment": moment(until)
    }
    return {"heading": _("That is enough for today"), "text": f"{done} {again}"}


# How it ended, by the exit code: heading and text of the last page.
CLOSINGS = {
    "complete": (
        gettext_noop("Thank you. You are done."),
        gettext_noop("All your conversations are stored. What you chose will be heard."),
    ),
    "no_consent": (
        gettext_noop("You are not taking part"),
        gettext_noop("That is fine. Nothing about you was stored but this answer."),
    ),
    "withdrawn": (
        gettext_noop("You have left the study"),
        gettext_noop("You get no more conversations. Thank you for the time you gave."),
    ),
    "timeout": (
        gettext_noop("The time for this study has run out"),
        gettext_noop("Everything you sent is stored. Thank you."),
    ),
    "quota_full": (
        gettext_noop("We have heard enough people like you"),
        gettext_noop(
            "The study wanted so many people of each kind, and the places for yours are "
            "taken. It is no judgement of you. Thank you for your interest."
        ),
    ),
    "screen_out": (
        gettext_noop("This study is looking for other people"),
        gettext_noop("Thank you for your answers. There is nothing more to do."),
    ),
    "quality_term": (
        gettext_noop("Your part in this study ends here"),
        gettext_noop(
            "The check of how this work goes did not come out as it has to. That is no"
            " judgement of you, and what you chose is never called wrong."
        ),
    ),
}
CLOSINGS["partial"] = CLOSINGS["withdrawn"]


def closing(outcome: str | None) -> dict[str, str]:
    """Heading and text of the closing page by an exit code.

    None: the study closed while somebody was still at work.
    """
    if outcome not in CLOSINGS:
        return pause("closed")
    heading, text = CLOSINGS[outcome]
    return {"heading": _(heading), "text": _(text)}


def decided() -> dict[str, str]:
    """What kinds of decisions are called, for the person that they are about."""
    return {
        "paid": pgettext("decision", "Paid"),
        "excluded": _("Left out of the data"),
        "included": _("Taken into the data"),
        "other": _("Decided"),
    }


def enquiry_fault(refusal: Refusal) -> str:
    """What to mend in a message to the researchers."""
    if refusal.code == "too_many":
        return _("Several of your messages wait for an answer. Please wait for one of them first.")
    return fault(refusal)

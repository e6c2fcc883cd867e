"""What the comparison form offers beside the choice, and what it holds of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import QueryDict

from annotation import drafts, marks
from annotation.models import Comparison
from annotation.scenes import Judged, Scene
from annotation.sentences import sentences, without_drawing
from annotation.views import wording
from annotation.views.answering import locale
from studies.consenting import PASTING
from studies.reason_lists import After
from studies.rules import in_language

# A fold hides words: none under so many characters.
FOLD = 1200
MEASURES = ("first_choice_ms", "visible_ms", "changes", "pastes", "reach", "layout", "viewport")

Option = tuple[str, str]  # what is posted, what is read


@dataclass(frozen=True, slots=True)
class Card:
    """A candidate in its place, with the letters of its neighbours (empty at the ends)."""

    id: UUID
    text: str
    letter: str
    before: str
    next: str

    @property
    def is_long(self) -> bool:
        return len(self.text) > FOLD


def beside(scene: Scene, *, purposes: Collection[str] = ()) -> dict[str, Any]:
    """What may be said of this turn's answers beside the choice, by the study's rules, and what may
    be measured by the purposes that the person agreed to."""
    rules, last = scene.rules.comparing, scene.last
    return {
        "pastes": PASTING in purposes,
        "layout": last.layout or rules.wide[0],  # the style sheet stacks it on a small screen
        "narrow": " ".join(rules.narrow),
        "wide": " ".join(rules.wide),
        "layouts": _layouts(scene),
        "tie": rules.tie,
        "continues": scene.rules.after_none == "continue_from" and not scene.is_last_turn,
        "strengths": wording.strengths() if rules.strength else [],
        "reasons": _reasons(scene),
        "sentences": _sentences(scene) if last.asks_explanation and rules.sentences else [],
        "should_have_said": rules.should_have_said,
    }


def cards(scene: Scene) -> list[Card]:
    """The candidates in display order."""
    shown = scene.last.candidates
    letters = ["", *(one.letter for one in shown), ""]
    return [
        Card(one.id, one.text, one.letter, before=letters[at], next=letters[at + 2])
        for at, one in enumerate(shown)
    ]


def posted_values(posted: QueryDict) -> dict[str, Any]:
    """The marks and measures of a form that comes back to be mended."""
    return {
        "continue_from": posted.get("continue_from", ""),
        **{field: posted.getlist(field) for field in marks.FIELDS},
        "measures": measures(posted),
    }


def kept_values(kept: drafts.Fields) -> dict[str, Any]:
    """The same of a draft: words stay whole, and of what was ticked there is a list."""
    listed = {name: kept[name].split() for name in marks.FIELDS if name in kept}
    words = {"should_say": [kept["should_say"]]} if "should_say" in kept else {}
    return {**kept, **listed, **words}


def stored_values(judged: Judged) -> dict[str, Any]:
    """The choice and the marks that count, as the form holds them."""
    is_chosen = judged.outcome == Comparison.Outcome.CHOSEN
    return {
        "choice": str(judged.chosen) if is_chosen else judged.outcome,
        "explanation": judged.explanation,
        "continue_from": "" if is_chosen else str(judged.carried or ""),
        **marks.as_posted(judged.marks),
    }


def measures(posted: Mapping[str, str] | QueryDict) -> list[Option]:
    """The hidden fields that the script fills in, with what they held."""
    return [(name, posted.get(name, "")) for name in MEASURES]


def _layouts(scene: Scene) -> list[Option]:
    """The layouts to change between; none where the study has one for each screen."""
    rules = scene.rules.comparing
    if max(len(rules.narrow), len(rules.wide)) == 1:
        return []
    return [(one, wording.layout(one)) for one in dict.fromkeys((*rules.wide, *rules.narrow))]


def _reasons(scene: Scene) -> list[tuple[str, list[Option]]]:
    offered = scene.rules.comparing.reasons
    if offered is None:
        return []
    # "None of these" can be given a reason on every turn, asked or not.
    groups: list[tuple[str, After]] = [("none", "none")]
    if scene.last.asks_explanation:
        groups.insert(0, ("any", "chosen"))
    return [
        (shown_for, [(c, in_language(r.label, locale())) for c, r in offered.codes(after).items()])
        for shown_for, after in groups
    ]


def _sentences(scene: Scene) -> list[tuple[str, list[Option]]]:
    return [
        (
            one.letter,
            [
                (marks.sentence_value(one.id, span), without_drawing(one.text[slice(*span)]))
                for span in sentences(one.text)
            ],
        )
        for one in scene.last.candidates
    ]

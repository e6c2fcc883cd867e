"""A conversation that nobody has, for the style page: what the parts of the real page need."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from annotation.models import Comparison
from annotation.scenes import Judged, Scene, Shown, Stage, TurnScene
from annotation.views import marking, wording
from annotation.views.answering import locale
from studies.panels import WayBack
from studies.reason_lists import GENERAL_1
from studies.rules import Comparing, Explanation, Rules, in_language

NOBODY = UUID(int=0)
LONG_AGO = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONG = 12  # so often the sample text stands in an answer that is folded


def sample_parts() -> dict[str, Any]:
    """Context of the parts, in the interface language. No query."""
    scene = _scene()
    chosen, ruled_out, *_others = (str(one.id) for one in scene.last.candidates)
    stored = _("Everything you sent is stored. Please come back later.")
    return {
        "scene": scene,
        "cards": marking.cards(scene),
        "beside": marking.beside(scene),
        "form": {
            "url": reverse("style"),
            "choice": chosen,
            "ruled_out": [ruled_out],
            "question": in_language(scene.rules.explanation.question, locale()),
            "none_question": in_language(scene.rules.explanation.none_question, locale()),
            "measures": marking.measures({}),
        },
        "earlier": scene.turns[:1],
        "notices": [in_language({locale(): stored}, locale())],
        "flagged": wording.flagged(scene),
        "conflict": {
            "heading": _("Your first answer counts"),
            "counts": wording.counts(scene.turns[0].judged),
            "change": wording.change_to("B", chosen),
        },
        "fault": _("Please choose an answer."),
        "bars": ["done", "done", "now", ""],
        "report_reasons": wording.report_reasons(),
        "skip_reasons": wording.skip_reasons(),
        "assignment_id": NOBODY,
        "way_back": WayBack(url=reverse("style"), code="7F3K9QXA"),
        "kept_until": LONG_AGO,
        "warn_in": 0,
        "seconds_left": 0,
        "number": scene.number,
        "target": scene.target,
        "turn_number": len(scene.turns),
        "turns_max": scene.rules.turns_max,
        "steps": range(1, scene.rules.turns_max + 1),
        "minutes_left": 20,
    }


def _scene() -> Scene:
    words = _(
        "They appear all together, so that each has the same chance. You may close this page: they"
        " will wait for you."
    )
    texts = (words, words, " ".join([words] * LONG), words)
    shown = tuple(
        Shown(UUID(int=place), text, letter)
        for place, (text, letter) in enumerate(zip(texts, "ABCD", strict=True), start=1)
    )
    first = _turn(0, shown, Judged(1, Comparison.Outcome.CHOSEN, shown[0].id, shown[0].id, "A", ""))
    return Scene(
        conversation_id=NOBODY,
        assignment_id=NOBODY,
        plan_id=NOBODY,
        language=locale(),
        rules=_rules(),
        stage=Stage.JUDGE,
        ended_reason=None,
        opening=(),
        turns=(first, _turn(1, shown)),
        number=1,
        target=2,
        surplus=False,
        skipped=0,
        kept_until=LONG_AGO,
        took=(),
    )


def _turn(number: int, shown: tuple[Shown, ...], judged: Judged | None = None) -> TurnScene:
    return TurnScene(
        id=NOBODY,
        number=number,
        message=_("Which answer would you rather have received?"),
        asked_at=LONG_AGO,
        set_id=NOBODY,
        set_state="generating",
        set_reason=None,
        written=2,
        k=len(shown),
        asks_explanation=True,
        candidates=shown,
        judged=judged,
        is_flagged=True,
    )


def _rules() -> Rules:
    why = {locale(): _("Why?")}
    return Rules(
        version_id=NOBODY,
        title={},
        instructions={},
        turns_min=1,
        turns_max=3,
        own_prompt_share=0,
        after_none="continue_from",
        explanation=Explanation("always", 1, 1, why, why),
        conversations=2,
        sitting_hours=1,
        assignment_minutes=60,
        comparing=Comparing(
            narrow=("stack", "pager"),
            wide=("grid", "pager"),
            tie=True,
            strength=True,
            sentences=True,
            should_have_said=True,
            reasons=GENERAL_1,
        ),
    )

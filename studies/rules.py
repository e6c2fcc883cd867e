"""A typed view of the rules that a study file stated, read from `StudyVersion.body`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast
from uuid import UUID

from studies.models import Study, StudyVersion
from studies.reason_lists import SHIPPED, ReasonList, Texts, as_reason_list

ExplanationRule = Literal["never", "share", "chosen", "always"]
Layout = Literal["stack", "grid", "pager"]
AfterNone = Literal["end", "continue_from"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """When an annotator is asked why, and in which words."""

    rule: ExplanationRule
    share: float
    min_words: int
    question: Texts
    none_question: Texts
    example: Texts = field(default_factory=dict)
    marks_suffice: bool = True  # a reason or a marked sentence may stand for the words


@dataclass(frozen=True, slots=True)
class Comparing:
    """How the answers stand, and what may be said of them beside the choice.

    Of the layouts the first is what people get, and they may change to the others.
    """

    narrow: tuple[Layout, ...] = ("stack",)
    wide: tuple[Layout, ...] = ("grid",)
    tie: bool = False
    strength: bool = False
    sentences: bool = False
    should_have_said: bool = False
    reasons: ReasonList | None = None


@dataclass(frozen=True, slots=True)
class FirstSets:
    """Who sees which set at the first turn of a prompt: one for all, n of them, or one for each."""

    rule: Literal["shared", "replicas", "fresh"] = "shared"
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one version of a study. Never changes, so that it can be kept in memory."""

    version_id: UUID
    title: Texts
    instructions: Texts
    turns_min: int
    turns_max: int
    own_prompt_share: float
    after_none: AfterNone
    explanation: Explanation
    conversations: int
    sitting_hours: float
    assignment_minutes: float
    first_sets: FirstSets = FirstSets()
    comparing: Comparing = Comparing()


def in_language(texts: Texts, locale: str) -> str:
    """The text for an interface locale ("pt-br" reads "pt"), else the English one, else any."""
    language = locale.split("-")[0].lower()
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


def rules_of(version: StudyVersion) -> Rules:
    """The rules of this version; its body is read once per process."""
    return rules_by_version(version.pk)


@lru_cache(maxsize=256)
def rules_by_version(version_id: UUID) -> Rules:
    """The rules of a version by its id: one query in the life of a process.

    A draft's version may still change, so only frozen versions may be asked for here by pages.
    Raises StudyVersion.DoesNotExist.
    """
    found = StudyVersion.objects.only("body").get(pk=version_id)
    return _read(found.pk, found.body)


def current_rules(study: Study) -> Rules:
    """The rules of the study's newest frozen version. One query.

    Raises StudyVersion.DoesNotExist.
    """
    newest = StudyVersion.objects.filter(study_id=study.pk, frozen_at__isnull=False)
    return rules_by_version(newest.order_by("-n").values_list("pk", flat=True)[:1].get())


def _read(version_id: UUID, body: Mapping[str, Any]) -> Rules:
    explanation = body["explanation"]
    return Rules(
        version_id=version_id,
        title=body["title"],
        instructions=body.get("instructions") or {},
        turns_min=body["turns"]["min"],
        turns_max=body["turns"]["max"],
        own_prompt_share=body.get("own_prompt_share", 0.0),
        after_none=cast("AfterNone", body.get("after_none", "end")),
        explanation=Explanation(
            rule=explanation["rule"],
            share=explanation.get("share", 0.0),
            min_words=explanation.get("min_words", 0),
            question=explanation.get("question") or {},
            none_question=explanation.get("none_question") or {},
            example=explanation.get("example") or {},
            marks_suffice=explanation.get("marks_suffice", True),
        ),
        conversations=body["conversations"],
        sitting_hours=body["sitting_hours"],
        assignment_minutes=body["assignment_minutes"],
        first_sets=_first_sets(body.get("sets", "shared")),
        comparing=_comparing(body.get("comparing") or {}),
    )


def _first_sets(said: str | Mapping[str, int]) -> FirstSets:
    if isinstance(said, str):
        return FirstSets(rule=cast("Literal['shared', 'fresh']", said))
    return FirstSets(rule="replicas", replicas=said["replicas"])


def _comparing(said: Mapping[str, Any]) -> Comparing:
    layouts = said.get("layouts") or {}
    return Comparing(
        narrow=tuple(layouts.get("narrow") or ("stack",)),
        wide=tuple(layouts.get("wide") or ("grid",)),
        tie=said.get("tie", False),
        strength=said.get("strength", False),
        sentences=said.get("sentences", False),
        should_have_said=said.get("should_have_said", False),
        reasons=_reasons(said.get("reasons")),
    )


def _reasons(said: str | Mapping[str, Any] | None) -> ReasonList | None:
    if said is None:
        return None
    return SHIPPED[said] if isinstance(said, str) else as_reason_list(said)

"""A typed view of the rules that a study file stated, read from `StudyVersion.body`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast
from uuid import UUID

from studies.models import Study, StudyVersion

ExplanationRule = Literal["never", "share", "chosen", "always"]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """When an annotator is asked why, and in which words."""

    rule: ExplanationRule
    share: float
    min_words: int
    question: Texts
    none_question: Texts


@dataclass(frozen=True, slots=True)
class FirstSets:
    """Who sees which set at the first turn of a prompt: one for all, n of them, or one for each."""

    rule: Literal["shared", "replicas", "fresh"] = "shared"
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Helpline:
    """Somebody to talk to: a name, how to reach them, and when (in words; may be empty)."""

    name: str
    contact: str
    hours: Texts


@dataclass(frozen=True, slots=True)
class OwnPrompts:
    """Around opening messages of one's own, by country: what to write about, and where help is."""

    limit: int | None = None  # graphemes
    guidance: Mapping[str, Texts] = field(default_factory=dict)
    helplines: Mapping[str, Sequence[Helpline]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeats:
    """The share of conversations that show an earlier one's first answers again, and how many
    others must have come between at least."""

    share: float = 0.0
    after: int = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one version of a study. Never changes, so that it can be kept in memory."""

    version_id: UUID
    title: Texts
    instructions: Texts
    turns_min: int
    turns_max: int
    own_prompt_share: float
    after_none: Literal["end"]
    explanation: Explanation
    conversations: int
    sitting_hours: float
    assignment_minutes: float
    first_sets: FirstSets = FirstSets()
    own_prompts: OwnPrompts = field(default_factory=OwnPrompts)
    repeats: Repeats = Repeats()
    skips: int | None = None  # conversations that one person may skip; None: as many as they like


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
        after_none=cast("Literal['end']", body.get("after_none", "end")),
        explanation=Explanation(
            rule=explanation["rule"],
            share=explanation.get("share", 0.0),
            min_words=explanation.get("min_words", 0),
            question=explanation.get("question") or {},
            none_question=explanation.get("none_question") or {},
        ),
        conversations=body["conversations"],
        sitting_hours=body["sitting_hours"],
        assignment_minutes=body["assignment_minutes"],
        first_sets=_first_sets(body.get("sets", "shared")),
        own_prompts=_own_prompts(body.get("own_prompts") or {}),
        repeats=Repeats(**(body.get("repeats") or {})),
        skips=body.get("skips"),
    )


def _own_prompts(said: Mapping[str, Any]) -> OwnPrompts:
    return OwnPrompts(
        limit=said.get("limit"),
        guidance=said.get("guidance") or {},
        helplines={
            country: [
                Helpline(line["name"], line["contact"], line.get("hours") or {}) for line in lines
            ]
            for country, lines in (said.get("helplines") or {}).items()
        },
    )


def _first_sets(said: str | Mapping[str, int]) -> FirstSets:
    if isinstance(said, str):
        return FirstSets(rule=cast("Literal['shared', 'fresh']", said))
    return FirstSets(rule="replicas", replicas=said["replicas"])

"""A typed view of the rules that a study file stated, read from `StudyVersion.body`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from studies.models import Study, StudyVersion
from studies.panels import Panel, panel_of
from studies.reason_lists import SHIPPED, ReasonList, Texts, as_reason_list
from studies.tutorials import Tutorial

CENT = Decimal("0.01")
CHECK_MINUTES = 5  # that a failed check is paid for, where a study says nothing else

ExplanationRule = Literal["never", "share", "chosen", "always"]
PayUnit = Literal["hour", "conversation", "sitting"]
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
class Limits:
    """How much one person may do, in conversations: in any 24 hours, and in all. None: no limit."""

    per_day: int | None = None
    per_person: int | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Who answers for the study, as annotators are told. The telephone may be empty."""

    name: str
    email: str
    phone: str = ""


class Money(NamedTuple):
    """An amount, and its currency (ISO 4217)."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Pay:
    """What is paid: so much in this currency (ISO 4217) for each hour, conversation or sitting.

    Whoever fails the check at the start is paid for `check_minutes` at the hourly rate.
    """

    amount: Decimal
    currency: str
    per: PayUnit
    by_country: Mapping[str, tuple[Decimal, str]] = field(default_factory=dict)
    check_minutes: int = CHECK_MINUTES

    def in_country(self, country: str) -> "Pay":
        """What is paid in a country: its own amount and currency, where the study says one."""
        amount, currency = self.by_country.get(country, (self.amount, self.currency))
        return Pay(amount, currency, self.per, check_minutes=self.check_minutes)

    def hourly(self, *, conversations: int, minutes: int) -> Decimal:
        """The same for an hour, at so many minutes for a sitting of so many conversations."""
        if self.per == "hour":
            return self.amount
        return self.whole(conversations=conversations, minutes=minutes) * 60 / minutes

    def whole(self, *, conversations: int, minutes: int) -> Decimal:
        """The same for the sitting."""
        if self.per == "hour":
            return self.amount * minutes / 60
        return self.amount * (conversations if self.per == "conversation" else 1)


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
    after_none: AfterNone
    explanation: Explanation
    conversations: int
    sitting_hours: float
    assignment_minutes: float
    first_sets: FirstSets = FirstSets()
    about: Texts = field(default_factory=dict)
    content_note: Texts = field(default_factory=dict)
    minutes: int | None = None  # that a sitting takes
    pay: Pay | None = None
    limits: Limits = Limits()
    panels: Mapping[str, Panel] = field(default_factory=dict)
    consent_version: int = 1
    questionnaire_version: int = 1
    tutorial: Tutorial | None = None
    thanks: Texts = field(default_factory=dict)
    privacy: Texts = field(default_factory=dict)
    contact: Contact | None = None
    own_prompts: OwnPrompts = field(default_factory=OwnPrompts)
    repeats: Repeats = Repeats()
    skips: int | None = None  # conversations that one person may skip; None: as many as they like
    comparing: Comparing = Comparing()

    def pay_in(self, country: str) -> Pay | None:
        """What is paid in this country; None where the study says nothing."""
        return self.pay.in_country(country) if self.pay else None

    def paid_for_check(self, country: str) -> Money | None:
        """What whoever fails the check at the start is paid in this country.

        None where the study pays nothing, or does not say how long what it pays for takes.
        """
        pay = self.pay_in(country)
        if pay is None or (self.minutes is None and pay.per != "hour"):
            return None
        hourly = pay.hourly(conversations=self.conversations, minutes=self.minutes or 60)
        return Money((hourly * pay.check_minutes / 60).quantize(CENT), pay.currency)


class Told(str):
    """A text of the study, which knows the language that it is in: a page marks it with that."""

    lang: str


def in_language(texts: Mapping[Any, str], locale: str) -> Told:
    """The text for an interface locale ("pt-br" reads "pt"), else the English one, else any."""
    language = locale.split("-")[0].lower()
    spoken = [code for code in (language, "en", *texts) if texts.get(code)]
    told = Told(texts[spoken[0]] if spoken else "")
    told.lang = spoken[0] if spoken else language
    return told


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
    return rules_by_version(_newest(study.pk).get())


def state_and_rules(study_id: UUID) -> tuple[str, Rules | None]:
    """The study's state and its newest frozen rules, as both are now; None where none are frozen.

    One query. Raises Study.DoesNotExist.
    """
    found = Study.objects.annotate(newest=Subquery(_newest(OuterRef("pk"))))
    state, newest = found.values_list("state", "newest").get(pk=study_id)
    return state, rules_by_version(newest) if newest else None


def _newest(study: UUID | OuterRef) -> QuerySet[StudyVersion, UUID]:
    """The id of the newest frozen version, if there is one."""
    frozen = StudyVersion.objects.filter(study_id=study, frozen_at__isnull=False)
    return frozen.order_by("-n").values_list("pk", flat=True)[:1]


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
        about=body.get("about") or {},
        content_note=body.get("content_note") or {},
        minutes=body.get("minutes"),
        pay=_pay(body["pay"]) if body.get("pay") else None,
        limits=Limits(**body.get("limits") or {}),
        panels={name: panel_of(name, said) for name, said in (body.get("panels") or {}).items()},
        consent_version=body.get("consent_version", 1),
        questionnaire_version=body.get("questionnaire_version", 1),
        tutorial=_tutorial(body.get("tutorial")),
        thanks=body.get("thanks") or {},
        privacy=body.get("privacy") or {},
        contact=Contact(**body["contact"]) if body.get("contact") else None,
        own_prompts=_own_prompts(body.get("own_prompts") or {}),
        repeats=Repeats(**(body.get("repeats") or {})),
        skips=body.get("skips"),
        comparing=_comparing(body.get("comparing") or {}),
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


def _pay(said: Mapping[str, Any]) -> Pay:
    by_country = said.get("by_country") or {}
    return Pay(
        amount=_money(said["amount"]),
        currency=said["currency"],
        per=cast("PayUnit", said["per"]),
        by_country={
            country: (_money(own["amount"]), own["currency"]) for country, own in by_country.items()
        },
        check_minutes=said.get("check_minutes", CHECK_MINUTES),
    )


def _money(said: float) -> Decimal:
    """The number as the file has it: 0.1 is a tenth, and not the nearest binary fraction."""
    return Decimal(str(said))


def _tutorial(said: Mapping[str, Any] | None) -> Tutorial | None:
    return None if said is None else Tutorial.model_validate(said)


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

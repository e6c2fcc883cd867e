"""The study file: its fields, and what each may hold. docs/study-file.md explains it to people.

`console.study_reading` reads one, and checks what must hold between the fields.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from console.quota_fields import QuotaEntry
from console.rule_fields import LanguageCode, Rules, Slug, Strict, Text, Texts
from sampling.plans import PlanBody
from studies import bank
from studies.file_fields import AnswerKey, CountryCode
from studies.questions import AnyQuestion, Question

Secret = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*_KEY$", max_length=80)]
# $NAME of a setting, or an http address without user, query or fragment.
Address = Annotated[
    str,
    StringConstraints(
        pattern=r"^(\$[A-Z][A-Z0-9_]*|https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?)$",
        max_length=300,
    ),
]


class EndpointEntry(Strict):
    """A served model: where it is, under which name, and what the page says about it."""

    name: Slug
    kind: Literal["model", "simulated"]
    serves: Literal["chat", "embeddings", "safety"] = "chat"
    base_url: Address
    secret: Secret | None = None
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    revision: Annotated[str, StringConstraints(max_length=200)] = ""
    seats: int = Field(ge=1, le=100_000)
    tokens_per_minute: int | None = Field(default=None, ge=1, le=2_000_000_000)
    context_length: int | None = Field(default=None, ge=1, le=100_000_000)
    operator: Annotated[str, StringConstraints(max_length=200)] = ""
    country: Annotated[str, StringConstraints(max_length=60)] = ""
    retention: Annotated[str, StringConstraints(max_length=2000)] = ""
    notice: Texts | None = None


class PlanEntry(PlanBody):
    """A plan's body as `sampling.plans` has it, and the endpoints that serve it, in order."""

    endpoints: list[Slug] = Field(min_length=1, max_length=16)

    def body(self) -> PlanBody:
        return PlanBody.model_validate_json(self.model_dump_json(exclude={"endpoints"}))


class ArmEntry(Strict):
    """One of a cohort's plans. `share` counts parts: 1 and 3 are a quarter and three quarters."""

    name: Slug
    plan: Slug
    share: int = Field(default=1, ge=1, le=1000)


class CohortEntry(Strict):
    slug: Slug
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    language: LanguageCode
    arms: list[ArmEntry] = Field(min_length=1, max_length=20)


class ConsentEntry(Strict):
    """The text to read, and the purposes that are agreed to apart; `asks` words some of them.

    A country of `by_country` has texts of its own in place of `texts`.
    """

    purposes: list[AnswerKey] = Field(min_length=1, max_length=20)
    texts: Texts
    by_country: dict[CountryCode, Texts] = Field(default={}, max_length=250)
    asks: dict[AnswerKey, Texts] = Field(default={}, max_length=20)


class SectionEntry(Strict):
    """A page with a heading of its own; `shuffle`: its questions come in a random order."""

    key: AnswerKey
    title: Texts
    shuffle: bool = False


class QuestionnaireEntry(Strict):
    """Questions of a bank and of the study's own. `quota`: those that a quota waits for."""

    bank: Literal["community_alignment"] | None = None
    ask: list[AnswerKey] = Field(default=[], max_length=100)
    quota: list[AnswerKey] = Field(default=[], max_length=20)
    sections: list[SectionEntry] = Field(default=[], max_length=50)
    questions: list[Question] = Field(default=[], max_length=100)

    def all_questions(self) -> list[AnyQuestion]:
        """Everything that is asked, in the order of the file; an unknown name is left out."""
        stocked = bank.questions(self.bank) if self.bank else {}
        asked = [*(stocked[key] for key in self.ask if key in stocked), *self.questions]
        return [
            one.model_copy(update={"quota": True}) if one.key in self.quota else one
            for one in asked
        ]


def _decides(question: AnyQuestion, keys: set[str]) -> bool:
    """Whether what this question tells, its bands included, is under one of these keys."""
    banded = question.bands if question.kind == "number" else None
    return question.key in keys or (banded is not None and banded.key in keys)


class MessageEntry(Strict):
    role: Literal["user", "assistant"]
    content: Text


def _as_messages(value: Any) -> Any:
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if isinstance(value, list):
        return value
    raise PydanticCustomError("prompt_text", "must be a text, or a list of messages")


Opening = Annotated[
    list[MessageEntry], BeforeValidator(_as_messages), Field(min_length=1, max_length=20)
]


class PromptEntry(Strict):
    """An opening prompt: one key, a text in each language; a text may be a list of messages."""

    key: Annotated[Slug, StringConstraints(max_length=80)]
    category: Slug
    texts: Annotated[dict[LanguageCode, Opening], Field(min_length=1)]

    def messages(self) -> dict[str, list[dict[str, str]]]:
        """The texts as rows keep them: role-tagged messages by language."""
        return {
            language: [{"role": item.role, "content": item.content} for item in opening]
            for language, opening in self.texts.items()
        }


class StudyFile(Rules):
    """A whole study file. `Rules` holds what is asked of an annotator."""

    study: Slug
    kind: Literal["real", "demo", "rehearsal", "test"]
    endpoints: list[EndpointEntry] = Field(min_length=1, max_length=100)
    plans: Annotated[dict[Slug, PlanEntry], Field(min_length=1, max_length=100)]
    cohorts: list[CohortEntry] = Field(min_length=1, max_length=200)
    quotas: list[QuotaEntry] = Field(default=[], max_length=300)
    consent: ConsentEntry
    questionnaire: QuestionnaireEntry
    prompts: list[PromptEntry] = Field(min_length=1, max_length=20_000)

    def questions(self) -> list[AnyQuestion]:
        """All that is asked; what a cell of a quota goes by is marked as waited for."""
        keys = {key for entry in self.quotas for cell in entry.cells for key in cell.when}
        return [
            one.model_copy(update={"quota": True})
            if _decides(one, keys) and not one.sensitive
            else one
            for one in self.questionnaire.all_questions()
        ]

    def rules(self) -> dict[str, Any]:
        """The part that a study version keeps as its body. What the file leaves out is left out."""
        return self.model_dump(mode="json", include=set(Rules.model_fields), exclude_none=True)

"""What the fields of a study file are made of: strict parts, and texts in the languages of data.

Parts that a row keeps and pages read back (questions, a tutorial) are described in this app, the
rest of the file in `console`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from studies.models.study import Language

LanguageCode = Literal["en", "fr", "it", "pt", "hi"]

DATA_LANGUAGES: Mapping[str, str] = {
    Language.ENGLISH: "English",
    Language.FRENCH: "French",
    Language.ITALIAN: "Italian",
    Language.PORTUGUESE: "Portuguese",
    Language.HINDI: "Hindi",
}


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is empty")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
Texts = Annotated[dict[LanguageCode, Text], Field(min_length=1)]
AnswerKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Strict(BaseModel):
    """Refuses unknown fields, and values that only look like the wanted type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

"""The fields of a study file that become quotas: countries, cells, soft targets."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from console.rule_fields import Slug
from studies.file_fields import AnswerKey, CountryCode, Strict

Value = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Criteria = Annotated[
    dict[AnswerKey, Annotated[list[Value], Field(min_length=1, max_length=200)]],
    Field(min_length=1, max_length=10),
]


class CellEntry(Strict):
    """One kind of people by their answers. With a target the cell is hard: it can be full."""

    name: Slug
    when: Criteria
    target: int | None = Field(default=None, ge=1, le=1_000_000)


class SoftEntry(Strict):
    """A target that is only watched."""

    name: Slug
    when: Criteria
    target: int = Field(ge=1, le=1_000_000)


class QuotaEntry(Strict):
    """The quota of one country, for all its cohorts or those that are named.

    `everybody` is a target for the whole country; it stands in place of cells.
    """

    name: Slug | None = None
    country: CountryCode
    cohorts: list[Slug] | None = Field(default=None, min_length=1, max_length=200)
    lease_minutes: int = Field(default=120, ge=10, le=60 * 24 * 30)
    everybody: int | None = Field(default=None, ge=1, le=1_000_000)
    cells: list[CellEntry] = Field(default=[], max_length=500)
    soft: list[SoftEntry] = Field(default=[], max_length=500)

    @property
    def called(self) -> str:
        """Its name; without one the country's, such as "in"."""
        return self.name or self.country.lower()

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if self.everybody is not None and self.cells:
            raise PydanticCustomError(
                "quota", "everybody stands in place of cells: give one of them"
            )
        return self

"""The fields of a study file about what one person gets and may do, and who sends them."""

from functools import cache
from typing import Annotated, Literal

from babel import Locale
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from studies.file_fields import CountryCode, Strict
from studies.panels import CODE, PERSON, PRESETS, SUBMISSION, leads_to

Outcome = Literal[
    "complete",
    "partial",
    "screen_out",
    "quota_full",
    "quality_term",
    "no_consent",
    "withdrawn",
    "timeout",
    "duplicate",
]
PanelName = Literal["prolific", "connect", "cint", "generic"]
Parameter = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", min_length=1, max_length=60)
]
# What a panel gives out as a code, and what may stand in an address without being escaped.
ReturnCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=80)]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200)]
ReturnAddress = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


def _amount(value: float) -> float:
    if value <= 0 or value > 1_000_000 or round(value, 2) != value:
        raise PydanticCustomError(
            "amount", "must be an amount of money: more than 0, with two decimals at most"
        )
    return value


def _currency(code: str) -> str:
    if code not in _currencies():
        raise PydanticCustomError("currency", "is no currency: use a code of ISO 4217, such as INR")
    return code


@cache
def _currencies() -> frozenset[str]:
    return frozenset(Locale("en").currencies)


Amount = Annotated[float, AfterValidator(_amount)]
Currency = Annotated[str, AfterValidator(_currency)]


class Money(Strict):
    amount: Amount
    currency: Currency


class Pay(Money):
    """What is paid, and other amounts for some countries; `check_minutes` for a failed check."""

    per: Literal["hour", "conversation", "sitting"]
    by_country: Annotated[dict[CountryCode, Money], Field(max_length=250)] | None = None
    check_minutes: int | None = Field(default=None, ge=1, le=120)


class Limits(Strict):
    """How many conversations one person may have: in any 24 hours, and in all."""

    per_day: int | None = Field(default=None, ge=1, le=1000)
    per_person: int | None = Field(default=None, ge=1, le=100_000)


class PanelEntry(Strict):
    """What differs from a panel's preset. `codes` and `urls` go by outcome."""

    person: Parameter | None = None
    submission: Parameter | None = None
    host: Host | None = None
    return_url: ReturnAddress | None = None
    codes: dict[Outcome, ReturnCode] | None = None
    urls: dict[Outcome, ReturnAddress] | None = None


def foreign_addresses(name: str, entry: PanelEntry) -> dict[tuple[str, ...], str]:
    """The addresses that do not lead to the panel's host, by their place in the entry."""
    preset = PRESETS[name]
    host = entry.host or preset.host
    said: dict[tuple[str, ...], str] = {
        ("urls", outcome): address for outcome, address in (entry.urls or {}).items()
    }
    if entry.return_url is not None:
        said["return_url",] = entry.return_url
    return {place: address for place, address in said.items() if not leads_to(host, _bare(address))}


def _bare(address: str) -> str:
    """The address with something in its gaps; braces that are left are no gaps of ours."""
    for gap in (CODE, PERSON, SUBMISSION):
        address = address.replace(gap, "x")
    return "" if {"{", "}", " "} & set(address) else address

"""What a person is told before they agree: how long, for how much, who makes the answers.

Read from the study's rules and from the endpoints that the cohort's plans are served by.
"""

from dataclasses import dataclass
from decimal import Decimal

from annotation.agreeing import endpoints_of
from studies.models import Cohort
from studies.rules import Rules, in_language


@dataclass(frozen=True, slots=True)
class Paid:
    """Money for one sitting and for an hour of it, in a currency (ISO 4217).

    `about`: whether the sum for a sitting depends on how long it really takes.
    """

    sitting: Decimal
    hourly: Decimal
    currency: str
    about: bool


@dataclass(frozen=True, slots=True)
class Maker:
    """Who runs a model endpoint, in which country, and what they keep of requests."""

    operator: str
    country: str
    retention: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the page before consent tells; empty where the study says nothing."""

    about: str
    content_note: str
    conversations: int
    minutes: int | None
    hours: float
    per_day: int | None
    paid: Paid | None
    makers: tuple[Maker, ...]
    by_panel: bool


def facts_of(*, cohort: Cohort, rules: Rules, locale: str, by_panel: bool) -> Facts:
    """The facts in an interface language. One query."""
    return Facts(
        about=in_language(rules.about, locale),
        content_note=in_language(rules.content_note, locale),
        conversations=rules.conversations,
        minutes=rules.minutes,
        hours=rules.sitting_hours,
        per_day=rules.limits.per_day,
        paid=_paid(rules, cohort.country),
        makers=_makers(cohort),
        by_panel=by_panel,
    )


def _paid(rules: Rules, country: str) -> Paid | None:
    pay = rules.pay_in(country)
    if pay is None or rules.minutes is None:
        return None
    load = {"conversations": rules.conversations, "minutes": rules.minutes}
    return Paid(
        sitting=pay.whole(**load),
        hourly=pay.hourly(**load),
        currency=pay.currency,
        about=pay.per == "hour",
    )


def _makers(cohort: Cohort) -> tuple[Maker, ...]:
    """Each operator once, in the order of their names."""
    named = [
        (row.operator, row.country, row.retention) for row in endpoints_of(cohort) if row.operator
    ]
    return tuple(Maker(*said) for said in dict.fromkeys(named))

"""Filters for texts, numbers and moments on pages."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_datetime_format
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

from annotation.rendering import render_markdown

register = template.Library()

LEFT_TO_RIGHT = "\u200e"
UNBROKEN = "\u00a0"  # the parts of a time stay on one line


def _locale() -> Locale:
    """The interface language for Babel: Django's own numbers and dates are wrong in Hindi."""
    return _locale_of(get_language() or "en")


@lru_cache(maxsize=64)
def _locale_of(code: str) -> Locale:
    try:
        return Locale.parse(to_locale(code))
    except UnknownLocaleError:
        return Locale.parse(code.partition("-")[0])


@register.filter
def markdown(text: str) -> SafeString:
    return render_markdown(text)


@register.filter
def spoken(text: str, language: str) -> SafeString:
    """The text marked with the language that it is in, for a hole in a sentence of ours."""
    return format_html('<span lang="{}" dir="auto">{}</span>', language, text)


@register.filter
def address(url: str) -> SafeString:
    """An address for a hole in a sentence of ours: it reads from the left, and stays as it is."""
    return format_html('<span class="address" dir="ltr" translate="no">{}</span>', url)


@register.filter
def number(value: int) -> str:
    """A whole number as the interface language writes it."""
    return _written(value, get_language() or "en")


@lru_cache(maxsize=1024)  # the small ones stand on every page
def _written(value: int, code: str) -> str:
    return format_decimal(value, locale=_locale_of(code))


def with_decimals(value: float, digits: int) -> str:
    """A number with so many decimals, as the interface language writes it."""
    pattern = f"0.{'0' * digits}" if digits else "0"
    return format_decimal(value, format=pattern, locale=_locale())


@register.filter
def minutes(value: int) -> str:
    """So many minutes, as short as the interface language writes them."""
    return _minutes_in(value, get_language() or "en")


@lru_cache(maxsize=1024)
def _minutes_in(value: int, code: str) -> str:
    return format_unit(value, "duration-minute", length="short", locale=_locale_of(code))


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency (ISO 4217), as the interface language writes it."""
    written = format_currency(amount, currency, locale=_locale())
    # In a line from right to left, the sign of "US$" would stand before its letters.
    return f"{written}{LEFT_TO_RIGHT}" if written[-1] == "$" and written[-2].isalpha() else written


@register.filter
def percent(share: float) -> str:
    """A share of 1 in whole percent, as the interface language writes it."""
    return format_percent(share, locale=_locale())


@register.filter
def listed(words: Iterable[str]) -> str:
    """Words of the interface language, one after the other: a, b, and c."""
    return format_list(list(words), locale=_locale())


@register.filter
def language_name(code: str) -> str:
    """What the interface language calls a language of the interface."""
    return _language_in(code, get_language() or "en")


@lru_cache(maxsize=256)
def _language_in(code: str, of_pages: str) -> str:
    return _locale_of(code).get_display_name(_locale_of(of_pages)) or code


@register.filter
def country_name(code: str) -> str:
    """What the interface language calls a country (ISO 3166-1 alpha-2); other words as they are."""
    return str(_locale().territories.get(code, code))


@register.filter
def of(labels: Mapping[str, str], key: str) -> str:
    """The label of a key; the key itself where there is none."""
    return labels.get(key, key)


@register.filter
def moment(value: datetime) -> str:
    """Date and time in UTC, and said to be so: the server does not know where somebody is."""
    minute = value.astimezone(UTC).replace(second=0, microsecond=0)
    return _moment_in(minute, get_language() or "en")


@lru_cache(maxsize=4096)
def _moment_in(minute: datetime, code: str) -> str:
    locale = _locale_of(code)
    day = format_date(minute, "long", locale=locale)
    time = format_time(minute, "short", tzinfo=UTC, locale=locale).replace(" ", UNBROKEN)
    joined = str(get_datetime_format("medium", locale=locale))
    return f"{joined.format(time, day)}{UNBROKEN}UTC"

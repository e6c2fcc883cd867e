"""Lists, percentages, moments and names of languages, as the language of the page writes them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from annotation.templatetags import reading

MORNING = datetime(2026, 3, 4, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "listed", "share", "name", "moment"),
    [
        ("en", "a, b, and c", "95%", "Portuguese (Brazil)", "March 4, 2026, 9:05\u202fAM\xa0UTC"),
        ("fr", "a, b et c", "95\xa0%", "portugais (Brésil)", "4 mars 2026, 09:05\xa0UTC"),
        ("pt-br", "a, b e c", "95%", "português (Brasil)", "4 de março de 2026 09:05\xa0UTC"),
        ("hi", "a, b, और c", "95%", "पुर्तगाली (ब्राज़ील)", "4 मार्च 2026, 9:05\xa0am\xa0UTC"),
        ("ar", "a وb وc", "95%", "البرتغالية (البرازيل)", "4 مارس 2026، 9:05\xa0ص\xa0UTC"),
    ],
)
def test_each_language_writes_them_in_its_own_way(
    code: str, listed: str, share: str, name: str, moment: str
) -> None:
    with translation.override(code):
        assert reading.listed(["a", "b", "c"]) == listed
        assert reading.percent(0.954).replace("\N{LEFT-TO-RIGHT MARK}", "") == share
        assert reading.language_name("pt-br") == name
        assert reading.moment(MORNING) == moment


@pytest.mark.parametrize(
    ("code", "money"), [("en", "$6.00"), ("it", "6,00\xa0USD"), ("ar", "\u200f6.00\xa0US$\u200e")]
)
def test_the_sign_of_a_currency_stays_behind_its_letters(code: str, money: str) -> None:
    with translation.override(code):
        assert reading.money(Decimal(6), "USD") == money


@pytest.mark.parametrize(("code", "written"), [("en", "2.50"), ("fr", "2,50"), ("ar", "2.50")])
def test_decimals_stand_behind_the_separator_of_the_language(code: str, written: str) -> None:
    with translation.override(code):
        assert reading.with_decimals(2.5, 2) == written
        assert reading.with_decimals(3, 0) == "3"

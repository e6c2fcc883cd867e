"""Lists, percentages, moments and names of languages, as the language of the page writes them."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from annotation.templatetags import reading

MORNING = datetime(2026, 3, 4, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "listed", "share", "name", "moment"),
    [
        ("en", "a, b, and c", "95%", "Portuguese (Brazil)", "March 4, 2026, 9:05\u202fAM UTC"),
        ("fr", "a, b et c", "95\xa0%", "portugais (Brésil)", "4 mars 2026, 09:05 UTC"),
        ("pt-br", "a, b e c", "95%", "português (Brasil)", "4 de março de 2026 09:05 UTC"),
        ("hi", "a, b, और c", "95%", "पुर्तगाली (ब्राज़ील)", "4 मार्च 2026, 9:05 am UTC"),
        ("ar", "a وb وc", "95%", "البرتغالية (البرازيل)", "4 مارس 2026، 9:05 ص UTC"),
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

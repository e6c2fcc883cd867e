"""From the join link to the completion code: each way of working a page, in one language each.

Every page is loaded twice on the way. All languages by all ways: `make journeys`.
"""

import pytest
from playwright.sync_api import Browser

from annotation.models import Comparison, Turn
from studies.models import Enrolment, QuotaPlace, Sitting, TutorialTry
from tests.factories import World
from tests.journeys.conftest import Site
from tests.journeys.walks import WORDS
from tests.journeys.ways import WAYS, walk_by

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("way", "language"), [("mouse", "it"), ("touch", "ar"), ("no-script", "fr")]
)
def test_a_walk_leads_from_the_link_to_the_code(
    short_world: World, chromium: Browser, site: Site, way: str, language: str
) -> None:
    code = walk_by(WAYS[way], chromium=chromium, site=site, language=language)

    assert len(code) == 8
    assert Comparison.objects.filter(superseded_at=None, outcome="chosen").count() == 2
    assert Sitting.objects.get().exit_code == "complete"
    enrolment = Enrolment.objects.select_related("cohort").get()
    assert (enrolment.ui_language, enrolment.cohort.language) == (language, "en")


def test_by_keys_alone_through_quota_purposes_tutorial_own_words_and_none(
    whole_world: World, chromium: Browser, site: Site
) -> None:
    code = walk_by(WAYS["keys"], chromium=chromium, site=site, language="hi", none=True)

    assert len(code) == 8
    assert sorted(Comparison.objects.values_list("outcome", flat=True)) == ["chosen", "none"]
    assert Turn.objects.get(number=0).message == WORDS
    assert TutorialTry.objects.count() == 2
    assert QuotaPlace.objects.get().state == "filled"
    assert sorted(Enrolment.objects.get().purposes) == ["conversations", "take_part"]

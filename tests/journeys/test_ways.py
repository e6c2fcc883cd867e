"""From the join link to the completion code: each way of working a page, in one language each.

Every page is loaded twice on the way. All languages by all ways: `make journeys`.
"""

import pytest
from playwright.sync_api import Browser

from annotation.models import Comparison
from studies.models import Enrolment, Sitting
from tests.factories import World
from tests.journeys.conftest import Site
from tests.journeys.ways import WAYS, walk_by

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("way", "language"), [("mouse", "it"), ("keys", "hi"), ("touch", "ar"), ("no-script", "fr")]
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

"""The whole matrix of walks: every way in every language, through all that there may be.

Run by `make journeys`.
"""

import pytest
from django.conf import settings
from playwright.sync_api import Browser

from annotation.models import Comparison
from studies.models import Enrolment, Sitting
from tests.factories import World
from tests.journeys.conftest import Site
from tests.journeys.ways import WAYS, walk_by

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", dict(settings.INTERFACE_LANGUAGES))
@pytest.mark.parametrize("way", WAYS)
def test_every_way_leads_from_the_link_to_the_code_in_every_language(
    whole_world: World, chromium: Browser, site: Site, way: str, language: str
) -> None:
    code = walk_by(WAYS[way], chromium=chromium, site=site, language=language, none=True)

    assert len(code) == 8
    assert sorted(Comparison.objects.values_list("outcome", flat=True)) == ["chosen", "none"]
    assert Sitting.objects.get().exit_code == "complete"
    assert Enrolment.objects.get().ui_language == language

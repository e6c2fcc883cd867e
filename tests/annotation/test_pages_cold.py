"""What a page costs in a process that has kept nothing yet."""

import pytest

from annotation.effort import pace_at
from annotation.views.presenting import notices_of_plan
from studies.rules import rules_by_version
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import at_most, browser_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("judged", [False, True])
def test_a_page_costs_at_most_eight_statements_with_nothing_kept(*, judged: bool) -> None:
    person, scene = talking.shown_first_turn(factories.world())
    if judged:
        talking.judge(person, scene)
    browser = browser_of(person)
    for kept in (pace_at, notices_of_plan, rules_by_version):
        kept.cache_clear()
    with at_most(8):
        assert browser.get(f"/conversation/{scene.conversation_id}/").status_code == 200

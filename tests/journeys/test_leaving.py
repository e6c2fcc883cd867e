"""More time and a break in a real browser, with scripts and without."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation import access
from annotation.models import Assignment, Break
from tests.annotation.talking import joined
from tests.factories import World
from tests.journeys.conftest import Site


def at_work(page: Page, site: Site, world: World) -> None:
    """Somebody in front of four answers, whose browser this is."""
    enrolment = joined(world)
    cookie = {"enrolment": str(enrolment.pk), "return_token": "its-return-token"}
    page.context.add_cookies(
        [
            {
                "name": settings.ANNOTATOR_COOKIE,
                "value": signing.dumps(cookie, salt=access.SALT),
                "url": site.url,
            }
        ]
    )
    page.goto("/work/")
    expect(page.get_by_role("radio").first).to_be_visible(timeout=30_000)


def test_the_end_of_time_is_warned_of_and_one_button_gives_more(
    site: Site, world: World, scripted: Page
) -> None:
    at_work(scripted, site, world)
    Assignment.objects.update(deadline=timezone.now() + timedelta(seconds=122))
    scripted.reload()
    alert = scripted.get_by_role("alert").filter(has_text="almost over")
    expect(alert).to_be_visible()

    scripted.get_by_role("button", name="Give me more time").click()

    expect(alert).to_have_count(0)
    later = timezone.now() + timedelta(minutes=100)
    assert Assignment.objects.filter(deadline__gt=later).exists()


def test_a_break_and_more_time_need_no_scripts(site: Site, world: World, plain: Page) -> None:
    at_work(plain, site, world)
    plain.get_by_role("button", name="Give me more time").click()
    plain.get_by_role("button", name="Pause").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("You are having a break")

    plain.get_by_role("button", name="Go on now").click()

    expect(plain.get_by_role("radio").first).to_be_visible()
    assert Break.objects.get().ended_at is not None

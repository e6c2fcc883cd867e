"""Doorways of the workers and of beat."""

from celery import shared_task

from annotation import beating, breaking_off, prefetching, sweeping
from studies import quotas


@shared_task
def sweep_expired() -> None:
    """Give back what silent people and closed studies hold. Safe to run twice, also at once."""
    sweeping.sweep_sittings()
    sweeping.sweep_assignments()
    quotas.sweep_places()
    breaking_off.drop_sets_of_closed_studies()


@shared_task
def fill_prefetch() -> None:
    """Ask for the sets of the prompts that will be drawn next. Safe to run twice, also at once."""
    beating.note()
    prefetching.fill_open_cohorts()

"""Doorways of the workers and of beat."""

from celery import shared_task

from annotation import prefetching, sweeping


@shared_task
def sweep_expired() -> None:
    """Give back what silent people hold. Safe to run twice, also at once."""
    sweeping.sweep_sittings()
    sweeping.sweep_assignments()


@shared_task
def fill_prefetch() -> None:
    """Ask for the sets of the prompts that will be drawn next. Safe to run twice, also at once."""
    prefetching.fill_open_cohorts()

"""Prints where a study is entered: a link for each cohort, and the console."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from studies.access import invite_by_panel, invite_openly, join_url, panel_url
from studies.models import Cohort, Researcher, Study
from studies.panels import Panel, link_to_give, panel_of


class Command(BaseCommand):
    help = "Print the links of a study."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *_args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["slug"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['slug']!r}.", returncode=2)
        links = _links(study)
        self.stdout.write(json.dumps(links, indent=2) if options["as_json"] else _lines(links))


def _links(study: Study) -> dict[str, Any]:
    researcher = Researcher.objects.filter(memberships__study=study).order_by("pk").first()
    panels = _panels(study)
    return {
        "base_url": settings.BASE_URL,
        "cohorts": [_cohort(cohort, panels) for cohort in _in_order(study)],
        "console_url": f"{settings.BASE_URL}/console/",
        "researcher": {"email": researcher.email if researcher else None},
        "api_token": None,
    }


def _panels(study: Study) -> Mapping[str, Panel]:
    """The panels of the newest version, frozen or not."""
    newest = study.versions.order_by("-n").values_list("body__panels", flat=True).first() or {}
    return {name: panel_of(name, said) for name, said in newest.items()}


def _in_order(study: Study) -> list[Cohort]:
    """The cohorts in the order of the study file."""
    newest = study.versions.order_by("-n").values_list("body", flat=True).first() or {}
    order = {slug: at for at, slug in enumerate(newest.get("cohorts", ()))}
    return sorted(
        study.cohorts.all(), key=lambda cohort: (order.get(cohort.slug, len(order)), cohort.slug)
    )


def _cohort(cohort: Cohort, panels: Mapping[str, Panel]) -> dict[str, Any]:
    return {
        "slug": cohort.slug,
        "country": cohort.country,
        "language": cohort.language,
        "join_url": join_url(invite_openly(cohort)),
        "panel_urls": {
            name: link_to_give(panel, panel_url(invite_by_panel(cohort, name)))
            for name, panel in panels.items()
        },
    }


def _lines(links: dict[str, Any]) -> str:
    cohorts = []
    for cohort in links["cohorts"]:
        cohorts.append(f"{cohort['slug']:<12} {cohort['join_url']}")
        cohorts += [f"{'  ' + name:<12} {url}" for name, url in cohort["panel_urls"].items()]
    return "\n".join([*cohorts, f"{'console':<12} {links['console_url']}"])

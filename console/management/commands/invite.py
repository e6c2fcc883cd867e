"""Prints personal links into a cohort, once: their tokens are kept nowhere."""

import csv
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from studies import auditing
from studies.access import invite_personally, join_url
from studies.models import Cohort

BY = "command:invite"
MOST = 10_000  # in one go


def _count(said: str) -> int:
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= MOST:
        raise ArgumentTypeError(f"must be a number from 1 to {MOST}")
    return int(said)


class Command(BaseCommand):
    help = "Make personal one-time links into a cohort and print them. They are not shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument("--cohort", required=True, metavar="SLUG")
        parser.add_argument("--count", required=True, type=_count, metavar="N")
        parser.add_argument("--days", type=_count, help="how long they let somebody in (for good)")
        parser.add_argument("--csv", action="store_true", help="as a table with a header")

    def handle(self, *_args: Any, **options: Any) -> None:
        cohort = Cohort.objects.select_related("study").filter(
            study__slug=options["study"], slug=options["cohort"]
        )
        found = cohort.first()
        if found is None:
            what = f"{options['study']!r} with a cohort {options['cohort']!r}"
            raise CommandError(f"There is no study {what}.", returncode=2)
        links = _invite(found, count=options["count"], days=options["days"])
        if options["csv"]:
            self._write_csv(found, links)
        else:
            self.stdout.write("\n".join(links))

    def _write_csv(self, cohort: Cohort, links: list[str]) -> None:
        rows = csv.writer(self.stdout, lineterminator="\n")
        rows.writerow(["number", "cohort", "link"])
        rows.writerows([number, cohort.slug, link] for number, link in enumerate(links, start=1))


@transaction.atomic
def _invite(cohort: Cohort, *, count: int, days: int | None) -> list[str]:
    until = timezone.now() + timedelta(days=days) if days else None
    tokens = invite_personally(cohort, count=count, expires_at=until)
    payload = {"cohort": cohort.slug, "count": count, "days": days}
    auditing.record(by=BY, action="cohort.invite", on=f"study:{cohort.study.slug}", payload=payload)
    return [join_url(token) for token in tokens]

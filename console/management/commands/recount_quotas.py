"""Counts the quotas of a study anew, from who has completed, is at work, or has left."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies.models import QuotaCell, QuotaSet, Study
from studies.quotas import watched
from studies.recounting import recount, repair

BY = "command:recount_quotas"


class Command(BaseCommand):
    help = "Recount a study's quotas from facts; exit 1 when something differs and is not repaired."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument("--repair", action="store_true", help="put counts and places right")

    def handle(self, *_args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']!r}.", returncode=2)
        if options["repair"]:
            for difference in repair(study=study, by=BY).differences:
                self.stdout.write(f"was: {difference}")
        left = recount(study).differences
        for quota_set in QuotaSet.objects.filter(study=study).order_by("name"):
            self.stdout.write("\n".join(_lines(quota_set)))
        for difference in left:
            self.stderr.write(difference)
        if left:
            sys.exit(1)


def _lines(quota_set: QuotaSet) -> list[str]:
    cells = QuotaCell.objects.filter(quota_set=quota_set, retired_at=None).order_by("position")
    hard = [f"{quota_set}/{cell}: {cell.taken} of {_target(cell)}" for cell in cells]
    soft = [
        f"{quota_set}/{one.name} (watched): {one.people} of {one.target}"
        for one in watched(quota_set)
    ]
    return [*hard, *soft]


def _target(cell: QuotaCell) -> str:
    return "any number" if cell.target is None else str(cell.target)

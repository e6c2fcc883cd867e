"""Bounds the tokens that all sets of a study may use, or says how it stands."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sampling import budgets
from sampling.models import TokenBudget
from studies.models import Study


class Command(BaseCommand):
    help = (
        "Show a study's token budget; --total N or --unlimited changes it, also while it is open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", metavar="SLUG")
        change = parser.add_mutually_exclusive_group()
        change.add_argument("--total", type=int, metavar="N", help="tokens, answers and contexts")
        change.add_argument("--unlimited", action="store_true", help="go on counting only")

    def handle(self, *_: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"there is no study {options['study']}", returncode=2)
        total = options["total"]
        if total is not None and total < 0:
            raise CommandError("--total: a budget is no less than nothing", returncode=2)
        if total is not None or options["unlimited"]:
            self.stdout.write(_said(budgets.set_budget(study, total=total)))
            return
        found = TokenBudget.objects.filter(study=study).first()
        self.stdout.write(_said(found) if found else "no budget, and nothing is counted")


def _said(budget: TokenBudget) -> str:
    limit = "no limit" if budget.total is None else f"of {budget.total}"
    return f"{budget.spent} tokens used, {limit}"

"""manage.py generate_synthetic: a seeded study of any size, to measure with."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exports.synthetic import synthesize


class Command(BaseCommand):
    help = "Store a synthetic study of kind `test`, by COPY with all constraints on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, required=True, help="the same seed, the same texts")
        parser.add_argument("--comparisons", type=int, required=True, help="how many to store")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["comparisons"] < 1 or options["seed"] < 0:
            raise CommandError("--comparisons must be 1 or more, --seed 0 or more.")
        try:
            study = synthesize(seed=options["seed"], comparisons=options["comparisons"])
        except ValueError as fault:
            raise CommandError(str(fault)) from None
        self.stdout.write(study.slug)

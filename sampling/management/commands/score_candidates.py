"""Scores all candidates of a study by a model's log-probabilities, and goes on where it stopped."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sampling import scoring
from sampling.errors import BadRequest, SamplingError
from sampling.models import Endpoint
from studies.models import Study


class Command(BaseCommand):
    help = (
        "Score the candidates of a study that have no score yet, under the default context. Exit"
        " status 2 for bad input, 3 when the endpoint cannot do it or fails; another run goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument(
            "--endpoint", metavar="NAME", help="default: the study's, if it has one"
        )
        parser.add_argument(
            "--at-once",
            type=int,
            default=scoring.AT_ONCE,
            metavar="N",
            help="sets scored side by side, at most the endpoint's seats (%(default)s)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"there is no study {options['study']}", returncode=2)
        if options["at_once"] < 1:
            raise CommandError("--at-once: one set or more", returncode=2)
        row = _endpoint(study, options["endpoint"])
        try:
            done = scoring.score_study(
                study=study, row=row, at_once=options["at_once"], tell=self._tell
            )
        except BadRequest as error:
            raise CommandError(error.message, returncode=2) from error
        except SamplingError as error:
            said = f"{row.name}: {error.code}: {error.message}"
            raise CommandError(f"{said}; {_left(study, row)} left", returncode=3) from error
        self.stdout.write(
            f"{done.stored} scored by {scoring.scorer_of(row)}, {done.too_long} over its context"
        )

    def _tell(self, stored: int) -> None:
        self.stderr.write(f"{stored} scored")


def _endpoint(study: Study, name: str | None) -> Endpoint:
    """The named endpoint, or the only one that the study's plans have."""
    if name:
        found = list(Endpoint.objects.filter(name=name))
        if not found:
            raise CommandError(f"there is no endpoint {name}", returncode=2)
        return found[0]
    of_plans = Endpoint.objects.filter(plan_endpoints__plan__study=study)
    found = list(of_plans.order_by("name").distinct())
    if len(found) != 1:
        names = ", ".join(row.name for row in found) or "none"
        raise CommandError(f"--endpoint: name one; the study's plans have {names}", returncode=2)
    return found[0]


def _left(study: Study, row: Endpoint) -> int:
    return scoring.unscored(study, scorer=scoring.scorer_of(row)).count()

"""Freezes a study's rules, prompts and plans, and opens it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console import opening
from studies.launching import TransitionRefused
from studies.models import Study

BY = "command:open_study"


class Command(BaseCommand):
    help = "Open a study to annotators. From draft only with a reason why it was not rehearsed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--unrehearsed", metavar="REASON", default="", help="kept in the audit")

    def handle(self, *_args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["slug"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['slug']!r}.", returncode=2)
        if study.state == Study.State.OPEN:
            self.stdout.write(f"{study.slug} is open already")
            return
        for warning in opening.all_warnings(study):
            self.stderr.write(f"warning: {warning}")
        try:
            self._open(study, options["unrehearsed"])
        except TransitionRefused as refusal:
            raise CommandError("\n".join(refusal.reasons)) from refusal
        self.stdout.write(f"{study.slug} is open")

    def _open(self, study: Study, reason: str) -> None:
        if study.state == Study.State.PAUSED:
            opening.reopen(study=study, by=BY)
        else:
            opening.open_study(study=study, by=BY, unrehearsed_because=reason)

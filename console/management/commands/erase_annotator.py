"""Deletes the words of one annotator, for somebody who asks for it outside the pages."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation.erasing import erase_person
from studies.models import Enrolment

BY = "command:erase_annotator"


class Command(BaseCommand):
    help = "Take an annotator out of a study and delete their words. Says what it touched."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="the study's slug")
        parser.add_argument("pseudonym", help="as it stands in the data and in the console")
        parser.add_argument("--dry-run", action="store_true", help="say it, and change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        people = Enrolment.objects.filter(study__slug=options["study"])
        person = people.filter(pseudonym=options["pseudonym"]).first()
        if person is None:
            unknown = f"no annotator {options['pseudonym']!r} in the study {options['study']!r}"
            raise CommandError(f"There is {unknown}.", returncode=2)
        with transaction.atomic():
            touched = erase_person(enrolment=person, by=BY)
            if options["dry_run"]:
                transaction.set_rollback(True)
        if not touched:
            self.stdout.write("nothing left to delete")
        for table, rows in touched.items():
            self.stdout.write(f"{table}: {rows}")
        if options["dry_run"]:
            self.stdout.write("dry run: nothing was changed")

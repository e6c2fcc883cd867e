"""manage.py export: the dump of a study."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exports.writing import NotEmpty, export_study
from studies.models import Study


class Command(BaseCommand):
    help = "Write a study's comparisons and candidates as Parquet and JSONL, with a manifest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="the study's short name")
        parser.add_argument("--out", required=True, type=Path, help="a directory, new or empty")
        parser.add_argument("--force", action="store_true", help="write into a directory in use")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.order_by("slug").values_list("slug", flat=True))
            raise CommandError(f"No study {options['study']!r}. There are: {known or 'none'}.")
        try:
            manifest = export_study(study=study, out=options["out"], force=options["force"])
        except NotEmpty as fault:
            raise CommandError(
                f"{fault} is not empty: choose another directory, or say --force to write into it."
            ) from None
        for file in manifest["files"]:
            self.stdout.write(f"{file['rows']:>9} rows  {options['out'] / file['path']}")
        self.stdout.write(f"               {options['out'] / 'MANIFEST.json'}")

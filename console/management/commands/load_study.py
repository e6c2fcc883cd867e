"""Loads a study file, or writes a loaded one back unchanged: see docs/study-file.md."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console import loading, opening
from console.loading import ChangeRefused
from console.study_reading import InvalidStudyFile
from studies.models import Study, StudyVersion

BY = "command:load_study"
REFUSED = 3  # the file is right, and the study is no draft
APPLY = (
    "Nothing was changed. Load it with --apply: that pauses the study, writes new versions "
    "and opens it again"
)


class Command(BaseCommand):
    help = "Load a study file. Loading the same file again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the study file (YAML)")
        parser.add_argument(
            "--apply",
            action="store_true",
            help="change a study that is no draft: pause it, write new versions, open it again",
        )
        parser.add_argument(
            "--export", metavar="SLUG", help="write the study's file to FILE, or to the output"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        file: Path | None = options["file"]
        if options["export"]:
            return self._export(options["export"], file)
        if file is None:
            raise CommandError("Which file? See docs/study-file.md.", returncode=2)
        return self._load(file, apply=options["apply"])

    def _load(self, file: Path, *, apply: bool) -> None:
        try:
            loaded = loading.load(source=file.read_bytes(), by=BY, apply=apply)
        except OSError as fault:
            raise CommandError(f"{file}: {fault.strerror}", returncode=2) from fault
        except InvalidStudyFile as fault:
            self._stop(2, *(f"{file}:{problem}" for problem in fault.problems))
        except ChangeRefused as refusal:
            self._stop(REFUSED, *_refusal(file, refusal))
        else:
            self.stdout.write(_said(loaded))
            for warning in opening.all_warnings(loaded.study):
                self.stderr.write(f"warning: {warning}")

    def _export(self, slug: str, file: Path | None) -> None:
        try:
            source = loading.source_of(slug).encode()
        except StudyVersion.DoesNotExist:
            raise CommandError(f"No study file of {slug!r} is loaded.", returncode=2) from None
        if file is None:
            sys.stdout.buffer.write(source)
        else:
            file.write_bytes(source)

    def _stop(self, code: int, *lines: str) -> None:
        for line in lines:
            self.stderr.write(line)
        sys.exit(code)


def _refusal(file: Path, refusal: ChangeRefused) -> list[str]:
    study = refusal.study
    head = f"{file}: {study.slug} is {study.state}, and the file would change:"
    advice = APPLY
    if study.state == Study.State.CLOSED:
        advice = "Nothing was changed. A closed study stays as it is: give the file another name"
    return [head, *(f"  {change}" for change in refusal.changes), f"{advice}."]


def _said(loaded: loading.Loaded) -> str:
    slug = loaded.study.slug
    if loaded.version is None:
        return f"{slug}: nothing changed"
    state = loaded.study.state
    lines = [f"{slug}: version {loaded.version.n} loaded ({state})"]
    return "\n".join([*lines, *(f"  {change}" for change in loaded.changes)])

"""Finds out by real calls what model endpoints can do, and stores it with them."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sampling import probing
from sampling.errors import SamplingError
from sampling.models import Endpoint


class Command(BaseCommand):
    help = "Probe all endpoints, or the named one. Exit status 3 when one gave no whole answer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME")

    def handle(self, *_: Any, **options: Any) -> None:
        rows = Endpoint.objects.filter(serves=Endpoint.Serves.CHAT).order_by("name")
        if options["name"]:
            rows = rows.filter(name=options["name"])
            if not rows:
                raise CommandError(f"there is no endpoint {options['name']}", returncode=2)
        failed = [row.name for row in rows if not self._probe(row)]
        if failed:
            raise CommandError(f"not probed: {', '.join(failed)}", returncode=3)

    def _probe(self, row: Endpoint) -> bool:
        """Whether the endpoint could be probed; says what was found."""
        try:
            found = asyncio.run(probing.probe_row(row))
        except SamplingError as error:
            self.stdout.write(f"{row.name}: {error.code}: {error.message}")
            return False
        probing.store(row, found)
        self.stdout.write(f"{row.name}: {_said(found.as_json())}")
        return True


def _said(found: dict[str, Any]) -> str:
    words = {True: "yes", False: "no", None: "unknown"}
    return ", ".join(
        f"{name} {words[value] if value is None or isinstance(value, bool) else value}"
        for name, value in found.items()
    )

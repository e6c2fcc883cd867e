"""Says of everything that this installation depends on whether it is right, and what to do."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from console import doctor


class Command(BaseCommand):
    help = "Check this installation, a line each. Exit status 1 when something fails."
    requires_system_checks = ()  # it must be able to speak where they would stop it

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = []
        for finding in doctor.findings():
            found.append(finding)
            if not options["as_json"]:
                self.stdout.write(str(finding))
        if options["as_json"]:
            self.stdout.write(json.dumps([finding.as_json() for finding in found], indent=2))
        if any(finding.level == "fail" for finding in found):
            sys.exit(1)

"""Rebuilds from rows alone what was sent for a set and what came back; with --all, for every set of
a study, held against the log of its endpoint.

Exit codes: 0 as it should be, 1 rows and log differ, 2 bad input.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sampling import log_comparison
from sampling.explaining import ExplainedCall, Explanation, Unknown, explain
from sampling.log_comparison import Comparison
from studies.models import Study


class Command(BaseCommand):
    help = "Say what was sent for a candidate set and what came back, from rows alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "id", nargs="?", help="a set's id, or a whole X-Request-Id of one of its calls"
        )
        parser.add_argument("--all", action="store_true", help="every set of --study")
        parser.add_argument("--study", metavar="SLUG", help="whose sets, with --all")
        parser.add_argument("--log", metavar="FILE", help="an endpoint's requests, with --all")
        parser.add_argument(
            "--endpoint",
            action="append",
            default=[],
            metavar="NAME",
            help="whose log it is; the simulated ones' where none is named",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["all"]:
            self._compare(options)
        elif not options["id"] or options["study"] or options["log"]:
            raise CommandError("give a set's id, or --all --study SLUG", returncode=2)
        else:
            self._explain(options)

    def _compare(self, options: dict[str, Any]) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if options["id"] or study is None:
            raise CommandError("--all takes no id, and --study: a study's name", returncode=2)
        try:
            log = _read(options["log"]) if options["log"] else None
        except (OSError, UnicodeError, log_comparison.Unreadable) as fault:
            raise CommandError(f"--log: {fault}", returncode=2) from None
        found = log_comparison.compare(study, log, logging=options["endpoint"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(_compared(found)))
        if found.differences:
            raise CommandError(f"{len(found.differences)} differences", returncode=1)

    def _explain(self, options: dict[str, Any]) -> None:
        try:
            explanation = explain(options["id"])
        except Unknown as fault:
            raise CommandError(str(fault), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(explanation.as_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(_lines(explanation)))


def _read(name: str) -> dict[str, list[Any]]:
    with Path(name).open(encoding="utf-8") as lines:
        return log_comparison.read_log(lines)


def _compared(found: Comparison) -> Iterator[str]:
    for one in found.differences:
        yield f"{one.about}: {one.said}"
    yield (
        f"{found.sets} sets, {found.calls} requests told by rows, {found.compared} of them in the "
        f"log, {found.unsure} perhaps never sent, {len(found.differences)} differences"
    )


def _lines(told: Explanation) -> Iterator[str]:
    about = told.set
    yield f"set {about['id']} of study {about['study']}, plan {about['plan']}: {about['state']}"
    if about["reason"]:
        yield f"  reason: {about['reason']}"
    yield f"  language {about['language']}, k {about['k']}, seed {about['seed']}"
    for message in about["context"]:
        yield f"  {message['role']}: {message['content']}"
    for entry in told.attempts:
        outcome = entry["outcome"] or "under way"
        yield f"attempt {entry['attempt']} at {entry['endpoint']}: {outcome}"
        for found in entry.get("findings", ()):
            yield f"  {found['measure']} ({found['action']}): {found['said']}"
        yield from _calls(told.calls, entry["attempt"])
    for one in told.candidates:
        yield f"candidate {one['slot']} ({one['role']}, from {one['call']}):"
        yield f"  {one['text']}"


def _calls(calls: list[ExplainedCall], attempt: int) -> Iterator[str]:
    for call in calls:
        if call.attempt != attempt:
            continue
        known = "recorded" if call.recorded else "built again: it left no row, and may not have run"
        yield f"  call {call.request_id} ({call.purpose}, {known})"
        if call.rebuilt_equal is False:
            yield "    WARNING: building it again gives another request"
        yield f"    sent: {json.dumps(call.request, ensure_ascii=False)}"
        if call.error:
            yield f"    error: {call.error['class']}: {call.error['message']}"
        if call.recorded:
            yield f"    came back ({call.finish_reason or 'no finish'}): {call.raw}"

"""Rebuilds from rows alone what was sent for a set and what came back."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sampling.explaining import ExplainedCall, Explanation, Unknown, explain


class Command(BaseCommand):
    help = "Say what was sent for a candidate set and what came back, from rows alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="a set's id, or a whole X-Request-Id of one of its calls")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            explanation = explain(options["id"])
        except Unknown as fault:
            raise CommandError(str(fault), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(explanation.as_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(_lines(explanation)))


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

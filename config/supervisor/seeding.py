"""Fills the database of the demo: `python -m config.supervisor.seeding STUDY_FILE`.

One process for all of it, because importing Django costs more than most of the steps. Each step may
find its work done. Prints one line a step with its seconds, which the parent shows, and at last the
study's links as one line of JSON.
"""

import io
import json
import os
import sys
import time
from pathlib import Path

import django
from django.core.management import CommandError, call_command

from config.messages import compile_catalogues
from config.supervisor.study import slug

UNREHEARSED = "The demonstration opens itself."


def main() -> None:
    file = Path(sys.argv[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from studies.models import Study  # models exist only after setup

    name = slug(file)
    compile_catalogues()
    _step("tables", "migrate", interactive=False, verbosity=0)
    _step("static files", "collectstatic", interactive=False, verbosity=0)
    known = Study.objects.filter(slug=name).exists()
    _load(file, known=known)
    _step("researcher", "create_researcher", os.environ["RESEARCHER_EMAIL"], "--study", name)
    if Study.objects.filter(slug=name, state=Study.State.DRAFT).exists():
        _step("opening", "open_study", name, unrehearsed=UNREHEARSED)
    links = io.StringIO()
    call_command("links", name, as_json=True, stdout=links)
    print(json.dumps(json.loads(links.getvalue())))


def _load(file: Path, *, known: bool) -> None:
    """Load the study; one that is there already goes on as it is when its file is refused."""
    try:
        _step("study", "load_study", str(file))
    except (CommandError, SystemExit):
        if not known:
            raise
        advice = (
            f"to take up its changed file: .venv/bin/python manage.py load_study {file} --apply"
        )
        print(f"the study stays as it was ({advice})")


def _step(name: str, command: str, *arguments: str, **options: object) -> None:
    begun = time.monotonic()
    call_command(command, *arguments, stdout=sys.stderr, **options)  # our output is our parent's
    print(f"{name} {time.monotonic() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except CommandError as fault:
        sys.exit(str(fault))

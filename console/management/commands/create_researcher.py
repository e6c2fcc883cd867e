"""Makes a researcher who can sign in, or gives an existing one a new password and more studies."""

import os
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from studies import auditing
from studies.models import Membership, Researcher, Study

BY = "command:create_researcher"
VARIABLE = "RESEARCHER_PASSWORD"  # in the environment: an argument would show in the process list


class Command(BaseCommand):
    help = f"Create a researcher. The password comes from the environment variable {VARIABLE}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--study", action="append", default=[], metavar="SLUG", dest="slugs")

    def handle(self, *_args: Any, **options: Any) -> None:
        email, slugs = options["email"], options["slugs"]
        password = os.environ.get(VARIABLE, "")
        try:
            validate_email(email)
            validate_password(password)
        except ValidationError as fault:
            said = " ".join(fault.messages)
            raise CommandError(f"{email}: {said} (password: {VARIABLE})", returncode=2) from fault
        studies = list(Study.objects.filter(slug__in=slugs))
        if missing := set(slugs) - {study.slug for study in studies}:
            raise CommandError(f"There is no study {', '.join(sorted(missing))}.", returncode=2)
        researcher = create(email=email, password=password, studies=studies)
        self.stdout.write(f"{researcher.email} can sign in")


@transaction.atomic
def create(*, email: str, password: str, studies: list[Study]) -> Researcher:
    """The researcher of this address, with this password and at least these studies."""
    researcher = Researcher.objects.filter(email__iexact=email).first()
    if researcher is None:
        researcher = Researcher.objects.create_user(email, password)
    elif not researcher.check_password(password):
        researcher.set_password(password)
        researcher.save(update_fields=["password"])
    for study in studies:
        Membership.objects.get_or_create(study=study, researcher=researcher)
    payload = {"studies": sorted(study.slug for study in studies)}
    on = f"researcher:{researcher.pk}"
    auditing.record(by=BY, action="researcher.create", on=on, payload=payload)
    return researcher

#!/usr/bin/env python
"""Django's command line; without DATABASE_URL it uses the running demo, and says so."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line  # after the settings are named
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as fault:
        sys.exit(f"The database does not answer: start `make demo`, or set DATABASE_URL.\n{fault}")


if __name__ == "__main__":
    main()

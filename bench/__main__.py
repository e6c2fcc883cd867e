"""python -m bench: measures every row, or those named in ROW (comma-separated)."""

import argparse
import os
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("rows", nargs="*", help="names of rows; all when none is given")
    given = parser.parse_args().rows or [n for n in os.environ.get("ROW", "").split(",") if n]

    from bench.servers import bench_servers  # sets the environment that settings read

    with bench_servers() as servers:
        from bench.running import run_rows  # imports Django, after the environment is there

        return run_rows(names=given, servers=servers)


if __name__ == "__main__":
    sys.exit(main())

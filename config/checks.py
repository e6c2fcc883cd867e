"""`make check`: everything that can be known of the code without running the platform.

One line for each check with its seconds, and what it said when it failed; exits with 1 then. The
guards are tests (tests/architecture), so that `make test` holds them as well.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
GUARDS = "tests/architecture"
TOOLS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
}


@dataclass(frozen=True)
class Outcome:
    """How a check ended. `said` is empty for a check that passed."""

    name: str
    seconds: float
    said: str = ""


def main(wanted: Sequence[str]) -> int:
    """Run every check, or those of that name; returns the exit code."""
    begun = time.monotonic()
    failed = []
    for outcome in outcomes(wanted):
        print(f"{'FAIL' if outcome.said else 'ok':4} {outcome.name:14} {outcome.seconds:5.1f} s")
        if outcome.said:
            print(outcome.said, flush=True)
            failed.append(outcome.name)
    print(f"{time.monotonic() - begun:.0f} s: {_verdict(failed)}")
    return 1 if failed else 0


def outcomes(wanted: Sequence[str]) -> Iterator[Outcome]:
    for name, command in TOOLS.items():
        if not wanted or name in wanted:
            yield _tool(name, command)
    guards = [name for name in _guards() if not wanted or name in wanted]
    if guards:
        yield from _run_guards(guards)


def _tool(name: str, command: Sequence[str]) -> Outcome:
    begun = time.monotonic()
    done = _run([sys.executable, "-m", *command])
    said = (done.stdout + done.stderr).strip() or f"{command[0]} failed without a word"
    return Outcome(name, time.monotonic() - begun, said if done.returncode else "")


def _guards() -> list[str]:
    return sorted(path.stem.removeprefix("test_") for path in (ROOT / GUARDS).glob("test_*.py"))


def _run_guards(names: Sequence[str]) -> Iterator[Outcome]:
    """One run of pytest, told by module."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        files = [f"{GUARDS}/test_{name}.py" for name in names]
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}"]
        done = _run([sys.executable, "-m", "pytest", *options, *files])
        if not report.exists():
            yield Outcome("guards", 0.0, done.stdout + done.stderr)
            return
        cases = ElementTree.parse(report).iter("testcase")  # noqa: S314 pytest wrote it
        yield from _by_module(names, list(cases))


def _by_module(names: Sequence[str], cases: Sequence[ElementTree.Element]) -> Iterator[Outcome]:
    for name in names:
        own = [case for case in cases if f"test_{name}" in _place(case)]
        faults = [
            f"{case.get('name')}\n{fault.text or fault.get('message')}"
            for case in own
            for fault in [*case.iter("failure"), *case.iter("error")]
        ]
        nothing = [] if own else ["pytest ran nothing here"]
        seconds = sum(float(case.get("time", 0)) for case in own)
        yield Outcome(name, seconds, "\n".join([*faults, *nothing]))


def _place(case: ElementTree.Element) -> list[str]:
    """The dotted name of a test's module, in parts; for a module that did not load, its own."""
    return f"{case.get('classname', '')}.{case.get('name', '')}".split(".")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True
    )


def _verdict(failed: Sequence[str]) -> str:
    return f"{', '.join(failed)} failed" if failed else "all checks passed"


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))

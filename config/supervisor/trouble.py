"""What went wrong at the start, in words for the person at the keyboard."""

from pathlib import Path


class Trouble(Exception):
    """A step cannot go on; says what happened, and what the person can do about it."""

    def __init__(self, what: str, *, advice: str) -> None:
        super().__init__(f"{what}\n  -> {advice}")
        self.what = what
        self.advice = advice


def last_lines(log: Path, *, count: int = 5) -> str:
    """The end of a log, for a message; empty when there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-count:])

"""A small study file to load, and ways to change it: the example of docs/study-file.md."""

from django.conf import settings

DEMO = settings.ROOT / "studies" / "demo" / "study.yaml"
DOCS = settings.ROOT / "docs" / "study-file.md"


def small(*changes: tuple[str, str], study: str = "small-example") -> bytes:
    """The example of the docs, with each (old, new) replaced once; an old text must be there."""
    text = DOCS.read_text().partition("```yaml\n")[2].partition("```")[0]
    for old, new in (("study: small-example", f"study: {study}"), *changes):
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()

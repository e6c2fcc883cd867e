"""The words of the interface in other languages: collected, kept in catalogues, and compiled.

    python -m config.messages           bring locale/*/LC_MESSAGES/django.po up to date
    python -m config.messages compile   write the .mo files that Django reads; they are not in git

No gettext program is needed. Strings come from Python files (gettext and its relatives) and from
templates, whose tags Django turns into such calls. A string that is no longer used is dropped.
"""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import polib
from babel.messages.extract import extract

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
# One and many (Arabic: none, one, two, few, many, other), as the Unicode locale data divide them.
PLURALS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "it": "nplurals=2; plural=(n != 1);",
    "pt_BR": "nplurals=2; plural=(n > 1);",
    "hi": "nplurals=2; plural=(n > 1);",
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3"
    " : n%100>=11 && n%100<=99 ? 4 : 5);",
}
# The header of a catalogue until a person has read it; then it says by whom.
MACHINE_WRITTEN = "Machine-written; not yet read by a person of this language."
FOLDERS = ("config", "studies", "sampling", "annotation", "exports", "console")
PLAIN = ("gettext", "gettext_lazy", "gettext_noop", "_")
CALLS: Mapping[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(PLAIN),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
Key = tuple[str | None, str]


@dataclass
class Message:
    """A string to translate, with its plural and its context where it has them."""

    text: str
    plural: str = ""
    context: str | None = None
    places: set[str] = field(default_factory=set)

    @property
    def key(self) -> Key:
        return (self.context, self.text)


@cache
def collect() -> dict[Key, Message]:
    """Every string of the interface, by context and text."""
    found: dict[Key, Message] = {}
    for place, source in _sources():
        for message in _messages(source):
            kept = found.setdefault(message.key, message)
            kept.places.add(place)
            kept.plural = kept.plural or message.plural
    return found


def update(directory: Path = LOCALE) -> None:
    """Bring every catalogue up to date; new strings come in untranslated."""
    wanted = collect()
    for locale in PLURALS:
        path = catalogue(locale, directory)
        known = read(path) if path.exists() else polib.POFile()
        before = {_key(entry): entry for entry in known}
        made = polib.POFile(wrapwidth=98)
        made.header = known.header or MACHINE_WRITTEN
        made.metadata = {
            "Language": locale,
            "Content-Type": "text/plain; charset=UTF-8",
            "Plural-Forms": PLURALS[locale],
        }
        ordered = sorted(wanted.values(), key=lambda message: (min(message.places), message.text))
        forms = plural_forms(locale)
        made.extend(_entry(message, before.get(message.key), forms) for message in ordered)
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save(str(path))
        print(f"{locale}: {len(made)} strings, {made.percent_translated()} %")


def compile_catalogues(directory: Path = LOCALE) -> None:
    """Write the .mo file of each catalogue whose .po file is newer. Needs no Django."""
    for path in sorted(directory.glob("*/LC_MESSAGES/django.po")):
        target = path.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= path.stat().st_mtime:
            continue
        # Written beside and moved there: two processes may do this at once.
        partial = target.with_suffix(f".{os.getpid()}")
        read(path).save_as_mofile(str(partial))
        partial.replace(target)


def plural_forms(locale: str) -> int:
    """How many plural forms a language of PLURALS has."""
    return int(PLURALS[locale].removeprefix("nplurals=").partition(";")[0])


def catalogue(locale: str, directory: Path = LOCALE) -> Path:
    return directory / locale / "LC_MESSAGES" / "django.po"


def read(path: Path) -> polib.POFile:
    """A catalogue's entries; raises OSError or ValueError, naming the line, when it has faults."""
    return polib.pofile(path.read_text(encoding="utf-8"), check_for_duplicates=True)


def _sources() -> Iterator[tuple[str, str]]:
    """Each file that may hold strings: its path, and Python that calls gettext for each."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "templates").rglob("*.html")):
        place = str(path.relative_to(ROOT))
        yield place, _as_python(path.read_text(encoding="utf-8"), place)


def _as_python(template: str, origin: str) -> str:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.utils.translation.template import templatize  # compiling needs no Django

    # In brackets, because indentation means nothing in a template.
    return f"({templatize(template, origin=origin)})"


def _messages(source: str) -> Iterator[Message]:
    stream = io.BytesIO(source.encode())
    for _line, found, _comments, context in extract("python", stream, keywords=CALLS):
        parts = [found] if isinstance(found, str) else list(found)
        text, plural = parts[0], parts[1] if len(parts) > 1 else ""
        yield Message(text=text, plural=plural, context=context)


def _key(entry: polib.POEntry) -> Key:
    return (entry.msgctxt, entry.msgid)


def _entry(message: Message, before: polib.POEntry | None, forms: int) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=message.text,
        msgid_plural=message.plural,
        msgctxt=message.context,
        occurrences=[(place, "") for place in sorted(message.places)],
        flags=["python-format"] if "%(" in message.text else [],
    )
    if message.plural:
        kept = before.msgstr_plural if before else {}
        entry.msgstr_plural = {number: kept.get(number, "") for number in range(forms)}
    elif before:
        entry.msgstr = before.msgstr
    return entry


if __name__ == "__main__":
    compile_catalogues() if sys.argv[1:] == ["compile"] else update()

"""A language that nobody speaks: English with every letter accented, a third longer, in brackets.

What stands on a page without accents has not gone through a catalogue; what has lost a bracket was
cut. Made on demand from the strings of the interface, into a folder of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import polib
import regex

from config import messages

# Django falls back to "en" for what it knows of the language itself: its name, its direction.
CODE = "en-xa"
FOLDER = "en_XA"
NAME = "⟦Ƥşḗŭḓŏ⟧"
PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ACCENTED = "ȦƁƇḒḖƑƓĦĪĴĶĿḾȠǾƤɊŘŞŦŬṼẆẊẎẐȧƀƈḓḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑ"
LETTERS = str.maketrans(PLAIN, ACCENTED)
# What is filled in or read as mark-up stays as it is.
KEPT = regex.compile(r"(%\(\w+\)[sd]|%%|%[sd]|</?\w+[^>]*>|&\w+;)")


def pseudo(text: str) -> str:
    """`text` in the pseudo-language; its holes and its mark-up are kept."""
    parts = KEPT.split(text)
    words = "".join(part if KEPT.fullmatch(part) else part.translate(LETTERS) for part in parts)
    return f"⟦{words}{'~' * (len(text) // 3)}⟧"


def write(directory: Path) -> None:
    """The compiled catalogue of the pseudo-language, under a folder of catalogues."""
    made = polib.POFile()
    made.metadata = {
        "Language": FOLDER,
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    made.extend(_entries())
    target = messages.catalogue(FOLDER, directory).with_suffix(".mo")
    target.parent.mkdir(parents=True)
    made.save_as_mofile(str(target))


def _entries() -> Iterator[polib.POEntry]:
    for message in messages.collect().values():
        entry = polib.POEntry(
            msgid=message.text, msgid_plural=message.plural, msgctxt=message.context
        )
        if message.plural:
            entry.msgstr_plural = {0: pseudo(message.text), 1: pseudo(message.plural)}
        else:
            entry.msgstr = pseudo(message.text)
        yield entry

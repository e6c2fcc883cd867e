"""The interface is whole in each of its languages."""

import polib
import pytest
import regex
from django.conf import settings
from django.utils.translation import to_locale

from config import messages

HOLES = regex.compile(r"%\((\w+)\)[sd]|%%|(%[sd])")
TAGS = regex.compile(r"</?\w+[^>]*>")
LIVE = [
    to_locale(code)
    for code, _ in settings.INTERFACE_LANGUAGES
    if code != "en" and code not in settings.UNFINISHED_LANGUAGES
]


def test_every_language_of_the_interface_has_a_catalogue() -> None:
    languages = {to_locale(code) for code, _ in settings.INTERFACE_LANGUAGES} - {"en"}

    assert languages == set(messages.PLURALS)
    assert all(messages.catalogue(locale).exists() for locale in languages)


@pytest.mark.parametrize("locale", LIVE)
def test_every_string_is_translated(locale: str) -> None:
    catalogue = messages.read(messages.catalogue(locale))
    there = {(entry.msgctxt, entry.msgid) for entry in catalogue if entry.translated()}
    missing = sorted(text for _, text in messages.collect().keys() - there)

    if missing:
        some = "\n".join(missing[:5])
        pytest.fail(f"run `make messages` and translate {len(missing)} strings:\n{some}")
    assert [entry.msgid for entry in catalogue if entry.fuzzy] == []


@pytest.mark.parametrize("locale", messages.PLURALS)
def test_a_translation_has_the_holes_and_tags_of_its_string(locale: str) -> None:
    wrong = [
        f"{entry.msgid!r} -> {text!r}"
        for entry in messages.read(messages.catalogue(locale))
        for number, text in (entry.msgstr_plural or {0: entry.msgstr}).items()
        if text and not _keeps_parts(text, entry, number, forms=messages.plural_forms(locale))
    ]

    assert wrong == []


def _keeps_parts(text: str, entry: polib.POEntry, number: int, *, forms: int) -> bool:
    """Whether a translation has what is filled in and marked up in its string.

    In "one" a language may leave the number out where English does, and Arabic, which has words of
    its own for none, one and two, always.
    """
    originals = [entry.msgid, entry.msgid_plural or entry.msgid]
    wanted = [_parts(original) for original in originals]
    if entry.msgid_plural and forms == 6 and number < 3:
        (holes, tags), (known, known_tags) = _parts(text), wanted[-1]
        return holes <= known and tags == known_tags
    return _parts(text) in (wanted if number == 0 else wanted[-1:])


def test_compiling_writes_what_django_reads(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("locale") / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "Send"\nmsgstr "Envoyer"\n')

    messages.compile_catalogues(folder.parents[1])

    assert b"Envoyer" in (folder / "django.mo").read_bytes()


def _parts(text: str) -> tuple[frozenset[str], list[str]]:
    return frozenset(map(str, HOLES.findall(text))), sorted(TAGS.findall(text))

"""The recipe of docs/translating.md: its places are there, and its steps lead to pages."""

from pathlib import Path

import polib
import pytest
import regex
from django.conf import settings
from django.test import Client, override_settings
from django.utils.translation import to_locale

from config import messages
from tests.annotation.visiting import page

ROOT = Path(settings.ROOT)
DOC = (ROOT / "docs" / "translating.md").read_text(encoding="utf-8")
NAMES = ["English", "French", "Italian", "Portuguese", "Hindi", "Arabic"]
LOCALES = dict(zip(NAMES, ["en", "fr", "it", "pt_BR", "hi", "ar"], strict=True))
UNFINISHED = {to_locale(code) for code in settings.UNFINISHED_LANGUAGES}


def test_every_place_that_it_names_is_there() -> None:
    places = regex.findall(r"`((?:\w+/)[\w./]+)`", DOC)

    assert len(places) > 8
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_setting_that_it_names_is_in_the_file_that_it_names() -> None:
    steps = [step for step in DOC.split("\n") if step]
    named = regex.findall(r"`([A-Z_]{7,})`", DOC)
    sources = "".join(
        (ROOT / place).read_text(encoding="utf-8")
        for place in regex.findall(r"`([\w/]+\.py)`", DOC)
    )

    assert steps
    assert [
        name for name in named if not regex.search(rf"^{name}\b", sources, regex.MULTILINE)
    ] == []


@pytest.mark.django_db
def test_its_steps_lead_to_pages_in_a_new_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(messages, "PLURALS", {"eo": "nplurals=2; plural=(n != 1);"})
    messages.update(tmp_path)
    path = messages.catalogue("eo", tmp_path)
    catalogue = polib.pofile(str(path))
    assert catalogue.header.startswith(messages.MACHINE_WRITTEN)
    (entry,) = [one for one in catalogue if one.msgid == "How to come back"]
    entry.msgstr = "Kiel reveni"
    catalogue.save()
    messages.compile_catalogues(tmp_path)

    with override_settings(
        LANGUAGES=[*settings.LANGUAGES, ("eo", "Esperanto")],
        LOCALE_PATHS=[*settings.LOCALE_PATHS, tmp_path],
    ):
        offered = page(client.get("/language/")).forms[0].options["language"]
        client.post("/language/", {"language": "eo"})
        shown = client.get("/work/")

    assert "eo" in offered
    assert "Kiel reveni" in page(shown).words
    assert '<html lang="eo">' in shown.content.decode()


@pytest.mark.parametrize("locale", messages.PLURALS)
def test_every_catalogue_says_whether_a_person_has_read_it(locale: str) -> None:
    header = messages.read(messages.catalogue(locale)).header

    assert header.strip().startswith((messages.MACHINE_WRITTEN, "Read by "))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if LOCALES[name] not in {"en", *UNFINISHED}]
)
def test_a_word_of_the_glossary_is_the_one_that_the_pages_use(name: str) -> None:
    rows = [row.strip("| ").split(" | ") for row in DOC.split("## Glossary")[1].split("\n|")[3:]]
    words = [row[NAMES.index(name)].strip(" |\n").casefold() for row in rows]
    said = " ".join(
        text
        for entry in messages.read(messages.catalogue(LOCALES[name]))
        for text in (entry.msgstr, *entry.msgstr_plural.values())
    ).casefold()

    assert len(words) > 12
    assert [word for word in words if stem(word) not in said] == []


def stem(words: str) -> str:
    """Words without their last letters, which number, gender and mood may change."""
    return words[:-2] if len(words) > 5 and words.isascii() else words

"""The catalogues of interface strings."""

from pathlib import Path

import polib

from config import messages

NOTE = "Machine-written; not yet read by a person of this language."


def test_an_update_keeps_translations_and_the_note_about_who_wrote_them(tmp_path: Path) -> None:
    messages.update(tmp_path)
    path = messages.catalogue("fr", tmp_path)
    catalogue = polib.pofile(str(path))
    catalogue.header = NOTE
    catalogue[0].msgstr = "Bonjour"
    catalogue.save()

    messages.update(tmp_path)

    again = polib.pofile(str(path))
    assert again.header == NOTE
    assert [e.msgstr for e in again if e.msgid == catalogue[0].msgid] == ["Bonjour"]

"""Files that pages load together."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.storage import FileSystemStorage
from django.template import Context, Template

from config import bundles
from config.bundles import BundlingStorage

SOURCES = Path(settings.ROOT) / "static"
PAGE = Template('{% load bundles %}{% together "js/annotator.js" %}each{% endtogether %}')


@pytest.fixture
def collected(tmp_path: Path) -> BundlingStorage:
    """Our files, collected as for production."""
    storage = BundlingStorage(location=str(tmp_path), base_url="/static/")
    written = FileSystemStorage(str(SOURCES))
    names = [str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.*")]
    for name in names:
        with written.open(name) as source:
            storage.save(name, source)
    done = list(storage.post_process({name: (storage, name) for name in names}))
    assert [said for _, _, said in done if isinstance(said, Exception)] == []
    return storage


def test_every_member_is_a_file_of_ours() -> None:
    members = [name for names in bundles.bundles().values() for name in names]

    assert len(members) > 6
    assert [name for name in members if finders.find(name) is None] == []


def test_a_page_loads_each_member_until_they_are_collected_and_then_all_as_one(
    collected: BundlingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PAGE.render(Context()) == "each"
    monkeypatch.setattr(bundles, "staticfiles_storage", collected)

    assert PAGE.render(Context()).startswith('<script src="/static/js/annotator.')
    members = [(SOURCES / name).read_text() for name in bundles.bundles()["js/annotator.js"]]
    code = [line for line in lines("\n;\n".join(members)) if not line.lstrip().startswith("//")]
    assert lines(joined(collected, "js/annotator.js")) == code


def test_a_joined_style_sheet_finds_its_fonts_and_is_compressed(
    collected: BundlingStorage,
) -> None:
    style = joined(collected, "css/pages.css")

    assert "../vendor/noto-sans-5.3.0-latin-400." in style
    assert "latin-400.woff2" not in style  # they are asked for by their hashed names
    assert collected.exists(f"{collected.stored_name('css/pages.css')}.gz")


def lines(script: str) -> list[str]:
    return script.split("\n")


def joined(collected: BundlingStorage, name: str) -> str:
    return Path(collected.path(collected.stored_name(name))).read_text()

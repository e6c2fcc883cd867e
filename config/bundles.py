"""Style sheets and scripts that pages load together, sent as one file.

    {% together "js/annotator.js" %}
      <script src="{% static 'js/forms.js' %}" defer></script>
      <script src="{% static 'js/waiting.js' %}" defer></script>
    {% endtogether %}

Where files are served as they are written (`DEBUG`, tests) that is what the page holds. Collecting
them joins what stands between the tags, in its order, without lines of comment, and the page asks
for that one file: a phone far away pays for every request.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regex
from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import format_html
from django.utils.safestring import SafeString
from servestatic.storage import CompressedManifestStaticFilesStorage

TEMPLATES = settings.ROOT / "templates"
BLOCK = regex.compile(r"""{% together ["']([\w/.-]+)["'] %}(.*?){% endtogether %}""", regex.DOTALL)
MEMBER = regex.compile(r"""{% static ["']([\w/.-]+)["'] %}""")
# One file's last statement and the next one's first are two.
BETWEEN = {".css": "\n", ".js": "\n;\n"}
# What a script says to its readers alone: lines of comment, a fifth of what a phone would load.
COMMENT = regex.compile(r"^[ \t]*//.*\n", regex.MULTILINE)
LINKS = {
    ".css": '<link rel="stylesheet" href="{}">',
    ".js": '<script src="{}" defer></script>',
}

register = template.Library()


def bundles(folder: Path = TEMPLATES) -> dict[str, list[str]]:
    """The names of the files that templates load together, under the name of the whole."""
    return {
        name: MEMBER.findall(between)
        for path in sorted(folder.rglob("*.html"))
        for name, between in BLOCK.findall(path.read_text(encoding="utf-8"))
    }


class BundlingStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Collected files with hashed names and compressed copies, the joined ones among them."""

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str | None, bool | Exception]]:
        if not dry_run:
            for name, members in bundles().items():
                self._join(name, members)
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run=dry_run, **options)

    def _join(self, name: str, members: list[str]) -> None:
        texts = [Path(self.path(member)).read_text(encoding="utf-8") for member in members]
        whole = BETWEEN[Path(name).suffix].join(texts)
        if name.endswith(".js"):
            whole = COMMENT.sub("", whole)
        Path(self.path(name)).write_text(whole, encoding="utf-8")


@register.simple_block_tag
def together(content: SafeString, name: str) -> SafeString:
    """What stands between the tags, or the one file that it was joined to."""
    if not isinstance(staticfiles_storage, BundlingStorage):
        return content
    return format_html(LINKS[Path(name).suffix], staticfiles_storage.url(name))

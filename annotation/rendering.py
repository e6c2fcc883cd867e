"""Model output and study texts as harmless HTML.

Raw HTML, links and images are off before the parser runs; what comes out passes an allow-list of
tags without any attribute. The raw text stays the data; HTML is only kept in memory.
"""

from functools import lru_cache

import nh3
import regex
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
KEPT_TEXTS = 4096
# Marks that turn the direction of everything after them: a model has no business sending any.
TURNING_MARKS = regex.compile("[\u202a-\u202e\u2066-\u2069]")

# Without `image` alone, `![x](u)` would become a live link: links go as well.
_markdown = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable(["table", "strikethrough"])
    .disable(["image", "link", "autolink"])
)


@lru_cache(maxsize=KEPT_TEXTS)
def render_markdown(text: str) -> SafeString:
    """HTML of a Markdown text: only tags of `TAGS`, no attribute, no link, no image."""
    rendered = _markdown.render(TURNING_MARKS.sub("", text))
    return mark_safe(nh3.clean(rendered, tags=TAGS, attributes={}))  # noqa: S308

"""axe-core, which finds what keeps people out of a page: tests/vendor holds it and its licence."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe-core-4.14.1.min.js"
# WCAG 2.2, levels A and AA.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """
tags => axe.run(document, {runOnly: tags, resultTypes: ["violations"]}).then(found =>
  found.violations.flatMap(one => one.nodes.map(node =>
    `${one.id}: ${node.target.join(" ")} | ${node.failureSummary.split("\\n")[1].trim()}`)))
"""


def violations(page: Page) -> list[str]:
    """What axe has against the page as it stands; a line for each element."""
    # Evaluated from outside: the page's own policy takes no script of ours.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate(RUN, TAGS)
    return list(found)

"""The way in: `links.json`, and the same on the screen."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.supervisor import services
from config.supervisor.keeping import RESEARCHER, Kept
from config.supervisor.trouble import Trouble

FILE_NAME = "links.json"
Links = dict[str, Any]


def forget(data_dir: Path) -> None:
    """Links of an earlier start say nothing about this one."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)


def publish(links: Links, kept: Kept) -> Links:
    """Fetch a join page; then complete the links and write them. Raises Trouble without a page."""
    first = links["cohorts"][0]["join_url"]
    try:
        status = fetch(first)
    except (OSError, http.client.HTTPException) as fault:
        raise Trouble(f"{first} was not served: {fault}", advice="see logs/web.log.") from fault
    if status != http.client.OK:
        raise Trouble(f"{first} answered {status}.", advice="see logs/web.log.")
    researcher = {"email": RESEARCHER, "password": kept.password}
    whole = {**links, "base_url": kept.address, "researcher": researcher}
    services.write_private(kept.data_dir / FILE_NAME, json.dumps(whole, indent=2) + "\n")
    return whole


def announcement(links: Mapping[str, Any], data_dir: Path) -> str:
    """What the person at the keyboard is told at the end."""
    researcher = links["researcher"]
    joins = [f"    {cohort['slug']:8}{cohort['join_url']}" for cohort in links["cohorts"]]
    return "\n".join(
        [
            "  Take part (each fresh browser, or private window, is a new person):",
            *joins,
            "",
            f"  Console   {links['console_url']}",
            f"            {researcher['email']}   {researcher['password']}",
            f"  Data      {data_dir} (links.json, logs/)",
            "",
            "Ctrl-C stops everything; the data stays.",
        ]
    )


def fetch(url: str) -> int:
    """Open a link as a browser does: with cookies, to where it leads; returns the last status."""
    visitor = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # this machine is never behind a proxy
        urllib.request.HTTPCookieProcessor(),
    )
    try:
        with visitor.open(url, timeout=20) as page:
            return int(page.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code

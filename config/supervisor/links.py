"""The way in: `links.json`, and the same on the screen."""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
    _fetch(links["cohorts"][0]["join_url"])
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
            "  Take part (each visit is a new person):",
            *joins,
            "",
            f"  Console   {links['console_url']}",
            f"            {researcher['email']}   {researcher['password']}",
            f"  Data      {data_dir} (links.json, logs/)",
            "",
            "Ctrl-C stops everything; the data stays.",
        ]
    )


def _fetch(url: str) -> None:
    parts = urlsplit(url)
    wire = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        wire.request("GET", parts.path, headers={"Accept": "text/html"})
        status = wire.getresponse().status
    except (OSError, http.client.HTTPException) as fault:
        raise _unserved(url, str(fault)) from fault
    finally:
        wire.close()
    if status != http.client.OK:
        raise _unserved(url, f"status {status}")


def _unserved(url: str, why: str) -> Trouble:
    return Trouble(f"The first page {url} was not served: {why}", advice="see logs/web.log.")

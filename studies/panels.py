"""Panels: companies that send people to a study and pay them. Each is configuration, not code.

A panel's link brings the ids of the person and of their submission as parameters, under names of
the panel's own. Only keyed hashes of them are stored. When a visit is over, the person goes back
with a code, or by an address of the panel's own host, which tells how it ended.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import UUID

import regex
from django.conf import settings

# How a visit may end (a sitting's exit codes), and what a repeated arrival is told.
DUPLICATE: Final = "duplicate"
OUTCOMES: Final = (
    "complete",
    "partial",
    "screen_out",
    "quota_full",
    "quality_term",
    "no_consent",
    "withdrawn",
    "timeout",
    DUPLICATE,
)
# What panels' ids are made of. A placeholder that the panel did not fill in has braces or percents.
WELL_FORMED = regex.compile(r"[A-Za-z0-9._:@=+/~|-]{1,200}")
# What may stand in a return address.
CODE, PERSON, SUBMISSION = "{code}", "{person}", "{submission}"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel as a study uses it.

    `person` and `submission` name the parameters of its links. `codes` and `urls` say, by outcome,
    what a person goes back with; `return_url` is the address where only a code differs. Addresses
    may hold {code}, {person} and {submission}, and lead to `host` only.
    """

    name: str
    person: str = "person"
    submission: str = "submission"
    host: str = ""
    return_url: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)

    @property
    def sends_ids_back(self) -> bool:
        """Whether an address names the person or their submission to the panel."""
        addresses = (self.return_url, *self.urls.values())
        return any(word in address for address in addresses for word in (PERSON, SUBMISSION))


# What is known of each panel. Studies add their codes, and overrule what differs for them.
PRESETS: Final[Mapping[str, Panel]] = {
    "prolific": Panel(
        name="prolific",
        person="PROLIFIC_PID",
        submission="SESSION_ID",
        host="app.prolific.com",
        return_url="https://app.prolific.com/submissions/complete?cc={code}",
        placeholders={"person": "{{%PROLIFIC_PID%}}", "submission": "{{%SESSION_ID%}}"},
    ),
    "connect": Panel(
        name="connect",
        person="participantId",
        submission="assignmentId",
        host="connect.cloudresearch.com",
        placeholders={"person": "{participantId}", "submission": "{assignmentId}"},
    ),
    "cint": Panel(
        name="cint",
        person="PID",
        submission="RID",
        host="samplicio.us",
        return_url="https://samplicio.us/s/ClientCallBack.aspx?RIS={code}&RID={submission}",
        codes={
            "complete": "10",
            "screen_out": "20",
            "no_consent": "20",
            "withdrawn": "20",
            "timeout": "20",
            "duplicate": "20",
            "quality_term": "30",
            "quota_full": "40",
        },
        placeholders={"person": "[%PID%]", "submission": "[%RID%]"},
    ),
    "generic": Panel(name="generic"),
}


class BadArrival(Exception):
    """A panel's link without one of its parameters, or with one that no panel would send."""

    code = "bad_arrival"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody whom a panel sent: keyed hashes of who they are and of their submission.

    `back` has the ids themselves for panels that want them in the return address, and is empty for
    all others. It stays in the person's own browser.
    """

    panel: str
    person: str
    submission: str
    back: str = ""


class Parameters(Protocol):
    """The part of a QueryDict that is read here."""

    def getlist(self, key: str) -> list[str]: ...


def panel_of(name: str, said: Mapping[str, Any]) -> Panel:
    """A panel's preset, with what a study file says about it. Raises KeyError for an unknown."""
    preset = PRESETS[name]
    changes = {key: value for key, value in said.items() if value is not None}
    if "codes" in changes:
        changes["codes"] = {**preset.codes, **changes["codes"]}
    return replace(preset, **changes)


def read_arrival(panel: Panel, *, study_id: UUID, parameters: Parameters) -> Arrival:
    """Who comes by a panel's link. Raises BadArrival."""
    person = _one(parameters, panel.person)
    submission = _one(parameters, panel.submission)
    back = urlencode({"person": person, "submission": submission}) if panel.sends_ids_back else ""
    return Arrival(
        panel=panel.name,
        person=_hashed("person", study_id, panel.name, person),
        submission=_hashed("submission", study_id, panel.name, submission),
        back=back,
    )


def _one(parameters: Parameters, name: str) -> str:
    given = set(parameters.getlist(name))
    if len(given) != 1 or not WELL_FORMED.fullmatch(value := given.pop()):
        raise BadArrival(name)
    return value


def _hashed(what: str, study_id: UUID, panel: str, value: str) -> str:
    """A keyed hash that differs between studies and panels, so that no two can be joined by it."""
    message = "\n".join((what, str(study_id), panel, value))
    return hmac.digest(settings.PANEL_SECRET.encode(), message.encode(), "sha256").hex()


def link_to_give(panel: Panel, address: str) -> str:
    """The link as it goes into the panel's form, with the places that the panel fills in."""
    names = {"person": panel.person, "submission": panel.submission}
    filled = [
        f"{parameter}={panel.placeholders.get(what, f'<{what}>')}"
        for what, parameter in names.items()
    ]
    return f"{address}?{'&'.join(filled)}"


@dataclass(frozen=True, slots=True)
class WayBack:
    """What a person goes back to their panel with. Either may be empty."""

    url: str = ""
    code: str = ""


def way_back(panel: Panel, *, outcome: str, back: str = "") -> WayBack:
    """How a visit's end is told to the panel; empty where the study has nothing for this outcome.

    `back` is `Arrival.back`: without it there is no address that needs the ids.
    """
    code = panel.codes.get(outcome, "")
    address = panel.urls.get(outcome) or (panel.return_url if code else "")
    ids = {name: values[0] for name, values in parse_qs(back).items()}
    for word, value in (
        (CODE, code),
        (PERSON, ids.get("person", "")),
        (SUBMISSION, ids.get("submission", "")),
    ):
        if word in address and not value:
            return WayBack(code=code)
        address = address.replace(word, quote(value, safe=""))
    return WayBack(url=address if leads_to(panel.host, address) else "", code=code)


def leads_to(host: str, address: str) -> bool:
    """Whether an address is https, of that host, and carries nobody's name or password."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    named = parts.hostname == host.lower() and "@" not in parts.netloc
    return bool(host) and parts.scheme == "https" and named and port in (None, 443)

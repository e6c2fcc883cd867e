"""What a data directory keeps between starts: keys, ports, and which model it is for."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.supervisor import services
from config.supervisor.children import Child
from config.supervisor.leftovers import born
from config.supervisor.options import Options
from config.supervisor.trouble import Trouble
from config.supervisor.valkey import free_port

RESEARCHER = "researcher@example.org"
BUILT_IN = {"name": "", "base_url": ""}  # the local model and the simulated endpoint


@dataclass
class Kept:
    """The notes in `services.json`; `save` writes them."""

    data_dir: Path
    keys: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    model: dict[str, str] | None = None
    environment: dict[str, str] | None = None
    children: list[Child] = field(default_factory=list)
    leftovers: dict[str, list[Any]] = field(default_factory=dict)
    address: str = ""
    pid: int = 0

    @classmethod
    def read(cls, data_dir: Path) -> "Kept":
        """The notes of the last start; fresh ones when there was none."""
        notes = services.read(data_dir)
        return cls(
            data_dir,
            keys=notes.get("keys", {}),
            ports=notes.get("ports", {}),
            model=notes.get("model"),
            leftovers=notes.get("pids", {}),
        )

    def save(self) -> None:
        """Write the notes, with the process ids of this moment."""
        pids = {c.program.name: [c.pid, born(c.pid)] for c in self.children if c.alive}
        notes: dict[str, Any] = {"address": self.address, "pid": self.pid, "pids": pids}
        notes |= {"keys": self.keys, "ports": self.ports, "model": self.model}
        notes["researcher"] = {"email": RESEARCHER, "password": self.password}
        services.write(self.data_dir, notes | {"environment": self.environment})

    @property
    def password(self) -> str:
        """The researcher's."""
        return self.key("researcher", length=8)

    def key(self, name: str, *, length: int = 16) -> str:
        """A secret of this data directory, made on first use."""
        return self.keys.setdefault(name, secrets.token_hex(length))

    def port(self, name: str) -> int:
        """A port for a server: the one it had, unless somebody else took it."""
        self.ports[name] = free_port(self.ports.get(name, 0))
        return self.ports[name]

    def refuse_another_model(self, options: Options) -> None:
        """Raise when the data was made for another model: plans of an open study are frozen."""
        wanted = options.own_model.identity if options.own_model else BUILT_IN
        if self.model not in (None, wanted):
            raise Trouble(
                f"{self.data_dir} was set up for {_named(self.model)}, not for {_named(wanted)}; "
                "the plans of an open study are frozen.",
                advice="choose another DATA_DIR, such as: DATA_DIR=var/other make demo",
            )
        self.model = wanted


def _named(model: dict[str, str] | None) -> str:
    if not model or model == BUILT_IN:
        return "the built-in models"
    return f"the model {model['name']} at {model['base_url']}"

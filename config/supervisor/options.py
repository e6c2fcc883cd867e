"""What the environment asks of the one-command start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.supervisor.trouble import Trouble


@dataclass(frozen=True)
class OwnModel:
    """A model that takes the place of the local and the simulated one, in every cohort.

    `gguf` is a file for our own engine; without it `base_url` is somebody's server.
    """

    name: str
    base_url: str
    api_key: str
    gguf: Path | None = None

    @property
    def identity(self) -> dict[str, str]:
        """What must stay the same for the life of a data directory."""
        return {"name": self.name, "base_url": str(self.gguf) if self.gguf else self.base_url}


@dataclass(frozen=True)
class Options:
    port: int
    data_dir: Path
    database_url: str
    redis_url: str
    own_model: OwnModel | None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def options(environment: Mapping[str, str] = os.environ) -> Options:
    """Read and check the variables; raises Trouble with the name of the one that is wrong."""
    return Options(
        port=_port(environment.get("PORT") or "8000"),
        data_dir=Path(environment.get("DATA_DIR") or "var/demo").expanduser().absolute(),
        database_url=environment.get("DATABASE_URL", ""),
        redis_url=environment.get("REDIS_URL", ""),
        own_model=_own_model(environment),
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise Trouble(f"PORT={text!r} is no port.", advice="give a number, such as PORT=8001.")


def _own_model(environment: Mapping[str, str]) -> OwnModel | None:
    base_url = environment.get("MODEL_BASE_URL", "").rstrip("/")
    gguf = environment.get("MODEL_GGUF", "")
    if hub := environment.get("MODEL_HUB", ""):
        raise Trouble(
            f"MODEL_HUB={hub!r}: the embedded engine fetches no model from a hub.",
            advice="fetch the file yourself and name it by MODEL_GGUF, or unset MODEL_HUB.",
        )
    name = environment.get("MODEL_NAME", "")
    if gguf and not base_url:
        return _own_file(Path(gguf).expanduser().absolute(), name)
    if not base_url:
        return None
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Trouble(
            f"MODEL_BASE_URL={base_url!r} is no web address.",
            advice="give the address that ends in /v1, such as http://127.0.0.1:8001/v1.",
        )
    if not name:
        raise Trouble(
            "MODEL_BASE_URL is set, and MODEL_NAME is not.",
            advice=f"set MODEL_NAME to a name that {base_url}/models lists.",
        )
    return OwnModel(name, base_url, environment.get("MODEL_API_KEY", ""))


def _own_file(gguf: Path, name: str) -> OwnModel:
    if not gguf.is_file():
        raise Trouble(f"MODEL_GGUF={gguf}: there is no such file.", advice="check the path.")
    return OwnModel(name or gguf.stem, "", "", gguf)

"""Starts vLLM with the flags that the sampling engine needs: `make vllm MODEL=...` on a GPU host.

docs/operating.md says why each flag is there; docker-compose.yml has the same ones. vLLM gets a
virtual environment of its own, because it pins some two hundred packages. Standard library only.
"""

import ipaddress
import json
import os
import secrets
import shutil
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from config.supervisor import packages
from config.supervisor.interruption import Interruption, Stopped
from config.supervisor.packages import Packages
from config.supervisor.steps import Steps
from config.supervisor.trouble import Trouble

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "vllm"
STRUCTURED_OUTPUTS = {"backend": "xgrammar", "disable_any_whitespace": True}
# Nothing about an installation is told to anybody.
QUIET = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What is served, where, and to how many. `seats` are answers written at once; `queue` is how
    many requests the server holds at most, those being answered included.
    """

    model: str
    name: str
    key: str
    host: str = "127.0.0.1"
    port: int = 8100
    context: int = 8192
    seats: int = 256
    queue: int = 512
    shutdown: int = 45
    more: tuple[str, ...] = ()

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"

    def argv(self, python: Path | str) -> list[str]:
        """The command of the server. The key is not on it: `environment` has it."""
        # Not the `vllm` script, which the CPU build cannot run.
        return [
            *(str(python), "-m", "vllm.entrypoints.openai.api_server"),
            f"--model={self.model}",
            f"--served-model-name={self.name}",
            f"--host={self.host}",
            f"--port={self.port}",
            *engine_flags(self),
            *self.more,
        ]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        return {**base, **QUIET, "VLLM_API_KEY": self.key}


def engine_flags(serving: Serving) -> list[str]:
    """The flags that the sampling engine needs, whatever the machine."""
    return [
        f"--max-model-len={serving.context}",
        f"--max-num-seqs={serving.seats}",
        f"--max-num-queued-reqs={serving.queue}",
        "--enable-prefix-caching",
        "--enable-prompt-tokens-details",
        f"--structured-outputs-config={json.dumps(STRUCTURED_OUTPUTS, separators=(',', ':'))}",
        "--generation-config=vllm",
        f"--shutdown-timeout={serving.shutdown}",
        "--disable-access-log-for-endpoints=/health,/metrics",
    ]


def serving(environment: Mapping[str, str]) -> Serving:
    """What the variables ask for. Raises Trouble with the name of the one that is wrong."""
    model = environment.get("MODEL", "")
    if not model:
        raise Trouble(
            "MODEL is not set.",
            advice="name a directory or a model of the hub: make vllm MODEL=Qwen/Qwen3-8B",
        )
    return Serving(
        model=model,
        name=environment.get("MODEL_NAME") or model,
        key=environment.get("MODEL_API_KEY") or secrets.token_urlsafe(),
        host=_private(environment.get("LISTEN") or "127.0.0.1"),
        port=_number(environment, "PORT", default=8100),
        context=_number(environment, "MODEL_CONTEXT", default=8192),
        seats=_number(environment, "MODEL_SEATS", default=256),
        queue=_number(environment, "MODEL_QUEUE", default=512),
        more=tuple(environment.get("MODEL_FLAGS", "").split()),
    )


def _private(text: str) -> str:
    """An address of this machine that only this machine or a private network reaches."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Trouble(
            f"LISTEN={text!r} is no IP address.", advice="give one, such as LISTEN=10.0.0.5"
        ) from None
    if address.is_unspecified or not address.is_private:
        raise Trouble(
            f"LISTEN={text} would be open to everybody, and the key guards only a part of vLLM.",
            advice="listen on 127.0.0.1 or an address of a private network.",
        )
    return str(address)


def _number(environment: Mapping[str, str], name: str, *, default: int) -> int:
    text = environment.get(name) or str(default)
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise Trouble(f"{name}={text!r} is no number above 0.", advice=f"such as {name}={default}.")


def requirements() -> list[str]:
    """What pyproject.toml wants in the group `vllm`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [str(line) for line in project["dependency-groups"]["vllm"]]


def announcement(told: Serving) -> str:
    """The environment by which Counterpoint finds the server."""
    return f"MODEL_BASE_URL={told.base_url}\nMODEL_NAME={told.name}\nMODEL_API_KEY={told.key}\n"


def main() -> None:
    """Become the server, or exit with 1 and say why not."""
    steps = Steps(sys.stderr)
    asked = Interruption(on_pause=steps.tick)
    asked.install()
    try:
        wanted = serving(os.environ)
        _require_gpu()
        python = _python(steps, asked)
    except Stopped:
        sys.exit(0)
    except Trouble as trouble:
        sys.exit(f"\n{trouble}")
    print(announcement(wanted), flush=True)
    _become(wanted, python)


def _require_gpu() -> None:
    if not shutil.which("nvidia-smi"):
        raise Trouble(
            "No GPU of NVIDIA is seen here (there is no nvidia-smi).",
            advice="start it where one is. To try the protocol without one: "
            "python -m tests.verification.vllm_on_cpu",
        )


def _python(steps: Steps, asked: Interruption) -> Path:
    """The Python of vLLM's own environment."""
    wanted = requirements()
    own = Packages(directory=HOME / "gpu", arguments=wanted, made_from="\n".join(wanted))
    if packages.present(own):
        return packages.installed(own)
    with steps.step(f"Installing {' '.join(wanted)} (some 10 GB, once)"):
        return packages.installed(own, pause=asked.pause)


def _become(wanted: Serving, python: Path) -> NoReturn:
    """Keep the process id, so that a signal to it reaches the server."""
    argv = wanted.argv(python)
    os.execve(argv[0], argv, wanted.environment(os.environ))  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()

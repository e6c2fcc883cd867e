"""The one-command start, in order: data, servers, models, rows, pages and workers, links."""

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from config.supervisor import brought, leftovers, links, parts, services, study, weights
from config.supervisor.children import Program, run_to_end
from config.supervisor.interruption import Interruption
from config.supervisor.keeping import RESEARCHER, Kept
from config.supervisor.model import ALIAS, LocalModel
from config.supervisor.options import Options
from config.supervisor.parts import Part
from config.supervisor.postgres import Postgres
from config.supervisor.steps import Steps
from config.supervisor.trouble import Trouble, last_lines
from config.supervisor.valkey import Valkey, free_port
from config.supervisor.watching import Member, Watch, stop_together

FREE_BYTES = 500_000_000
WATCH_SECONDS = 0.2
GRACE = "3"  # seconds that running sets get when everything stops


class Demo:
    """Everything that one `make demo` runs."""

    def __init__(self, options: Options, *, steps: Steps, asked: Interruption) -> None:
        self.options, self.steps, self.asked = options, steps, asked
        self.data_dir, self.logs = options.data_dir, options.data_dir / "logs"
        self.lock = services.Lock(options.data_dir)
        self.kept = Kept(options.data_dir)
        self.watch = Watch(steps.say, changed=self.kept.save)
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self.model: LocalModel | None = None
        self.simulated: Part | None = None
        self.python_parts: list[Part] = []
        self.env: dict[str, str] = {}
        self.listed: links.Links = {}

    def run(self) -> None:
        """Start, watch, and stop in order; ends with Stopped or Trouble, never by returning."""
        self._take_data_directory()
        try:
            self._start()
            while True:
                self.watch.look()
                self.asked.pause(WATCH_SECONDS)
        finally:
            self._stop()

    # --- starting --------------------------------------------------------------------------------

    def _take_data_directory(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            taken = self.lock.take()
        except PermissionError as fault:
            raise Trouble(
                f"{self.data_dir} belongs to somebody else.",
                advice="choose another, such as: DATA_DIR=~/counterpoint make demo",
            ) from fault
        if not taken:
            notes = services.read(self.data_dir)
            raise Trouble(
                f"Another copy runs on {self.data_dir}: {notes.get('address', 'just starting')}, "
                f"process {notes.get('pid', 'unknown')}.",
                advice="use that one, stop it, or choose another DATA_DIR and PORT.",
            )
        self.kept = Kept.read(self.data_dir)
        self.watch = Watch(self.steps.say, changed=self.kept.save)

    def _start(self) -> None:
        begun = time.monotonic()
        self._check()
        self._prepare()
        self._start_model()
        self._start_postgres()
        self._start_valkey()
        self._start_simulated()
        self._fill_database()
        self._start_python()
        waited = self._await_model()
        found = self._publish()
        self._announce(found, time.monotonic() - begun - waited, waited)

    def _check(self) -> None:
        """Refuse what cannot work, before anything is changed."""
        self.kept.refuse_another_model(self.options)
        port = self.options.port
        if free_port(port) != port:
            raise Trouble(
                f"Port {port} is in use by another program.",
                advice=f"choose another, such as: PORT={free_port()} make demo",
            )
        if shutil.disk_usage(self.data_dir).free < FREE_BYTES:
            raise Trouble(
                f"Less than {FREE_BYTES // 10**6} MB are free for {self.data_dir}.",
                advice="free some space, or put DATA_DIR on another disk.",
            )

    def _prepare(self) -> None:
        found = leftovers.stop(self.kept.leftovers, pause=self.asked.pause)
        if found:
            self.steps.say(f"  stopped what an earlier start left behind: {', '.join(found)}")
        links.forget(self.data_dir)
        self.kept.address, self.kept.pid = self.options.base_url, os.getpid()
        self.env = _site_environment(self.options, self.kept)
        self.kept.save()

    def _start_model(self) -> None:
        """Begin to load the model that our engine serves, if any; the rest goes on beside it."""
        own = self.options.own_model
        if own and not own.gguf:
            return
        key, alias = self.kept.key("local_model"), own.name if own else ALIAS
        self.model = LocalModel(
            own.gguf if own and own.gguf else self._weights(),
            key=key,
            port=self.kept.port("local_model"),
            alias=alias,
            log=self.logs / "local-model.log",
            pause=self.asked.pause,
        )
        self.model.child.start()
        self._joined(self.model)
        self.env |= {"LOCAL_MODEL_URL": self.model.url, "LOCAL_MODEL_KEY": key}
        self.env["LOCAL_MODEL_NAME"] = alias

    def _weights(self) -> Path:
        if weights.present():
            return weights.weights()
        with self.steps.step("Weights of the local model (93 MB, once)"):
            return weights.weights(pause=self.asked.pause)

    def _start_postgres(self) -> None:
        self.env["DATABASE_URL"] = self.options.database_url
        if self.options.database_url:
            brought.check_database(self.options.database_url)
            return
        log = self.logs / "postgres.log"
        with self.steps.step("PostgreSQL") as remarks:
            self.postgres = Postgres(self.data_dir / "postgres", log=log, pause=self.asked.pause)
            self.postgres.start()
            if not self.postgres.data_dir.is_relative_to(self.data_dir):
                remarks.append(f"its account cannot enter here: data in {self.postgres.data_dir}")
        self._joined(self.postgres)
        self.env["DATABASE_URL"] = self.postgres.url

    def _start_valkey(self) -> None:
        self.env["REDIS_URL"] = self.options.redis_url
        if self.options.redis_url:
            brought.check_redis(self.options.redis_url)
            return
        with self.steps.step("Valkey"):
            self.valkey = Valkey(
                self.data_dir / "valkey",
                port=self.kept.port("valkey"),
                password=self.kept.key("valkey"),
                log=self.logs / "valkey.log",
                pause=self.asked.pause,
            )
            self.valkey.start()
        self._joined(self.valkey)
        self.env["REDIS_URL"] = self.valkey.url

    def _start_simulated(self) -> None:
        if self.options.own_model:
            return
        key, port = self.kept.key("simulated"), self.kept.port("simulated")
        self.env |= {"SIMULATED_URL": f"http://127.0.0.1:{port}/v1", "SIMULATED_KEY": key}
        log = self.logs / "simulated-requests.jsonl"
        self.simulated = parts.simulated(port, log=log, setting=self._setting())
        self.simulated.start()
        self._joined(self.simulated)

    def _fill_database(self) -> None:
        """Tables, the study, the researcher; all of it may be there already."""
        own = self.options.own_model
        file = study.FILE
        if own:
            file = study.on_own_model(file, self.data_dir / "study.yaml", own)
        researcher = {"RESEARCHER_EMAIL": RESEARCHER, "RESEARCHER_PASSWORD": self.kept.password}
        with self.steps.step("Database") as remarks:
            told = self._command("-m", "config.supervisor.seeding", str(file), extra=researcher)
            *seconds, listed = told.splitlines()
            remarks += seconds
            self.listed = json.loads(listed)

    def _start_python(self) -> None:
        setting = self._setting()
        web = parts.web(self.options.port, setting=setting)
        threads = parts.GENERATING_THREADS
        self.python_parts = [
            web,
            parts.worker("generate", "generate,prefetch", threads=threads, setting=setting),
            parts.worker("default", "default", threads=2, setting=setting),
            parts.beat(setting=setting),
        ]
        with self.steps.step("Web, workers and beat"):
            for part in self.python_parts:
                part.start()
                self._joined(part)
            if self.simulated:
                self.simulated.wait()
            web.wait()

    def _await_model(self) -> float:
        if not self.model:
            return 0.0
        begun = time.monotonic()
        with self.steps.step("Local model, what is left of its loading"):
            self.model.wait()
        return time.monotonic() - begun

    def _publish(self) -> links.Links:
        with self.steps.step("First page"):
            found = links.publish(self.listed, self.kept)
        # Commands may use us from now on.
        self.kept.environment = {k: v for k, v in self.env.items() if k != "DATA_DIR"}
        self.kept.save()
        return found

    def _announce(self, found: links.Links, worked: float, waited: float) -> None:
        took = f"{worked:.1f} s of work, {waited:.1f} s of waiting for the local model"
        self.steps.say(f"\nCounterpoint runs at {self.options.base_url} ({took}).\n")
        self.steps.say(links.announcement(found, self.data_dir))
        own = self.options.own_model
        if own and not own.gguf:
            for warning in brought.warnings_about_model(own):
                self.steps.say(f"\nwarning: {warning}")

    # --- stopping --------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Pages and workers, then the models, then Valkey and PostgreSQL: within ten seconds."""
        begun = time.monotonic()
        if self.watch.members:
            self.steps.say("\nStopping ...")
        stop_together(self.python_parts, seconds=4.0, asked=self.asked)
        endpoints: list[Member] = [part for part in (self.simulated, self.model) if part]
        stop_together(endpoints, seconds=0.5, asked=self.asked)
        for server in (self.valkey, self.postgres):
            if server:
                server.child.stop(polite=0.1 if self.asked.hurry else 2.0)
        self.kept.environment, self.kept.pid = None, 0
        links.forget(self.data_dir)
        self.kept.save()
        self.lock.release()
        if self.watch.members:
            self.steps.say(f"Stopped in {time.monotonic() - begun:.1f} s.")

    # --- what several steps need -----------------------------------------------------------------

    def _joined(self, member: Member) -> None:
        self.watch.members.append(member)
        self.kept.children.append(member.child)
        self.kept.save()

    def _setting(self) -> parts.Setting:
        env = {**os.environ, **self.env, "PYTHONUNBUFFERED": "1"}
        return parts.Setting(env=env, logs=self.logs, pause=self.asked.pause)

    def _command(self, *arguments: str, extra: Mapping[str, str] | None = None) -> str:
        """Run a command of the project; returns what it printed, raises Trouble if it failed."""
        setting = self._setting()
        program = Program(
            name=arguments[-1],
            argv=[sys.executable, *arguments],
            log=self.logs / "commands.log",
            env={**setting.env, **(extra or {})},
            cwd=parts.ROOT,
        )
        code, output = run_to_end(program, pause=self.asked.pause)
        if code:
            end = last_lines(program.log, count=12)
            raise Trouble(
                f"`{' '.join(arguments[:3])}` failed:\n{end}",
                advice=f"the whole log is {program.log}.",
            )
        return output


def _site_environment(options: Options, kept: Kept) -> dict[str, str]:
    """The settings that every part gets, whatever the servers are."""
    own = options.own_model
    env = {
        "SECRET_KEY": kept.key("secret_key", length=32),
        "BASE_URL": options.base_url,
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "DEBUG": "no",
        "DATA_DIR": str(options.data_dir),
        "STATIC_ROOT": str(options.data_dir / "static"),
        "BEAT_SCHEDULE_FILE": str(options.data_dir / "beat-schedule"),
        "WORKER_GRACE": GRACE,
    }
    if own and not own.gguf:
        model = {"MODEL_BASE_URL": own.base_url, "MODEL_NAME": own.name}
        env |= {**model, "MODEL_API_KEY": own.api_key}
    return env

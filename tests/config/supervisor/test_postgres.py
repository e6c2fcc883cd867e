import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from config.supervisor.leftovers import born
from config.supervisor.postgres import Postgres, running
from config.supervisor.trouble import Trouble

TABLE = "CREATE TABLE note (body text)"
INSERT = "INSERT INTO note VALUES ('kept')"


def notes(server: Postgres) -> int:
    with psycopg.connect(server.url) as connection:
        found = connection.execute("SELECT count(*) FROM note").fetchone()
    assert found
    return int(found[0])


def test_committed_rows_outlive_a_crash_and_an_open_transaction_does_not(
    postgres: Postgres,
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(INSERT)
    with psycopg.connect(postgres.url) as unfinished:
        unfinished.execute(INSERT)
        postgres.kill()
        unfinished.close()

    postgres.restart()

    assert notes(postgres) == 1


def test_a_restart_keeps_the_address_and_the_rows(postgres: Postgres) -> None:
    address = postgres.url
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(INSERT)

    postgres.restart()

    assert postgres.url == address
    assert notes(postgres) == 1


def test_text_sorts_by_code_point_and_times_are_utc(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        found = connection.execute("SELECT 'Z' < 'a', current_setting('timezone')").fetchone()

    assert found == (True, "UTC")


def test_a_broken_creation_leaves_nothing_that_looks_like_a_cluster(place: Path) -> None:
    server = Postgres(place / "postgres", throwaway=True)
    (server.data_dir / "cluster.partial").mkdir()
    (server.data_dir / "cluster.partial" / "PG_VERSION").write_text("half of it")

    server.start()

    assert server.ready
    assert not (server.data_dir / "cluster.partial").exists()
    server.stop()


def test_data_of_another_major_version_is_named_and_left_alone(postgres: Postgres) -> None:
    postgres.child.stop(polite=2.0)
    version = (postgres.cluster / "PG_VERSION").read_text()
    (postgres.cluster / "PG_VERSION").write_text("15\n")

    with pytest.raises(Trouble, match=r"holds data of PostgreSQL 15; (?s:.*) another DATA_DIR"):
        postgres.start()

    assert (postgres.cluster / "base").is_dir()
    (postgres.cluster / "PG_VERSION").write_text(version)


def test_a_pid_file_that_names_a_stranger_does_not_block_the_start(postgres: Postgres) -> None:
    pid_file = postgres.cluster / "postmaster.pid"
    text = pid_file.read_text()
    postgres.kill()
    stranger = subprocess.Popen(["sleep", "60"], user=postgres.account.user)
    pid_file.write_text(text.replace(str(postgres.child.pid), str(stranger.pid), 1))

    postgres.start()

    assert postgres.ready
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_server_that_an_earlier_start_left_behind_is_stopped_first(postgres: Postgres) -> None:
    second = Postgres(postgres.data_dir)

    second.start()

    assert second.ready
    assert postgres.child.ending == "ended with code 0"
    second.stop()


def test_a_deep_directory_gets_a_socket_with_a_short_address(place: Path) -> None:
    deep = place / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    with running(deep / "postgres", throwaway=True) as server, psycopg.connect(server.url):
        assert len(str(server.sockets)) < 90
        assert server.sockets.stat().st_mode & 0o077 == 0


def test_a_socket_directory_that_others_can_enter_is_refused(place: Path) -> None:
    server = Postgres(place / "postgres", throwaway=True)
    server.sockets.chmod(0o755)

    with pytest.raises(Trouble, match="is not the private directory"):
        Postgres(place / "postgres", throwaway=True)


def test_when_its_starter_is_killed_the_server_goes_too(place: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from config.supervisor.postgres import running\n"
        "server = running(Path(sys.argv[1]), throwaway=True)\n"
        "print(server.child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    argv = [sys.executable, "-c", script, str(place / "postgres")]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    pid = int(done.stdout)

    assert done.returncode == -9
    assert gone(pid)


def gone(pid: int) -> bool:
    from config.supervisor.children import wait_until

    return wait_until(lambda: not born(pid), seconds=10)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_ordinary_user_can_run_the_server(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:  # then every other test here has shown it
        return
    import pwd

    from config.supervisor import accounts
    from config.supervisor import postgres as module

    nobody = pwd.getpwnam("nobody")
    account = accounts.Account("nobody", nobody.pw_uid, nobody.pw_gid, switch=True)
    programs = module.programs(account)
    monkeypatch.setattr(module, "programs", lambda _: programs)
    home = place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)

    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        with running(home / "postgres", throwaway=True) as server, psycopg.connect(server.url):
            os._exit(0)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0

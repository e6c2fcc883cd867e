import os
import pwd
import shutil
from pathlib import Path

import pytest

from config.supervisor import accounts
from config.supervisor.accounts import Account

OURSELVES = Account("us", os.geteuid(), os.getegid(), switch=False)


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that can enter nothing and run nothing here, as below a home of mode 0700."""
    monkeypatch.setattr(Account, "_succeeds", lambda *_: False)
    monkeypatch.setattr(accounts, "for_servers", lambda _: OURSELVES)
    monkeypatch.setattr(accounts, "FALLBACK", tmp_path / "elsewhere")
    return OURSELVES


def test_a_directory_that_its_account_can_enter_stays_where_it_was_asked_for(place: Path) -> None:
    found, account = accounts.placed(place / "postgres")

    assert found == place / "postgres"
    assert found.stat().st_mode & 0o777 == 0o700
    assert found.stat().st_uid == account.uid != 0


def test_a_directory_that_its_account_cannot_enter_lies_elsewhere_and_is_found_again(
    tmp_path: Path, locked: Account
) -> None:
    first, _ = accounts.placed(tmp_path / "home" / "postgres")
    second, _ = accounts.placed(tmp_path / "home" / "postgres")

    assert first == second
    assert first.parent == tmp_path / "elsewhere"
    assert (tmp_path / "home" / "postgres").readlink() == first


def test_a_new_data_directory_never_finds_the_data_of_an_old_one(
    tmp_path: Path, locked: Account
) -> None:
    first, _ = accounts.placed(tmp_path / "home" / "postgres")
    shutil.rmtree(tmp_path / "home")

    second, _ = accounts.placed(tmp_path / "home" / "postgres")

    assert first != second


def test_programs_that_the_account_cannot_run_are_copied_with_their_libraries(
    tmp_path: Path, locked: Account
) -> None:
    wheel = tmp_path / "site-packages"
    for path in ("server/pginstall/bin/postgres", "server.libs/libpq.so"):
        (wheel / path).parent.mkdir(parents=True, exist_ok=True)
        (wheel / path).write_text(path)

    copy = accounts.reachable(
        wheel / "server" / "pginstall",
        beside=wheel / "server.libs",
        probe="bin/postgres",
        account=locked,
    )

    assert copy.is_relative_to(tmp_path / "elsewhere" / "programs")
    assert (copy / "bin" / "postgres").read_text() == "server/pginstall/bin/postgres"
    assert (copy.parents[1] / "server.libs" / "libpq.so").exists()


def test_programs_that_the_account_can_run_are_used_in_place() -> None:
    home = Path(shutil.which("true") or "").parent

    found = accounts.reachable(home, beside=None, probe="true", account=OURSELVES)

    assert found == home


def test_data_belongs_to_the_account_that_made_it(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    if os.geteuid() == 0:
        os.chown(tmp_path, nobody, -1)

    found = accounts.for_servers(tmp_path)

    assert found.uid == tmp_path.stat().st_uid
    assert found.uid != 0

import stat
from pathlib import Path

import pytest

from config.supervisor import services

NOTES = {"environment": {"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://y"}}


def test_commands_get_the_environment_of_a_demo_while_it_runs(tmp_path: Path) -> None:
    services.write(tmp_path, NOTES)
    lock = services.Lock(tmp_path)
    lock.take()

    assert services.environment(tmp_path) == NOTES["environment"]
    lock.release()
    assert services.environment(tmp_path) is None


def test_a_directory_without_a_demo_gives_nothing(tmp_path: Path) -> None:
    assert services.environment(tmp_path) is None
    assert services.environment(tmp_path / "absent") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"environment": 3}'])
def test_notes_that_make_no_sense_count_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / services.FILE_NAME).write_text(text)
    lock = services.Lock(tmp_path)
    lock.take()

    assert services.environment(tmp_path) is None
    lock.release()


def test_only_the_owner_can_read_the_notes(tmp_path: Path) -> None:
    services.write(tmp_path, NOTES)

    assert stat.S_IMODE((tmp_path / services.FILE_NAME).stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_notes_and_no_scraps(tmp_path: Path) -> None:
    services.write(tmp_path, NOTES)

    with pytest.raises(TypeError):
        services.write(tmp_path, {"environment": object()})

    assert services.read(tmp_path) == NOTES
    assert [path.name for path in tmp_path.iterdir()] == [services.FILE_NAME]


def test_one_supervisor_holds_a_data_directory(tmp_path: Path) -> None:
    first, second = services.Lock(tmp_path), services.Lock(tmp_path)

    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()

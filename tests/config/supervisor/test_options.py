from pathlib import Path

import pytest

from config.supervisor.keeping import Kept
from config.supervisor.options import Options, OwnModel, options
from config.supervisor.trouble import Trouble

OWN = {"MODEL_BASE_URL": "http://127.0.0.1:9/v1/", "MODEL_NAME": "big", "MODEL_API_KEY": "k"}


def test_without_variables_the_contract_holds() -> None:
    found = options({})

    assert found.port == 8000
    assert found.data_dir == Path("var/demo").absolute()
    assert found.base_url == "http://127.0.0.1:8000"
    assert found.own_model is None


def test_a_model_of_ones_own_is_read_whole() -> None:
    assert options(OWN).own_model == OwnModel("big", "http://127.0.0.1:9/v1", "k")


def test_a_file_for_our_engine_is_a_model_of_ones_own(tmp_path: Path) -> None:
    gguf = tmp_path / "tiny-q4.gguf"
    gguf.touch()

    found = options({"MODEL_GGUF": str(gguf)}).own_model

    assert found == OwnModel("tiny-q4", "", "", gguf)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"PORT": "eight"}, "PORT='eight' is no port"),
        ({"PORT": "70000"}, "PORT='70000' is no port"),
        ({"PORT": "٣"}, "is no port"),
        ({"MODEL_BASE_URL": "127.0.0.1:9/v1", "MODEL_NAME": "x"}, "is no web address"),
        ({"MODEL_BASE_URL": "http://127.0.0.1:9/v1"}, "MODEL_NAME is not"),
        ({"MODEL_GGUF": "/nowhere.gguf"}, "there is no such file"),
        ({"MODEL_HUB": "owner/repo:q4"}, "fetches no model from a hub"),
    ],
)
def test_nonsense_is_named(environment: dict[str, str], says: str) -> None:
    with pytest.raises(Trouble, match=says):
        options(environment)


def test_a_data_directory_stays_with_the_model_that_it_was_made_for(tmp_path: Path) -> None:
    first = Kept.read(tmp_path)
    first.refuse_another_model(options({}))
    first.save()

    with pytest.raises(Trouble, match="choose another DATA_DIR"):
        Kept.read(tmp_path).refuse_another_model(options(OWN))

    Kept.read(tmp_path).refuse_another_model(options({"PORT": "8001"}))


def test_another_key_for_the_same_model_is_no_other_model(tmp_path: Path) -> None:
    kept = Kept.read(tmp_path)
    kept.refuse_another_model(options(OWN))

    kept.refuse_another_model(options({**OWN, "MODEL_API_KEY": "changed"}))

    assert kept.model == {"name": "big", "base_url": "http://127.0.0.1:9/v1"}


def test_keys_and_ports_outlive_the_processes(tmp_path: Path) -> None:
    first = Kept.read(tmp_path)
    key, port, password = first.key("valkey"), first.port("valkey"), first.password
    first.save()

    second = Kept.read(tmp_path)

    assert (second.key("valkey"), second.port("valkey"), second.password) == (key, port, password)


def test_options_are_values() -> None:
    assert options({}) == Options(8000, Path("var/demo").absolute(), "", "", None)

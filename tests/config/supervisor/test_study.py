from pathlib import Path

import pytest
import yaml

from config.supervisor import study
from config.supervisor.options import OwnModel
from config.supervisor.trouble import Trouble
from console import study_reading

SERVER = OwnModel("big/model", "http://127.0.0.1:9/v1", "key")


def test_every_cohort_gets_the_model_of_ones_own(tmp_path: Path) -> None:
    target = study.on_own_model(study.FILE, tmp_path / "study.yaml", SERVER)

    found = yaml.safe_load(target.read_text())
    plans = {arm["plan"] for cohort in found["cohorts"] for arm in cohort["arms"]}

    assert [endpoint["model"] for endpoint in found["endpoints"]] == ["big/model"]
    assert plans == {study.PLAN}
    assert found["plans"][study.PLAN]["guard"] == {"language": "fail"}
    assert found["prompts"] == yaml.safe_load(study.FILE.read_text())["prompts"]


def test_the_rewritten_study_is_valid(tmp_path: Path) -> None:
    target = study.on_own_model(study.FILE, tmp_path / "study.yaml", SERVER)

    found = study_reading.read(target.read_bytes())

    assert found.file.study == study.slug(study.FILE)


def test_the_key_and_the_address_stay_in_the_environment(tmp_path: Path) -> None:
    text = study.on_own_model(study.FILE, tmp_path / "study.yaml", SERVER).read_text()

    assert SERVER.base_url not in text
    assert "$MODEL_BASE_URL" in text


def test_a_file_for_our_engine_is_served_by_our_engine(tmp_path: Path) -> None:
    model = OwnModel("tiny", "", "", Path("tiny.gguf"))
    target = study.on_own_model(study.FILE, tmp_path / "study.yaml", model)

    (endpoint,) = yaml.safe_load(target.read_text())["endpoints"]

    assert (endpoint["base_url"], endpoint["seats"]) == ("$LOCAL_MODEL_URL", 4)


@pytest.mark.parametrize("text", ["", "- a", "study: [", "title: x"])
def test_a_file_that_is_no_study_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)

    with pytest.raises(Trouble, match=r"broken\.yaml"):
        study.slug(file)

"""The study that the demo shows: which file, its slug, and the same study on another model."""

from pathlib import Path
from typing import Any

import yaml

from config.supervisor.options import OwnModel
from config.supervisor.trouble import Trouble

FILE = Path(__file__).resolve().parents[2] / "studies" / "demo" / "study.yaml"
ENDPOINT, PLAN = "own", "community-alignment"
SEATS = 16  # sets at once that somebody else's server is asked for
LOCAL_SEATS = 4  # streams of our own engine
NOTICES = {
    "en": "These answers come from the model {name}.",
    "fr": "Ces réponses viennent du modèle {name}.",
    "it": "Queste risposte vengono dal modello {name}.",
    "pt": "Estas respostas vêm do modelo {name}.",
    "hi": "ये जवाब {name} मॉडल से आते हैं।",
}


def slug(file: Path) -> str:
    """The study's name in addresses, as its file states it."""
    return str(_read(file)["study"])


def on_own_model(source: Path, target: Path, model: OwnModel) -> Path:
    """Write the study with one endpoint and one plan in every cohort; returns the new file."""
    study = _read(source)
    study["endpoints"] = [_endpoint(model)]
    study["plans"] = {PLAN: _plan()}
    for cohort in study["cohorts"]:
        cohort["arms"] = [{"name": "main", "plan": PLAN, "share": 1}]
    target.write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False, width=100))
    return target


def _endpoint(model: OwnModel) -> dict[str, Any]:
    local = model.gguf is not None
    return {
        "name": ENDPOINT,
        "kind": "model",
        "base_url": "$LOCAL_MODEL_URL" if local else "$MODEL_BASE_URL",
        "secret": "LOCAL_MODEL_KEY" if local else "MODEL_API_KEY",
        "model": model.name,
        "seats": LOCAL_SEATS if local else SEATS,
        "notice": {language: text.format(name=model.name) for language, text in NOTICES.items()},
    }


def _plan() -> dict[str, Any]:
    """The method's mix; people are never shown answers in another language than their own."""
    step = {"strategy": "community_alignment"}
    return {
        "k": 4,
        "endpoints": [ENDPOINT],
        "guard": {"language": "fail"},
        "first_turn": step,
        "later_turns": dict(step),
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        study = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as fault:
        raise Trouble(f"{file} cannot be read: {fault}", advice="restore or mend it.") from fault
    if not isinstance(study, dict) or "study" not in study:
        raise Trouble(f"{file} is no study file.", advice="see docs/study-file.md.")
    return study

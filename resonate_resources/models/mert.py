"""MERT (Li et al. 2024, arXiv 2306.00107) out of its hub's folder. No code out of the folder is run: the network is
HuBERT's, which transformers has; folders of MERT that is built otherwise are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resonate_resources.models.hub_folder import settings_of, whole
from resonate_resources.models.weights import ModelError


def read_mert(folder: Path) -> Any:
    """(batch, frames) at 24 kHz → hidden states at 75 Hz. Raises ModelError."""
    from transformers import HubertConfig, HubertModel

    settings = settings_of(folder / "config.json")
    others = ("feature_extractor_cqt", "deepnorm")
    if any(settings.get(name) for name in others) or settings.get("attention_relax", -1.0) > 0:
        raise ModelError(f"{folder}: only MERT without {', '.join(others)} and attention_relax can be used")
    settings = {name: value for name, value in settings.items() if name not in ("model_type", "auto_map")}
    return whole(HubertModel, folder, config=HubertConfig.from_dict(settings))

"""A network's folder as Hugging Face's hub has it: config.json, the weights, and what else belongs to them.

Nothing is fetched, and no code out of a folder is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resonate_resources.models.device import choose_device
from resonate_resources.models.weights import ModelError


def settings_of(config: Path) -> Mapping[str, Any]:
    """What a config.json says; nothing where it is another program's."""
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return settings if isinstance(settings, dict) else {}


def weights_in(folder: Path) -> list[Path]:
    """The files that transformers takes weights from: safetensors, else torch's own."""
    return sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


def whole(network: Any, folder: Path, **settings: Any) -> Any:
    """Of weights that are all there, on a GPU if there is one: transformers would draw at random what it misses,
    and only warn. Raises ModelError."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()  # of what the folder has beside it: CLAP's text network
    made, told = network.from_pretrained(folder, local_files_only=True, output_loading_info=True, **settings)
    missing = sorted({*told["missing_keys"], *map(str, told["mismatched_keys"])})
    if missing:
        raise ModelError(f"{folder}: has not all weights ({missing[0]}, {len(missing)} in all)")
    return made.eval().to(choose_device().kind)

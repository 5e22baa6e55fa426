"""Networks as audiocraft publishes them (`audiocraft.utils.export`): a file of torch's with the weights and, as
YAML, the settings that they were trained with. Nothing in it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resonate_resources.models.weights import ModelError

LANGUAGE_MODEL, CODEC = "state_dict.bin", "compression_state_dict.bin"


def read_language_model(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its tensors by name, in float32, and its settings. Raises ModelError."""
    import yaml

    saved = read_saved(folder / LANGUAGE_MODEL)
    try:
        settings = yaml.safe_load(saved["xp.cfg"])
        return {name: value.float() for name, value in saved["best_state"].items()}, settings
    except (LookupError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ModelError(f"{folder / LANGUAGE_MODEL}: is no language model of audiocraft's") from error


def codec_named(folder: Path) -> str:
    """On which codec it was trained, as in "facebook/encodec_32khz". Raises ModelError where none is named."""
    name = read_saved(folder / CODEC).get("pretrained")
    if not isinstance(name, str):
        raise ModelError(f"{folder / CODEC}: names no published codec")
    return name


def read_saved(file: Path) -> dict[str, Any]:
    """What is in it, by name, on the processor; tensors lie in the file until they are used. Raises ModelError."""
    import torch

    if not file.is_file():
        raise ModelError(f"has no {file.name}")
    try:
        found = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # of pickle, zipfile or torch, at bytes that do not hang together
        raise ModelError(f"{file}: is no file of tensors, or is damaged") from error
    if not isinstance(found, dict):
        raise ModelError(f"{file}: is nothing that audiocraft saved")
    return found

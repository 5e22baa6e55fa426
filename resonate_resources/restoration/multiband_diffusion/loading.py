"""MultiBandDiffusion out of audiocraft, without what is not needed to run it. Only its own environment has that."""

from __future__ import annotations

import importlib
import importlib.util
import pickle
import sys
import types
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from resonate_resources.models.weights import ModelError

Told = Callable[[], None]


class Network:
    """EnCodec at 24 kHz, one channel, and a diffusion for each of its bands. device: a GPU if there is one."""

    def __init__(self, codec: Path, diffusion: Path) -> None:
        """codec: a folder of transformers' EncodecModel. Raises ModelError."""
        import torch

        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._codec = _read(codec, lambda: _codec(codec).eval().to(self.device))
        self._bands = _read(diffusion, lambda: _bands(diffusion, self.device))
        self.rate = int(self._codec.config.sampling_rate)

    def regenerate(self, wave: Any, kbps: float, told: Told) -> Any:
        """(1, 1, frames) → the same, decoded by diffusion from EnCodec's tokens at 1.5, 3 or 6 kbit/s."""
        import torch

        with torch.inference_mode():
            codes = self._codec.encode(wave, None, kbps).audio_codes[0]
            latent = self._codec.quantizer.decode(codes.transpose(0, 1))
            made = torch.zeros_like(wave)
            for unet, schedule in self._bands:
                made += schedule.generate_subsampled(
                    model=unet, initial=torch.randn_like(wave), condition=latent
                )
                told()
        return made


def _codec(folder: Path) -> Any:
    from transformers import EncodecModel

    return EncodecModel.from_pretrained(folder, local_files_only=True)


def _bands(file: Path, device: Any) -> list[tuple[Any, Any]]:
    """As `builders.get_diffusion_model` and `get_processor` of the package make them from what the file says."""
    import torch
    from omegaconf import OmegaConf

    unets, schedules = _package()
    with torch.serialization.safe_globals(_configuration_classes()):
        saved = torch.load(file, map_location="cpu", weights_only=True)
    made = []
    for number in range(saved["n_bands"]):
        band = saved[number]
        config = band["cfg"]
        settings: Any = OmegaConf.to_container(config) if OmegaConf.is_config(config) else config
        unet = unets.DiffusionUnet(
            chin=settings["channels"],
            num_steps=settings["schedule"]["num_steps"],
            **settings["diffusion_unet"],
        )
        unet.load_state_dict(band["model_state"])
        processor = schedules.SampleProcessor()
        processing = dict(settings["processor"])
        if processing.pop("use") and processing.pop("name") == "multi_band_processor":
            processor = schedules.MultiBandProcessor(sample_rate=saved["sample_rate"], **processing)
        processor.load_state_dict(band["processor_state"])
        schedule = schedules.NoiseSchedule(
            **settings["schedule"], sample_processor=processor.to(device), device=device
        )
        made.append((unet.eval().to(device), schedule))
    return made


def _configuration_classes() -> list[Any]:
    """What the published files hold beside tensors, by their hub's list: omegaconf's values, no code."""
    from omegaconf import DictConfig
    from omegaconf.base import ContainerMetadata, Metadata
    from omegaconf.nodes import AnyNode

    return [DictConfig, ContainerMetadata, Metadata, AnyNode, Any, defaultdict, dict]


@cache
def _package() -> tuple[Any, Any]:
    """Its U-nets and its schedules. Its own `__init__`s would import all, for training and text."""
    spec = importlib.util.find_spec("audiocraft")
    if spec is None:
        raise ModelError("audiocraft is not in the worker's environment: remove it and install it again")
    place = next(iter(spec.submodule_search_locations or ()))
    for name, folder in (("", ""), (".models", "models"), (".modules", "modules")):
        bare = types.ModuleType(f"audiocraft{name}")
        bare.__path__ = [str(Path(place, folder))]
        sys.modules[f"audiocraft{name}"] = bare
    # Attention that torch has by itself, and that the package uses unless it is told otherwise.
    sys.modules["xformers"] = types.ModuleType("xformers")
    sys.modules["xformers"].ops = None  # type: ignore[attr-defined]
    return (
        importlib.import_module("audiocraft.models.unet"),
        importlib.import_module("audiocraft.modules.diffusion_schedule"),
    )


def _read(file: Path, load: Callable[[], Any]) -> Any:
    """Whatever is wrong with it in one line."""
    try:
        return load()
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{file}: refused, as reading it would run code of its own, or it is no model; delete it"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{file}: is no model, or cut short ({reason}); delete it, and it is fetched again"
        ) from error

"""JASCO's networks out of its hub's folder, with EnCodec and T5 as transformers has them out of theirs.

Files are read as tensors, names and numbers; no code in them is run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resonate_resources.composition.engines.jasco.leading import MAPPING, ChordList
from resonate_resources.composition.engines.jasco.network import Network, guided
from resonate_resources.composition.engines.jasco.settings import Settings
from resonate_resources.composition.engines.jasco.solving import Latents, solved
from resonate_resources.models.audiocraft_files import LANGUAGE_MODEL, codec_named, read_saved
from resonate_resources.models.device import choose_device
from resonate_resources.models.hub_folder import weights_in, whole
from resonate_resources.models.precision import lower_precision
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.mono import Mono

CODEC, TEXT = "encodec_32khz", "t5-base"
"""Folders of what all published checkpoints are used with, as the hub calls them."""
_GUIDANCE: Final = (5.0, 0.0)
_GUIDANCE_MELODIC: Final = (1.75, 3.5)
"""How far all that leads it leads it, and words alone beside that: as its authors measured it (their model card,
and config/solver/jasco)."""
_NOTHING: Final = 1e-6


def folder_of(directory: Path) -> Path | None:
    """Of the folders called jasco-…, as the hub does, that hold weights, one that takes a melody before one that
    takes none, the largest; None where none does."""
    sizes = {
        state.parent: ("melody" in state.parent.name, state.stat().st_size)
        for state in sorted(directory.glob(f"jasco-*/{LANGUAGE_MODEL}"))
    }
    return max(sizes, key=lambda folder: sizes[folder], default=None)


def mapping_of(folder: Path) -> Path | None:
    """The list of chords, in the folder or beside it."""
    places = (folder / MAPPING, folder.parent / MAPPING)
    return next((place for place in places if place.is_file()), None)


def files_missing(directory: Path) -> list[str]:
    """What is not there and has to be, for a person."""
    folder = folder_of(directory)
    missing = []
    if folder is None:
        missing.append(
            "the folder of facebook/jasco-chords-drums-400M, -1B, jasco-chords-drums-melody-400M or -1B"
        )
    missing += [
        f"the folder of {hub}"
        for hub in (f"facebook/{CODEC}", f"google-t5/{TEXT}")
        if not weights_in(directory / hub.rpartition("/")[2])
    ]
    if mapping_of(folder or directory / "jasco") is None:
        missing.append(f"{MAPPING} (audiocraft's repository, assets/)")
    return missing


def files_of(folder: Path) -> list[Path]:
    """All that results depend on."""
    beside = (path for name in (CODEC, TEXT) for path in weights_in(folder.parent / name))
    mapping = mapping_of(folder)
    return [folder / LANGUAGE_MODEL, *beside, *([mapping] if mapping else [])]


@cache
def load(folder: Path) -> Checkpoint:
    """Once a process. Raises ModelError where something is missing, damaged or of another kind."""
    try:
        return Checkpoint(folder)
    except ModelError as error:
        raise ModelError(f"{folder.name}: {error}") from error
    except Exception as error:  # of torch, transformers, tokenizers or safetensors, which have their own
        raise ModelError(f"{folder}: can't be read ({str(error).splitlines()[0]})") from error


class Checkpoint:
    """settings: its own. step: samples of a frame. rate: of its sound in Hz. lower: the precision of the flow,
    which takes the time, as its authors have it on a GPU; None: float32."""

    def __init__(self, folder: Path) -> None:
        import torch
        import transformers

        saved, codec = read_saved(folder / LANGUAGE_MODEL), codec_named(folder)
        if not isinstance(saved.get("xp.cfg"), str) or not isinstance(saved.get("best_state"), dict):
            raise ModelError(
                f"{LANGUAGE_MODEL}: has no xp.cfg and best_state; it is no checkpoint of JASCO's"
            )
        self.settings = settings = Settings.read(saved["xp.cfg"])
        for named, usable in (
            (codec, CODEC),
            (settings.codec, CODEC),
            (settings.text, TEXT),
        ):
            if str(named).rpartition("/")[2] != usable:
                raise ModelError(f"is used with {named}; only {usable} can be used")
        mapping = mapping_of(folder)
        if mapping is None:
            raise ModelError(f"{MAPPING}: is neither in it nor beside it")
        self.chords = ChordList.open(mapping, settings.null_chord)
        places = {name: folder.parent / name for name in (CODEC, TEXT)}
        self._codec = whole(transformers.EncodecModel, places[CODEC])
        self._text = whole(transformers.T5EncoderModel, places[TEXT])
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(places[TEXT], local_files_only=True)
        own = self._codec.config
        self.step, self.rate = int(np.prod(own.upsampling_ratios)), settings.rate
        if (own.sampling_rate, own.hidden_size, own.audio_channels, self.step * settings.frame_rate) != (
            settings.rate, settings.latent, 1, settings.rate,
        ):  # fmt: skip
            raise ModelError(
                f"{CODEC}: is of another rate, width or number of channels than it was trained with"
            )
        self._device = choose_device().kind
        self._network = Network(saved["best_state"], settings, self._text.config.d_model, self._device)
        self.guidance = _GUIDANCE_MELODIC if settings.melody else _GUIDANCE
        self.lower: Any = torch.float16 if lower_precision("best") else None

    def drums(self, sound: Mono) -> Latents:
        """Drums at its rate, as it hears them: EnCodec's coarsest tokens, blurred."""
        import torch

        with torch.inference_mode():
            latents = self._codec.encoder(torch.from_numpy(sound)[None, None].to(self._device))
            coarse = self._codec.quantizer.layers[0]
            heard = coarse.decode(coarse.encode(latents))[0].T.float().cpu().numpy()
        return blurred(heard[: self.settings.frames], self.settings.blur)

    def latents(
        self,
        words: str,
        chords: npt.NDArray[np.int64],
        drums: Latents,
        melody: Latents,
        noise: Latents,
        known: Latents | None = None,
        told: Callable[[float], None] = lambda _: None,
    ) -> Latents:
        """Of `settings.frames` frames, normalised. chords: (frames,) numbers. drums: of `drums`. melody: (frames,
        pitches). known: what it begins with. told: how far the flow has come, 0…1. Raises ModelError."""
        import torch

        shares = self._shares()
        with (
            torch.inference_mode(),
            torch.autocast(self._device, self.lower, enabled=self.lower is not None),
        ):
            heard = self._words(words)
            led = self._beside(chords, drums, melody)
            unled = self._beside(
                np.full_like(chords, self.settings.null_chord), np.zeros_like(drums), np.zeros_like(melody)
            )
            rows = {"all": (led, heard), "words": (unled, heard), "nothing": (unled, torch.zeros_like(heard))}
            beside, attended = (
                torch.cat(part) for part in zip(*(rows[name] for name in shares), strict=True)
            )

            def flow(time: float, latents: Latents) -> Latents:
                told(time)
                here = torch.from_numpy(latents).to(self._device).expand(len(shares), -1, -1)
                flows = self._network.flow(here, time, beside, attended).float()
                found: Latents = guided(flows, [*shares.values()]).cpu().numpy()
                return found

            return solved(flow, noise, known)

    def sound(self, latents: Latents) -> Samples:
        """(1, frames) at its rate, of normalised latents."""
        import torch

        with torch.inference_mode():
            whole_latents = latents * self.settings.latent_std + self.settings.latent_mean
            found = self._codec.decoder(torch.from_numpy(whole_latents.T)[None].float().to(self._device))
        made: Samples = found[0].float().cpu().numpy()
        return made[:, : len(latents) * self.step]

    def _shares(self) -> dict[str, float]:
        """What is guided by → its share; what has none is not calculated."""
        everything, words = self.guidance
        shares = {"all": everything, "words": words, "nothing": 1 - everything - words}
        return {name: share for name, share in shares.items() if abs(share) > _NOTHING}

    def _words(self, words: str) -> Any:
        import torch

        tokens = self._tokenizer([words], return_tensors="pt").to(self._device)
        with torch.autocast(self._device, enabled=False):
            heard = self._text(**tokens).last_hidden_state.float()
        return self._network.words(heard, tokens["attention_mask"] * bool(words))

    def _beside(self, chords: npt.NDArray[np.int64], drums: Latents, melody: Latents) -> Any:
        import torch

        given = (torch.from_numpy(each)[None].to(self._device) for each in (chords, drums, melody))
        return self._network.beside(*given)


def blurred(latents: Latents, frames: int) -> Latents:
    """Each `frames` frames are their mean; the last ones with what is mirrored behind them."""
    missing = -len(latents) % frames
    filled = np.pad(latents, ((0, missing), (0, 0)), "reflect")
    means = filled.reshape(-1, frames, filled.shape[1]).mean(axis=1)
    found: Latents = means.repeat(frames, axis=0)[: len(latents)].astype(np.float32)
    return found

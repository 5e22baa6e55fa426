"""audio-separator's three kinds of models, on arrays. Only its own environment has what is used here."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Samples

_HIGHEST_PEAK = 0.9
"""audio-separator's `normalization_threshold`: a louder track is turned down to it for the model."""
_SILENCE = 1e-10

_VR_FILE_KIB = (31191, 33966, 56817, 123821, 123812, 129605, 218409, 537238, 537227)
"""As in `VRSeparator.separate`: the architecture is the one whose published file is nearest in size."""


class ArrayModel(Protocol):
    """A loaded model. sample_rate in Hz; grid: its stride in frames; stems: what it gives, by the house's names.

    batch: pieces of sound that it takes at once; to be set, where it is more than one.
    """

    sample_rate: int
    grid: int
    stems: tuple[str, ...]
    batch: int

    def level(self, mix: Samples) -> float:
        """How loud (2, frames) are, in the model's own terms; of a track, the loudest of its parts counts."""
        ...

    def separate(self, mix: Samples, level: float) -> dict[str, Samples]:
        """(2, frames), a multiple of grid, of a track of that level → stem name → (2, frames)."""
        ...


def array_model(separator: Any) -> ArrayModel:
    """The model that an instance of one of audio-separator's architectures has loaded, or loads now."""
    kind = type(separator).__name__
    models: dict[str, Callable[[Any], ArrayModel]] = {
        "MDXCSeparator": ConfiguredModel,
        "MDXSeparator": MDXModel,
        "VRSeparator": VRModel,
    }
    if kind not in models:
        raise ModelError(f"{separator.model_path}: is for {kind}, which the engine does not run")
    return models[kind](separator)


_DRY = ("dry", "noreverb", "no reverb", "no noise", "no echo")
_REST = ("instrumental", "no vocals", "reverb", "noise", "echo", "no dry")


def house_name(name: str) -> str:
    """The package calls the same thing Instrumental, other or No Vocals; of a sound without noise or room, what is
    kept is dry or noreverb, and what is taken off has many names."""
    lower = name.lower()
    if lower in _DRY:
        return "dry"
    return "other" if lower in _REST else lower


def _pair(separator: Any) -> tuple[str, ...]:
    return house_name(separator.primary_stem_name), house_name(separator.secondary_stem_name)


class _Levelled:
    """A model whose input must not be louder than those that it was trained on; its output is turned up again."""

    def level(self, mix: Samples) -> float:
        return float(np.abs(mix).max())

    def _gain(self, level: float) -> np.float32:
        return np.float32(min(1.0, _HIGHEST_PEAK / max(level, _SILENCE)))


class ConfiguredModel(_Levelled):
    """RoFormers and MDX23C: what comes with a yaml of its parameters."""

    def __init__(self, separator: Any) -> None:
        self._separator = separator
        config = separator.model_data
        self.sample_rate = int(config["audio"].get("sample_rate", 44100))
        self.grid = int(config["model"].get("stft_hop_length") or config["audio"]["hop_length"])
        target = config["training"].get("target_instrument")
        names = tuple(house_name(name) for name in config["training"]["instruments"])
        self.stems = _pair(separator) if target else names

    @property
    def batch(self) -> int:
        """RoFormers take one segment at a time, whatever their yaml says."""
        return 1 if self._separator.is_roformer else int(self._separator.batch_size)

    @batch.setter
    def batch(self, batch: int) -> None:
        self._separator.batch_size = batch

    def separate(self, mix: Samples, level: float) -> dict[str, Samples]:
        gain = self._gain(level)
        parts = self._separator.demix(mix * gain)
        return {house_name(name): part / gain for name, part in parts.items()}


class MDXModel(_Levelled):
    """MDX-Net: one stem, and what is left of the mix."""

    def __init__(self, separator: Any) -> None:
        self._separator = separator
        self.sample_rate = 44100
        self.grid = int(separator.hop_length)
        self.stems: tuple[str, ...] = _pair(separator)
        self.batch = 1

    def separate(self, mix: Samples, level: float) -> dict[str, Samples]:
        """`compensate` makes up for the level that the model takes away. The package applies it only where it takes
        the stem out of the mix; here it is in the stem, so that both sum to the mix."""
        gain = self._gain(level)
        primary = self._separator.demix(mix * gain) / gain * np.float32(self._separator.compensate)
        return dict(zip(self.stems, (primary, mix - primary), strict=True))


class VRModel:
    """VR: a mask over a spectrogram whose bands have rates and resolutions of their own.

    `VRSeparator` does this from file to file and scales by the loudest of what it gets; in chunks that would
    change from one to the next.
    """

    def __init__(self, separator: Any) -> None:
        kib = math.ceil(Path(separator.model_path).stat().st_size / 1024)
        separator._ensure_model_loaded(min(_VR_FILE_KIB, key=lambda known: abs(known - kib)))
        separator.model_run.eval()
        self._separator = separator
        self._bands = separator.model_params.param["band"]
        self.sample_rate = int(self._bands[len(self._bands)]["sr"])
        self.grid = int(self._bands[len(self._bands)]["hl"])
        self.stems: tuple[str, ...] = _pair(separator)
        self.batch = 1

    def level(self, mix: Samples) -> float:
        return float(np.abs(self._spectrogram(mix)).max())

    def separate(self, mix: Samples, level: float) -> dict[str, Samples]:
        """What is above the spectrogram (17.6 kHz in most models) is in other."""
        import librosa

        spectrogram = self._spectrogram(mix)
        mask = self._mask(np.abs(spectrogram), max(level, _SILENCE))
        spectrogram *= mask if self.stems[0] == "vocals" else 1 - mask
        wave = self._separator.spec_to_wav(spectrogram)
        vocals = librosa.util.fix_length(wave, size=mix.shape[1]).astype(np.float32)
        return {"vocals": vocals, "other": mix - vocals}

    def _spectrogram(self, mix: Samples) -> Any:
        """(2, bins, time), complex: `VRSeparator.loading_mix` on an array."""
        import librosa
        from audio_separator.separator.uvr_lib_v5 import spec_utils

        params, v51 = self._separator.model_params, self._separator.is_vr_51_model
        spectra = {}
        wave = mix
        for number in sorted(self._bands, reverse=True):
            band = self._bands[number]
            if number + 1 in self._bands:
                wave = librosa.resample(
                    wave,
                    orig_sr=self._bands[number + 1]["sr"],
                    target_sr=band["sr"],
                    res_type=band["res_type"],
                )
            spectra[number] = spec_utils.wave_to_spectrogram(
                wave, band["hl"], band["n_fft"], params, band=number, is_v51_model=v51
            )
        return spec_utils.combine_spectrograms(spectra, params, is_v51_model=v51)

    def _mask(self, magnitudes: Samples, level: float) -> Any:
        """`VRSeparator.inference_vr` with the level of the track."""
        import torch
        from audio_separator.separator.uvr_lib_v5 import spec_utils

        vr = self._separator
        before, after, step = spec_utils.make_padding(
            magnitudes.shape[2], vr.window_size, vr.model_run.offset
        )
        padded = np.pad(magnitudes, ((0, 0), (0, 0), (before, after))) / level
        masks = []
        with torch.inference_mode():
            for start in range(0, padded.shape[2] - 2 * vr.model_run.offset - step + 1, step):
                window = torch.from_numpy(padded[None, :, :, start : start + vr.window_size])
                masks.append(vr.model_run.predict_mask(window.to(vr.torch_device))[0].cpu().numpy())
        mask = np.concatenate(masks, axis=2)[:, :, : magnitudes.shape[2]]
        return spec_utils.adjust_aggr(mask, vr.primary_stem_name in vr.NON_ACCOM_STEMS, vr.aggressiveness)

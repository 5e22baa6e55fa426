"""Noise and reverberation taken off by RoFormers trained on music, in audio-separator's worker."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from resonate_resources.models.audio_separator.calling import part, weights_sha256, why_unavailable
from resonate_resources.models.audio_separator.work import VERSION
from resonate_resources.models.weights import ModelError
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine, Json
from resonate_resources.recordings.recording import Progress, Recording, write_blocks
from resonate_resources.restoration.step import Facts, Mended, StepName

MODELS: dict[Literal["denoise", "dereverb"], tuple[str, ...]] = {
    "denoise": (
        "denoise_mel_band_roformer_aufr33_sdr_27.9959.ckpt",
        "denoise_mel_band_roformer_aufr33_aggr_sdr_27.9768.ckpt",
    ),
    "dereverb": (
        "dereverb_mel_band_roformer_anvuew_sdr_19.1729.ckpt",
        "dereverb_mel_band_roformer_less_aggressive_anvuew_sdr_18.8050.ckpt",
        "deverb_bs_roformer_8_384dim_10depth.ckpt",
    ),
}
"""In audio-separator's list of 0.47.1; the first is taken unless another is asked for. The numbers in their names
are SDRs in dB, by their authors, on sets that they do not name."""

_LEFT_DB: dict[Preset, float] = {"conservative": -12.0, "balanced": -20.0, "aggressive": -60.0}
"""How loud what the model takes off is left. 12 dB is what DeepFilterNet is bound to with music; the others are by
judgement, as these weights could not be tried."""
_NOTHING_DB = -60.0
"""Of what is taken off against the recording: a noise floor that no listener hears under music."""


class Roformer:
    """`denoise` or `dereverb`.

    What the model takes off is turned down in the recording, not the recording replaced: above the model's band
    (22 kHz) nothing changes, nor does timing.
    """

    def __init__(self, name: Literal["denoise", "dereverb"], model: str | None = None) -> None:
        """model: a file name of audio-separator's lists, of a model that parts a dry sound from the rest."""
        self.name: StepName = name
        self._model = model or MODELS[name][0]

    @property
    def engine(self) -> Engine:
        return Engine("roformer", self._model, "MIT (code); none stated for the weights")

    @property
    def settings(self) -> dict[str, Json]:
        """What a result depends on besides code and preset: hashes of the weights that are here."""
        return {"audio_separator": VERSION, "weights_sha256": weights_sha256(self._model)}

    def unavailable(self) -> str | None:
        return why_unavailable(self._model)

    def mend(self, recording: Recording, _: Facts, preset: Preset, path: Path, progress: Progress) -> Mended:
        """The model is fetched at first use. Raises ModelError where it can't be had or used, AudioError."""
        with TemporaryDirectory(dir=path.parent) as scratch:
            parted = part(self._model, True, recording, ("dry", "other"), Path(scratch), progress)
            taken = parted.stems["other"]
            level_db = _level_db(taken, recording)
            measures = {f"{self.name}_taken_off_db": level_db} if math.isfinite(level_db) else {}
            if level_db < _NOTHING_DB:
                return Mended(recording, "the model found next to nothing to take off", measures)
            share = np.float32(1 - 10 ** (_LEFT_DB[preset] / 20))
            pairs = zip(recording.blocks(), taken.blocks(), strict=True)
            mended = write_blocks(path, (block - share * off for block, off in pairs), like=recording)
        done = f"what the model takes off, at {level_db:.0f} dB, turned down by {-_LEFT_DB[preset]:.0f} dB"
        return Mended(mended, "; ".join([done, *parted.notes]), measures)


def _level_db(taken: Recording, recording: Recording) -> float:
    """Energy of one over that of the other; −inf where there is none. Raises ModelError where it is no sound."""
    energies = [
        sum(float(np.square(block, dtype=np.float64).sum()) for block in of.blocks())
        for of in (taken, recording)
    ]
    if not math.isfinite(energies[0]):
        raise ModelError("the model gives no numbers: is its file whole?")
    return 10 * math.log10(energies[0] / energies[1]) if energies[0] > 0 < energies[1] else -math.inf

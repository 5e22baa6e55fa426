"""RoFormer, MDX-Net and VR models, as audio-separator has them, in an environment of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from resonate_resources.models.audio_separator.calling import WORK, part, weights_sha256, why_unavailable
from resonate_resources.models.weights import ModelError
from resonate_resources.recipe import Engine, Json, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems

Name = Literal["roformer", "uvr"]
StemCount = Literal[2, 4, 6]

STEMS: dict[int, tuple[str, ...]] = {
    2: ("vocals", "other"),
    4: ("vocals", "drums", "bass", "other"),
    6: ("vocals", "drums", "bass", "other", "piano", "guitar"),
}

MODELS: dict[tuple[str, int], tuple[str, ...]] = {
    ("roformer", 2): ("vocals_mel_band_roformer.ckpt", "model_bs_roformer_ep_317_sdr_12.9755.ckpt"),
    ("roformer", 4): ("BS-Roformer-SW.ckpt",),
    ("roformer", 6): ("BS-Roformer-SW.ckpt",),
    ("uvr", 2): ("Kim_Vocal_2.onnx", "UVR-MDX-NET-Inst_HQ_5.onnx", "4_HP-Vocal-UVR.pth"),
}
"""The first one is taken unless another is asked for. By the package's `models-scores.json`, the
median SDR of vocals is 12.6 dB with Mel-Band RoFormer (11 tracks), 11.8 with BS-RoFormer (40) and 10.2 with Kim
Vocal 2 (40)."""


class AudioSeparator:
    """Parts a track by a model of audio-separator: a RoFormer (`roformer`), an MDX-Net, MDX23C or VR (`uvr`)."""

    def __init__(self, name: Name = "roformer", model: str | None = None, stems: StemCount = 2) -> None:
        """model: a file name from audio-separator's lists. What it gives and is not asked for goes into other.

        Raises ModelError where no model gives so many stems.
        """
        if model is None:
            if (name, stems) not in MODELS:
                raise ModelError(
                    f"{name}: none of its models gives {stems} stems; the engine roformer has one"
                )
            model = MODELS[name, stems][0]
        self._name = name
        self._model = model
        self.stem_names = STEMS[stems]
        self.notes: tuple[str, ...] = ()
        """Of the last separation: what went otherwise than planned, one line each."""
        self.was_warm: bool | None = None
        """Of the last separation: whether the worker had the model loaded already."""

    def available(self) -> str | None:
        """Why it can't run, in one line; None if it can. Asks the hub only where a file of the model is missing."""
        return why_unavailable(self._model)

    def recipe(self) -> Recipe:
        """Hashes of weights are those of the files that are here: their publishers tell none."""
        engine = Engine(
            self._name, self._model, "MIT (code); weights as their publishers say, who often say nothing"
        )
        settings: dict[str, Json] = {
            "stems": [*self.stem_names],
            "weights_sha256": weights_sha256(self._model),
        }
        return Recipe.of((__name__, WORK), engine, settings)

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        """Write the stems; fetches the model at first use. Raises ModelError where it can't be had or used.

        Mono is taken as stereo with equal sides; of surround sound every pair and every lone channel for itself.
        """
        parted = part(self._model, self._name == "roformer", track, self.stem_names, into, progress)
        self.was_warm, self.notes = parted.was_warm, parted.notes
        return parted.stems

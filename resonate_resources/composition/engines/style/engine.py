"""MusicGen-Style as an engine: each stem from its words, and from how a few seconds of a recording sound.

Its weights are not for commercial use (CC-BY-NC-4.0). The recording is heard as a whole, so that stems are told
apart by words alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import soxr

from resonate_resources.composition.engines.checkpoint import INSTALL, packages_lacking
from resonate_resources.composition.engines.musicgen import MusicGen, Network
from resonate_resources.composition.engines.style.conditioner import HEARD_RATE
from resonate_resources.composition.engines.style.network import (
    CODEC,
    FOLDER,
    HEARING,
    TEXT,
    StyleNetwork,
    load,
)
from resonate_resources.models.audiocraft_files import CODEC as CODEC_FILE
from resonate_resources.models.audiocraft_files import LANGUAGE_MODEL
from resonate_resources.models.hub_folder import weights_in
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_weights
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, Recording, Samples
from resonate_resources.signal.mono import Mono

EXCERPT_S: Final = 3.0
"""Its authors' setting; it was trained on 1.5 to 4.5 s."""
_SHORTEST_S = 1.5
_HOPS_A_SECOND = 2
_FROM: Final = {
    FOLDER: "facebook/musicgen-style",
    TEXT: "google-t5/t5-base",
    CODEC: "facebook/encodec_32khz",
    HEARING: "m-a-p/MERT-v1-95M",
}


class MusicGenStyle(MusicGen):
    """Text and style to music: facebook/musicgen-style. reference: whose style it is to be."""

    name = "musicgen-style"
    reference: Recording | None = None

    @property
    def model(self) -> str:
        return FOLDER if (models_directory() / FOLDER / LANGUAGE_MODEL).is_file() else ""

    def lacks(self) -> str:
        if packages := packages_lacking():
            return f"{self.name}: can't be used without {packages}: {INSTALL}"
        missing = [hub for folder, hub in _FROM.items() if not _weights_of(folder)]
        if missing:
            return (
                f"{self.name}: no weights of {', '.join(missing)} in {models_directory()}; put the folders there, "
                f"as huggingface.co has them ({self.licence}: not for commercial use)"
            )
        return ""

    def keyed(self) -> Mapping[str, Json]:
        weights: dict[str, Json] = {
            f"{folder}/{file.name}": sha256_of_weights(file)
            for folder in _FROM
            for file in _weights_of(folder)
        }
        return weights | ({"reference": self.reference.sha256} if self.reference else {})

    def _network(self) -> Network:
        if lacking := self.lacks():
            raise ModelError(lacking)
        if self.reference is None:
            raise ModelError(f"{self.name}: needs a recording in whose style it is to be")
        return _InStyle(load(models_directory()), self.reference)


class _InStyle:
    """See `Network`. One excerpt leads all windows, so that they are of one style."""

    def __init__(self, network: StyleNetwork, reference: Recording) -> None:
        self._network, self.rate = network, network.rate
        self._style: Any = network.hear(excerpt_of(reference))

    def generate(
        self, texts: Sequence[str], prompts: Samples | None, frames: int, _: Sequence[Mono] | None, /
    ) -> Samples:
        return self._network.generate(texts, self._style, prompts, frames)


def excerpt_of(recording: Recording) -> Mono:
    """Its loudest EXCERPT_S, to half a second, at HEARD_RATE; all of a shorter one.

    Raises AudioError under 1.5 s.
    """
    if recording.duration < _SHORTEST_S:
        raise AudioError(
            f"{recording.path.name}: is {recording.duration:.1f} s long; a style needs {_SHORTEST_S} s"
        )
    rate, hop = recording.sample_rate, recording.sample_rate // _HOPS_A_SECOND
    energies = [float(np.square(block, dtype=np.float64).sum()) for block in _hops(recording, hop)]
    sums = np.convolve(energies, np.ones(min(round(EXCERPT_S * _HOPS_A_SECOND), len(energies))), "valid")
    start = int(sums.argmax()) * hop
    sound = recording.read(start, start + round(EXCERPT_S * rate)).mean(axis=0)
    return np.asarray(soxr.resample(sound, rate, HEARD_RATE), np.float32)


def _hops(recording: Recording, hop: int) -> Iterator[Samples]:
    """Whole ones: what is left at the end is under half a second."""
    for start in range(0, recording.frames - hop + 1, hop):
        yield recording.read(start, start + hop)


def _weights_of(folder: str) -> list[Path]:
    place = models_directory() / folder
    if folder == FOLDER:
        files = [place / LANGUAGE_MODEL, place / CODEC_FILE]
        return files if all(file.is_file() for file in files) else []
    return weights_in(place)

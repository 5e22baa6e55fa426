"""What a recording sounds like to MERT (Li et al. 2024) or CLAP (Wu et al. 2023), where a user has one's weights.

They are looked for in the models' directory: a folder as Hugging Face's hub has it, of config.json,
preprocessor_config.json and the weights. Nothing is fetched, and no code out of the folder is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr

from resonate_resources.models.hub_folder import settings_of, whole
from resonate_resources.models.mert import read_mert
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.mono import Mono, cancelling

INSTALL = "pip install 'resonate-studio[timbre]'"


class Encoder(Protocol):
    """name: what it is called in reports, kind and folder. window_s: seconds that are heard at once."""

    name: str
    sample_rate: int
    window_s: float

    def __call__(self, window: Mono) -> Floats:
        """(size,): the embedding of a window at sample_rate, or of less."""
        ...


class Clap:
    """Ten seconds at 48 kHz, as log-mel spectrogram, to the point that it shares with a text: of length 1."""

    window_s = 10.0

    def __init__(self, folder: Path) -> None:
        from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor

        self.name = f"CLAP {folder.name}"
        self._features = ClapFeatureExtractor.from_pretrained(folder, local_files_only=True)
        self.sample_rate = int(self._features.sampling_rate)
        self._network = whole(ClapAudioModelWithProjection, folder)

    def __call__(self, window: Mono) -> Floats:
        import torch

        inputs = self._features(window, sampling_rate=self.sample_rate, return_tensors="pt")
        with torch.inference_mode():
            embedding = self._network(**inputs.to(self._network.device)).audio_embeds[0]
        return _of_length_one(embedding.cpu().numpy())


class Mert:
    """Five seconds at 24 kHz, as in training, to the means over time of every layer, each of length 1.

    All of them: which hears timbre best can't be told without the weights.
    """

    window_s = 5.0

    def __init__(self, folder: Path) -> None:
        from transformers import Wav2Vec2FeatureExtractor

        self.name = f"MERT {folder.name}"
        self._features = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
        self.sample_rate = int(self._features.sampling_rate)
        self._network = read_mert(folder)

    def __call__(self, window: Mono) -> Floats:
        import torch

        inputs = self._features(window, sampling_rate=self.sample_rate, return_tensors="pt")
        with torch.inference_mode():
            layers = self._network(
                inputs.input_values.to(self._network.device), output_hidden_states=True
            ).hidden_states
        return np.concatenate([_of_length_one(layer[0].mean(dim=0).cpu().numpy()) for layer in layers])


_KINDS: Mapping[str, Callable[[Path], Encoder]] = {"mert_model": Mert, "clap": Clap}
"""What config.json calls a model → who reads it, the one that is preferred first."""


def folder_in(directory: Path) -> Path | None:
    """Of MERT, else of CLAP; None where no folder of `directory` holds one."""
    folders = {
        _kind(config): config.parent for config in sorted(directory.glob("*/config.json"), reverse=True)
    }
    return next((folders[kind] for kind in _KINDS if kind in folders), None)


@cache
def load(folder: Path) -> Encoder:
    """Once a process. Raises ModelError where the folder is not whole, or what reads it is not installed."""
    try:
        return _KINDS[_kind(folder / "config.json")](folder)
    except ImportError as error:
        raise ModelError(f"{folder}: can't be used without {error.name}: {INSTALL}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: can't be read ({str(error).splitlines()[0]})") from error


def embeddings(
    encoder: Encoder, recording: Recording, starts_s: Sequence[float], *, gain_db: float = 0.0
) -> Floats:
    """(windows, size) of the windows that begin at those seconds, louder by gain_db, silent where there is no
    recording, as before second 0. One is held at a time."""
    one = cancelling(recording)
    frames = round(encoder.window_s * recording.sample_rate)
    rows = []
    for start_s in starts_s:
        start = round(start_s * recording.sample_rate)
        samples = recording.read(start, start + frames)
        before = max(0, -start)
        mono = np.zeros(frames, np.float32)
        mono[before : before + samples.shape[1]] = samples.mean(axis=0) if one is None else samples[one]
        mono *= np.float32(10 ** (gain_db / 20))
        rows.append(encoder(soxr.resample(mono, recording.sample_rate, encoder.sample_rate)))
    return np.stack(rows)


def _kind(config: Path) -> str:
    return str(settings_of(config).get("model_type"))


def _of_length_one(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)

"""The melody that MusicGen Melody hears, against transformers' own extractor and against known tones."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pytest

from resonate_resources.composition.engines.chroma import CHROMA_RATE as RATE
from resonate_resources.composition.engines.chroma import HOP, SIZE, loudest_pitch_classes
from resonate_resources.signal.mono import Mono

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def tone(hertz: float, seconds: float) -> Mono:
    return np.asarray(0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), np.float32)


@pytest.mark.parametrize(
    ("hertz", "pitch_class"), [(261.63, 0), (440.0, 9), (880.0, 9), (155.56, 3), (493.88, 11)]
)
def test_a_tone_is_its_pitch_class(hertz: float, pitch_class: int) -> None:
    found = loudest_pitch_classes(tone(hertz, 3.0))
    assert (found.argmax(axis=1) == pitch_class).all()
    assert (found.sum(axis=1) == 1).all()


def test_half_a_minute_is_as_long_as_the_model_was_trained_on() -> None:
    assert loudest_pitch_classes(tone(440, 30.0)).shape == (
        235,
        12,
    )  # facebook/musicgen-melody's chroma_length


@pytest.mark.parametrize("seconds", [0.2, 0.5, 7.3])
def test_it_is_what_transformers_extractor_makes(seconds: float) -> None:
    """Its own source, with torchaudio's spectrogram written out (power 2, normalised by the window)."""
    module = importlib.import_module("transformers.models.musicgen_melody.feature_extraction_musicgen_melody")
    extractor = module.MusicgenMelodyFeatureExtractor
    filters = transformers.audio_utils.chroma_filter_bank(
        sampling_rate=32000, num_frequency_bins=16384, tuning=0, num_chroma=12
    )
    window = torch.hann_window(SIZE)

    def spectrogram(waveform: object) -> object:
        spectrum = torch.stft(waveform, SIZE, HOP, SIZE, window, center=True, return_complex=True)
        return (spectrum / window.pow(2).sum().sqrt()).abs().pow(2)

    theirs = SimpleNamespace(
        n_fft=SIZE, chroma_filters=torch.from_numpy(filters).float(), spectrogram=spectrogram
    )
    chance = np.random.default_rng(3)
    notes = [tone(220 * 2 ** (step / 12), seconds / 8) for step in chance.integers(0, 24, 8)]
    sound = np.concatenate(notes) + 0.05 * chance.standard_normal(sum(note.size for note in notes))
    mono = sound.astype(np.float32)
    expected = extractor._torch_extract_fbank_features(theirs, torch.from_numpy(mono)[None])[0].numpy()
    np.testing.assert_array_equal(loudest_pitch_classes(mono), expected)

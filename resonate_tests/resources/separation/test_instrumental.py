"""The rule that tells a track without vocals, as the policy has it, on what the embedded engine makes of a song."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import silent, write_samples
from resonate_resources.separation.prediction.predictor import predict_quality
from resonate_resources.separation.quality import levels_in_windows
from resonate_resources.separation.router import read_policy
from resonate_resources.separation.spectral.engine import SpectralSeparator


@pytest.mark.parametrize(("voice_db", "taken"), [(-np.inf, True), (-6.0, False)])
def test_half_a_minute_of_the_demo_song_is_an_instrumental_without_its_voice_only(
    demo_song, tmp_path, voice_db, taken
):
    """voice_db: energy of the voice over that of all the rest."""
    middle, rate = demo_song.mix.frames // 2, demo_song.mix.sample_rate
    stems = {
        name: stem.read(middle - 15 * rate, middle + 15 * rate) for name, stem in demo_song.stems.items()
    }
    voice = stems.pop("vocals")
    band = np.sum(list(stems.values()), axis=0)
    gain = np.float32(10 ** (voice_db / 20) * np.sqrt(np.square(band).sum() / np.square(voice).sum()))
    track = write_samples(tmp_path / "track.wav", band + gain * voice, rate)
    found = SpectralSeparator().separate(track, tmp_path, silent)
    quality = predict_quality(track, found)["vocals"]
    levels = levels_in_windows(found["vocals"], track, quality.windows)
    assert read_policy().instrumental.holds(quality, levels) is taken

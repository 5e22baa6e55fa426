"""A candidate against its reference: aligned, matched in loudness, scored in twelve dimensions."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from resonate_resources.quality import dimensions
from resonate_resources.quality.alignment import find_lag
from resonate_resources.quality.dimensions import Score
from resonate_resources.quality.readings import RATE, Readings, read_off
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.loudness import measure_loudness

DIMENSIONS = (
    "mel_spectrogram_correlation",
    "rms_per_section",
    "stereo_width",
    "bass_pattern",
    "kick_pattern",
    "harmonic_progression",
    "energy_curve",
    "reverb",
    "dynamic_range",
    "bpm_phase",
    "section_boundaries",
    "timbre_mfcc",
)


_SILENCE = 1e-10  # mean square; −100 dBFS


@dataclass(frozen=True)
class Heard:
    """A recording's readings and its loudness in LUFS, mono as if from two loudspeakers.

    The loudness is -inf where BS.1770 has none: under −70 LUFS, and for less than 0.4 s.
    """

    readings: Readings
    loudness_lufs: float

    @property
    def silent(self) -> bool:
        return float(self.readings.power.max()) < _SILENCE


@dataclass(frozen=True)
class Comparison:
    """scores: dimension → score. lag_s: by how much the candidate came late. gain_db: what matched its loudness."""

    scores: dict[str, Score]
    lag_s: float
    gain_db: float

    @property
    def total(self) -> float:
        """Mean of all dimensions, 0…100: none is known to matter more to listeners than another."""
        return round(sum(score.score for score in self.scores.values()) / len(self.scores), 2)


def listen(recording: Recording) -> Heard:
    """What the reference is compared by, however many candidates there are."""
    with ThreadPoolExecutor(1) as pool:
        loudness = pool.submit(measure_loudness, recording)
        readings = read_off(recording)
    # BS.1770 sums channels, so that the same audio in two of them counts as 3 dB louder.
    dual_mono_db = 10 * math.log10(2) if recording.channels == 1 else 0.0
    return Heard(readings, loudness.result().integrated_lufs + dual_mono_db)


def compare(reference: Heard, candidate: Recording) -> Comparison:
    """Score a candidate. Two silences are alike in everything; silence and music in nothing."""
    heard = listen(candidate)
    if reference.silent or heard.silent:
        both = reference.silent and heard.silent
        alike = Score(100.0, "both are silent") if both else Score(0.0, "one of the two is silent")
        return Comparison(dict.fromkeys(DIMENSIONS, alike), 0.0, 0.0)
    lag = find_lag(reference.readings.onset, heard.readings.onset)
    readings = read_off(candidate, skip=lag) if lag else heard.readings
    gain_db = reference.loudness_lufs - heard.loudness_lufs
    if not math.isfinite(gain_db):
        powers = reference.readings.power.mean(), heard.readings.power.mean()
        gain_db = 10 * math.log10(powers[0] / powers[1])
    length = max(len(reference.readings), len(readings))
    before, after = reference.readings.padded(length), readings.louder(gain_db).padded(length)
    lag_s = lag / RATE
    scores = {
        name: dimensions.bpm_phase(before, after, lag_s)
        if name == "bpm_phase"
        else getattr(dimensions, name)(before, after)
        for name in DIMENSIONS
    }
    return Comparison(scores, lag_s, gain_db)

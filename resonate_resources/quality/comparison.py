"""A candidate against its reference: aligned, matched in loudness, scored in sixteen dimensions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from resonate_resources.quality import playing, sound
from resonate_resources.quality.alignment import Landmark, find_lag
from resonate_resources.quality.difference import Difference
from resonate_resources.quality.music import Music, chords_like
from resonate_resources.quality.readings import RATE, Readings, read_off
from resonate_resources.quality.scales import ACCEPTED, DIMENSIONS, GATES, MATCHED, SCALES, Purpose
from resonate_resources.quality.timbre import Timbre, hear_timbre, timbre
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.sections import find_boundaries, seconds_of

_SILENCE = 1e-10  # mean square; −100 dBFS
_IN_PLACE = RATE // 1000  # a millisecond moves no reading


@dataclass(frozen=True)
class Heard:
    """A recording's readings and its loudness in LUFS, mono as if from two loudspeakers.

    The loudness is -inf where BS.1770 has none: under −70 LUFS, and for less than 0.4 s. music: of a reference;
    landmark: what candidates are brought to their place by.
    """

    readings: Readings
    loudness_lufs: float
    music: Music
    timbre: Timbre
    landmark: Landmark

    @property
    def silent(self) -> bool:
        return float(self.readings.power.max()) < _SILENCE


@dataclass(frozen=True)
class Comparison:
    """differences and scores (0…100) of each dimension. lag_s: by how much the candidate came late. gain_db: what
    matched its loudness."""

    differences: Mapping[str, Difference]
    scores: Mapping[str, float]
    purpose: Purpose
    lag_s: float = 0.0
    gain_db: float = 0.0

    @property
    def total(self) -> float:
        """100 less the root mean square of what the dimensions lack, 0…100: one that is broken is not drowned by
        others that are right."""
        lacks = [100 - score for score in self.scores.values()]
        return round(100 - math.sqrt(sum(lack**2 for lack in lacks) / len(lacks)), 2)

    @property
    def lowest(self) -> str:
        return min(self.scores, key=lambda name: self.scores[name])

    @property
    def accepted(self) -> bool:
        return self.total >= ACCEPTED and self.scores[self.lowest] >= GATES[self.purpose]

    @property
    def matched(self) -> bool:
        return self.total >= MATCHED and self.accepted


def listen(recording: Recording, music: Music | None = None) -> Heard:
    """What a reference is compared by, however many candidates there are. music: what is known of it; its chords
    and sections are heard where they are not."""
    with ThreadPoolExecutor(1) as pool:
        loudness = pool.submit(_loudness, recording)
        readings = read_off(recording)
    known = music or Music()
    if not known.chords:
        known = replace(known, chords=chords_like(known, recording))
    if not known.starts_s:
        known = replace(known, starts_s=seconds_of(find_boundaries(readings.timbre)).tolist())
    lufs = loudness.result()
    landmark = Landmark.of(recording, readings.onset)
    return Heard(readings, lufs, known, hear_timbre(recording, lufs), landmark)


def compare(reference: Heard, candidate: Recording, purpose: Purpose = "rebuilt") -> Comparison:
    """Score a candidate. Two silences are alike in everything; silence and music in nothing."""
    before, after, lag_s, gain_db = _matched(reference, candidate)
    if before is None or after is None:
        both = reference.silent and after is None and before is None
        told = Difference(
            0.0 if both else math.inf, "both are silent" if both else "one of the two is silent"
        )
        return _scored(dict.fromkeys(DIMENSIONS, told), purpose)
    music, starts_at = reference.music, reference.timbre.starts
    same = playing.same_pitch_classes(before, after)
    chords = music.chords if same else chords_like(music, candidate, lag_s)
    starts = np.asarray(music.starts_s, np.float64)
    heard = hear_timbre(candidate, reference.loudness_lufs - gain_db, lag_s, starts_at)
    found = {
        "mel_spectrogram_correlation": sound.mel_spectrogram_correlation(before, after),
        "rms_per_section": sound.rms_per_section(before, after, starts),
        "stereo_width": sound.stereo_width(before, after),
        "bass_pattern": playing.bass_pattern(before, after),
        "kick_pattern": playing.kick_pattern(before, after),
        "onset_pattern": playing.onset_pattern(before, after),
        "harmonic_progression": playing.harmonic_progression(before, after, music.chords, chords),
        "energy_curve": sound.energy_curve(before, after),
        "reverb": sound.reverb(before, after),
        "dynamic_range": sound.dynamic_range(before, after),
        "bpm_phase": playing.bpm_phase(before, after, music.beats_s, lag_s),
        "section_boundaries": playing.section_boundaries(before, after, music.starts_s),
        "timbre": timbre(reference.timbre, heard),
        "octave_balance": sound.octave_balance(before, after),
        "noise_floor": sound.noise_floor(before, after),
        "tuning": playing.tuning(before, after),
    }
    return replace(_scored(found, purpose), lag_s=lag_s, gain_db=gain_db)


def _scored(differences: Mapping[str, Difference], purpose: Purpose) -> Comparison:
    scores = {name: SCALES[name].score(differences[name].amount, purpose) for name in DIMENSIONS}
    return Comparison(differences, scores, purpose)


def _matched(reference: Heard, candidate: Recording) -> tuple[Readings | None, Readings | None, float, float]:
    """Both readings in one length, the candidate's brought to the reference's place and loudness, by how many
    seconds it was late and what gain it took; None for silence."""
    with ThreadPoolExecutor(1) as pool:
        loudness = pool.submit(_loudness, candidate)
        heard = read_off(candidate)
    silent = float(heard.power.max()) < _SILENCE
    if reference.silent or silent:
        return (None if reference.silent else reference.readings), (None if silent else heard), 0.0, 0.0
    lag = reference.landmark.lag_in(candidate, find_lag(reference.readings.onset, heard.onset))
    if abs(lag) < _IN_PLACE:
        lag = 0
    readings = read_off(candidate, skip=lag) if lag else heard
    gain_db = reference.loudness_lufs - loudness.result()
    if not math.isfinite(gain_db):
        powers = reference.readings.power.mean(), heard.power.mean()
        gain_db = 10 * math.log10(powers[0] / powers[1])
    length = max(len(reference.readings), len(readings))
    return reference.readings.padded(length), readings.louder(gain_db).padded(length), lag / RATE, gain_db


def _loudness(recording: Recording) -> float:
    """In LUFS. BS.1770 sums channels, so that the same audio in two of them counts as 3 dB louder: mono is heard as
    from two loudspeakers."""
    dual_mono_db = 10 * math.log10(2) if recording.channels == 1 else 0.0
    return measure_loudness(recording).integrated_lufs + dual_mono_db

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import butter, sosfiltfilt

from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.ringing import rung_on
from resonate_resources.regeneration.sampler import Sampler

RATE = 44_100
BANDS_HZ = (1000, 2000, 4000, 8000)
CYMBAL, KICK = 49, 36


def cymbal(seconds: float, fall_db_s: dict[int, float], seed: int = 0) -> Samples:
    """Noise that falls in each octave at a rate that is known; the same in both channels."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(time))
    sound = sum(octave(noise, hertz) * 10 ** (-fall * time / 20) for hertz, fall in fall_db_s.items())
    return np.stack([0.1 * sound] * 2).astype(np.float32)


def octave(sound: npt.NDArray[np.float64], hertz: int) -> npt.NDArray[np.float64]:
    edges = (hertz / 2**0.5, hertz * 2**0.5)
    return np.asarray(sosfiltfilt(butter(4, edges, "bandpass", fs=RATE, output="sos"), sound))


def level_db(sound: Samples, hertz: int, start_s: float, stop_s: float) -> float:
    piece = octave(sound[0].astype(np.float64), hertz)[round(start_s * RATE) : round(stop_s * RATE)]
    return float(10 * np.log10(np.square(piece).mean()))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_cut_rings_on_as_it_would_have(seed: int) -> None:
    """Of 0.5 s that were recorded the next half second: level by octave, within what noise varies by."""
    falls = {1000: 65.0, 2000: 80.0, 4000: 100.0, 8000: 120.0}
    whole = cymbal(1.2, falls, seed)
    played = rung_on(whole[:, : RATE // 2], round(1.2 * RATE), RATE)
    assert played.shape == whole.shape
    for hertz in BANDS_HZ:
        for start in (0.5, 0.6, 0.7, 0.8):
            wanted = level_db(whole, hertz, start, start + 0.1)
            assert level_db(played, hertz, start, start + 0.1) == pytest.approx(wanted, abs=6)


def test_where_it_goes_on_the_level_does_not_jump() -> None:
    played = rung_on(cymbal(0.4, dict.fromkeys(BANDS_HZ, 60.0)), RATE, RATE)
    powers = np.square(played[0, : RATE // 2 // 441 * 441]).reshape(-1, 441).mean(axis=1)
    steps = np.diff(10 * np.log10(powers))
    assert np.abs(steps).max() < 3


def test_what_was_recorded_stays_as_it_is() -> None:
    sound = cymbal(0.5, dict.fromkeys(BANDS_HZ, 60.0))
    known = sound.shape[1] - round(0.03 * RATE)
    np.testing.assert_array_equal(rung_on(sound, RATE, RATE)[:, :known], sound[:, :known])


def test_what_grows_louder_at_its_end_dies_away_all_the_same() -> None:
    """As where a stroke that was not written down falls into the end."""
    played = rung_on(cymbal(0.5, dict.fromkeys(BANDS_HZ, -20.0)), 2 * RATE, RATE)
    for hertz in BANDS_HZ:
        assert level_db(played, hertz, 1.4, 1.5) < level_db(played, hertz, 0.5, 0.6) - 40


def test_the_place_it_rings_at_stays() -> None:
    """In the left channel only."""
    sound = cymbal(0.5, dict.fromkeys(BANDS_HZ, 60.0)) * np.array([[1], [0]], np.float32)
    played = rung_on(sound, RATE, RATE)
    assert played[0].any()
    assert not played[1].any()


def test_silence_rings_on_as_silence() -> None:
    assert not rung_on(np.zeros((2, RATE), np.float32), 2 * RATE, RATE).any()


def test_of_less_than_an_attack_nothing_is_known() -> None:
    sound = cymbal(0.04, dict.fromkeys(BANDS_HZ, 60.0))
    assert rung_on(sound, RATE, RATE) is sound


def test_a_stroke_whose_recordings_were_all_cut_rings_on_in_the_part(tmp_path: Path) -> None:
    """The last of six has no recording but those of 0.3 s, and 1.2 s to ring."""
    onsets = [0.3 * number for number in range(6)]
    struck = cymbal(1.5, dict.fromkeys(BANDS_HZ, 80.0))
    sound = np.zeros((2, 4 * RATE), np.float32)
    for onset in onsets:
        at = round(onset * RATE)
        sound[:, at : at + struck.shape[1]] = struck  # the next stroke ends it
    notes = [*(Note(onset, onset + 0.1, CYMBAL, 90) for onset in onsets), Note(2.7, 2.8, KICK, 90)]
    recording = write_samples(tmp_path / "drums.wav", sound, RATE)
    others = Sampler(recording, notes, 0.0, most_shift=0, leaving_out=True)
    played = np.concatenate(list(play_in_segments(others, notes, recording.frames)), axis=1)
    for start in (0.3, 0.4, 0.5, 0.6):
        for hertz in BANDS_HZ:
            heard = level_db(played, hertz, 1.5 + start, 1.6 + start)
            assert heard == pytest.approx(level_db(struck, hertz, start, start + 0.1), abs=8)

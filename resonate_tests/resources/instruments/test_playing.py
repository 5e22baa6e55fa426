from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from resonate_resources.instruments.faust import instrument_for
from resonate_resources.instruments.instrument import Instrument
from resonate_resources.instruments.playing import in_channels, play_in_segments
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.notes import playable
from resonate_resources.signal.resampling import at_rate

RATE = 44_100
SYNTHESISERS = ("vocals", "bass", "other")
SCALE = (48, 50, 52, 53, 55, 57, 59, 60)


def note(onset_s: float, pitch: int, length_s: float, velocity: int) -> Note:
    return Note(onset_s, onset_s + length_s, pitch, velocity)


@pytest.fixture(scope="module")
def instruments() -> dict[str, Instrument]:
    return {name: instrument_for(name, RATE) for name in (*SYNTHESISERS, "drums")}


def fundamental(sound: Samples, rate: int) -> float:
    """Hz, the first high peak of the autocorrelation, refined by a parabola."""
    centred = sound - sound.mean()
    power = np.abs(np.fft.rfft(centred, 2 * centred.size)) ** 2
    correlation = np.fft.irfft(power)[: centred.size]
    correlation /= correlation[0] * (1 - np.arange(centred.size) / centred.size)
    shortest, longest = int(rate / 1200), int(rate / 60)
    window = correlation[shortest:longest]
    peaks = (
        np.flatnonzero((window[1:-1] > window[:-2]) & (window[1:-1] >= window[2:]) & (window[1:-1] > 0.85))
        + 1
    )
    lag = shortest + int(peaks[0])
    before, at, after = correlation[lag - 1 : lag + 2]
    return rate / (lag + 0.5 * (before - after) / (before - 2 * at + after))


@pytest.mark.parametrize("name", SYNTHESISERS)
def test_a_scale_is_heard_at_its_pitches(name: str, instruments: dict[str, Instrument]) -> None:
    notes = [note(index * 0.5, pitch, 0.4, 100) for index, pitch in enumerate(SCALE)]
    sound = instruments[name].play(notes, 4 * RATE).mean(axis=0)
    for index, pitch in enumerate(SCALE):
        # 80 to 280 ms into the note: past its attack, before vibrato sets in
        start = round((index * 0.5 + 0.08) * RATE)
        heard = fundamental(sound[start : start + round(0.2 * RATE)], RATE)
        cents = 1200 * np.log2(heard / (440 * 2 ** ((pitch - 69) / 12)))
        assert abs(cents) < 10  # a tenth of a semitone


@pytest.mark.parametrize(("name", "pitch"), [("vocals", 57), ("bass", 38), ("other", 48), ("drums", 38)])
def test_a_note_is_heard_within_ten_milliseconds_of_its_onset(
    name: str, pitch: int, instruments: dict[str, Instrument]
) -> None:
    for onset in (0.0, 0.3217, 0.7):
        sound = np.abs(instruments[name].play([note(onset, pitch, 0.5, 110)], 2 * RATE)).max(axis=0)
        # A quarter of the peak, −12 dB, is heard as begun.
        begun = np.argmax(sound > 0.25 * sound.max()) / RATE
        assert onset <= begun < onset + 0.010


@pytest.mark.parametrize("name", [*SYNTHESISERS, "drums"])
def test_segments_join_without_a_seam(name: str, instruments: dict[str, Instrument]) -> None:
    rng = np.random.default_rng(3)
    pitches = rng.integers(36, 52, 150) if name == "drums" else rng.integers(36, 84, 150)
    instrument = instruments[name]
    notes = playable(
        [
            note(float(onset), int(pitch), float(length), int(velocity))
            for onset, pitch, length, velocity in zip(
                rng.uniform(0, 11, 150),
                pitches,
                rng.uniform(0.05, 4, 150),
                rng.integers(30, 127, 150),
                strict=True,
            )
        ]
    )
    frames = 12 * RATE + 17
    whole = instrument.play(notes, frames)

    joined = np.concatenate(list(play_in_segments(instrument, notes, frames, segment_s=1)), axis=1)

    assert joined.shape == whole.shape
    # 16-bit audio's own rounding lies at −98 dB: a difference under that is no seam.
    assert np.abs(joined - whole).max() < 10 ** (-98 / 20) * np.abs(whole).max()


def test_the_same_note_sounds_the_same_whatever_was_played_before(instruments: dict[str, Instrument]) -> None:
    for name in SYNTHESISERS:
        alone = instruments[name].play([note(3.0, 60, 0.5, 100)], 4 * RATE)[:, 3 * RATE :]
        earlier = [note(0.1 * index, 40 + index, 0.3, 127) for index in range(25)]
        after = instruments[name].play([*earlier, note(3.0, 60, 0.5, 100)], 4 * RATE)[:, 3 * RATE :]
        assert np.abs(alone - after).max() < 10 ** (-98 / 20) * np.abs(alone).max()


@pytest.mark.parametrize(("name", "release_s"), [("vocals", 0.12), ("bass", 0.08), ("other", 0.25)])
def test_every_note_is_released_to_its_end(
    name: str, release_s: float, instruments: dict[str, Instrument]
) -> None:
    # Faust's polyphony, played frame by frame, cuts a release off at the first frame that is near zero.
    release = round(release_s * RATE)
    for pitch in range(36, 72):
        sound = instruments[name].play([note(0.0, pitch, 0.5, 100)], RATE)
        held, late = (
            np.sqrt(np.mean(np.square(part)))
            for part in (
                sound[:, RATE // 2 - release : RATE // 2],
                # From half of the release to three quarters of it a straight fall is at 0.25 to 0.5.
                sound[:, RATE // 2 + release // 2 : RATE // 2 + 3 * release // 4],
            )
        )
        assert 0.2 < late / held < 0.55, pitch


@pytest.mark.parametrize("pitch", [36, 38, 42, 46, 49, 51, 45, 70])
def test_every_drum_sounds_and_dies_away(pitch: int, instruments: dict[str, Instrument]) -> None:
    sound = np.abs(instruments["drums"].play([note(0.0, pitch, 0.1, 127)], 5 * RATE)).max(axis=0)
    assert sound.max() > 0.05
    assert sound[-RATE // 2 :].max() == 0


def test_a_harder_struck_note_is_louder(instruments: dict[str, Instrument]) -> None:
    for instrument in instruments.values():
        soft, hard = (np.abs(instrument.play([note(0.0, 38, 0.5, v)], RATE)).max() for v in (40, 120))
        assert hard > 1.5 * soft


def test_instruments_can_be_used_from_any_thread(instruments: dict[str, Instrument]) -> None:
    # DawDreamer 0.9.0 waits for ever when rendered on another thread than its first.
    def play(name: str) -> float:
        return float(np.abs(instrument_for(name, RATE).play([note(0.0, 50, 0.3, 100)], RATE)).max())

    with ThreadPoolExecutor(3) as pool:
        assert all(peak > 0 for peak in pool.map(play, [*SYNTHESISERS, "drums"], timeout=60))


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000, 192_000])
def test_a_tone_keeps_pitch_and_length_at_another_rate(rate: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000).astype(np.float32)
    blocks = iter(np.split(np.stack([tone, tone]), 5, axis=1) if rate != 48_000 else [np.stack([tone, tone])])

    sound = np.concatenate(list(at_rate(blocks, 48_000, rate, 2, rate)), axis=1)

    assert sound.shape == (2, rate)
    expected = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    inner = slice(rate // 10, -rate // 10)
    assert np.abs(sound[:, inner] - expected[inner]).max() < 1e-3


def test_stereo_becomes_mono_as_its_mean_and_more_channels_as_a_front_pair() -> None:
    stereo = np.array([[1.0, 0.0], [0.0, 0.5]], np.float32)
    assert in_channels(stereo, 1).tolist() == [[0.5, 0.25]]
    assert in_channels(stereo, 2).tolist() == stereo.tolist()
    assert in_channels(stereo, 6).tolist() == [*stereo.tolist(), *[[0.0, 0.0]] * 4]

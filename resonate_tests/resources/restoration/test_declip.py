from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.clip_levels import CELL, find_clip_levels
from resonate_resources.restoration.declip import Declip
from resonate_resources.restoration.sparse_frames import BLOCK, context_frames, remade
from resonate_resources.restoration.step import Facts, Mended
from resonate_resources.signal.traces import Traces
from resonate_tests.benchmarks.damage.clipping import clipped_then_lowered, hard_clipped
from resonate_tests.benchmarks.damage.distance import si_sdr_db

RATE = 44_100
CHANCE = np.random.default_rng
TRACES = Traces(20_000.0, "natural", (), None, (), None, None, (0.0,), 0, None, None, None, None)


def chords(seconds: float = 2, rate: int = RATE, channels: int = 2) -> Samples:
    """Struck chords of decaying harmonics, another in each channel, over a bass: peaks near full scale."""
    time = np.arange(int(seconds * rate)) / rate
    chance = CHANCE(4)
    wave = np.zeros((channels, len(time)))
    for start in np.arange(0, seconds, 0.25):
        since = np.maximum(time - start, 0)
        for hertz in chance.choice([220, 277.2, 329.6, 440, 554.4, 659.3], 3, replace=False):
            for harmonic in range(1, 8):
                if hertz * harmonic < 0.45 * rate:
                    gains = chance.uniform(0.3, 1, channels)[:, None] / harmonic
                    shape = (
                        np.sin(2 * np.pi * hertz * harmonic * since) * np.exp(-since / 0.15) * (time > start)
                    )
                    wave += gains * shape
    wave += 0.5 * np.sin(2 * np.pi * 82.4 * time)
    return np.asarray(0.9 * wave / np.abs(wave).max(), np.float32)


def mend(
    folder: Path, samples: Samples, rate: int = RATE, preset: str = "balanced"
) -> tuple[Mended, Recording]:
    recording = write_samples(folder / "in.wav", samples, rate)
    facts = Facts("other", TRACES)
    return Declip().mend(recording, facts, preset, folder / "out.wav", silent), recording  # type: ignore[arg-type]


def sdr_db(sound: Samples, clean: Samples) -> float:
    return float(10 * np.log10(np.sum(clean**2, dtype=float) / np.sum((sound - clean) ** 2, dtype=float)))


@pytest.mark.parametrize("size", [0.01, 0.03, 0.1])
def test_clipped_chords_come_8_db_nearer_and_peaks_above_the_level(tmp_path: Path, size: float) -> None:
    clean = chords()
    clipped = hard_clipped(clean, RATE, CHANCE(0), size)

    mended, _ = mend(tmp_path, clipped)

    out = mended.recording.read()
    assert sdr_db(out, clean) > sdr_db(clipped, clean) + 8
    # A tenth of the samples, of both channels, are cut; tones may lose the last decibel of the highest peak.
    assert np.abs(out).max() > np.abs(clipped).max() * 1.1
    assert mended.measures["clipped_percent"] == pytest.approx(100 * size, rel=0.1)
    assert mended.measures["peak_dbfs"] == pytest.approx(20 * np.log10(np.abs(out).max()), abs=1e-3)


def test_only_what_was_cut_changes_and_only_outwards(tmp_path: Path) -> None:
    clipped = hard_clipped(chords(), RATE, CHANCE(0), 0.03)
    out = mend(tmp_path, clipped)[0].recording.read()

    whole = np.abs(clipped) < np.abs(clipped).max() * 0.999
    assert np.array_equal(out[whole], clipped[whole])
    assert np.all(out[~whole] * np.sign(clipped[~whole]) >= np.abs(clipped[~whole]))


def test_channels_turned_down_by_their_own_gains_and_dithered_are_mended(tmp_path: Path) -> None:
    clean = chords()
    clipped = clipped_then_lowered(clean, RATE, CHANCE(3), 0.03)
    out = mend(tmp_path, clipped)[0].recording.read()

    for before, after, true in zip(clipped, out, clean, strict=True):
        assert si_sdr_db(after[None], true[None]) > si_sdr_db(before[None], true[None]) + 8


def test_music_that_was_never_clipped_is_the_very_recording(tmp_path: Path) -> None:
    for preset in ("conservative", "balanced", "aggressive"):
        mended, recording = mend(tmp_path, chords(), preset=preset)
        assert mended.recording is recording
    assert not (tmp_path / "out.wav").exists()


def test_square_waves_and_low_tones_are_not_clipped(tmp_path: Path) -> None:
    """A square wave stays at its highest level by nature; a 30 Hz tone's top is flat to 16 bits for 10 samples."""
    time = np.arange(3 * RATE) / RATE
    square = 0.5 * np.sign(np.sin(2 * np.pi * 110 * time))
    tone = np.round(0.9 * np.sin(2 * np.pi * 30 * time) * 32_768) / 32_768
    for wave in (square, tone, square * (time % 0.5 < 0.25)):
        mended, recording = mend(tmp_path, wave.astype(np.float32)[None], preset="aggressive")
        assert mended.recording is recording


def test_peaks_rise_by_no_more_than_a_preset_allows(tmp_path: Path) -> None:
    clipped = hard_clipped(chords(0.2), RATE, CHANCE(0), 0.3)
    for preset, highest_db in (("conservative", 6.0), ("balanced", 12.0)):
        mended, _ = mend(tmp_path, clipped, preset=preset)
        level = float(np.abs(clipped).max())
        assert np.abs(mended.recording.read()).max() <= level * 10 ** (highest_db / 20) * 1.0001


@pytest.mark.parametrize("rate", [8_000, 22_050, 96_000])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_rate_and_number_of_channels_keeps_its_shape(tmp_path: Path, rate: int, channels: int) -> None:
    clean = chords(1.01, rate, channels)
    clipped = hard_clipped(clean, rate, CHANCE(0), 0.03)
    mended, recording = mend(tmp_path, clipped, rate)

    out = mended.recording
    assert (out.sample_rate, out.channels, out.frames) == (rate, channels, recording.frames)
    assert sdr_db(out.read(), clean) > sdr_db(clipped, clean) + 4


@pytest.mark.parametrize("frames", [0, 1, 2, CELL, CELL + 1])
def test_silence_and_nearly_nothing_are_the_very_recording(tmp_path: Path, frames: int) -> None:
    for level in (0.0, 1.0):
        mended, recording = mend(tmp_path, np.full((2, frames), level, np.float32))
        assert mended.recording is recording


def test_blocks_join_without_a_seam(tmp_path: Path) -> None:
    """Longer than two blocks; the truth is the whole recording in one piece."""
    clipped = np.tile(hard_clipped(chords(), RATE, CHANCE(0), 0.01), (1, 3))[:, : 2 * BLOCK + 777]
    mended, recording = mend(tmp_path, clipped)

    context = context_frames(RATE)
    marked = find_clip_levels(recording).masked(clipped, 0)
    padding = ((0, 0), (context, context))
    whole = remade(np.pad(clipped, padding), np.pad(marked, padding), RATE, 10 ** (12 / 20))
    np.testing.assert_array_equal(mended.recording.read(), whole[:, context:-context])

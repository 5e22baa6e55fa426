from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.damage.distance import si_sdr_db
from resonate_tests.benchmarks.defects import timing
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, level_db, noise, tone


def places_s(samples: Samples) -> np.ndarray:
    """Of bursts, by where their power's middle lies."""
    power = np.convolve(np.square(samples[0]), np.ones(200), "same")
    loud = power > 0.3 * power.max()
    starts = np.flatnonzero(np.diff(loud.astype(int)) == 1)
    ends = np.flatnonzero(np.diff(loud.astype(int)) == -1)[: len(starts)]
    return (starts[: len(ends)] + ends) / 2 / RATE


def bursts(seconds: float, every_s: float) -> Samples:
    """10 ms of noise each, from 0.25 s on."""
    gain = np.zeros(round(seconds * RATE))
    for at in np.arange(0.25, seconds - 0.1, every_s):
        gain[round(at * RATE) : round((at + 0.01) * RATE)] = 1
    return np.asarray(noise(seconds) * gain, np.float32)


def counted(seconds: float) -> Samples:
    """A level that tells its second: 0.01 for each."""
    return np.asarray(np.tile(np.floor(np.arange(round(seconds * RATE)) / RATE) / 100, (2, 1)), np.float32)


def seconds_of(samples: Samples) -> list[int]:
    """The counted seconds that a sound goes through, as they come."""
    told = np.round(samples[0, RATE // 2 :: RATE] * 100).astype(int)
    return [int(second) for second in told]


def test_all_is_late_by_its_size() -> None:
    song = excerpt(bursts(4, 0.5))
    assert places_s(timing.late(song, 0.05)) - places_s(song.mix) == pytest.approx(0.05, abs=1e-4)


def test_faster_bursts_come_sooner_by_their_share() -> None:
    song = excerpt(bursts(20, 0.5))
    found = places_s(timing.faster(song, 3))

    assert (found[-1] - found[0]) / (len(found) - 1) == pytest.approx(0.5 / 1.03, rel=2e-3)


def test_a_drift_is_fast_then_slow() -> None:
    """Up to 8 % fast at 3.75 s, as slow at 11.25 s, of a period of 15 s."""
    song = excerpt(bursts(16, 0.25))
    gaps = np.diff(places_s(timing.drifting(song, 8)))

    assert np.median(gaps[12:17]) == pytest.approx(0.25 / 1.08, rel=0.015)
    assert np.median(gaps[42:47]) == pytest.approx(0.25 / 0.92, rel=0.015)


def test_beats_are_cut_out_and_all_after_them_comes_sooner() -> None:
    song = excerpt(counted(20), beat_s=1.0)
    made = timing.with_beats_cut(song, 1)

    assert song.frames - made.shape[1] == pytest.approx(RATE, abs=0.011 * RATE)
    assert len(set(seconds_of(song.mix)) - set(seconds_of(made))) == 1


def test_bars_are_swapped_cut_and_repeated_as_they_are_counted() -> None:
    song = excerpt(counted(20), beat_s=0.25)  # bars of a second
    start = round(song.bars(4)[0])

    told = list(range(20))
    swapped = [*told[:start], start + 2, start + 3, start, start + 1, *told[start + 4 :]]
    assert seconds_of(timing.with_bars_swapped(song, 4)) == pytest.approx(swapped)
    assert seconds_of(timing.with_bars_cut(song, 4)) == [*told[:start], *told[start + 4 :]]
    repeated = [*told[: start + 4], *told[start : start + 4], *told[start + 8 :]]
    assert seconds_of(timing.with_bars_repeated(song, 4)) == repeated


def test_drop_outs_are_silent_for_their_time() -> None:
    song = excerpt(tone(20, 440) + 0.2)
    made = timing.with_dropouts(song, 0.2)

    assert (made[0] == 0).sum() / RATE == pytest.approx(10 * 0.2, rel=0.02)


def test_a_stutter_repeats_grains_of_50_to_100_ms() -> None:
    song = excerpt(noise(10))
    made = timing.stuttering(song, 0.5)
    assert made is not None
    changed = np.flatnonzero(np.abs(made[0] - song.mix[0]) > 1e-6)
    starts = changed[np.flatnonzero(np.diff(changed, prepend=-RATE) > RATE // 100)]

    assert len(starts) == 5
    for start in starts:
        heard, before = made[0, start + 300 : start + 1500], song.mix[0, start - 6000 : start + 1500]
        match = np.correlate(before, heard, "valid")
        lag = len(before) - len(heard) - int(np.argmax(match))
        assert match.max() > 0.95 * np.sum(heard**2)
        assert 0.05 <= lag / RATE <= 0.1


def test_a_voice_alone_stutters() -> None:
    stems = {"vocals": noise(10, 1), "drums": noise(10, 2)}
    made = timing.stuttering(excerpt(stems), 2, "vocals")
    assert made is not None

    rest = made - stems["drums"]
    assert 0.2 < np.mean(np.abs(rest - stems["vocals"]) > 1e-6) < 0.5  # 20 times two grains of 75 ms in 10 s


def test_smearing_keeps_power_and_spreads_strokes() -> None:
    song = excerpt(bursts(8, 1.0))
    made = [timing.smeared(song, radians) for radians in (0.3, 0.8, 3)]
    nearness = [si_sdr_db(one, song.mix) for one in made]

    assert [level_db(one) for one in made] == pytest.approx([level_db(song.mix)] * 3, abs=0.05)
    assert nearness == sorted(nearness, reverse=True)
    before = made[2][:, round(0.21 * RATE) : round(0.24 * RATE)]
    assert level_db(before) > level_db(made[2]) - 20  # the first burst's, which begins at 0.25 s

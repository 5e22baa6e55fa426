from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from resonate_tests.benchmarks.defects import level
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, level_db, noise, tone


def test_one_section_alone_is_softer() -> None:
    song = replace(excerpt(tone(20, 440)), edges_s=(6.0, 14.0))
    made = level.section_at(song, -8)

    for start, end, expected in ((0, 6, 0.0), (6.1, 13.9, -8.0), (14, 20, 0.0)):
        span = song.frames_of(start, end)
        assert level_db(made[:, span]) - level_db(song.mix[:, span]) == pytest.approx(expected, abs=0.05)


def test_a_fade_loses_its_decibels_evenly() -> None:
    song = excerpt(tone(20, 440))
    made = level.fading(song, 20)
    lost = [level_db(made[:, i * RATE : (i + 1) * RATE]) - level_db(song.mix[:, :RATE]) for i in (0, 10, 19)]

    assert lost == pytest.approx([-0.5, -10.5, -19.5], abs=0.1)


def test_a_level_that_wanders_is_up_and_down_by_its_size() -> None:
    song = excerpt(tone(8, 440))
    made = level.wandering(song, 6)
    up, down = (level_db(made[:, round(at * RATE) : round((at + 0.1) * RATE)]) for at in (1.95, 5.95))

    assert [up - level_db(song.mix), down - level_db(song.mix)] == pytest.approx([6, -6], abs=0.1)


def test_pumping_is_deepest_at_each_beat_and_gone_before_the_next() -> None:
    song = excerpt(tone(8, 880))
    made = level.breathing(song, 10)
    for beat in (2.0, 2.5):
        struck = made[:, round(beat * RATE) : round((beat + 0.01) * RATE)]
        back = made[:, round((beat + 0.42) * RATE) : round((beat + 0.48) * RATE)]
        assert level_db(struck) - level_db(song.mix) == pytest.approx(-9.9, abs=0.3)
        assert level_db(back) - level_db(song.mix) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("ratio", "expected"), [(2.0, 10.0), (0.5, 40.0)])
def test_a_ratio_divides_the_distance_of_soft_and_loud(ratio: float, expected: float) -> None:
    song = excerpt(np.concatenate((tone(2, 440, 0.5), tone(2, 440, 0.05)), axis=1))  # 20 dB apart
    made = level.ratio_changed(song, ratio)
    loud, soft = level_db(made[:, RATE // 2 : RATE]), level_db(made[:, 3 * RATE :])

    assert loud - soft == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("defect", [level.clipped, level.limited])
def test_peaks_are_cut_by_their_size_and_what_is_under_stays(defect: object) -> None:
    assert callable(defect)
    song = excerpt(np.concatenate((tone(2, 440, 0.8), tone(2, 440, 0.1)), axis=1))
    made = defect(song, 8)

    assert 20 * np.log10(np.abs(made).max() / np.abs(song.mix).max()) == pytest.approx(-8, abs=0.01)
    assert np.abs(made[:, 3 * RATE :] - song.mix[:, 3 * RATE :]).max() < 1e-4


def test_a_limiter_keeps_the_wave_that_a_clipper_flattens() -> None:
    song = excerpt(tone(2, 440, 0.8))

    def third_harmonic(made: np.ndarray) -> float:
        lines = np.abs(np.fft.rfft(made[0, RATE // 2 : RATE // 2 + RATE]))
        return float(lines[1320] / lines[440])

    assert third_harmonic(level.clipped(song, 8)) > 0.1
    assert third_harmonic(level.limited(song, 8)) < 0.001


def test_softened_attacks_lose_their_first_milliseconds_alone() -> None:
    wave = tone(2, 1000, 0.5) * (np.arange(2 * RATE) >= RATE)
    made = level.softened(excerpt(np.asarray(wave, np.float32)), 14)
    first, later = slice(RATE + 20, RATE + 200), slice(RATE + RATE // 10, None)

    assert level_db(made[:, first]) < level_db(wave[:, first]) - 6
    assert level_db(made[:, later]) == pytest.approx(level_db(wave[:, later]), abs=0.3)


def test_a_stem_is_softer_or_missing_and_the_others_stay() -> None:
    stems = {"bass": noise(2, 1), "drums": noise(2, 2)}
    softer = level.stem_at(excerpt(stems), -6, "bass")
    missing = level.stem_at(excerpt(stems), -np.inf, "bass")

    assert softer is not None
    assert missing is not None
    assert np.abs(missing - stems["drums"]).max() < 1e-6
    assert level_db(softer - stems["drums"]) - level_db(stems["bass"]) == pytest.approx(-6, abs=0.01)
    assert level.stem_at(excerpt(stems), -6, "vocals") is None


def test_a_stem_that_others_mask_is_not_damaged() -> None:
    assert level.stem_at(excerpt({"bass": noise(2, 1) * 0.1, "drums": noise(2, 2)}), -6, "bass") is None

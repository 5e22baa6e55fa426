from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects import space
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, level_db, noise, strokes, tone


def side_db(samples: Samples) -> float:
    return level_db(samples[0] - samples[1]) - level_db(samples[0] + samples[1])


def test_width_moves_the_side_alone() -> None:
    song = excerpt(noise(4))
    narrow, mono, wide = (space.as_wide(song, width) for width in (0.5, 0.0, 2.0))
    assert narrow is not None
    assert mono is not None
    assert wide is not None

    assert side_db(narrow) - side_db(song.mix) == pytest.approx(-6.02, abs=0.01)
    assert side_db(wide) - side_db(song.mix) == pytest.approx(6.02, abs=0.01)
    assert np.array_equal(mono[0], mono[1])
    assert np.abs(wide.sum(axis=0) - song.mix.sum(axis=0)).max() < 1e-6


def test_mono_has_no_width_to_lose() -> None:
    assert space.as_wide(excerpt(tone(1, 440)), 0.5) is None
    assert space.as_wide(excerpt(noise(1)[:1]), 0.5) is None


def test_one_side_is_softer_or_lost() -> None:
    song = excerpt(noise(1))
    softer, lost = space.one_side_at(song, -3), space.one_side_at(song, -np.inf)
    assert softer is not None
    assert lost is not None

    assert np.array_equal(softer[0], song.mix[0])
    assert level_db(softer[1]) - level_db(song.mix[1]) == pytest.approx(-3, abs=0.01)
    assert not lost[1].any()


def test_polarity_of_one_side_turns_over_its_frequency_alone() -> None:
    for hertz, correlation in ((100, 1.0), (8000, -1.0)):
        made = space.one_side_inverted(excerpt(tone(2, hertz)), 1000)
        assert made is not None
        middle = made[:, RATE // 2 : -RATE // 2]
        assert np.corrcoef(middle)[0, 1] == pytest.approx(correlation, abs=0.01)


def test_sides_are_swapped() -> None:
    song = excerpt(noise(1))
    assert np.array_equal(space.mirrored(song, 1.0), song.mix[::-1])


def test_chords_move_to_the_left_at_their_power() -> None:
    stems = {"other": tone(2, 440), "drums": noise(2) * 0.5}
    made = space.moved_aside(excerpt(stems), 0.4)
    assert made is not None
    other = made - stems["drums"]

    # √1.4 against √0.6
    assert level_db(other[0]) - level_db(other[1]) == pytest.approx(10 * np.log10(1.4 / 0.6), abs=0.01)
    assert level_db(other) == pytest.approx(level_db(stems["other"]), abs=0.01)


def test_reverberation_falls_by_60_db_in_its_time() -> None:
    """Schroeder's backward integral, −5 to −35 dB, as T30 of ISO 3382-1."""
    stroke = strokes(4, 10)
    made = space.reverberant(excerpt(stroke), 1.0, -6)
    tail = (made - stroke)[0, round(0.1 * RATE) :].astype(np.float64)
    fall = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1] / np.sum(tail**2) + 1e-12)
    first, last = np.argmax(fall < -5), np.argmax(fall < -35)

    assert 2 * (last - first) / RATE == pytest.approx(1.0, rel=0.05)


def test_reverberation_has_its_level_against_the_direct_sound() -> None:
    song = excerpt(noise(8))
    made = space.wetter(song, -10)

    assert level_db((made - song.mix)[:, 3 * RATE :]) - level_db(song.mix) == pytest.approx(-10, abs=0.5)


def test_a_voice_alone_is_in_the_hall() -> None:
    stems = {"vocals": strokes(4, 10), "drums": tone(4, 100, 0.001)}
    made = space.vocals_in_a_room(excerpt(stems), 0)
    assert made is not None

    assert level_db((made - stems["drums"])[:, RATE : 2 * RATE]) > -100
    dry = excerpt({"vocals": stems["vocals"] * 0 + 1e-9, "drums": noise(4)})
    assert space.vocals_in_a_room(dry, 0) is None

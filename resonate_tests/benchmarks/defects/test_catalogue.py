from __future__ import annotations

import numpy as np
import pytest

from resonate_tests.benchmarks.damage.distance import log_spectral_distance, si_sdr_db
from resonate_tests.benchmarks.defects import harmless
from resonate_tests.benchmarks.defects.catalogue import DEFECTS
from resonate_tests.benchmarks.defects.defect import DIMENSIONS, Defect
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, level_db, noise, tone

GRADED = [
    defect
    for defect in DEFECTS
    if defect.own in {"spectrum", "octave_balance", "noise_floor", "stereo_width"}
]


def test_kinds_are_told_apart_and_every_dimension_has_some() -> None:
    kinds = [defect.kind for defect in DEFECTS]

    assert len(set(kinds)) == len(kinds) >= 45
    assert {defect.own for defect in DEFECTS} == {*DIMENSIONS, None}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.kind)
def test_each_size_has_its_grade_and_what_is_worse_is_not_less_heard(defect: Defect) -> None:
    heard = [("no", "hardly", "yes").index(one) for one in defect.audible]

    assert len(defect.sizes) == len(heard) == len(defect.grades)
    assert heard == sorted(heard)
    assert defect.why
    assert defect.own is not None or defect.audible == ("no",)


def test_the_least_size_is_the_first_that_is_heard() -> None:
    kinds = {defect.kind: defect for defect in DEFECTS}
    assert kinds["hum"].least == 1  # hardly, yes, yes
    assert kinds["clicks"].least == 0
    assert kinds["all late"].least is None
    assert kinds["the same again"].least == 0


@pytest.mark.parametrize("defect", GRADED, ids=lambda defect: defect.kind)
def test_a_worse_grade_is_farther_from_the_original(defect: Defect) -> None:
    """By log spectral distance, or, of what changes single samples or places alone, by SI-SDR."""
    rhythm = np.where(np.arange(6 * RATE) % RATE < 0.6 * RATE, 1.0, 0.003)
    stems = {
        "drums": np.asarray(noise(6, 1) * rhythm, np.float32),
        "bass": np.asarray(tone(6, 80) * rhythm, np.float32),
        "vocals": np.asarray(noise(6, 2)[:1].repeat(2, axis=0) * rhythm, np.float32),
        "other": np.asarray(0.5 * noise(6, 3) * rhythm, np.float32),
    }
    song = excerpt(stems)
    made = [sound for size in defect.sizes if (sound := defect.make(song, size)) is not None]
    assert len(made) == len(defect.sizes)
    spectral = [log_spectral_distance(sound, song.mix, RATE) for sound in made]
    direct = [-si_sdr_db(sound, song.mix) for sound in made]

    assert spectral == sorted(spectral) or direct == sorted(direct)


def test_harmless_changes_are_what_they_say() -> None:
    song = excerpt(noise(4))
    for bits in (16, 24):
        # TPDF dither and rounding: q²/4 in all, q = 2^(1 − bits) (Lipshitz et al. 1992, J. AES 40).
        error = level_db(harmless.dithered(song, bits).astype(np.float64) - song.mix)
        if bits == 16:  # 24 bits lie at the edge of 32-bit floats
            assert error == pytest.approx(10 * np.log10(4.0 ** (1 - bits) / 4), abs=0.1)
        assert error < -90
    assert level_db(harmless.as_flac(song, 16) - song.mix) < -95
    assert level_db(harmless.gained(song, -6)) - level_db(song.mix) == pytest.approx(-6, abs=0.01)
    assert np.array_equal(harmless.inverted(song, 0), -song.mix)
    assert np.array_equal(harmless.delayed(song, 500)[:, 500:], song.mix[:, :-500])
    assert harmless.offset(song, 0.005).mean() - song.mix.mean() == pytest.approx(0.005, abs=1e-5)
    music = excerpt(tone(4, 440) + tone(4, 9000))
    assert si_sdr_db(harmless.resampled(music, 48_000)[:, RATE:-RATE], music.mix[:, RATE:-RATE]) > 80

"""Which songs fit, which calibrate, which test. Both soundfonts are in each part, all styles in none."""

from __future__ import annotations

from resonate_tests.benchmarks.quality_prediction.examples import DEMO

_BANDS, _DEMOS = range(42), range(101, 107)


def _part(remainders: tuple[int, ...]) -> tuple[int, ...]:
    bands = [seed for seed in _BANDS if (seed + seed // 12) % 6 in remainders]
    return (*bands, *(DEMO + seed for seed in _DEMOS if seed % 6 in remainders))


FIT_SONGS, CALIBRATION_SONGS, TEST_SONGS = _part((0, 1, 2)), _part((3,)), _part((4, 5))

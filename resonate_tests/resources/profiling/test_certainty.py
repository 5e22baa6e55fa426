from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.profiling.certainty import certainty, log_odds, pulse_signs
from resonate_tests.benchmarks.fit_beats import fit_certainty


def test_certainty_is_the_share_that_is_right() -> None:
    """On draws whose probability is known."""
    rng = np.random.default_rng(4)
    signs = rng.normal(size=(4000, 2))
    true = 1 / (1 + np.exp(-(1.5 * signs[:, 0] - 0.5)))
    fitted = fit_certainty([*signs], (rng.random(4000) < true).tolist())
    assert [certainty(row, fitted) for row in signs[:200]] == pytest.approx(true[:200].tolist(), abs=0.06)


def test_the_odds_of_what_is_certain_are_finite() -> None:
    assert log_odds(0.5) == pytest.approx(0)
    assert log_odds(0.75) == pytest.approx(np.log(3), abs=0.01)
    assert np.isfinite([log_odds(0.0), log_odds(1.0)]).all()


def test_a_pulse_is_told_by_what_its_beats_stand_out_from() -> None:
    nats = np.full(1000, -2.0)
    nats[100:901:50] = 3.0
    beats = np.arange(1.0, 9.01, 0.5)
    stands_out, with_halves, share, varies, many, part = pulse_signs(nats, beats)
    assert stands_out == with_halves == pytest.approx(3 - nats[100:901].mean())
    assert (share, varies, many) == pytest.approx((1, 0, np.log(17)))
    assert part == pytest.approx(0.8, abs=0.01)
    assert pulse_signs(nats, beats + 0.25)[0] < 0 < pulse_signs(nats, beats + 0.25)[1]

"""Out of tune: all of it, one stem, or by turns."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.damage import speed
from resonate_tests.benchmarks.defects.defect import Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt
from resonate_tests.benchmarks.defects.replaying import shifted


def detuned(excerpt: Excerpt, cents: float, stem: str | None = None) -> Samples | None:
    """Higher by that, by Rubber Band; drums stay. stem: that alone; None where there is no such stem."""
    if stem is not None and not excerpt.plays(stem):
        return None
    names = [stem] if stem else [name for name in excerpt.stems if name != "drums"]
    if not names:
        return None
    pitched = np.sum([excerpt.stems[name] for name in names], axis=0)
    return np.asarray(excerpt.mix - pitched + shifted(excerpt, pitched, cents / 100), np.float32)


def played_fast(excerpt: Excerpt, cents: float) -> Samples:
    """As a tape that runs fast: pitch and tempo together."""
    import soxr

    return np.asarray(
        soxr.resample(excerpt.mix.T, excerpt.rate * 2 ** (cents / 1200), excerpt.rate, "VHQ").T, np.float32
    )


def wowing(excerpt: Excerpt, depth: float) -> Samples:
    """A record's."""
    return _at_speed(excerpt, speed.lp(excerpt.frames, excerpt.rate, excerpt.chance("wow"), depth))


def fluttering(excerpt: Excerpt, depth: float) -> Samples:
    """A capstan's."""
    return _at_speed(excerpt, speed.capstan(excerpt.frames, excerpt.rate, excerpt.chance("flutter"), depth))


def _at_speed(excerpt: Excerpt, deviation: npt.NDArray[np.float64]) -> Samples:
    """By cubic splines at four times the rate, in a tenth of the time that `speed.played` takes."""
    import soxr
    from scipy.ndimage import map_coordinates

    at = np.arange(excerpt.frames) + np.cumsum(deviation) - deviation[0]
    dense = soxr.resample(excerpt.mix.T, excerpt.rate, 4 * excerpt.rate, "HQ").T
    return np.stack([map_coordinates(one, [4 * at], order=3) for one in dense])


_BEATING = "beside what is in tune 10 cents at 440 Hz beat at 2.5 Hz, as players' own do"
_WOW = "about 0.2 % of wow and flutter is the least heard in music, on held tones (DIN 45507 weights it so)"

DEFECTS = (
    Defect(
        "all detuned", "tuning", detuned, (10, 25, 50), "cents",
        "Zwicker & Fastl, ch. 7: 4 to 12 cents between tones one after the other",
    ),
    *(
        Defect(f"{stem} detuned", "tuning", partial(detuned, stem=stem), (10, 25, 50), "cents", _BEATING)
        for stem in ("other", "vocals")
    ),
    Defect(
        "tape fast", "tuning", played_fast, (5, 15, 50), "cents", "as detuned; tempo rises by 0.3, 0.9 and 2.9 %",
        ("no", "hardly", "yes"),
    ),
    Defect("wow", "tuning", wowing, (0.001, 0.004, 0.012), "of speed", _WOW),
    Defect("flutter", "tuning", fluttering, (0.001, 0.003, 0.01), "of speed", _WOW),
)  # fmt: skip

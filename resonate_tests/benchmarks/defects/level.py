"""Loudness that is not the original's: by section, over time, between soft and loud, by stem."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.defect import Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt

_ENVELOPE_S = 0.05


def section_at(excerpt: Excerpt, gain_db: float) -> Samples:
    """The section after the first edge, or the last two thirds; the gain moves within 50 ms."""
    edges = [*excerpt.edges_s, excerpt.duration_s]
    first = edges[0] if len(edges) > 1 else excerpt.duration_s / 3
    last = edges[1] if len(edges) > 1 else excerpt.duration_s
    if last - first < 4:
        first, last = excerpt.duration_s / 3, excerpt.duration_s
    seconds = np.arange(excerpt.frames) / excerpt.rate
    inside = np.clip((seconds - first) / 0.05, 0, 1) * np.clip((last - seconds) / 0.05, 0, 1)
    return _with_gain(excerpt.mix, gain_db * inside)


def fading(excerpt: Excerpt, by_db: float) -> Samples:
    """Straight in dB over all of it."""
    return _with_gain(excerpt.mix, np.linspace(0, -by_db, excerpt.frames))


def wandering(excerpt: Excerpt, by_db: float) -> Samples:
    """Up and down by that much, once in 8 s."""
    seconds = np.arange(excerpt.frames) / excerpt.rate
    return _with_gain(excerpt.mix, by_db * np.sin(2 * np.pi * seconds / 8))


def breathing(excerpt: Excerpt, by_db: float) -> Samples:
    """Down by that much at each beat, back within it: pumping that the original doesn't have."""
    seconds = np.arange(excerpt.frames) / excerpt.rate
    beats = np.array(excerpt.beats_s or np.arange(0, excerpt.duration_s, 0.5))
    since = seconds - beats[np.maximum(np.searchsorted(beats, seconds, side="right") - 1, 0)]
    return _with_gain(excerpt.mix, -by_db * np.clip(1 - since / (0.8 * excerpt.beat_s), 0, 1))


def ratio_changed(excerpt: Excerpt, ratio: float) -> Samples:
    """Levels over 50 ms that differ by 1 dB differ by 1/ratio dB: a compressor over 1, an expander under it."""
    from scipy.ndimage import uniform_filter1d

    power = uniform_filter1d(
        np.square(excerpt.mix, dtype=np.float64).mean(axis=0), round(_ENVELOPE_S * excerpt.rate)
    )
    level = 10 * np.log10(np.maximum(power, 1e-6 * power.max() + 1e-15))
    return _with_gain(excerpt.mix, (1 / ratio - 1) * (level - level.max()))


def clipped(excerpt: Excerpt, by_db: float) -> Samples:
    """Cut flat that far under its peak."""
    top = np.abs(excerpt.mix).max() * 10 ** (-by_db / 20)
    return np.clip(excerpt.mix, -top, top)


def limited(excerpt: Excerpt, by_db: float) -> Samples:
    """Its peaks brought down to that far under the highest, looking 1.5 ms ahead and let go over 50 ms."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    peaks = np.abs(excerpt.mix).max(axis=0)
    needed = np.minimum(1, peaks.max() * 10 ** (-by_db / 20) / np.maximum(peaks, 1e-9))
    ahead = round(0.0015 * excerpt.rate)
    held = minimum_filter1d(needed, 2 * ahead + 1)
    gain = np.minimum(uniform_filter1d(held, 2 * ahead + 1), _let_go(held, 0.05 * excerpt.rate))
    return np.asarray(excerpt.mix * gain, np.float32)


def _let_go(gain: npt.NDArray[np.float64], frames: float) -> npt.NDArray[np.float64]:
    """Rises no faster than a tenth of its way back in a tenth of those frames: a maximum of decaying reductions."""
    step = 64
    lowest = np.minimum.reduceat(gain, np.arange(0, len(gain), step))
    kept = np.exp(-step / frames)
    reduction, slow = 0.0, np.empty_like(lowest)
    for index, value in enumerate(lowest):
        reduction = max(1 - value, reduction * kept)
        slow[index] = 1 - reduction
    return np.interp(np.arange(len(gain)), np.arange(len(slow)) * step, slow)


def softened(excerpt: Excerpt, by_db: float) -> Samples:
    """Attacks lower by up to that much: where the next 10 ms are 6 dB louder than the 100 ms that end with them."""
    from scipy.ndimage import uniform_filter1d

    power = np.square(excerpt.mix, dtype=np.float64).mean(axis=0)
    fast, slow = (
        uniform_filter1d(power, 2 * half, origin=origin)
        for half, origin in (
            (round(0.005 * excerpt.rate), -round(0.005 * excerpt.rate)),
            (round(0.05 * excerpt.rate), round(0.04 * excerpt.rate)),
        )
    )
    over_db = 10 * np.log10((fast + 1e-12) / (slow + 1e-12))
    return _with_gain(excerpt.mix, -by_db * np.clip(over_db / 6, 0, 1))


def stem_at(excerpt: Excerpt, gain_db: float, stem: str) -> Samples | None:
    """−inf: missing. None where there is no such stem, or nothing else."""
    if not excerpt.plays(stem):
        return None
    return excerpt.with_stem(stem, np.asarray(10 ** (gain_db / 20) * excerpt.stems[stem], np.float32))


def _with_gain(samples: Samples, gain_db: npt.NDArray[np.float64]) -> Samples:
    return np.asarray(samples * 10 ** (gain_db / 20), np.float32)


_JND = "Zwicker & Fastl, Psychoacoustics, ch. 7: 1 dB of level is about the least heard"
_STEM = "a part is balanced to 1 or 2 dB by who mixes; 3 dB are heard beside the original only"

DEFECTS = (
    Defect("section softer", "level_per_section", section_at, (-1, -3, -8), "dB", _JND),
    Defect("section louder", "level_per_section", section_at, (1, 3, 8), "dB", _JND),
    Defect(
        "fade", "energy_curve", fading, (3, 8, 20), "dB",
        _JND + ", at once; more where it takes half a minute",
    ),
    Defect("level wanders", "energy_curve", wandering, (1, 3, 6), "± dB", _JND),
    Defect("pumping", "dynamics", breathing, (1.5, 4, 10), "dB", _JND + ", at a beat's rate too"),
    Defect(
        "compressed", "dynamics", ratio_changed, (1.3, 2, 5), ": 1",
        "a bus is compressed by 1.5 : 1 to be unheard",
    ),
    Defect(
        "expanded", "dynamics", ratio_changed, (0.8, 0.6, 0.4), ": 1",
        "what is 20 dB under the peak falls by 5, 13 and 30 dB",
    ),
    Defect(
        "clipped", "dynamics", clipped, (3, 8, 16), "dB",
        "at 3 dB the tips of the loudest strokes alone; at 8 dB every stroke, which buzzes",
    ),
    Defect(
        "limited", "dynamics", limited, (2, 6, 14), "dB",
        "Croghan et al. 2012, JASA 132: mild limiting is judged as none", ("no", "hardly", "yes"),
    ),
    Defect("attacks softened", "onsets", softened, (2, 6, 14), "dB", _JND),
    *(
        Defect(f"{stem} level", own, partial(stem_at, stem=stem), (-3, -6, -np.inf), "dB", _STEM)
        for stem, own in (("bass", "bass"), ("drums", "onsets"), ("vocals", "melody"), ("other", "harmony"))
    ),
    *(
        Defect(f"{stem} too loud", "octave_balance", partial(stem_at, stem=stem), (2, 5, 10), "dB", _STEM)
        for stem in ("bass", "drums", "vocals", "other")
    ),
)  # fmt: skip

"""What was not in the music: hiss, hum, crackle, clicks, coarse steps."""

from __future__ import annotations

from functools import partial

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.damage import clipping, generated, noise
from resonate_tests.benchmarks.defects.defect import Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt


def hissing(excerpt: Excerpt, level_db: float) -> Samples:
    """White, against the music's power."""
    return noise.white(excerpt.mix, excerpt.rate, excerpt.chance("hiss"), -level_db)


def taped(excerpt: Excerpt, level_db: float) -> Samples:
    """A cassette's hiss, against the music's power."""
    return noise.tape_hiss(excerpt.mix, excerpt.rate, excerpt.chance("tape"), -level_db)


def humming(excerpt: Excerpt, level_db: float) -> Samples:
    """Mains of 50 Hz and harmonics, against the music's power."""
    return noise.hum(excerpt.mix, excerpt.rate, excerpt.chance("hum"), -level_db)


def crackling(excerpt: Excerpt, a_second: float) -> Samples:
    return clipping.crackling(excerpt.mix, excerpt.rate, excerpt.chance("crackle"), a_second)


def clicking(excerpt: Excerpt, a_second: float) -> Samples:
    return clipping.scratched(excerpt.mix, excerpt.rate, excerpt.chance("clicks"), a_second)


def glitching(excerpt: Excerpt, a_second: float) -> Samples:
    return clipping.glitching(excerpt.mix, excerpt.rate, excerpt.chance("glitches"), a_second)


def shimmering(excerpt: Excerpt, level_db: float) -> Samples:
    return generated.shimmer(excerpt.mix, excerpt.rate, excerpt.chance("shimmer"), level_db)


def modulated(excerpt: Excerpt, below_db: float, stem: str | None = None) -> Samples | None:
    """White noise times the sound itself, that far under it (ITU-T P.810). stem: of which alone; None where it does
    not play."""
    if stem is not None and not excerpt.plays(stem):
        return None
    sound = excerpt.mix if stem is None else excerpt.stems[stem]
    white = excerpt.chance("modulated").standard_normal(sound.shape)
    return np.asarray(excerpt.mix + 10 ** (-below_db / 20) * white * sound, np.float32)


def with_raised_floor(excerpt: Excerpt, by_db: float) -> Samples | None:
    """Steady noise, so that what sounds in the softest fiftieth of moments of 46 ms is louder by that.

    None where that lies less than 30 or more than 90 dB under the whole: it is music, or silence."""
    from scipy.signal import istft, stft

    size = {"fs": excerpt.rate, "nperseg": 2048, "noverlap": 1024}
    power = np.square(np.abs(stft(excerpt.mix, **size)[2])).mean(axis=0)
    by_moment = power.sum(axis=0)
    floor = power[:, by_moment <= np.quantile(by_moment, 0.02)].mean(axis=1)
    if not -90 < 10 * np.log10(floor.sum() / by_moment.mean() + 1e-15) < -30:
        return None
    made = excerpt.chance("floor").standard_normal(excerpt.mix.shape)
    spectra = stft(made, **size)[2]
    gain = np.sqrt(floor * (10 ** (by_db / 10) - 1) / np.square(np.abs(spectra)).mean(axis=(0, 2)))
    made = istft(spectra * gain[:, None], **size)[1]
    return np.asarray(excerpt.mix + made[:, : excerpt.frames], np.float32)


def coarse(excerpt: Excerpt, bits: float) -> Samples:
    """Rounded without dither to steps of that many bits of its peak."""
    step = np.abs(excerpt.mix).max() / 2 ** (bits - 1)
    return np.asarray(np.round(excerpt.mix / step) * step, np.float32)


def decimated(excerpt: Excerpt, hold: float) -> Samples:
    """Each sample held that many long, without a filter: images and aliases."""
    return np.repeat(excerpt.mix[:, :: int(hold)], int(hold), axis=1)[:, : excerpt.frames]


_MASKED = "music masks what is 40 dB softer but in rests and soft starts"

DEFECTS = (
    Defect(
        "white hiss", "noise_floor", hissing, (-60, -40, -20), "dB", _MASKED + "; at 80 dB SPL: 20, 40 and 60 dB",
        ("no", "yes", "yes"),
    ),
    Defect("tape hiss", "noise_floor", taped, (-55, -40, -25), "dB", _MASKED),
    Defect("hum", "noise_floor", humming, (-50, -35, -20), "dB", _MASKED),
    Defect(
        "crackle", "onsets", crackling, (1, 10, 50), "a second", "ticks 14 to 34 dB under the peaks",
        ("yes", "yes", "yes"),
    ),
    Defect(
        "clicks", "onsets", clicking, (0.1, 1, 10), "a second", "up to as loud as the peaks",
        ("yes", "yes", "yes"),
    ),
    Defect(
        "glitches", "onsets", glitching, (0.2, 2, 10), "a second",
        "of 24 samples at most: masked where it is loud",
    ),
    Defect(
        "floor raised", "noise_floor", with_raised_floor, (3, 9, 18), "dB",
        "3 dB of noise are little, heard in rests",
    ),
    Defect(
        "modulated noise", "noise_floor", modulated, (40, 25, 12), "dB under",
        "ITU-T P.810: at a Q of 35 dB speech sounds clean",
    ),
    Defect(
        "voice hisses", "noise_floor", partial(modulated, stem="vocals"), (30, 18, 6), "dB under",
        "as modulated noise, of which the band masks some",
    ),
    Defect(
        "few bits", "noise_floor", coarse, (12, 8, 6), "bits",
        "noise 70, 48 and 36 dB under the peak: " + _MASKED,
    ),
    Defect(
        "held samples", "spectrum", decimated, (2, 4, 8), "samples",
        "images of all that sounds above 11, 5.5 and 2.8 kHz of 44.1 kHz",
    ),
    Defect(
        "shimmer", "spectrum", shimmering, (-6, 0, 6), "dB",
        "tones of 6 to 10 kHz about as loud as what masks them",
    ),
)  # fmt: skip

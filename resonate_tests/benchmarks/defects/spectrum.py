"""Another tone: filters, tilts, resonances, combs, what coders leave."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.damage import bandwidth
from resonate_tests.benchmarks.defects.defect import Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt

_TILT_HZ = (63.0, 16_000.0)
_NOTHING = 1e-5  # of the power: 50 dB under the music


def filtered(samples: Samples, rate: int, hertz: npt.ArrayLike, gain_db: npt.ArrayLike) -> Samples:
    """Gains in dB at those frequencies, straight in dB over log frequency between them; zero phase."""
    lines = np.maximum(np.fft.rfftfreq(samples.shape[1], 1 / rate), 1.0)
    gain = 10 ** (np.interp(np.log2(lines), np.log2(np.asarray(hertz)), np.asarray(gain_db)) / 20)
    return np.asarray(np.fft.irfft(np.fft.rfft(samples) * gain, samples.shape[1]), np.float32)


def low_passed(excerpt: Excerpt, hertz: float) -> Samples | None:
    """None where 50 dB under the music is all that lies above."""
    if _share(excerpt, hertz, 1e9) < _NOTHING:
        return None
    return bandwidth.walled(excerpt.mix, excerpt.rate, excerpt.chance("low-pass"), hertz)


def high_passed(excerpt: Excerpt, hertz: float) -> Samples | None:
    """24 dB an octave, zero phase. None where 50 dB under the music is all that lies below."""
    from scipy.signal import butter, sosfiltfilt

    if _share(excerpt, 0, hertz) < _NOTHING:
        return None
    return np.asarray(
        sosfiltfilt(butter(2, hertz, "high", fs=excerpt.rate, output="sos"), excerpt.mix), np.float32
    )


def tilted(excerpt: Excerpt, difference_db: float, upwards: bool) -> Samples:
    """A straight line in dB over octaves, by that much from 63 Hz to 16 kHz."""
    half = difference_db / 2 if upwards else -difference_db / 2
    return filtered(excerpt.mix, excerpt.rate, _TILT_HZ, (-half, half))


def with_an_octave_off(excerpt: Excerpt, gain_db: float) -> Samples:
    """The octave about 500 Hz, flanks of a third of an octave."""
    edges = 500 * 2.0 ** np.array([-5 / 6, -1 / 2, 1 / 2, 5 / 6])
    return filtered(excerpt.mix, excerpt.rate, edges, (0, gain_db, gain_db, 0))


def resonating(excerpt: Excerpt, gain_db: float) -> Samples:
    """A peak of Q 6 at 1.2 kHz."""
    import pedalboard

    return pedalboard.PeakFilter(1200, gain_db, 6)(excerpt.mix, excerpt.rate)


def combed(excerpt: Excerpt, echo_db: float) -> Samples:
    """Its own echo 1 ms later."""
    late = round(0.001 * excerpt.rate)
    echo = np.pad(excerpt.mix, ((0, 0), (late, 0)))[:, : excerpt.frames]
    return np.asarray(excerpt.mix + 10 ** (echo_db / 20) * echo, np.float32)


def as_mp3(excerpt: Excerpt, kbps: float) -> Samples:
    """Through LAME at a constant rate for two channels, in time."""
    return bandwidth.mp3(excerpt.mix, excerpt.rate, excerpt.chance("mp3"), kbps)


def in_few_lines(excerpt: Excerpt, share: float) -> Samples:
    """Of each spectrum of 23 ms that share of lines, the strongest: a coder's or a denoiser's musical noise."""
    from scipy.signal import istft, stft

    size = {"fs": excerpt.rate, "nperseg": 1024, "noverlap": 768}
    spectra = stft(excerpt.mix, **size)[2]
    least = np.quantile(np.abs(spectra), 1 - share, axis=1, keepdims=True)
    return np.asarray(istft(spectra * (np.abs(spectra) >= least), **size)[1][:, : excerpt.frames], np.float32)


def _share(excerpt: Excerpt, low_hz: float, high_hz: float) -> float:
    """Of the power what lies in that band."""
    power = np.square(np.abs(np.fft.rfft(excerpt.mix))).sum(axis=0)
    hertz = np.fft.rfftfreq(excerpt.frames, 1 / excerpt.rate)
    return float(power[(hertz >= low_hz) & (hertz < high_hz)].sum() / power.sum())


_TOOLE = (
    "Toole & Olive 1988, J. AES 36: broad resonances are heard from 1 to 3 dB on, narrow ones from about 10"
)
_NATURAL = "Moore & Tan 2003, JASA 114: music sounds less natural the less there is of 55 Hz to 17 kHz"
_TILT = "Moore & Tan 2003, JASA 114: tilts of 0.4 dB an octave do little, of 1.5 much, to how natural music sounds"

DEFECTS = (
    Defect("low-pass", "spectrum", low_passed, (12_000, 8_000, 5_000), "Hz", _NATURAL),
    Defect(
        "high-pass", "spectrum", high_passed, (40, 120, 250), "Hz",
        _NATURAL + "; 41 Hz is a bass's lowest string",
    ),
    Defect("tilt up", "octave_balance", partial(tilted, upwards=True), (3, 6, 12), "dB", _TILT),
    Defect("tilt down", "octave_balance", partial(tilted, upwards=False), (3, 6, 12), "dB", _TILT),
    Defect("octave louder", "octave_balance", with_an_octave_off, (2, 5, 10), "dB", _TOOLE),
    Defect(
        "octave softer", "octave_balance", with_an_octave_off, (-3, -7, -20), "dB",
        "Bücklein 1981, J. AES 29: dips are less heard than peaks",
    ),
    Defect("resonance", "spectrum", resonating, (4, 10, 18), "dB", _TOOLE),
    Defect(
        "comb filter", "spectrum", combed, (-18, -8, -2), "dB",
        "Brunner et al. 2007, AES 122: copies are heard from about −18 dB on",
    ),
    Defect(
        "MP3", "spectrum", as_mp3, (128, 64, 32), "kbit/s",
        "in listening tests near transparent at 128, annoying at 64",
    ),
    Defect(
        "musical noise", "spectrum", in_few_lines, (0.5, 0.15, 0.04), "of lines",
        "the softer half of the lines is masked by the louder; under a fifth of them ring alone",
    ),
)  # fmt: skip

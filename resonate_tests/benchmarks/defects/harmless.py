"""What nobody hears, and no judge should."""

from __future__ import annotations

import io

import numpy as np
import soundfile as sf

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.damage.bandwidth import mp3, walled
from resonate_tests.benchmarks.defects.defect import Defect, Make
from resonate_tests.benchmarks.defects.excerpt import Excerpt
from resonate_tests.benchmarks.defects.replaying import replayed, unchanged


def repeated(excerpt: Excerpt, _: float) -> Samples:
    return excerpt.mix


def gained(excerpt: Excerpt, gain_db: float) -> Samples:
    return np.asarray(10 ** (gain_db / 20) * excerpt.mix, np.float32)


def inverted(excerpt: Excerpt, _: float) -> Samples:
    """Both channels."""
    return -excerpt.mix


def offset(excerpt: Excerpt, level: float) -> Samples:
    return excerpt.mix + np.float32(level)


def delayed(excerpt: Excerpt, frames: float) -> Samples:
    return np.pad(excerpt.mix, ((0, 0), (int(frames), 0)))[:, : excerpt.frames]


def resampled(excerpt: Excerpt, rate: float) -> Samples:
    """There and back."""
    import soxr

    there = soxr.resample(excerpt.mix.T, excerpt.rate, rate, "VHQ")
    return np.asarray(soxr.resample(there, rate, excerpt.rate, "VHQ").T[:, : excerpt.frames], np.float32)


def dithered(excerpt: Excerpt, bits: float) -> Samples:
    """TPDF of two steps, then rounded."""
    step = 2 ** (1 - bits)
    chance = excerpt.chance("dither")
    noise = chance.uniform(-0.5, 0.5, (2, *excerpt.mix.shape)).sum(axis=0)
    return np.asarray(np.round(excerpt.mix / step + noise) * step, np.float32)


def as_flac(excerpt: Excerpt, bits: float) -> Samples:
    """Brought under full scale first."""
    file = io.BytesIO()
    peak = max(1.0, float(np.abs(excerpt.mix).max()))
    sf.write(file, excerpt.mix.T / peak, excerpt.rate, f"PCM_{int(bits)}", format="FLAC")
    file.seek(0)
    return np.asarray(sf.read(file, dtype="float32", always_2d=True)[0].T * peak, np.float32)


def cut_high(excerpt: Excerpt, hertz: float) -> Samples:
    return walled(excerpt.mix, excerpt.rate, excerpt.chance("cut"), hertz)


def as_good_mp3(excerpt: Excerpt, kbps: float) -> Samples:
    return mp3(excerpt.mix, excerpt.rate, excerpt.chance("mp3"), kbps)


def rumbling_cut(excerpt: Excerpt, hertz: float) -> Samples:
    from scipy.signal import butter, sosfilt

    return np.asarray(
        sosfilt(butter(2, hertz, "high", fs=excerpt.rate, output="sos"), excerpt.mix), np.float32
    )


def played_again(excerpt: Excerpt, _: float) -> Samples | None:
    """Bass and chords by the same program from the same notes. None without a score."""
    mix = excerpt.mix.copy()
    for stem in ("bass", "other"):
        played = replayed(excerpt, stem, unchanged)
        if played is not None:
            mix += played - excerpt.stems[stem]
    return None if excerpt.score is None else mix


def _harmless(kind: str, make: Make, size: float, unit: str, why: str) -> Defect:
    return Defect(kind, None, make, (size,), unit, why, ("no",))


DEFECTS = (
    _harmless("the same again", repeated, 0, "", "equal"),
    _harmless("softer", gained, -6, "dB", "level is matched first"),
    _harmless("louder", gained, 6, "dB", "level is matched first; floats do not clip"),
    _harmless("inverted", inverted, 0, "", "polarity of all channels is not heard in music"),
    _harmless("DC offset", offset, 0.005, "of full scale", "0 Hz is not heard"),
    _harmless("a sample late", delayed, 1, "samples", "23 µs"),
    _harmless("an encoder's delay", delayed, 500, "samples", "11 ms, alike in all channels"),
    _harmless("resampled and back", resampled, 48_000, "Hz", "flat to 20 kHz"),
    _harmless("24 bits, dithered", dithered, 24, "bits", "noise at −141 dBFS"),
    _harmless("16 bits, dithered", dithered, 16, "bits", "noise at −93 dBFS"),
    _harmless("FLAC", as_flac, 16, "bits", "lossless but for 16 bits"),
    _harmless("low-pass at 16 kHz", cut_high, 16_000, "Hz", "few adults hear what lies above, none in music"),
    _harmless("high-pass at 15 Hz", rumbling_cut, 15, "Hz", "under hearing"),
    _harmless("MP3 at 320 kbit/s", as_good_mp3, 320, "kbit/s", "transparent in listening tests"),
    _harmless("played again", played_again, 0, "", "the same notes, instruments and room"),
)  # fmt: skip

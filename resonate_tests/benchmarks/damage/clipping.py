"""Clipping, clicks and gaps of a known size.

Each takes the clean (channels, frames), its sample rate in Hz, chance, and the size, and gives as much audio back, in
time and at the level of the clean one unless it says otherwise.
"""

from __future__ import annotations

import io

import numpy as np
import soundfile as sf

from resonate_resources.recordings.recording import Samples

_KNEE = 0.7  # of the level: from there on a soft clipper bends
_LOWEST_DB = -9.0


def hard_clipped(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """A converter's: that part of the samples (0.01: 1 %) cut flat at one level."""
    level = np.float32(np.quantile(np.abs(clean), 1 - size))
    return np.clip(clean, -level, level)


def softly_clipped(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """A tape's or an amplifier's: bent from 3 dB under the level on, which that part of the samples would pass."""
    level = np.quantile(np.abs(clean), 1 - size)
    over = np.maximum(np.abs(clean) / level - _KNEE, 0.0) / (1 - _KNEE)
    bent = np.where(over > 0, _KNEE + (1 - _KNEE) * np.tanh(over), np.abs(clean) / level)
    return np.asarray(np.sign(clean) * bent * level, np.float32)


def clipped_then_lowered(
    clean: Samples, sample_rate: int, chance: np.random.Generator, size: float
) -> Samples:
    """Clipped, then turned down by up to 9 dB, each channel by its own gain, and dithered to 16 bits (TPDF)."""
    gains = 10 ** (chance.uniform(_LOWEST_DB, -1.0, (len(clean), 1)) / 20)
    lowered = gains * hard_clipped(clean, sample_rate, chance, size) / max(1.0, float(np.abs(clean).max()))
    dither = chance.uniform(-0.5, 0.5, (2, *clean.shape)).sum(axis=0)
    return np.asarray(np.round(lowered * 32_768 + dither) / 32_768, np.float32)


def clipped_then_mp3(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """Clipped, then an MP3 of 128 to 256 kbit/s (LAME): tops are flat no more."""
    return mp3(hard_clipped(clean, sample_rate, chance, size), sample_rate, chance.uniform(0.2, 0.6))


def mp3(samples: Samples, sample_rate: int, compression: float) -> Samples:
    """Through LAME and back, in time; compression 0 (320 kbit/s) to 1 (32). At 32 kHz to 48 kHz, one or two channels."""
    coded = io.BytesIO()
    with sf.SoundFile(
        coded, "w", sample_rate, len(samples), "MPEG_LAYER_III", format="MP3", compression_level=compression,
        bitrate_mode="CONSTANT",
    ) as file:  # fmt: skip
        file.write(samples.T)
    coded.seek(0)
    back = sf.read(coded, dtype="float32", always_2d=True)[0].T
    return np.pad(back, ((0, 0), (0, max(0, samples.shape[1] - back.shape[1]))))[:, : samples.shape[1]]


def scratched(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """A record's scratches: that many clicks a second, each up to as loud as the music's peaks, of 0.2 to 2 ms."""
    return _with_clicks(clean, sample_rate, chance, size, (0.2, 2.0), (-14.0, 0.0))


def crackling(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """A dusty record: that many ticks a second, 14 to 34 dB under the music's peaks, of 0.1 to 0.6 ms."""
    return _with_clicks(clean, sample_rate, chance, size, (0.1, 0.6), (-34.0, -14.0))


def _with_clicks(
    clean: Samples,
    sample_rate: int,
    chance: np.random.Generator,
    a_second: float,
    lasting_ms: tuple[float, float],
    level_db: tuple[float, float],
) -> Samples:
    """Ringing of the pick-up, struck at chance times: a damped tone of 1 to 8 kHz behind a rise of a few samples.

    In both walls of the groove, by chance of either sign (Godsill and Rayner, Digital Audio Restoration, 1998, ch. 5).
    """
    damaged = clean.copy()
    peak = float(np.quantile(np.abs(clean), 0.9999))
    for at in chance.uniform(
        0, clean.shape[1], chance.poisson(a_second * clean.shape[1] / sample_rate)
    ).astype(int):
        seconds = chance.uniform(*lasting_ms) / 1000
        time = np.arange(max(2, round(seconds * sample_rate))) / sample_rate
        hertz = min(chance.uniform(1000, 8000), 0.35 * sample_rate)
        shape = np.exp(-4 * time / seconds) * np.cos(2 * np.pi * hertz * time + chance.uniform(-0.8, 0.8))
        shape *= np.minimum(1, (np.arange(len(time)) + 1) / chance.integers(1, 4))
        gain = peak * 10 ** (chance.uniform(*level_db) / 20) * chance.choice([-1, 1])
        walls = np.ones(len(clean)) if len(clean) < 2 else chance.uniform(-1, 1, len(clean))
        walls /= np.abs(walls).max()
        part = damaged[:, at : at + len(time)]
        part += np.float32(gain) * (walls[:, None] * shape[None]).astype(np.float32)[:, : part.shape[1]]
    return damaged


def glitching(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """Of a faulty digital line: that many times a second 1 to 24 samples at 44.1 kHz are zero, held or wrong."""
    damaged = clean.copy()
    peak = float(np.quantile(np.abs(clean), 0.999))
    for at in chance.integers(
        1, max(2, clean.shape[1] - 1), chance.poisson(size * clean.shape[1] / sample_rate)
    ):
        length = max(1, round(chance.integers(1, 25) * sample_rate / 44_100))
        part = damaged[:, at : at + length]
        kind = chance.integers(3)
        if kind == 0:
            part[:] = 0
        elif kind == 1:
            part[:] = damaged[:, at - 1 : at]
        else:
            part[:] = chance.uniform(-peak, peak, part.shape)
    return damaged

"""What becomes of played stems on their way into a file: studios, rooms, phones, vinyl, MP3."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pedalboard
import soxr
from scipy import signal

from resonate_tests.benchmarks.mask_fitting.playing import FRAMES, RATE

Samples = npt.NDArray[np.float32]
Song = dict[str, Samples]
Random = np.random.Generator


def worked_over(song: Song, rng: Random) -> tuple[Song, Samples]:
    """Stems and mix as recordings vary. What is done to all is linear, or a gain in time, so that stems stay the
    truth of the mix; noise, clicks and what an MP3 loses are in the mix alone."""
    song = {name: _produced(name, stem, rng) for name, stem in song.items()}
    if rng.random() < 0.3:  # a tape, a turntable, a tuning of its own
        cents = rng.uniform(-60, 60)
        song = {name: _faster(stem, 2 ** (cents / 1200)) for name, stem in song.items()}
    kind = rng.random()
    if kind < 0.1:
        song = _on_a_phone(song, rng)
    elif kind < 0.22:
        song = {name: np.repeat(stem.mean(0, keepdims=True), 2, 0) for name, stem in song.items()}
    elif kind < 0.3:
        song = {name: 0.85 * stem.mean(0, keepdims=True) + 0.15 * stem for name, stem in song.items()}
    elif kind < 0.4:
        limit = signal.butter(8, rng.uniform(3500, 15000), "low", fs=RATE, output="sos")
        song = {name: signal.sosfilt(limit, stem, axis=1) for name, stem in song.items()}
    mix = np.sum(list(song.values()), axis=0)
    if rng.random() < 0.6:
        gain = _limiting(mix, rng.uniform(1, 8))
        song = {name: stem * gain for name, stem in song.items()}
        mix = mix * gain
    scale = rng.uniform(0.3, 0.98) / (np.abs(mix).max() + 1e-9)
    song = {name: (stem * scale).astype(np.float32) for name, stem in song.items()}
    return song, _kept(mix * scale, rng).astype(np.float32)


def _produced(name: str, stem: Samples, rng: Random) -> Samples:
    """Balance, tone, compression, saturation, a room; or it does not play at all."""
    if rng.random() < 0.12:
        return np.zeros_like(stem)
    stem = stem * np.float32(10 ** (rng.normal(0, 4) / 20))
    if rng.random() < 0.4:
        stem = signal.lfilter([1, -rng.uniform(-0.5, 0.5)], [1], stem, axis=1)
    level = np.sqrt(np.square(stem).mean()) + 1e-9
    if rng.random() < 0.4:
        board = pedalboard.Pedalboard(
            [
                pedalboard.Compressor(
                    -20 - rng.uniform(0, 10), rng.uniform(2, 8), rng.uniform(1, 30), rng.uniform(50, 300)
                )
            ]
        )
        stem = board((stem * (0.1 / level)).astype(np.float32), RATE)
    if rng.random() < 0.25:
        drive = rng.uniform(1, 6)
        stem = np.tanh(drive * stem / (4 * np.sqrt(np.square(stem).mean()) + 1e-9))
    if name != "bass" and rng.random() < 0.3:
        room = pedalboard.Reverb(rng.uniform(0.1, 0.9), rng.uniform(0, 1), rng.uniform(0.03, 0.3), 1.0)
        stem = room(np.ascontiguousarray(stem, np.float32), RATE)
    if name == "bass" and rng.random() < 0.1:
        stem = np.stack([stem[0], np.roll(stem[1], int(rng.integers(1, 40)))])  # a chorus, a wide bass
    return np.asarray(stem * (level / (np.sqrt(np.square(stem).mean()) + 1e-9)), np.float32)


def _faster(stem: Samples, ratio: float) -> Samples:
    moved = soxr.resample(np.ascontiguousarray(stem.T), RATE * ratio, RATE).T
    out = np.zeros((2, FRAMES), np.float32)
    out[:, : moved.shape[1]] = moved[:, :FRAMES]
    return out


def _limiting(mix: Samples, by_db: float) -> Samples:
    """(frames,): the gain of a limiter that is driven by so many dB, over the peak of 5 ms and back in 100 ms."""
    peak = np.abs(mix).max(0)
    block = RATE // 200
    peaks = np.maximum.reduceat(peak, np.arange(0, len(peak), block))
    ceiling = peaks.max() / 10 ** (by_db / 20) + 1e-9
    wanted = np.minimum(1, ceiling / np.maximum(peaks, 1e-9))
    gain = np.empty_like(wanted)
    now = 1.0
    for k, least in enumerate(np.minimum(wanted, np.append(wanted[1:], 1))):
        now = min(least, now + (1 - now) * 0.05)
        gain[k] = now
    return np.interp(np.arange(len(peak)), np.arange(len(gain)) * block, gain).astype(np.float32)


def _kept(mix: Samples, rng: Random) -> Samples:
    """Tape or vinyl noise, and what an MP3 leaves."""
    if rng.random() < 0.2:
        noise = rng.standard_normal(mix.shape)
        if rng.random() < 0.5:  # vinyl: rumble and crackle
            noise = 3 * signal.lfilter([0.02], [1, -0.98], noise, axis=1)
            at = rng.integers(0, mix.shape[1], rng.integers(20, 400))
            noise[:, at] += rng.exponential(20, len(at))
        level = np.sqrt(np.square(mix).mean()) + 1e-6
        mix = mix + level * 10 ** (-rng.uniform(25, 50) / 20) * noise
    if rng.random() < 0.3:
        mix = pedalboard.MP3Compressor(rng.uniform(2, 8))(np.ascontiguousarray(mix, np.float32), RATE)
    return mix


def _on_a_phone(song: Song, rng: Random) -> Song:
    """Mono, without the lowest and highest octaves, in a small room."""
    band = signal.butter(4, [rng.uniform(60, 150), rng.uniform(6000, 10000)], "band", fs=RATE, output="sos")
    frames = int(rng.uniform(0.2, 0.5) * RATE)
    room = rng.standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
    room *= rng.uniform(0.1, 0.6) / np.sqrt(np.square(room).sum())
    room[0] = 1
    heard = {
        name: signal.fftconvolve(signal.sosfilt(band, stem.mean(0)), room)[:FRAMES]
        for name, stem in song.items()
    }
    return {name: np.stack([stem, stem]) for name, stem in heard.items()}

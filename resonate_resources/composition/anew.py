"""A recording made anew: what was generated of its music, beside it, and blended with it. Nothing is replaced."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np

from resonate_resources.recipe import Engine, Json, Product
from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.signal.loudness import measure_loudness

CODE_VERSION = "2"
"""Raised when the algorithm changes in a way that no constant shows."""
GENERATED, BLEND, REPORT = "generated.wav", "blend.wav", "generated_track.json"

Mode = Literal["restore", "generate", "blend", "auto"]
POOR_DB, GOOD_DB = 5.0, 15.0
"""R9 of the requirements: signal to noise under which generation is offered, and over which restoration is."""


class Generation(Protocol):
    """What makes music anew. label: what every file of it says of its origin. generated: by a trained model."""

    @property
    def engine(self) -> Engine: ...
    @property
    def label(self) -> str: ...
    @property
    def generated(self) -> bool: ...
    def blocks(self, like: Recording) -> Iterator[Samples]:
        """Consecutive blocks, of the rate, channels and length of a recording."""
        ...


def signal_to_noise_db(no_less_db: float | None, over_steady_noise_db: float | None) -> float | None:
    """The better of a profile's two: dense music has no quiet moments, so that what they tell ("no less", see
    `signal.quiet`) is far too little of it, and sustained distortion is told as steady noise. None of silence."""
    known = [told for told in (no_less_db, over_steady_noise_db) if told is not None]
    return max(known, default=None)


def share_of(mode: Mode, blend: float, snr_db: float | None) -> tuple[float, str]:
    """Of what is generated in the blend, 0 (nothing is generated) to 1 (nothing is blended), and why, in a line."""
    if mode != "auto":
        return {"restore": 0.0, "generate": 1.0, "blend": blend}[mode], f"{mode} is asked for"
    if snr_db is None:
        return 0.0, "restoration: its signal to noise is not known"
    told = f"about {snr_db:.0f} dB of signal to noise"
    if snr_db >= GOOD_DB:
        return 0.0, f"restoration: {told}"
    if snr_db <= POOR_DB:
        return 1.0, f"generation: {told}"
    return round((GOOD_DB - snr_db) / (GOOD_DB - POOR_DB), 3), f"a blend: {told}"


def made_anew(restored: Recording, generation: Generation, share: float, why: str, into: Path) -> Product:
    """generated.wav as loud as the restored track; blend.wav of both, as loud, where the share is neither 0 nor 1.

    The blend is of equal power (√share, √(1 − share)), for the two are alike in their music and not in their waves.
    """
    loudness = measure_loudness(restored).integrated_lufs
    made = _write(generation.blocks(restored), restored, into / "as_made.wav")
    generated = _write(_gained(made, loudness), made, into / GENERATED)
    made.path.unlink()
    files = {GENERATED: generated.path}
    if 0 < share < 1:
        parts = ((restored, math.sqrt(1 - share)), (generated, math.sqrt(share)))
        both = _write(_sum(parts), restored, into / "both.wav")
        files[BLEND] = _write(_gained(both, loudness), both, into / BLEND).path
        both.path.unlink()
    engine = generation.engine
    told: dict[str, Json] = {
        "label": generation.label,
        "engine": engine.name,
        "model": engine.model,
        "licence": engine.licence,
        "share": share,
        "why": why,
    }
    (into / REPORT).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    return Product(
        {**files, REPORT: into / REPORT},
        {
            "share": share,
            "generated": generation.generated,
            "label": generation.label,
            "loudness_lufs": loudness,
        },
        (f"{generation.label}, by {engine.model or engine.name} ({engine.licence})", why),
        engine=engine,
    )


def _write(blocks: Iterator[Samples], like: Recording, path: Path) -> Recording:
    with write_recording(path, like.sample_rate, like.channels, like.frames) as writer:
        for block in blocks:
            writer.write(block)
    return writer.recording


def _gained(recording: Recording, loudness_lufs: float) -> Iterator[Samples]:
    """As loud as that; silence stays silent."""
    own = measure_loudness(recording).integrated_lufs
    finite = math.isfinite(own) and math.isfinite(loudness_lufs)
    gain = np.float32(10 ** ((loudness_lufs - own) / 20) if finite else 1)
    for block in recording.blocks():
        yield block * gain


def _sum(parts: tuple[tuple[Recording, float], ...]) -> Iterator[Samples]:
    streams = (recording.blocks() for recording, _ in parts)
    for blocks in zip(*streams, strict=True):
        yield np.sum(
            [block * np.float32(gain) for block, (_, gain) in zip(blocks, parts, strict=True)], axis=0
        )


class PlayedAnew:
    """The notes that were heard, by instruments: what the rebuilt stems sum to. No model made it."""

    label: Final = "played anew from its notes"
    generated: Final = False

    def __init__(self, rebuilt: Recording) -> None:
        self._rebuilt = rebuilt

    @property
    def engine(self) -> Engine:
        return Engine("instruments", None, "GPL-3.0-or-later")

    def blocks(self, like: Recording) -> Iterator[Samples]:
        """Raises ValueError where rate, channels or length differ."""
        own = self._rebuilt
        if (own.sample_rate, own.channels, own.frames) != (like.sample_rate, like.channels, like.frames):
            raise ValueError("what was rebuilt is of another rate, channels or length than the track")
        yield from own.blocks()

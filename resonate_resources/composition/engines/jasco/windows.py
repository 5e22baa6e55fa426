"""Music of any length from JASCO, which makes ten seconds: windows that begin with the end of the one before.

What a window begins with are the very latents of the one before, and what follows flows beside them; so both have
the same sound where they overlap, and one fades into the other there by amplitude: of two that are alike, equal
power would be 3 dB too loud in the middle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr

from resonate_resources.composition.engines.continuing import Windows, continued
from resonate_resources.composition.engines.jasco.checkpoint import Checkpoint
from resonate_resources.composition.engines.jasco.leading import Chord, Tone, melody_by_frame
from resonate_resources.composition.engines.jasco.solving import Latents
from resonate_resources.recordings.recording import Progress, Recording, Samples, silent
from resonate_resources.signal.mono import Mono

KNOWN_S, FADE_S = 4.0, 1.0
"""How much of a window is known from the one before, and how much of that fades."""
_MARGIN_S: Final = 0.1


@dataclass(frozen=True)
class Leading:
    """What music is made from. words: as in "deep house, 122 bpm". chords: in the order of time. drums: heard from
    its beginning; None: none play. melody: of which the highest tones count."""

    words: str
    chords: Sequence[Chord]
    drums: Recording | None
    melody: Sequence[Tone]


def music(
    checkpoint: Checkpoint, leading: Leading, seconds: float, seed: int, progress: Progress = silent
) -> Iterator[Samples]:
    """(1, frames) at its rate in pieces, of that length and no longer. One window is held. Raises ModelError."""
    settings, rate, step = checkpoint.settings, checkpoint.rate, checkpoint.step
    chance = np.random.default_rng(seed)
    before: list[Latents] = []  # of one window, the last
    whole = max(step, round(seconds * rate))

    def window(start: int, prompt: Samples | None, frames: int) -> Samples:
        begins_s = start / rate
        latents = checkpoint.latents(
            leading.words,
            checkpoint.chords.by_frame(leading.chords, begins_s, settings.frames, settings.frame_rate),
            checkpoint.drums(_drums(leading.drums, begins_s, float(settings.seconds), rate)),
            melody_by_frame(leading.melody, begins_s, settings.frames, settings.frame_rate, settings.pitches),
            chance.standard_normal((settings.frames, settings.latent), np.float32),
            None if prompt is None else before.pop()[-(prompt.shape[-1] // step) :],
            lambda time: progress(min(1.0, (start + time * frames) / whole)),
        )
        before.append(latents)
        return checkpoint.sound(latents)[:, :frames]

    sizes = Windows(*(round(each * rate) for each in (settings.seconds, KNOWN_S, FADE_S)))
    yield from continued(window, whole, sizes)


def _drums(recording: Recording | None, start_s: float, seconds: float, rate: int) -> Mono:
    """A part of a recording at that rate, heard a little before and behind it; silence where there is none."""
    frames = round(seconds * rate)
    if recording is None:
        return np.zeros(frames, np.float32)
    own = recording.sample_rate
    before = min(start_s, _MARGIN_S)
    first = round((start_s - before) * own)
    heard = recording.read(first, round((start_s + seconds + _MARGIN_S) * own)).mean(axis=0)
    sound = soxr.resample(heard, own, rate)[round(before * rate) :][:frames]
    return np.pad(sound, (0, frames - sound.size)).astype(np.float32)

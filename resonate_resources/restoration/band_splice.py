"""What a generator of bandwidth is given, and how what it makes is joined to the recording.

AudioSR hears what lies below a cut, and makes a whole new recording at 48 kHz. It was trained on sound through steep
low-pass filters (Liu et al., "AudioSR: Versatile audio super-resolution at scale", ICASSP 2024), and cuts off less well
what a gentle slope leaves. Of what it makes only the part above the cut is taken: below it the recording stays itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.blocks import with_context
from resonate_resources.signal.linear_phase import Taps, convolve

STOP_DB = 80.0
_WIDTH = 1 / 24  # of the cut: a semitone down


def strict_low_pass(cut_hz: float, sample_rate: int) -> Taps:
    """Taps of linear phase: even up to a semitone's half under cut_hz, 80 dB down at it. One tap where cut_hz is no
    frequency of that rate (Kaiser window)."""
    from scipy.signal import firwin, kaiserord

    if cut_hz >= sample_rate / 2:
        return np.array([1.0])
    width = cut_hz * _WIDTH
    count, beta = kaiserord(STOP_DB, 2 * width / sample_rate)
    return np.asarray(
        firwin(count | 1, cut_hz - width / 2, window=("kaiser", beta), fs=sample_rate), np.float64
    )


def low_passed(stream: Iterator[Samples], cut_hz: float, sample_rate: int) -> Iterator[Samples]:
    """What a generator hears of a stream of (channels, frames): without latency, of the same length."""
    taps = strict_low_pass(cut_hz, sample_rate)
    for held in with_context(stream, len(taps) // 2):
        yield _filtered(held, taps)


def spliced(
    original: Iterator[Samples], generated: Iterator[Samples], cut_hz: float, sample_rate: int
) -> Iterator[Samples]:
    """The original, and above the cut what was generated, both (channels, frames) at sample_rate, of equal blocks.

    original + (generated − generated through `strict_low_pass`): what the original has at the cut and above stays, too,
    and the original below it to the last bit but for what 80 dB leave of the generated.
    """
    taps = strict_low_pass(cut_hz, sample_rate)
    half = len(taps) // 2
    pairs = (np.concatenate(pair) for pair in zip(original, generated, strict=True))
    for held in with_context(pairs, half):
        channels = len(held) // 2
        middle = slice(half, held.shape[1] - half)
        new = held[channels:]
        yield held[:channels, middle] + (new[:, middle] - _filtered(new, taps))


def chunks(frames: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Start and stop of pieces of `size` frames, the last one shorter, each `overlap` frames of which lie in the next."""
    starts = range(0, max(1, frames - overlap), size - overlap)
    return [(start, min(start + size, frames)) for start in starts]


def cross_faded(pieces: Iterator[Samples], overlap: int) -> Iterator[Samples]:
    """`chunks` of (channels, frames), one after the other: over the overlap of two, one fades out as the other fades in.

    By the root of power, and where they are alike by amplitude, so that neither steps nor dips are heard: the ramp
    is linear, over the root of what is left of the power, as far as their correlation says.
    """
    held: Samples | None = None
    ramp = ((np.arange(overlap) + 0.5) / max(1, overlap)).astype(np.float32)
    for piece in pieces:
        if held is None:
            held = piece
            continue
        common = min(overlap, piece.shape[1], held.shape[1])
        rise = ramp[:common]
        end, start = held[:, held.shape[1] - common :], piece[:, :common]
        alike = float(np.vdot(end, start)) / max(float(np.linalg.norm(end) * np.linalg.norm(start)), 1e-20)
        power = (1 - rise) ** 2 + rise**2 + 2 * max(0.0, alike) * rise * (1 - rise)
        yield held[:, : held.shape[1] - common]
        held = np.concatenate([(end * (1 - rise) + start * rise) / np.sqrt(power), piece[:, common:]], axis=1)
    if held is not None:
        yield held


def _filtered(held: Samples, taps: Taps) -> Samples:
    return np.stack([convolve(channel, taps, len(taps) // 2) for channel in held])

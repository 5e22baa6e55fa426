"""Sound in segments of five seconds, light enough to be sent while one listens.

All versions are cut on one grid of 48 kHz, whatever their rates, so that one can switch between them at any sample.
A segment is a whole Ogg Opus file: its own frames, and some before and behind them, in which a decoder settles.
Taken out again and put one behind the other, the frames of all segments are one signal: the recording, resampled as
a whole.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from resonate_resources.recordings.lossy import downmix_to_stereo
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.resampling import at_rate

RATE = 48_000
SEGMENT_FRAMES = 5 * RATE
LEAD_FRAMES = 80 * RATE // 1000  # RFC 7845, 4.6: an Opus decoder has converged after 80 ms
TAIL_FRAMES = 20 * RATE // 1000  # a packet: the next one overlaps it
MEDIA_TYPE = "audio/ogg"
OPUS_VERSION = 1
"""Part of the name of what is kept: raised when segments come out otherwise."""

_KBPS = {1: 96, 2: 160}
# libopus' own 10 takes half again as long, for 0.6 dB less error at this rate.
_COMPLEXITY = 5
# What a resampler looks at to both sides of a sample: soxr's longest filters are under 20 ms at these rates.
_CONTEXT_SECONDS = 0.1


@dataclass(frozen=True)
class Segment:
    """data: Ogg Opus, LEAD_FRAMES + frames + TAIL_FRAMES at RATE, where its decoder leaves the pre-skip out."""

    data: bytes
    frames: int


def frames_at_rate(recording: Recording) -> int:
    """How many frames a recording has on the grid."""
    return round(recording.frames * RATE / recording.sample_rate)


def segment_count(recording: Recording) -> int:
    return -(-frames_at_rate(recording) // SEGMENT_FRAMES)


def segment_frames(recording: Recording, number: int) -> int:
    """Frames of its own that a segment has: all SEGMENT_FRAMES, but for the last. Raises IndexError."""
    if not 0 <= number < segment_count(recording):
        raise IndexError(number)
    return min(SEGMENT_FRAMES, frames_at_rate(recording) - number * SEGMENT_FRAMES)


def encode_segment(recording: Recording, number: int) -> Segment:
    """A segment of a recording of up to 5.1, mono or stereo. Raises IndexError where it has none of that number.

    Levels stay: what is over full scale in the recording is so here, up to the 6 dB that libopus has above it.
    """
    frames = segment_frames(recording, number)
    start = number * SEGMENT_FRAMES
    return Segment(encode_span(recording, start, start + frames), frames)


def encode_span(recording: Recording, start: int, stop: int) -> bytes:
    """Frames start…stop of the grid as Ogg Opus, with LEAD_FRAMES before and TAIL_FRAMES behind them."""
    return _opus(read_at_rate(recording, start - LEAD_FRAMES, stop + TAIL_FRAMES))


def read_at_rate(recording: Recording, start: int, stop: int) -> Samples:
    """Frames start…stop of the grid, (1 or 2, stop − start); zeros beyond the recording's ends.

    As if the whole recording had been resampled: what is read begins where a sample of the recording falls on one
    of the grid, so that the resampler's phases are the same, and has its filter's reach around it.
    """
    common = math.gcd(RATE, recording.sample_rate)
    up, down = RATE // common, recording.sample_rate // common
    context = math.ceil(_CONTEXT_SECONDS * recording.sample_rate)
    first = max(0, (start * down // up - context) // down)
    last = min(frames_at_rate(recording), stop)
    wanted = max(0, last - first * up)
    source = recording.read(first * down, stop * down // up + context)
    if source.shape[0] > 2:
        source = downmix_to_stereo(source)
    blocks = list(at_rate([source], recording.sample_rate, RATE, source.shape[0], wanted))
    made = np.concatenate(blocks, axis=1)[:, max(0, start - first * up) :]
    before = max(0, min(stop, first * up) - start)
    behind = max(0, stop - start - before - made.shape[1])
    return np.pad(made, ((0, 0), (before, behind)))


def _opus(samples: Samples) -> bytes:
    """A whole Ogg Opus file, the same bytes each time."""
    import av

    file = io.BytesIO()
    layout = {1: "mono", 2: "stereo"}[samples.shape[0]]
    with av.open(file, "w", "opus", {"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(
            "libopus", rate=RATE, layout=layout, options={"compression_level": str(_COMPLEXITY)}
        )
        stream.bit_rate = 1000 * _KBPS[samples.shape[0]]
        stream.codec_context.format = "flt"
        frame = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1), format="flt", layout=layout)
        # Without them the muxer does not know of the encoder's delay.
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()

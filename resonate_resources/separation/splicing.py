"""Parts of one separation in another: a span separated again, and the windows of it that came out better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.models.chunks import write_stems
from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording, Samples, Stems, write_recording

FADE_SECONDS = 1.0
"""As between the chunks of a separator."""


@dataclass(frozen=True)
class Span:
    """Frames start ≤ frame < stop of a track."""

    start: int
    stop: int


def spans_around(windows: Sequence[Span], context: int, frames: int) -> list[Span]:
    """The windows with `context` frames on both sides, cut at 0 and `frames`; what meets is one span."""
    spans: list[Span] = []
    for window in sorted(windows, key=lambda span: span.start):
        start, stop = max(0, window.start - context), min(frames, window.stop + context)
        if spans and start <= spans[-1].stop:
            spans[-1] = Span(spans[-1].start, max(stop, spans[-1].stop))
        else:
            spans.append(Span(start, stop))
    return spans


def cut_out(recording: Recording, span: Span, path: Path) -> Recording:
    """Write the frames of a span as a recording of their own."""
    with write_recording(path, recording.sample_rate, recording.channels, span.stop - span.start) as writer:
        for start in range(span.start, span.stop, BLOCK_FRAMES):
            writer.write(recording.read(start, min(start + BLOCK_FRAMES, span.stop)))
    return writer.recording


def splice(
    track: Recording, stems: Stems, again: Sequence[tuple[Span, Stems]], windows: Sequence[Span], into: Path
) -> Stems:
    """Write `stems` with `windows` taken from `again`, faded over a second around each end of a window.

    again: stems of spans of the track, each as long as its span. Every window lies in one of them, half a
    second and more from its ends, where those are not the track's.
    Sums are kept: where both separations sum to the track, the spliced one does.
    """
    fade = round(FADE_SECONDS * track.sample_rate)

    def blocks() -> Iterator[dict[str, Samples]]:
        for start in range(0, track.frames, BLOCK_FRAMES):
            stop = min(start + BLOCK_FRAMES, track.frames)
            block = {name: stem.read(start, stop) for name, stem in stems.items()}
            for span, other in again:
                first, last = max(start, span.start), min(stop, span.stop)
                inside = [window for window in windows if span.start <= window.start < span.stop]
                if first >= last or not inside:
                    continue
                weight = _weight(np.arange(first, last), inside, track.frames, fade)
                for name, samples in block.items():
                    part = samples[:, first - start : last - start]
                    part += weight * (other[name].read(first - span.start, last - span.start) - part)
            yield block

    return write_stems(track, blocks(), tuple(stems), into, lambda _: None)


def _weight(
    frames: npt.NDArray[np.int64], windows: Sequence[Span], end: int, fade: int
) -> npt.NDArray[np.float32]:
    """At these frames: 1 within the windows, 0 half a fade beyond them; no fade at 0 and `end`."""
    weight = np.zeros(len(frames), np.float32)
    for window in spans_around(windows, 0, end):
        start = -fade if window.start == 0 else window.start
        stop = end + fade if window.stop == end else window.stop
        # The frame's middle, so that a fade and its mirror sum to one.
        rise, fall = (frames + 0.5 - start) / fade + 0.5, (stop - frames - 0.5) / fade + 0.5
        weight = np.maximum(weight, np.clip(np.minimum(rise, fall), 0, 1).astype(np.float32))
    return weight

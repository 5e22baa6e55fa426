"""What encoding will do to the peaks of a long recording, foreseen from excerpts around the highest of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.mastering.easing import WINDOW_SECONDS, Dips, windows_over
from resonate_resources.recordings.decoding import decoded
from resonate_resources.recordings.lossy import LossyFormat, encode_lossy
from resonate_resources.recordings.recording import Recording, write_recording
from resonate_resources.signal.levels import meter
from resonate_resources.signal.true_peak import TruePeakTrace

LONG_SECONDS = 300.0
"""What is shorter is encoded again about as soon as its excerpts."""
PART = 0.12
"""Of the whole, so much at most is tried."""

_NEAR_DB = (2.0, 1.2, 0.6)
"""So far under the highest peaks count, as there is room: encoding seldom raises one by more. Of those that
the last leaves, a sample is taken where there is none."""
_WARY_DB = 0.1
"""So close under the ceiling an excerpt's peak is eased, too: the whole comes out a little different."""
_AROUND = 3
"""Windows that go with one on either side: what an encoder does depends on them."""
_FADED_SECONDS = 0.005
_QUANTILE = 0.95


@dataclass(frozen=True)
class Foreseen:
    """dips: where peaks will be over the ceiling. over_db: where excerpts are but a sample, what most of the peaks
    will be over it by; 0 where they are not."""

    dips: Dips = field(default_factory=dict)
    over_db: float = 0.0


def foreseen(source: Recording, form: LossyFormat, ceiling_dbtp: float, folder: Path) -> Foreseen:
    """Of a recording as it is to be encoded. folder: to work in."""
    if source.duration < LONG_SECONDS:
        return Foreseen()
    size = round(WINDOW_SECONDS * source.sample_rate)
    trace = TruePeakTrace(source.sample_rate, source.channels, size)
    meter(source.blocks(), trace.update)
    peaks = trace.peaks()
    for near_db in _NEAR_DB:
        loud = peaks > peaks.max() - near_db
        excerpts, all_of_them = _excerpts(np.flatnonzero(loud), peaks.size)
        if all_of_them:
            break
    if not excerpts or peaks.max() < ceiling_dbtp - 3:  # nobody encodes so badly
        return Foreseen()
    with TemporaryDirectory(dir=folder) as scratch:
        tried = _joined(source, excerpts, size, Path(scratch) / "excerpts.wav")
        path = Path(scratch) / f"excerpts.{form}"
        encode_lossy(tried, path, form)
        with decoded(path) as (rate, channels, blocks):
            trace = TruePeakTrace(rate, channels, round(WINDOW_SECONDS * rate))
            meter(blocks, trace.update)
    found = trace.peaks()
    inner: dict[int, float] = {}
    at = 0
    for first, last in excerpts:
        inner |= {
            first + each: found[at + each] for each in range(1, last - first - 1) if at + each < found.size
        }
        at += last - first
    heard = np.full(peaks.size, -np.inf)
    heard[list(inner)] = list(inner.values())
    if all_of_them:
        return Foreseen(windows_over(heard, ceiling_dbtp - _WARY_DB))
    tried_peaks = heard[np.isfinite(heard) & loud]
    return Foreseen({}, max(0.0, float(np.quantile(tried_peaks, _QUANTILE)) - ceiling_dbtp))


def _excerpts(
    loud: np.ndarray[tuple[int], np.dtype[np.int64]], windows: int
) -> tuple[list[tuple[int, int]], bool]:
    """(first, behind the last) window of each excerpt around loud ones, and whether no loud one is left out."""
    joined: list[tuple[int, int]] = []
    for window in loud.tolist():
        first, last = max(0, window - _AROUND), min(windows, window + _AROUND + 1)
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    room = PART * windows
    total = sum(last - first for first, last in joined)
    if total <= room:
        return joined, True
    # Evenly, of pieces of one length: what is loud throughout is one long excerpt.
    piece = 20
    pieces = [
        (start, min(start + piece, last)) for first, last in joined for start in range(first, last, piece)
    ]
    count = max(1, int(room / piece))
    return [pieces[index] for index in np.unique(np.linspace(0, len(pieces) - 1, count).astype(int))], False


def _joined(source: Recording, excerpts: list[tuple[int, int]], size: int, path: Path) -> Recording:
    """The excerpts one after the other, each faded in and out."""
    faded = round(_FADED_SECONDS * source.sample_rate)
    ramp = np.linspace(0, 1, faded, dtype=np.float32)
    frames = sum(last - first for first, last in excerpts) * size
    with write_recording(path, source.sample_rate, source.channels, frames) as writer:
        for first, last in excerpts:
            part = source.read(first * size, last * size)
            part = np.pad(part, ((0, 0), (0, (last - first) * size - part.shape[1])))
            part[:, :faded] *= ramp
            part[:, -faded:] *= ramp[::-1]
            writer.write(part)
    return writer.recording

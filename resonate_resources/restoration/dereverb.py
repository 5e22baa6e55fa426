"""Dereverberation: the late answer of the room, predicted from what was heard before it, taken off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from resonate_resources.parallel import in_parallel
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.linear_prediction import Filters, Spectra, fit_filters, predict
from resonate_resources.restoration.step import Facts, Mended, StepName

WET: Mapping[Preset, float] = {"conservative": 0.6, "balanced": 0.85, "aggressive": 1.0}
"""Part of what is predicted that is taken off."""

_HOP_S = 0.0232  # a quarter of a window
_WINDOW_HOPS = 4
_DELAY = 3  # hops: with 2 more of the early reflections go (−3 dB), with 4 less of the late (docs/restoration.md)
_TAPS = 10  # hops: 0.23 s; 16 take 2 dB more of 1.3 s and cost music more than they give
_LOUDEST_PARTS, _REGULARISATION = 0.01, 0.01
_SPANS, _SPAN_S, _SHORTEST_S = 8, 4.0, 4.0
_HIGHEST_HZ = 20_000.0
_CHUNK_HOPS = 128


class Dereverb:
    """One filter for all of a recording, as its room stood still; two channels predict each other, in pairs."""

    name: StepName = "dereverb"

    @property
    def engine(self) -> Engine:
        return Engine("resonate", "weighted prediction error")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """See `Step`. The recording is left as it is where facts tell no room, or where it is shorter than 4 s.

        Memory: at most 100 MB at 44.1 kHz, in stereo.
        """
        if not facts.rt60_s:
            return Mended(recording, "no room is heard")
        if recording.duration < _SHORTEST_S:
            return Mended(recording, f"too short to know its room by: {recording.duration:.1f} s")
        pairs = [slice(first, first + 2) for first in range(0, recording.channels, 2)]
        filters = [_fitted(recording, pair) for pair in pairs]
        wet = np.float32(WET[preset])
        chunk = _CHUNK_HOPS * _hop(recording.sample_rate)

        def late(start: int) -> tuple[Samples, Samples]:
            stop = min(start + chunk, recording.frames)
            taken = [_late(recording, pair, start, stop, fit) for pair, fit in zip(pairs, filters, strict=True)]
            return recording.read(start, stop), wet * np.concatenate(taken)

        energy, off = 1e-20, 1e-20
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            starts = range(0, recording.frames, chunk)
            for number, (block, taken) in enumerate(in_parallel(late, starts), 1):
                writer.write(block - taken)
                energy += float(np.sum(np.square(block, dtype=np.float64)))
                off += float(np.sum(np.square(taken, dtype=np.float64)))
                progress(number / len(starts))
        taken_db = 10 * float(np.log10(off / energy))
        longest = max(facts.rt60_s.values())
        note = f"late reverberation of a room of {longest:.1f} s, {taken_db:.0f} dB of all, taken off"
        return Mended(writer.recording, note.replace("-", "−"), {"late_taken_db": taken_db})


def _hop(sample_rate: int) -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(round(_HOP_S * sample_rate), real=True))


def _window(hop: int) -> Samples:
    return np.sqrt(np.hanning(_WINDOW_HOPS * hop + 1)[:-1]).astype(np.float32)


def _spectra(samples: Samples, hop: int) -> Spectra:
    """(lines, channels, frames) of (channels, samples), each frame a hop after the last, none padded."""
    from scipy.fft import rfft

    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW_HOPS * hop, axis=1)[:, ::hop]
    return np.ascontiguousarray(rfft(frames * _window(hop), axis=-1).transpose(2, 0, 1), np.complex64)


def _fitted(recording: Recording, pair: slice) -> Filters:
    """On spans spread evenly over the recording, or on all of it; of the lines up to 20 kHz."""
    hop = _hop(recording.sample_rate)
    length = round(_SPAN_S * recording.sample_rate)
    count = max(1, min(_SPANS, recording.frames // length))
    starts = np.linspace(0, recording.frames - length, count).astype(int).tolist()
    highest = int(_HIGHEST_HZ / recording.sample_rate * _WINDOW_HOPS * hop) + 1
    spans = [_spectra(recording.read(start, start + length)[pair], hop)[:highest] for start in starts]
    return fit_filters(np.stack(spans), _DELAY, _TAPS, _LOUDEST_PARTS, _REGULARISATION)


def _late(recording: Recording, pair: slice, start: int, stop: int, filters: Filters) -> Samples:
    """What is predicted of frames start to stop, start on the grid of hops: the same wherever chunks are cut."""
    from scipy.fft import irfft

    hop = _hop(recording.sample_rate)
    reach = _DELAY + _TAPS - 1
    first = start - (_WINDOW_HOPS - 1 + reach) * hop
    last = first + (-(-(stop - first) // hop) + _WINDOW_HOPS - 1) * hop
    heard = recording.read(first, last)[pair]
    heard = np.pad(heard, ((0, 0), (max(0, -first), last - max(0, first) - heard.shape[1])))
    spectra = _spectra(heard, hop)
    late = np.zeros_like(spectra)
    late[: len(filters)] = predict(spectra[: len(filters)], filters, _DELAY)
    # Half of the window's overlap of 4: squared, Hann windows add up to 2.
    pieces = irfft(late[:, :, reach:], _WINDOW_HOPS * hop, axis=0).transpose(1, 2, 0) * (_window(hop) / 2)
    whole = np.zeros((len(heard), (pieces.shape[1] + _WINDOW_HOPS - 1) * hop), np.float32)
    for part in range(_WINDOW_HOPS):
        quarter = pieces[:, :, part * hop : (part + 1) * hop].reshape(len(heard), -1)
        whole[:, part * hop : part * hop + quarter.shape[1]] += quarter
    lead = (_WINDOW_HOPS - 1) * hop
    return whole[:, lead : lead + stop - start]

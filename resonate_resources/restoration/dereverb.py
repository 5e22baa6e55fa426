"""Dereverberation: the late answer of the room, predicted from what was heard before it, taken off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from resonate_resources.parallel import ahead
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import (
    BLOCK_FRAMES,
    Progress,
    Recording,
    Samples,
    write_recording,
)
from resonate_resources.restoration.linear_prediction import Filters, Predictor, fit_filters
from resonate_resources.restoration.short_time import (
    OVERLAP,
    Spectra,
    overlap_added,
    root_hann,
    short_time_spectra,
    window_frames,
)
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.blocks import in_blocks

WET: Mapping[Preset, float] = {"conservative": 0.6, "balanced": 0.85, "aggressive": 1.0}
"""Part of what is predicted that is taken off."""

_WINDOW_S = 0.093
_DELAY = (
    3  # quarters of a window, 70 ms: with 2, more of the direct sound goes; with 4, less of the reverberation
)
_TAPS = 10  # quarters, 0.23 s: 16 take 2 dB more, and move songs less near to the truth
_LOUDEST_PARTS, _REGULARISATION = 0.01, 0.01
_SPANS, _SPAN_S, _SHORTEST_S = 8, 4.0, 4.0
_HIGHEST_HZ = 20_000.0


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
        size = window_frames(recording.sample_rate, _WINDOW_S)
        predictors = [Predictor(filters, _DELAY) for filters in _fitted(recording, size)]

        def late(spectra: Spectra) -> Spectra:
            pairs = np.array_split(spectra, list(range(2, recording.channels, 2)))
            return np.concatenate([each.predict(pair) for each, pair in zip(predictors, pairs, strict=True)])

        spectra = short_time_spectra(recording.blocks(), size, root_hann)
        predicted = ahead(overlap_added(map(late, spectra), size, recording.frames, root_hann))
        energy, off, done = 1e-20, 1e-20, 0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block, part in zip(recording.blocks(), in_blocks(predicted, BLOCK_FRAMES), strict=True):
                taken = np.float32(WET[preset]) * part
                writer.write(block - taken)
                energy += float(np.sum(np.square(block, dtype=np.float64)))
                off += float(np.sum(np.square(taken, dtype=np.float64)))
                done += block.shape[1]
                progress(done / recording.frames)
        taken_db = 10 * float(np.log10(off / energy))
        longest = max(facts.rt60_s.values())
        note = f"late reverberation of a room of {longest:.1f} s, {taken_db:.0f} dB of all, taken off"
        return Mended(writer.recording, note.replace("-", "−"), {"late_taken_db": taken_db})


def _fitted(recording: Recording, size: int) -> list[Filters]:
    """Of each pair of channels, on spans spread evenly over the recording, of the lines up to 20 kHz."""
    length = round(_SPAN_S * recording.sample_rate)
    count = min(_SPANS, recording.frames // length)
    starts = np.linspace(0, recording.frames - length, count).astype(int).tolist()
    lines = int(_HIGHEST_HZ / recording.sample_rate * size) + 1
    spans = np.stack(
        [_spectra_within(recording.read(start, start + length), size, lines) for start in starts]
    )
    pairs = (spans[:, first : first + 2] for first in range(0, recording.channels, 2))
    return [fit_filters(pair, _DELAY, _TAPS, _LOUDEST_PARTS, _REGULARISATION) for pair in pairs]


def _spectra_within(span: Samples, size: int, lines: int) -> Spectra:
    """Of windows that lie in the span whole."""
    whole = np.concatenate(list(short_time_spectra([span], size, root_hann)), axis=1)
    return whole[:, OVERLAP - 1 : span.shape[1] // (size // OVERLAP), :lines]

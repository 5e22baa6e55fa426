"""Spotify's Basic Pitch (ICASSP 2022), its ONNX model run window by window.

The model sees 2 s at 22050 Hz and rescales each window by itself: digital noise 100 dB down is heard
as notes. So what lies under a level gate is taken out of its activations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resonate_resources.parallel import in_parallel
from resonate_resources.recipe import Engine
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Progress, Recording, file_sha256, silent
from resonate_resources.signal.mono import Mono, mono_blocks
from resonate_resources.transcription.attacks import (
    attack_times,
    cut_at_attacks,
    with_overtones,
)
from resonate_resources.transcription.note_creation import (
    ENERGY_TOLERANCE,
    LOWEST_PITCH,
    Activations,
    FrameNote,
    create_notes,
)
from resonate_resources.transcription.transcriber import Voice

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SAMPLE_RATE = 22050
_HOP = 256
_WINDOW = 43844  # samples the model takes: 172 frames
_TRIM = 15  # frames left out at either side of a window, where the model has not enough context
WINDOW_FRAMES = 172 - 2 * _TRIM
_WINDOW_HOP = _WINDOW - 2 * _TRIM * _HOP

_GATE_DB = -70.0  # silence, as for BS.1770's absolute gate
_SEGMENT_WINDOWS = 20  # 33 s are decoded at once …
_CONTEXT_WINDOWS = 4  # … with 6.6 s on either side
_OVERLAP = 0.5  # of a note of a monophonic voice may lie under stronger ones: legato
_LEAST_SHARE = 0.8
"""Of a stem's power sounds in its notes, or within `_AROUND` of them: of what plays, true or separated, 0.87 and
more; of noise, rain and crackle 0.72 and less."""
_CHANCE_A_SECOND = 1.0
"""Notes found by chance in noise, speech and drums are 0.6 a second at most; a bass under a record's loud crackle
has 3.7, though they are but 0.66 of the power."""
_AROUND = 4  # frames, 46 ms
_HUM_S, _HUM_SHARE = 5.0, 0.95
"""A single note of a plucked voice so long, and of so much of what sounds, is hum or a drone."""


@dataclass(frozen=True)
class Window:
    """The model's answer to one window: 142 frames of 88 keys; level_db is the audio's, per frame, in dBFS RMS."""

    notes: Activations
    onsets: Activations
    level_db: npt.NDArray[np.float32]


class BasicPitch:
    """The pitch transcriber of the base install; its model's weights come with the package."""

    engine = Engine("basic-pitch", "spotify/basic-pitch icassp_2022 nmp.onnx", licence="Apache-2.0")

    @staticmethod
    def weights_sha256() -> str:
        """Of the model's file. Raises AudioError where the package is not installed."""
        return file_sha256(_model_file())

    def notes(self, stem: Recording, voice: Voice, progress: Progress = silent) -> list[Note]:
        shortest = round(voice.shortest_s * SAMPLE_RATE / _HOP)
        vouched: list[Activations] = []
        levels: list[npt.NDArray[np.float32]] = []

        def heard() -> Iterator[Window]:
            for window in activations(stem, progress):
                levels.append(window.level_db)
                if voice.struck:
                    vouched.append(_vouched(window, voice))
                yield _heard(window, voice)

        notes = sorted(decode_windows(heard(), shortest))
        if voice.monophonic:
            notes = _one_at_a_time(notes)
        if voice.struck and notes:
            attacks = [nearest_frame(seconds) for seconds in attack_times(stem)]
            lowest = LOWEST_PITCH + _keys(voice).start
            notes = cut_at_attacks(notes, attacks, np.concatenate(vouched), lowest, shortest)
        if notes and not _played(notes, 10 ** (np.concatenate(levels) / 10), voice):
            return []
        return [
            Note(
                frame_time(note.start),
                min(frame_time(note.end), stem.duration),
                note.pitch,
                max(1, round(127 * note.amplitude)),
                confidence=note.amplitude,
            )
            for note in notes
        ]


def _played(notes: Sequence[FrameNote], power: npt.NDArray[np.floating], voice: Voice) -> bool:
    """Whether notes are what sounds in a stem whose power is told by frame: not chance finds in noise, and of a
    plucked voice no hum that was there before anybody could pluck."""
    if voice.struck and len(notes) == 1:
        length = notes[0].end - notes[0].start
        sounds = np.count_nonzero(power > 10 ** (_GATE_DB / 10))
        if length * _HOP >= _HUM_S * SAMPLE_RATE and length >= _HUM_SHARE * sounds:
            return False
    sounding = np.zeros(len(power), np.bool_)
    for note in notes:
        sounding[max(note.start - _AROUND, 0) : note.end + _AROUND] = True
    a_second = len(notes) * SAMPLE_RATE / (_HOP * len(power))
    return bool(power[sounding].sum() >= _LEAST_SHARE * power.sum()) or a_second >= _CHANCE_A_SECOND


def frame_time(frame: int) -> float:
    """Seconds from the start at which a frame's centre lies.

    A window moves on by 36164 samples and gives 142 frames, 188 samples less than 142 hops.
    """
    window, within = divmod(frame, WINDOW_FRAMES)
    return (window * _WINDOW_HOP + within * _HOP) / SAMPLE_RATE


def nearest_frame(seconds: float) -> int:
    """The frame whose centre lies nearest to that time (from a window's end on, the next window's first)."""
    window, within = divmod(round(seconds * SAMPLE_RATE), _WINDOW_HOP)
    return window * WINDOW_FRAMES + round(within / _HOP)


def activations(stem: Recording, progress: Progress = silent) -> Iterator[Window]:
    """Note and onset activations of a recording, window after window, until its last sample is covered.

    basic_pitch.inference.run_inference gives the same, but counts 86 frames a second where there are
    86.58, and so leaves out the last 0.7 % of a track.
    """
    session = _session()

    def answer(samples: Mono) -> Window:
        notes, onsets = session.run(
            ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"],
            {"serving_default_input_2:0": samples[np.newaxis, :, np.newaxis]},
        )
        hops = samples[_TRIM * _HOP :][: WINDOW_FRAMES * _HOP].reshape(WINDOW_FRAMES, _HOP)
        power = np.mean(hops**2, axis=1)
        return Window(
            notes[0, _TRIM:-_TRIM],
            onsets[0, _TRIM:-_TRIM],
            10 * np.log10(np.maximum(power, np.float32(1e-20))),
        )

    return in_parallel(answer, _windows(mono_blocks(stem, SAMPLE_RATE, progress)))


def _windows(blocks: Iterator[Mono]) -> Iterator[Mono]:
    """Windows of 43844 samples every 36164, from 3840 zeros before the start; the last is filled up with zeros."""
    pending: Mono = np.zeros(_TRIM * _HOP, np.float32)
    for block in blocks:
        pending = np.concatenate([pending, block])
        while len(pending) >= _WINDOW:
            yield pending[:_WINDOW]
            pending = pending[_WINDOW_HOP:]
    while len(pending) > _TRIM * _HOP:  # the frames of so many samples are given by the window before
        yield np.pad(pending, (0, _WINDOW - len(pending)))
        pending = pending[_WINDOW_HOP:]


def _keys(voice: Voice) -> slice:
    """The columns of activations that are in the voice's range."""
    lowest, highest = (
        round(69 + 12 * math.log2(hertz / 440)) - LOWEST_PITCH
        for hertz in (voice.lowest_hz, voice.highest_hz)
    )
    return slice(max(lowest, 0), highest)


def _heard(window: Window, voice: Voice) -> Window:
    """A window without what is under the gate or outside the voice's range."""
    heard = np.zeros(window.notes.shape, np.bool_)
    heard[:, _keys(voice)] = True
    heard[window.level_db < _GATE_DB] = False
    return replace(window, notes=window.notes * heard, onsets=window.onsets * heard)


def _vouched(window: Window, voice: Voice) -> Activations:
    vouched = with_overtones(window.notes, _keys(voice))
    vouched[window.level_db < _GATE_DB] = 0
    return vouched


@dataclass(frozen=True)
class _Segment:
    """Some windows that are decoded together. first: the frame with which they begin; core: from which frame up to
    which notes must begin to be this segment's; last: whether the recording ends with it."""

    windows: list[Window]
    first: int
    core: range
    last: bool


def _segments(windows: Iterator[Window]) -> Iterator[_Segment]:
    """Segments whose cores follow upon each other, with context on either side."""
    held: list[Window] = []
    before = 0  # windows held that are context
    first = 0
    last = False
    while not last:
        wanted = before + _SEGMENT_WINDOWS + _CONTEXT_WINDOWS - len(held)
        new = list(islice(windows, wanted))
        held += new
        last = len(new) < wanted
        core_end = len(held) if last else before + _SEGMENT_WINDOWS
        core = range(first + before * WINDOW_FRAMES, first + core_end * WINDOW_FRAMES)
        yield _Segment(held, first, core, last)
        before = _CONTEXT_WINDOWS
        first += (core_end - before) * WINDOW_FRAMES
        held = held[core_end - before :]


def decode_windows(windows: Iterator[Window], shortest: int) -> Iterator[FrameNote]:
    """Notes of any number of windows; one that outlasts its segment goes on in the next."""
    unfinished: dict[int, FrameNote] = {}
    for segment in _segments(windows):
        if not segment.windows:
            return
        notes = np.concatenate([window.notes for window in segment.windows])
        onsets = np.concatenate([window.onsets for window in segment.windows])
        still_unfinished: dict[int, FrameNote] = {}
        for decoded in create_notes(notes, onsets, shortest):
            note = replace(decoded, start=segment.first + decoded.start, end=segment.first + decoded.end)
            begun = unfinished.get(note.pitch)
            if note.start < segment.core.start and begun is not None and note.end > begun.end:
                note = replace(unfinished.pop(note.pitch), end=note.end)
            elif note.start not in segment.core:
                continue
            if decoded.end >= len(notes) - ENERGY_TOLERANCE - 1 and not segment.last:
                still_unfinished[note.pitch] = note
            else:
                yield note
        yield from unfinished.values()
        unfinished = still_unfinished


def _one_at_a_time(notes: list[FrameNote]) -> list[FrameNote]:
    """The line that a monophonic voice plays: the strongest notes that leave each other room.

    Partials and what leaks in from other stems are weaker than the notes they sound with.
    """
    taken = np.zeros(max((note.end for note in notes), default=0), np.bool_)
    line = []
    for note in sorted(notes, key=lambda note: -note.amplitude):
        if taken[note.start : note.end].mean() <= _OVERLAP:
            taken[note.start : note.end] = True
            line.append(note)
    line.sort()
    cut = [replace(note, end=min(note.end, following.start)) for note, following in pairwise(line)]
    return [note for note in cut if note.end > note.start] + line[-1:]


@lru_cache(maxsize=1)
def _session() -> InferenceSession:
    """The model, once per process; one thread, as windows run beside each other."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    return InferenceSession(str(_model_file()), options, providers=["CPUExecutionProvider"])


def _model_file() -> Path:
    """Found, not imported: importing basic_pitch also imports TensorFlow, if that is installed."""
    package = find_spec("basic_pitch")
    if package is None or package.origin is None:
        raise AudioError("basic-pitch is not installed: run `pip install --no-deps basic-pitch==0.4.0`")
    return Path(package.origin).parent / "saved_models" / "icassp_2022" / "nmp.onnx"

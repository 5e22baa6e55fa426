"""The attacks of a plucked or struck line, and its notes cut at them.

Basic Pitch hears a note struck again at the same pitch as one long note, or cuts a long note where a kick drum
leaks into it. An attack raises all partials at once, and the level stays; so it is found where the mean
rise over bands of equal ratio is large, to the level that follows instead of the next frame alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import band_levels, ratio_bands
from resonate_resources.signal.onsets import find_onsets, onset_strength
from resonate_resources.transcription.note_creation import FRAME_THRESHOLD, Activations, FrameNote

SAMPLE_RATE = 22050
_FRAME = 1024  # 46 ms: in longer ones notes run together that are struck again
_HOP = 256
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 3000.0  # from a bass's lowest note to where a pluck is still bright
_BANDS_PER_OCTAVE = 6
_FLOOR_DB = -50.0  # against the loudest band of the recording: what is quieter is no level to rise from
_GATE_DB = -70.0  # silence, as for BS.1770's absolute gate
_BEFORE = 2  # frames, 23 ms: from which level an attack rises …
_AFTER = 5  # … to the mean of 58 ms: half a semiquaver at 130 BPM
RISE_DB = 3.5
_APART_S = 0.08

_OVERTONES = (12, 19)  # semitones: octave and twelfth
OVERTONE_WEIGHT = 0.3
_PITCHED_FRAMES = 43  # the half second after its attack tells a note's pitch
_NEAR_FRAMES = 9  # 0.1 s: a change of pitch so soon after an attack, or half of it before, belongs to it


def attack_times(stem: Recording) -> list[float]:
    """Seconds from the start at which notes of a plucked line begin, at any pitch.

    Band levels are kept for the whole recording: 40 MB an hour.
    """
    bands = ratio_bands(_BANDS_PER_OCTAVE, _LOWEST_HZ, _HIGHEST_HZ, SAMPLE_RATE, _FRAME)
    levels = band_levels(stem, bands, SAMPLE_RATE, _HOP)
    loudest = float(levels.max(initial=-np.inf))
    if loudest < _GATE_DB:
        return []
    floor = max(loudest + _FLOOR_DB, _GATE_DB)
    strength = onset_strength(levels, floor, gap=_BEFORE, mean_of=_AFTER)
    frames = find_onsets(strength, RISE_DB, round(_APART_S * SAMPLE_RATE / _HOP))
    # The attack lies between the levels that are compared.
    return [float(max(frame - _BEFORE / 2, 0) * _HOP / SAMPLE_RATE) for frame in frames]


def with_overtones(notes: Activations, keys: slice) -> Activations:
    """Activations of those keys, (frames, keys), each raised by those of its overtones; 0…1.6.

    notes: (frames, 88). A small microphone leaves of a low note only its overtones: they vouch for it.
    """
    vouched = notes[:, keys].copy()
    for semitones in _OVERTONES:
        above = notes[:, keys.start + semitones : keys.stop + semitones]
        vouched[:, : above.shape[1]] += OVERTONE_WEIGHT * above
    return vouched


def cut_at_attacks(
    line: Sequence[FrameNote], attacks: Sequence[int], vouched: Activations, lowest_pitch: int, shortest: int
) -> list[FrameNote]:
    """The notes of a monophonic line, begun where they are struck or where the pitch changes, and nowhere else.

    line: the notes in order. attacks: frames, rising. vouched: (frames, keys) of with_overtones, from
    lowest_pitch upwards; they tell the pitch of each note, and its amplitude. Notes last over `shortest` frames.
    """
    sounding = vouched.max(axis=1) >= FRAME_THRESHOLD
    for note in line:
        sounding[note.start : note.end] = True
    struck = np.zeros(len(vouched), np.bool_)
    for attack in attacks:
        struck[max(attack - _NEAR_FRAMES // 2, 0) : attack + _NEAR_FRAMES + 1] = True
    changes = {
        note.start
        for before, note in pairwise([FrameNote(-1, -1, 0, 0.0), *line])
        if (note.pitch != before.pitch or note.start > before.end) and not struck[note.start]
    }
    cut = []
    for start, end in pairwise(sorted({*attacks, *changes, len(vouched)})):
        heard = np.flatnonzero(sounding[start:end])
        if len(heard) > shortest:
            told = vouched[start : min(end, start + _PITCHED_FRAMES)].mean(axis=0)
            key = int(told.argmax())
            amplitude = min(float(told[key]), 1.0)
            cut.append(FrameNote(start, start + int(heard[-1]) + 1, lowest_pitch + key, amplitude))
    return cut

"""The attacks of a plucked or struck line, and its notes cut at them.

Basic Pitch hears a note struck again at the same pitch as one long note, or cuts a long note where a kick drum
leaks into it. An attack raises all partials at once, and the level stays; so it is found where the mean
rise over bands of equal ratio is large: spectral flux in dB (Bello et al., "A Tutorial on Onset Detection
in Music Signals", IEEE TSAP 2005, §III), against the level that follows instead of the next frame alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.mono import mono_blocks, overlapping_frames
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
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    levels = _band_levels(stem)
    loudest = float(levels.max(initial=-np.inf))
    if loudest < _GATE_DB:
        return []
    floor = max(loudest + _FLOOR_DB, _GATE_DB)
    floored = np.pad(np.maximum(levels, floor), ((_BEFORE, 0), (0, 0)), constant_values=floor)
    following = uniform_filter1d(floored, _AFTER, axis=0, origin=-(_AFTER // 2), mode="nearest")
    rise = (following[_BEFORE:] - floored[:-_BEFORE]).clip(min=0).mean(axis=1)
    # The first frame may be a peak too.
    peaks = find_peaks(np.pad(rise, 1), height=RISE_DB, distance=round(_APART_S * SAMPLE_RATE / _HOP))[0] - 1
    # The attack lies between the levels that are compared.
    return [float(max(peak - _BEFORE / 2, 0) * _HOP / SAMPLE_RATE) for peak in peaks]


def _band_levels(stem: Recording) -> npt.NDArray[np.float32]:
    """(frames, bands) in dB against a full-scale sine, every 11.6 ms from the first sample on."""
    from scipy.fft import rfft

    bin_hz = SAMPLE_RATE / _FRAME
    octaves = np.log2(_HIGHEST_HZ / _LOWEST_HZ)
    edges_hz = _LOWEST_HZ * 2 ** (np.arange(octaves * _BANDS_PER_OCTAVE + 1) / _BANDS_PER_OCTAVE)
    edges = np.unique(np.ceil(edges_hz / bin_hz).astype(int))  # low bands are one bin wide
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    parts = []
    for frames in overlapping_frames(mono_blocks(stem, SAMPLE_RATE), _FRAME, _HOP):
        spectra = rfft(frames * window)
        power = spectra.real**2 + spectra.imag**2
        parts.append(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))
    power = np.concatenate(parts) / (_FRAME / 4) ** 2
    return 10 * np.log10(np.maximum(power, np.float32(1e-12)))


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

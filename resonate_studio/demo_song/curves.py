"""Notes as the audio-rate signals that the demo's monophonic instruments are played by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_studio.demo_song.composition import (
    CLOSED_HAT,
    CRASH,
    KICK,
    OPEN_HAT,
    SNARE,
    TOMS,
)

_DRUM_ORDER = (KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, *TOMS)
_VOWELS = "aeiou"

# Consonant → noise before the vowel: length in s, centre in Hz, level. s and sh hiss, t and k burst.
_UNVOICED = {
    "s": (0.09, 6500.0, 0.5),
    "sh": (0.09, 3200.0, 0.5),
    "t": (0.022, 4500.0, 0.8),
    "k": (0.025, 1900.0, 0.8),
}
_HUMMED_SECONDS = 0.06  # m, n and l are sung with the mouth half shut: dark and soft
_VIBRATO_HZ = 5.5  # singers' vibrato lies at 5–7 Hz (Sundberg, The Science of the Singing Voice, 1987)
_VIBRATO_SEMITONES = 0.3
_GLIDE_SECONDS = 0.018

_Signal = npt.NDArray[np.float64]


def vocal_curves(
    notes: Sequence[Note], syllables: Sequence[str], duration: float, sample_rate: int
) -> Samples:
    """(5, frames): pitch in Hz, voicing, vowel 0…4, consonant noise, its centre in Hz."""
    frames = round(duration * sample_rate)
    pitch = np.full(frames, float(notes[0].pitch))
    vibrato = np.zeros(frames)
    voicing, vowel, noise = np.zeros(frames), np.zeros(frames), np.zeros(frames)
    centre = np.full(frames, 4000.0)
    for note, syllable in zip(notes, syllables, strict=True):
        start, stop = round(note.onset_s * sample_rate), round(note.offset_s * sample_rate)
        consonant, sung = syllable[:-1], _VOWELS.index(syllable[-1])
        seconds = np.arange(stop - start) / sample_rate
        pitch[start:] = note.pitch
        # Vibrato comes in on held notes only.
        vibrato[start:stop] = np.clip((seconds - 0.2) / 0.3, 0, 1) * np.sin(2 * np.pi * _VIBRATO_HZ * seconds)
        voicing[start:stop] = note.velocity / 127
        vowel[start:] = sung
        if consonant in _UNVOICED:
            length, noise_centre, level = _UNVOICED[consonant]
            before = max(0, start - round(length * sample_rate))
            noise[before:start] = level
            voicing[before:start] = 0
            centre[before:stop] = noise_centre
        elif consonant:
            hummed = min(stop, start + round(_HUMMED_SECONDS * sample_rate))
            voicing[start:hummed] *= 0.4
            vowel[start:hummed] = _VOWELS.index("u")
    semitones = _smooth(pitch, _GLIDE_SECONDS, sample_rate) + _VIBRATO_SEMITONES * vibrato
    return np.stack(
        [
            _hertz(semitones),
            _smooth(voicing, 0.012, sample_rate),
            _smooth(vowel, 0.02, sample_rate),
            _smooth(noise, 0.004, sample_rate),
            centre,
        ]
    ).astype(np.float32)


def bass_curves(notes: Sequence[Note], duration: float, sample_rate: int) -> Samples:
    """(2, frames): pitch in Hz, level 0…1."""
    frames = round(duration * sample_rate)
    pitch, level = np.full(frames, float(notes[0].pitch)), np.zeros(frames)
    for note in notes:
        start, stop = round(note.onset_s * sample_rate), round(note.offset_s * sample_rate)
        pitch[start:] = note.pitch
        # A gap of 3 ms lets a repeated note be struck again.
        level[start : stop - round(0.003 * sample_rate)] = note.velocity / 127
    return np.stack([_hertz(pitch), level]).astype(np.float32)


def drum_triggers(notes: Sequence[Note], duration: float, sample_rate: int) -> Samples:
    """(8, frames): an impulse per hit for kick, snare, closed and open hat, crash, high, middle, low tom."""
    triggers = np.zeros((len(_DRUM_ORDER), round(duration * sample_rate)), np.float32)
    for note in notes:
        triggers[_DRUM_ORDER.index(note.pitch), round(note.onset_s * sample_rate)] = note.velocity / 127
    return triggers


def _hertz(pitch: _Signal) -> _Signal:
    return 440 * 2 ** ((pitch - 69) / 12)


def _smooth(signal: _Signal, seconds: float, sample_rate: int) -> _Signal:
    """Two one-pole low-passes of that time constant each: no corner is left to click."""
    from scipy.signal import lfilter

    pole = np.exp(-1 / (seconds * sample_rate))
    for _ in range(2):
        start = [pole * signal[0]]
        signal = lfilter([1 - pole], [1, -pole], signal, zi=start)[0]
    return signal

"""Notes played by FluidSynth from a soundfont. What is here runs in `soundfont`'s process.

Every note is rendered by itself from the beginning of one of FluidSynth's blocks and placed at its onset: in a
stream, notes would begin up to a block (1.5 ms) and a rounded millisecond late, and otherwise in every segment.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Samples

DRUM_BANK: Final = 128
"""Where soundfonts keep drum kits (SoundFont 2.04, 7.2)."""
_BLOCK: Final = 64  # frames: FLUID_BUFSIZE, at whose beginnings FluidSynth starts, ends and bends notes
LONGEST_RELEASE_S: Final = 8.0
_FADE_S: Final = 0.02  # of a release that is longer
_AT_ONCE: Final = 32  # blocks of a release: how finely its end is found
_GAIN: Final = 0.3
_WHEEL_HALF: Final = 8192


class _Soundfont:
    """A soundfont that FluidSynth has open."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        """Raises AudioError."""
        import fluidsynth

        self.path, self.sample_rate = path, sample_rate
        self.synth = fluidsynth.Synth(
            gain=_GAIN,
            samplerate=sample_rate,
            **{
                "synth.reverb.active": 0,  # rooms are for the matching
                "synth.chorus.active": 0,
                "synth.dynamic-sample-loading": 1,  # of the programs that play: a soundfont is up to 1 GB
            },
        )
        self.number = self.synth.sfload(str(path))
        if self.number < 0:
            raise AudioError(f"{path.name}: FluidSynth cannot read this soundfont; choose another")
        self._write = fluidsynth.cfunc(
            "fluid_synth_write_float",
            ctypes.c_int,
            *(
                (name, kind, 1)
                for name, kind in (
                    ("synth", ctypes.c_void_p),
                    ("len", ctypes.c_int),
                    ("lout", ctypes.c_void_p),
                    ("loff", ctypes.c_int),
                    ("lincr", ctypes.c_int),
                    ("rout", ctypes.c_void_p),
                    ("roff", ctypes.c_int),
                    ("rincr", ctypes.c_int),
                )
            ),
        )

    def select(self, bank: int, program: int) -> None:
        """Raises AudioError."""
        if self.synth.program_select(0, self.number, bank, program) != 0:
            raise AudioError(
                f"{self.path.name}: has no program {program} in bank {bank}; choose another soundfont"
            )

    def blocks(self, number: int) -> Samples:
        """(2, number of blocks × 64)."""
        sound = np.empty((2, number * _BLOCK), np.float32)
        left, right = (channel.ctypes.data for channel in sound)
        self._write(self.synth.synth, sound.shape[1], left, 0, 1, right, 0, 1)
        return sound

    def silence(self) -> None:
        self.synth.all_sounds_off(0)
        self.blocks(1)

    def set_bend_range(self, semitones: int) -> None:
        for control, value in (
            (101, 0),
            (100, 0),
            (6, semitones),
            (38, 0),
        ):  # MIDI 1.0, registered parameter 0
            self.synth.cc(0, control, value)


@lru_cache(maxsize=1)
def _opened(path: Path, sample_rate: int) -> _Soundfont:
    return _Soundfont(path, sample_rate)


def fluidsynth_version() -> str:
    """Raises AudioError where the library is missing."""
    try:
        import fluidsynth
    except (ImportError, OSError, AttributeError) as error:
        raise AudioError(
            "soundfonts want FluidSynth, which pip does not bring: apt-get install libfluidsynth3, "
            "brew install fluid-synth or choco install fluidsynth"
        ) from error
    version = fluidsynth.cfunc("fluid_version_str", ctypes.c_char_p)
    return str(version().decode())


def play_notes(
    path: Path,
    bank: int,
    program: int,
    sample_rate: int,
    notes: Sequence[Note],
    frames: int,
    release_s: float,
) -> Samples:
    """(2, frames) of those notes, each ended release_s after its offset. Raises AudioError."""
    played = np.zeros((2, frames), np.float32)
    for note in notes:
        start = round(note.onset_s * sample_rate)
        sound = note_sound(path, bank, program, sample_rate, note, release_s)[:, max(0, -start) :]
        sound = sound[:, : max(0, frames - max(0, start))]
        played[:, max(0, start) : max(0, start) + sound.shape[1]] += sound
    return played


def longest_release_s(path: Path, bank: int, program: int, sample_rate: int, notes: Sequence[Note]) -> float:
    """How long the last of those notes to fall silent sounds after its offset; a kit's, after its onset."""
    return max(
        float(note_sound(path, bank, program, sample_rate, note).shape[1]) / sample_rate
        - (0.0 if bank == DRUM_BANK else note.duration_s)
        for note in notes
    )


def note_sound(
    path: Path, bank: int, program: int, sample_rate: int, note: Note, release_s: float = LONGEST_RELEASE_S
) -> Samples:
    """(2, n) of one note from its onset until it has fallen silent, or release_s after its offset."""
    soundfont = _opened(path, sample_rate)
    soundfont.select(bank, program)
    synth = soundfont.synth
    reach = max(2, ceil(max((abs(bend) for _, bend in note.bends), default=0.0)))
    soundfont.set_bend_range(reach)
    # A kit's key is let go when its sound is over, as General MIDI has it.
    held = max(1, round((0.0 if bank == DRUM_BANK else note.duration_s) * sample_rate / _BLOCK))
    turns = {round(at * sample_rate / _BLOCK): _wheel(bend, reach) for at, bend in note.bends}
    synth.pitch_bend(0, turns.pop(0, 0))
    # Begun twice: in a note's first block the filter is still that of the note before (in 2.3.1, up to −26 dB).
    synth.noteon(0, note.pitch, note.velocity)
    soundfont.blocks(1)
    soundfont.silence()
    synth.noteon(0, note.pitch, note.velocity)
    sounds = []
    now = 0
    for at in sorted(block for block in turns if block < held):
        sounds.append(soundfont.blocks(at - now))
        synth.pitch_bend(0, turns[at])
        now = at
    sounds.append(soundfont.blocks(held - now))
    if bank != DRUM_BANK:
        synth.noteoff(0, note.pitch)
    for _ in range(ceil(release_s * sample_rate / (_BLOCK * _AT_ONCE))):
        if not synth.get_active_voice_count():
            break
        sounds.append(soundfont.blocks(_AT_ONCE))
    if synth.get_active_voice_count():
        soundfont.silence()
        fade = min(round(_FADE_S * sample_rate), sounds[-1].shape[1])
        sounds[-1][:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.concatenate(sounds, axis=1)


def _wheel(bend: float, reach: int) -> int:
    return max(-_WHEEL_HALF, min(_WHEEL_HALF - 1, round(bend / reach * _WHEEL_HALF)))

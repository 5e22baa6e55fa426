"""A program of a soundfont as an instrument, played by FluidSynth in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, ParamSpec, TypeVar

from resonate_resources.instruments import fluidsynth_player
from resonate_resources.instruments.fluidsynth_player import DRUM_BANK
from resonate_resources.instruments.own_process import OwnProcess, ProcessLostError
from resonate_resources.instruments.soundfont_file import Program, Soundfont
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Samples

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_PATIENCE_S: Final = 120.0  # a call renders seconds of sound, a thousand times as fast as they last
_PLAYER: Final = OwnProcess(_PATIENCE_S)
_TRIED_KEYS: Final = 5
_TRIED_S: Final = 0.5
_MARGIN: Final = 1.1


def fluidsynth_told() -> str:
    """Name and version of the player. Raises AudioError where it is missing."""
    return f"fluidsynth {_in_player(None, fluidsynth_player.fluidsynth_version)}"


class SoundfontProgram:
    """A program of a soundfont. Drums ring out however short their notes are, as General MIDI has them."""

    def __init__(
        self, soundfont: Soundfont, program: Program, sample_rate: int, notes: Sequence[Note]
    ) -> None:
        """notes: what it is to play; how long notes of their pitches ring is tried. Raises AudioError."""
        self.sample_rate = sample_rate
        self._soundfont, self._program = soundfont, program
        pitches = sorted({note.pitch for note in notes})
        if program.bank != DRUM_BANK and len(pitches) > _TRIED_KEYS:
            last = len(pitches) - 1
            pitches = [pitches[last * index // (_TRIED_KEYS - 1)] for index in range(_TRIED_KEYS)]
        tried = [Note(0.0, _TRIED_S, pitch, 127) for pitch in pitches]
        self._release_s = _MARGIN * _in_player(
            soundfont, fluidsynth_player.longest_release_s, soundfont.path, program.bank, program.number,
            sample_rate, tried,
        )  # fmt: skip

    def sounding_until(self, note: Note) -> float:
        return note.offset_s + self._release_s

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        """Raises AudioError."""
        return rendered(self._soundfont, self._program, self.sample_rate, notes, frames, self._release_s)


def rendered(
    soundfont: Soundfont,
    program: Program,
    sample_rate: int,
    notes: Sequence[Note],
    frames: int,
    release_s: float,
) -> Samples:
    return _in_player(
        soundfont,
        fluidsynth_player.play_notes,
        soundfont.path, program.bank, program.number, sample_rate, notes, frames, release_s,
    )  # fmt: skip


def _in_player(
    soundfont: Soundfont | None,
    work: Callable[_Arguments, _Result],
    *arguments: _Arguments.args,
    **named: _Arguments.kwargs,
) -> _Result:
    try:
        return _PLAYER.call(work, *arguments, **named)
    except ProcessLostError as error:
        on = f"{soundfont.path.name}: FluidSynth" if soundfont else "FluidSynth"
        raise AudioError(f"{on} {error}; choose another soundfont") from error

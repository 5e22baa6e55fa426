"""General MIDI programs of soundfonts as instruments: clean, editable, and taken from nothing of the track's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Samples, file_sha256
from resonate_resources.regeneration import fluidsynth_player
from resonate_resources.regeneration.fluidsynth_player import DRUM_BANK
from resonate_resources.regeneration.instrument import Candidate, Part
from resonate_resources.regeneration.own_process import OwnProcess, ProcessLostError
from resonate_resources.regeneration.program_retrieval import nearest_programs
from resonate_resources.regeneration.soundfont_file import Program, Soundfont, soundfonts

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

CANDIDATES: Final = 3
"""Programs of a part that are worth comparing as a whole: see docs/soundfonts.md."""
_PATIENCE_S: Final = 120.0  # a call renders seconds of sound, a thousand times as fast as they last
_PLAYER: Final = OwnProcess(_PATIENCE_S)
_TRIED_KEYS: Final = 5
_TRIED_S: Final = 0.5
_MARGIN: Final = 1.1


def candidates(part: Part, asked_for: Sequence[Path] = ()) -> Iterator[Candidate]:
    """The programs nearest to the part, the nearest first: kits for drums.

    asked_for: soundfonts, .sf2 or .sf3; of none, the system's. Raises AudioError where FluidSynth is missing, where
    there is no soundfont, and for one that cannot be read or crashes FluidSynth.
    """
    engine = fluidsynth_told()
    found = soundfonts(asked_for)
    if not found:
        raise AudioError(
            "no soundfont is on this system: apt-get install fluid-soundfont-gm, or name one in the brief"
        )
    if not part.notes:
        return
    for soundfont, program in nearest_programs(part, found, _rendered)[:CANDIDATES]:
        instrument = SoundfontProgram(soundfont, program, part.sample_rate, part.notes)
        yield Candidate(
            kind="soundfont",
            label=f"{soundfont.name}: {program.name}",
            licence=soundfont.licence,
            source=f"soundfont {soundfont.path.name}",
            instrument=instrument,
            leaving_out=instrument,
            settings={
                "soundfont": str(soundfont.path),
                "sha256": file_sha256(soundfont.path),
                "bank": program.bank,
                "program": program.number,
                "engine": engine,
            },
        )


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
        return _rendered(self._soundfont, self._program, self.sample_rate, notes, frames, self._release_s)


def _rendered(
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

"""General MIDI programs of soundfonts as instruments: clean, editable, and taken from nothing of the track's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from resonate_resources.instruments.soundfont_file import soundfonts
from resonate_resources.instruments.soundfont_program import SoundfontProgram, fluidsynth_told, rendered
from resonate_resources.recordings.recording import AudioError, file_sha256
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.program_retrieval import nearest_programs

CANDIDATES: Final = 3
"""Programs of a part that are worth comparing as a whole: see docs/soundfonts.md."""


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
    for soundfont, program in nearest_programs(part, found, rendered)[:CANDIDATES]:
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

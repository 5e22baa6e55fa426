"""Transcription: what is played in each stem, as MIDI."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import dagster as dg

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.midi import DRUM_CHANNEL, RULER_BPM, Note, write_notes
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent
from resonate_resources.signal.chart import piano_roll
from resonate_resources.signal.remains import REMAINS_DB, remains_of_others
from resonate_resources.transcription.basic_pitch import BasicPitch
from resonate_resources.transcription.drum_bands import DrumBands
from resonate_resources.transcription.sung_notes import SungNotes
from resonate_resources.transcription.transcriber import DrumTranscriber, PitchTranscriber, Voice

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""


class Part(NamedTuple):
    """What plays a stem: its voice, and the General MIDI program (counted from 0) that stands for it."""

    voice: Voice
    program: int


# Ranges of the instruments: a five-string bass from B0 (30.9 Hz) to the twelfth fret of its G string (196 Hz),
# above which a separated bass holds other stems' remains; voices from E2 to D6; a guitar from E2.
PARTS = {
    "vocals": Part(Voice(80, 1200, 0.05, monophonic=True, sung=True), 52),  # choir aahs
    "bass": Part(Voice(30, 200, 0.08, monophonic=True, struck=True), 33),  # fingered bass
    "other": Part(Voice(27.5, 4200, 0.1, monophonic=False), 4),  # electric piano
    "piano": Part(Voice(27.5, 4200, 0.1, monophonic=False), 0),
    "guitar": Part(Voice(80, 1400, 0.1, monophonic=False), 27),  # clean electric guitar
}

ENGINE = Engine(
    f"{BasicPitch.engine.name}+{SungNotes.engine.name}",
    f"{BasicPitch.engine.model}; {SungNotes.engine.model}",
    licence=f"{BasicPitch.engine.licence} (Basic Pitch), {SungNotes.engine.licence} (Praat, sung onsets)",
)


def transcriber_of(voice: Voice) -> PitchTranscriber:
    """Who hears the notes of such a voice."""
    return SungNotes() if voice.sung else BasicPitch()


class TranscriptionResource(dg.ConfigurableResource[None]):
    """Hears notes in pitched stems and strokes in drums."""

    def recipe(self) -> Recipe:
        return Recipe.of(__name__, ENGINE, {"weights_sha256": BasicPitch.weights_sha256()}, CODE_VERSION)

    def transcribe(
        self, stems: Stems, tempo_bpm: float | None, into: Path, progress: Progress = silent
    ) -> Product:
        """Write one MIDI file per stem into that existing directory, at tempo_bpm quarter notes a minute; None: it
        is not known.

        A stem that is silent, or holds only remains of others, gives a file without notes.
        Raises ValueError for a tempo under 4 BPM.
        """
        drums: DrumTranscriber = DrumBands()
        remains = remains_of_others(stems)
        done = dict.fromkeys(stems, 0.0)

        def watch(name: str) -> Progress:
            def heard(part: float) -> None:
                done[name] = part
                progress(sum(done.values()) / len(done))

            return heard

        def notes_of(name: str, stem: Recording) -> list[Note]:
            if name in remains:
                return []
            if name == "drums":
                return drums.strokes(stem, watch(name))
            voice = PARTS[name].voice
            return transcriber_of(voice).notes(stem, voice, watch(name))

        heard = {name: notes_of(name, stem) for name, stem in stems.items()}
        files = {f"{name}.mid": into / f"{name}.mid" for name in stems}
        for name, notes in heard.items():
            program, channel = (0, DRUM_CHANNEL) if name == "drums" else (PARTS[name].program, 0)
            write_notes(
                into / f"{name}.mid", notes, tempo_bpm=tempo_bpm, name=name, program=program, channel=channel
            )
        duration = max((stem.duration for stem in stems.values()), default=0.0)
        parts = {
            name: [(note.onset_s, note.offset_s, note.pitch, note.velocity) for note in notes]
            for name, notes in heard.items()
        }
        picture = into / "picture.png"
        picture.write_bytes(piano_roll(parts, duration))
        counts = {f"{name}_notes": len(notes) for name, notes in heard.items()}
        ruler = f"no tempo was found: the {RULER_BPM:g} BPM of the files are only a ruler"
        return Product(
            files,
            counts if tempo_bpm is None else {"tempo_bpm": tempo_bpm, **counts},
            (
                *((ruler,) if tempo_bpm is None else ()),
                *(
                    f"{name} is nowhere within {-REMAINS_DB:g} dB of the recording: taken for remains, not played"
                    for name in remains
                ),
                *(
                    f"no notes heard in {name}"
                    for name, notes in heard.items()
                    if not notes and name not in remains
                ),
            ),
            reports={"picture.png": picture},
        )

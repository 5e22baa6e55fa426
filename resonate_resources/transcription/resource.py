"""Transcription: what is played in each stem, as MIDI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.midi import Note, one_key_at_a_time
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent
from resonate_resources.recordings.score import MUSIC, Score
from resonate_resources.recordings.tempo_map import RULER_BPM
from resonate_resources.signal.remains import REMAINS_DB, remains_of_others
from resonate_resources.transcription.basic_pitch import BasicPitch
from resonate_resources.transcription.brief import TranscriptionBrief
from resonate_resources.transcription.clean_up import cleaned_up
from resonate_resources.transcription.drum_strokes import DrumStrokes
from resonate_resources.transcription.note_files import write_note_files
from resonate_resources.transcription.sung_notes import SungNotes
from resonate_resources.transcription.transcriber import PitchTranscriber, Voice

CODE_VERSION = "7"
"""Raised when the algorithm changes in a way that no constant shows."""


class Part(NamedTuple):
    """What plays a stem: its voice, the General MIDI program (counted from 0) that stands for it, and its name."""

    voice: Voice
    program: int
    name: str


# Ranges of the instruments: a five-string bass from B0 (30.9 Hz) to the twelfth fret of its G string (196 Hz),
# above which a separated bass holds other stems' remains; voices from E2 to D6; a guitar from E2.
PARTS = {
    "vocals": Part(Voice(80, 1200, 0.05, monophonic=True, sung=True), 52, "Voice"),  # choir aahs
    "bass": Part(Voice(30, 200, 0.08, monophonic=True, struck=True), 33, "Electric Bass"),  # fingered bass
    "other": Part(Voice(27.5, 4200, 0.1, monophonic=False), 4, "Electric Piano"),  # electric piano
    "piano": Part(Voice(27.5, 4200, 0.1, monophonic=False), 0, "Piano"),
    "guitar": Part(Voice(80, 1400, 0.1, monophonic=False), 27, "Electric Guitar"),  # clean electric guitar
}

ENGINE = Engine(
    f"{BasicPitch.engine.name}+{SungNotes.engine.name}",
    f"{BasicPitch.engine.model}; {SungNotes.engine.model}; {DrumStrokes.engine.model}",
    licence=f"{BasicPitch.engine.licence} (Basic Pitch), {SungNotes.engine.licence} (Praat, sung onsets)",
)


def transcriber_of(voice: Voice) -> PitchTranscriber:
    """Who hears the notes of such a voice."""
    return SungNotes() if voice.sung else BasicPitch()


def _within(duration_s: float, notes: Iterable[Note]) -> list[Note]:
    """Notes that begin before the end, none beyond it."""
    return [
        replace(note, offset_s=min(note.offset_s, duration_s)) for note in notes if note.onset_s < duration_s
    ]


class TranscriptionResource(dg.ConfigurableResource[None]):
    """Hears notes in pitched stems and strokes in drums."""

    def recipe(self, brief: TranscriptionBrief) -> Recipe:
        settings = {"weights_sha256": BasicPitch.weights_sha256(), **brief.asked()}
        return Recipe.of(__name__, ENGINE, settings, CODE_VERSION)

    def transcribe(
        self,
        stems: Stems,
        music: Music,
        brief: TranscriptionBrief,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """Write into that existing directory a MIDI file per stem as it was played, where the tempo is known one in
        `quantised/` with its notes on the grid, and notes.parquet.

        A stem that is silent, or holds only remains of others, gives a file without notes.
        Raises ValueError for a tempo under 4 BPM.
        """
        tempo = music.tempo_map()
        remains = remains_of_others(stems)
        heard = {
            name: []
            if name in remains
            else _within(stem.duration, self._notes_of(name, stem, music, brief, watch))
            for (name, stem), watch in zip(stems.items(), _watches(len(stems), progress), strict=True)
        }
        files, reports = write_note_files(
            heard,
            music,
            {name: (part.program, part.name) for name, part in PARTS.items()},
            max((stem.duration for stem in stems.values()), default=0.0),
            into,
        )
        counts = {f"{name}_notes": len(notes) for name, notes in heard.items()}
        ruler = f"no tempo was found: the {RULER_BPM:g} BPM of the files are only a ruler"
        return Product(
            files,
            counts if music.tempo_bpm is None else {"tempo_bpm": music.tempo_bpm, **counts},
            (
                *(() if tempo.known else (ruler,)),
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
            reports=reports,
        )

    def given(self, score: Score, into: Path) -> Product:
        """Write what `transcribe` writes, of notes that a track was played from, and its music.

        Where parts of a stem have one key at once, it is struck once: see `one_key_at_a_time`.
        """
        music = Music.of({"key": None, **score.music})
        notes = {
            stem: [replace(note, confidence=1.0) for note in one_key_at_a_time(played)]
            for stem, played in score.notes.items()
        }
        called = {name: (score.programs.get(name, part.program), part.name) for name, part in PARTS.items()}
        files, reports = write_note_files(notes, music, called, score.duration_s, into)
        files[MUSIC] = into / MUSIC
        files[MUSIC].write_text(json.dumps(score.music), encoding="utf-8")
        counts = {f"{name}_notes": len(played) for name, played in notes.items()}
        return Product(
            files,
            {"tempo_bpm": score.music["tempo_bpm"], **counts},
            ("notes of the plan, not transcribed",),
            reports=reports,
        )

    def _notes_of(
        self, name: str, stem: Recording, music: Music, brief: TranscriptionBrief, progress: Progress
    ) -> list[Note]:
        if name == "drums":
            return DrumStrokes().strokes(stem, progress)
        voice = PARTS[name].voice
        notes = transcriber_of(voice).notes(stem, voice, progress)
        if brief.clean_up:
            notes = cleaned_up(notes, music.keys)
        return notes if brief.bends else [replace(note, bends=()) for note in notes]


def _watches(count: int, progress: Progress) -> Sequence[Progress]:
    """One for each of that many parts; together they make the whole."""
    done = [0.0] * count

    def watch(number: int) -> Progress:
        def heard(part: float) -> None:
            done[number] = part
            progress(sum(done) / count)

        return heard

    return [watch(number) for number in range(count)]

"""A composition made audible: Faust instruments under DawDreamer, one room per part, balanced by loudness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from resonate_resources.instruments.dawdreamer_thread import on_dawdreamer_thread
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, Stems, write_samples
from resonate_studio.demo_song.composition import STEM_PARTS, Composition
from resonate_studio.demo_song.curves import bass_curves, drum_triggers, vocal_curves

if TYPE_CHECKING:
    import dawdreamer

RENDER_RATE: Final = 44_100
_PEAK_DBFS: Final = -3.0
_VOICES: Final = 16  # three-note chords whose releases overlap need nine

# Part → loudness against the vocals in LU, reverb level, reverb time in s.
_BALANCE: Mapping[str, tuple[float, float, float]] = {
    "vocals": (0.0, 0.12, 1.3),
    "drums": (-1.0, 0.05, 0.6),
    "bass": (-4.0, 0.01, 0.4),
    "pad": (-8.0, 0.15, 1.8),
    "arpeggio": (-9.0, 0.15, 1.4),
    "keys": (-7.0, 0.10, 1.0),
}


@dataclass(frozen=True)
class DemoSong:
    """A rendered composition. mix is the sum of the stems, frame by frame in 32-bit float; all are stereo."""

    composition: Composition
    stems: Stems
    mix: Recording


def render(composition: Composition, into: Path, sample_rate: int = RENDER_RATE) -> DemoSong:
    """Write vocals.wav drums.wav bass.wav other.wav and mix.wav into that existing directory.

    Synthesised at 44.1 kHz and resampled where another rate is asked for. The mix peaks at −3 dBFS.
    The same composition gives the same bytes.
    """
    parts = on_dawdreamer_thread(lambda: _play(composition))
    levelled = {name: audio * _gain_to(_BALANCE[name][0], audio) for name, audio in parts.items()}
    stems = {
        stem: _at_rate(
            sum((levelled[part] for part in parts_of), np.zeros_like(levelled["vocals"])), sample_rate
        )
        for stem, parts_of in STEM_PARTS.items()
    }
    gain = np.float32(10 ** (_PEAK_DBFS / 20) / np.abs(sum_of(stems)).max())
    stems = {stem: audio * gain for stem, audio in stems.items()}
    return DemoSong(
        composition,
        {stem: write_samples(into / f"{stem}.wav", audio, sample_rate) for stem, audio in stems.items()},
        write_samples(into / "mix.wav", sum_of(stems), sample_rate),
    )


def _play(composition: Composition) -> dict[str, Samples]:
    """Part → (2, frames) at RENDER_RATE."""
    import dawdreamer

    engine = dawdreamer.RenderEngine(RENDER_RATE, 512)
    graph: list[tuple[object, list[str]]] = []
    rooms = {}
    for part, notes in composition.parts.items():
        curves = _curves(composition, part)
        if curves is not None:
            graph.append((engine.make_playback_processor(f"{part} curves", curves), []))
            graph.append((_instrument(engine, part), [f"{part} curves"]))
        else:
            graph.append((_played_by_midi(engine, part, notes), []))
        _, wet, decay = _BALANCE[part]
        room = _instrument(engine, "room", f"{part} in its room")
        for name, value in (("pan", composition.pan[part]), ("wet", wet), ("decay", decay)):
            room.set_parameter(f"/dawdreamer/{name}", value)
        room.record = True
        graph.append((room, [part]))
        rooms[part] = room
    engine.load_graph(graph)
    engine.render(composition.duration)
    return {part: np.asarray(room.get_audio(), np.float32) for part, room in rooms.items()}


def _curves(composition: Composition, part: str) -> Samples | None:
    """What a part's instrument is played by, where it is not by MIDI."""
    notes, duration = composition.parts[part], composition.duration
    if part == "vocals":
        return vocal_curves(notes, composition.syllables, duration, RENDER_RATE)
    curves_of = {"drums": drum_triggers, "bass": bass_curves}
    return curves_of[part](notes, duration, RENDER_RATE) if part in curves_of else None


def _instrument(
    engine: dawdreamer.RenderEngine, source: str, name: str | None = None, voices: int = 0
) -> dawdreamer.FaustProcessor:
    processor = engine.make_faust_processor(name or source)
    processor.num_voices = voices
    processor.set_dsp_string((files(__package__) / "instruments" / f"{source}.dsp").read_text())
    processor.compile()
    return processor


def _played_by_midi(
    engine: dawdreamer.RenderEngine, part: str, notes: tuple[Note, ...]
) -> dawdreamer.FaustProcessor:
    processor = _instrument(engine, part, voices=_VOICES)
    for note in notes:
        processor.add_midi_note(note.pitch, note.velocity, note.onset_s, note.duration_s)
    return processor


def _gain_to(loudness_lu: float, audio: Samples) -> np.float32:
    """The gain that brings audio to that level over −20 LUFS: loudness is gated, so rests don't count."""
    import pyloudnorm

    measured = pyloudnorm.Meter(RENDER_RATE).integrated_loudness(audio.T.astype(np.float64))
    return np.float32(10 ** ((loudness_lu - 20 - measured) / 20))


def _at_rate(audio: Samples, sample_rate: int) -> Samples:
    import soxr

    if sample_rate == RENDER_RATE:
        return audio
    return np.ascontiguousarray(soxr.resample(audio.T, RENDER_RATE, sample_rate, "VHQ").T)


def sum_of(stems: Mapping[str, Samples]) -> Samples:
    """All stems together, added in their order in 32-bit float."""
    total = np.zeros_like(next(iter(stems.values())))
    for audio in stems.values():
        total += audio
    return total

"""The instruments: Faust programs run by DawDreamer. Each sound depends on its own note alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from resonate_resources.instruments.dawdreamer_thread import on_dawdreamer_thread
from resonate_resources.instruments.instrument import Instrument
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples

if TYPE_CHECKING:
    import dawdreamer

FAUST_SOURCES: Final = Path(__file__).with_name("faust_sources")
_BLOCK_FRAMES: Final = 1024
_DRUM_HIT_S: Final = 4.0  # the crash has fallen by 58 dB
_SILENT: Final = 1e-4

# How long in s a note sounds after its end: its release, and its filters' ringing to below −100 dB. Not longer, for
# what rings on are denormal numbers, ten times as slow to compute.
_SYNTH_RELEASE_S: Mapping[str, float] = {"vocals": 0.18, "bass": 0.1, "other": 0.26}

NO_SETTINGS: Mapping[str, float] = MappingProxyType({})
_RINGING_S: Final = 0.06  # of filters after a release
_OF_A_NOTE: Final = frozenset({"freq", "gain", "held"})

# General MIDI percussion (GM level 1) → output of drums.dsp and place in the image −1…1, as the audience sees it.
_KIT: Mapping[int, tuple[int, float]] = {
    **dict.fromkeys((35, 36), (0, 0.0)),
    **dict.fromkeys((38, 40), (1, 0.05)),
    37: (2, 0.05),
    39: (3, -0.1),
    **dict.fromkeys((42, 44), (4, 0.3)),
    46: (5, 0.3),
    **dict.fromkeys((51, 53, 59), (6, -0.35)),
    **dict.fromkeys((49, 52, 55, 57), (7, -0.5)),
    **dict.fromkeys((41, 43), (8, -0.4)),
    **dict.fromkeys((45, 47), (9, -0.1)),
    **dict.fromkeys((48, 50), (10, 0.2)),
}
_HAND_PERCUSSION = (11, 0.2)  # everything else: tambourine, cabasa, maracas, …


def instrument_for(stem: str, sample_rate: int) -> Instrument:
    """The instrument of that stem; piano, guitar and whatever else play the keys of "other"."""
    if stem == "drums":
        return DrumKit(sample_rate)
    return Synthesiser(stem if stem in _SYNTH_RELEASE_S else "other", sample_rate)


class Synthesiser:
    """A Faust instrument that plays vocals, bass or other: every note rendered by itself, then placed at its onset.

    Not by Faust's polyphony, which DawDreamer 0.9.0 computes frame by frame: what is constant within a note is
    computed anew each time, and a release ends at the first frame that happens to be near zero.
    """

    def __init__(self, name: str, sample_rate: int, settings: Mapping[str, float] = NO_SETTINGS) -> None:
        """name: of a program in instruments/. settings: parameter → value, its release in s among them; the fixed
        voices have none."""
        self.sample_rate = sample_rate
        self._release_s = settings["release"] + _RINGING_S if settings else _SYNTH_RELEASE_S[name]
        self._engine, self._processor = on_dawdreamer_thread(lambda: _faust(name, sample_rate))
        on_dawdreamer_thread(lambda: self._set(settings))

    @cached_property
    def parameters(self) -> Mapping[str, tuple[float, float]]:
        """Name → lowest and highest value of what a sound is made by, a note's own apart."""
        told = on_dawdreamer_thread(self._processor.get_parameters_description)
        return {one["label"]: (one["min"], one["max"]) for one in told if one["label"] not in _OF_A_NOTE}

    def try_out(
        self, settings: Mapping[str, float], excerpts: Sequence[Sequence[Note]], frames: int
    ) -> Samples:
        """(2, excerpts × frames) with those settings from now on: a new instrument would have to be compiled."""
        self._release_s = settings["release"] + _RINGING_S

        def played() -> Samples:
            self._set(settings)
            return np.concatenate([self._render(notes, frames) for notes in excerpts], axis=1)

        return on_dawdreamer_thread(played)

    def _set(self, settings: Mapping[str, float]) -> None:
        for name, value in settings.items():
            self._processor.set_parameter(f"/dawdreamer/{name}", value)

    def sounding_until(self, note: Note) -> float:
        return note.offset_s + self._release_s

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        return on_dawdreamer_thread(lambda: self._render(notes, frames))

    def _render(self, notes: Sequence[Note], frames: int) -> Samples:
        played = np.zeros((2, frames), np.float32)
        for note in notes:
            start = round(note.onset_s * self.sample_rate)
            # Rounded down, but for what a float lacks: 0.7 s × 44.1 kHz is 30869.999… frames.
            held = int(note.duration_s * self.sample_rate + 0.25)
            sounding = min(held + round(self._release_s * self.sample_rate), frames - start)
            if sounding > max(0, -start):
                sound = self._sound(note, held, sounding)[:, max(0, -start) :]
                played[:, max(0, start) : start + sounding] += sound
        return played

    def _sound(self, note: Note, held: int, frames: int) -> Samples:
        self._processor.set_parameter("/dawdreamer/freq", 440 * 2 ** ((note.pitch - 69) / 12))
        self._processor.set_parameter("/dawdreamer/gain", note.velocity / 127)
        self._processor.set_parameter("/dawdreamer/held", held)
        self._engine.render((frames + 0.5) / self.sample_rate)  # rounds down
        return np.asarray(self._engine.get_audio(), np.float32)[:, :frames]


class DrumKit:
    """General MIDI drums: each sound rendered once by Faust, then placed at every hit, as loud as its velocity."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._sounds = [_until_silent(sound) for sound in on_dawdreamer_thread(self._strike_all)]

    def _strike_all(self) -> Samples:
        engine, _ = _faust("drums", self.sample_rate)
        engine.render(_DRUM_HIT_S)
        return np.asarray(engine.get_audio(), np.float32)

    def sounding_until(self, note: Note) -> float:
        sound, _ = _KIT.get(note.pitch, _HAND_PERCUSSION)
        return note.onset_s + self._sounds[sound].size / self.sample_rate

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        played = np.zeros((2, frames), np.float32)
        for note in notes:
            index, place = _KIT.get(note.pitch, _HAND_PERCUSSION)
            start = round(note.onset_s * self.sample_rate)
            sound = self._sounds[index][: max(0, frames - start)] * np.float32(note.velocity / 127)
            angle = (place + 1) * np.pi / 4  # equal power
            played[0, start : start + sound.size] += np.float32(np.cos(angle)) * sound
            played[1, start : start + sound.size] += np.float32(np.sin(angle)) * sound
        return played


def _faust(name: str, sample_rate: int) -> tuple[dawdreamer.RenderEngine, dawdreamer.FaustProcessor]:
    """An engine with that instrument alone, which begins at time zero with every render."""
    import dawdreamer

    engine = dawdreamer.RenderEngine(sample_rate, _BLOCK_FRAMES)
    processor = engine.make_faust_processor(name)
    processor.faust_libraries_paths = [str(FAUST_SOURCES)]
    processor.set_dsp_string((FAUST_SOURCES / f"{name}.dsp").read_text())
    processor.compile()
    engine.load_graph([(processor, [])])
    return engine, processor


def _until_silent(sound: Samples) -> Samples:
    """The sound without the silence after it."""
    return sound[: int(np.flatnonzero(np.abs(sound) > _SILENT)[-1]) + 1]

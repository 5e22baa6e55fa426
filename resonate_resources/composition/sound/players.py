"""Who plays a part: the best voice for its sound that can be had here, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from resonate_resources.composition.plan import Part, Plan
from resonate_resources.composition.request import Genre
from resonate_resources.composition.sound.mixing_table import style_of
from resonate_resources.composition.sound.note_by_note import (
    RINGS_OUT_S,
    SHARP,
    DoubleTracked,
    NoteByNote,
    SoundOf,
)
from resonate_resources.composition.sound.recorded_sounds import LICENCE as RECORDED_LICENCE
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.composition.sound.sounds import Voice, voices_for
from resonate_resources.instruments.drum_machine import stroke
from resonate_resources.instruments.faust import DrumKit, Synthesiser
from resonate_resources.instruments.instrument import Instrument, PlayedNote
from resonate_resources.instruments.soundfont_file import Program, Soundfont, soundfonts
from resonate_resources.instruments.soundfont_program import SoundfontProgram, fluidsynth_told
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Samples
from resonate_resources.signal.spelling import pitch_class

LICENCE: Final = "GPL-3.0-or-later"
OWN: Final = "Resonate"
_LOUDEST: Final = 127

# Amplitude over velocity: a soundfont's attenuation is concave (SoundFont 2.04, 8.4.1), 40 dB a decade.
_SOUNDFONT_LAW: Final = 2.0
_FAUST_LAW: Final = 1.0
_MACHINE_LAW: Final = 1.3  # an accent of drum machines, by ear

_SAMPLER_HZ: Final = 26_040  # E-mu SP-1200 (1987): 26.04 kHz, 12 bits
_SAMPLER_STEPS: Final = 2**11
_SAMPLER_EDGE_HZ: Final = 9000.0

_GUITARS: Final = frozenset({"electric_guitar", "acoustic_guitar"})
_PLAYED_TWICE: Final = frozenset({"chords", "riff"})


@dataclass(frozen=True)
class Playing:
    """label: as a person is shown it. licence: of the sound, SPDX where that is known. source: whose it is.
    instead_of: the better voice that could not be had and why, "" where none is better."""

    label: str
    licence: str
    source: str
    instead_of: str = ""


@dataclass(frozen=True)
class Band:
    """The soundfont that is there, if any, and what is lacking where there is none."""

    soundfont: Soundfont | None
    lacking: str
    recorded: RecordedSounds | None = None

    @classmethod
    def here(cls, recorded: RecordedSounds | None = None) -> Band:
        """recorded: what plays before all else."""
        found = soundfonts(())
        if not found:
            return cls(None, "no soundfont was found", recorded)
        try:
            fluidsynth_told()
        except AudioError as error:
            return cls(None, str(error), recorded)
        return cls(found[0], "", recorded)

    def player(self, part: Part, plan: Plan, notes: Sequence[Note], rate: int) -> tuple[Instrument, Playing]:
        """notes: the part's, in s. Raises AudioError where nothing can play its sound."""
        own, playing = self._own(part, plan, notes, rate)
        if self.recorded is None:
            return own, playing
        if lacking := self.recorded.lacking(part, notes):
            return own, replace(playing, instead_of="; ".join(filter(None, [lacking, playing.instead_of])))
        alone = _one_note(own, rate, second_take=False)

        def rung_out(pitch: int, velocity: int, _: float) -> Samples:
            return alone(pitch, velocity, RINGS_OUT_S)

        instrument = self.recorded.instrument(part, rate, rung_out)
        return instrument, Playing(f"the recording's {part.stem}", RECORDED_LICENCE, self.recorded.name)

    def _own(self, part: Part, plan: Plan, notes: Sequence[Note], rate: int) -> tuple[Instrument, Playing]:
        instead = ""
        for voice in voices_for(part.sound, plan.genre):
            lacking = self._lacking(voice)
            if lacking:
                instead = instead or f"{voice.label}: {lacking}"
                continue
            instrument = self._instrument(voice, notes, plan, rate)
            if _played_twice(part, plan.genre):
                instrument = DoubleTracked(
                    instrument, self._instrument(voice, notes, plan, rate, second_take=True)
                )
            return instrument, self._told(voice, instead)
        raise AudioError(f"{part.name}: nothing here can play {part.sound} ({instead}); install a soundfont")

    def _lacking(self, voice: Voice) -> str:
        if voice.program is None:
            return ""
        if self.soundfont is None:
            return self.lacking
        known = {(program.bank, program.number) for program in self.soundfont.programs}
        if (voice.bank, voice.program) in known:
            return ""
        return f"{self.soundfont.path.name} has no program {voice.program} in bank {voice.bank}"

    def _told(self, voice: Voice, instead: str) -> Playing:
        if voice.program is None or self.soundfont is None:
            return Playing(voice.label, LICENCE, OWN, instead)
        return Playing(
            voice.label, self.soundfont.licence, f"{self.soundfont.name}, program {voice.program}", instead
        )

    def _instrument(
        self, voice: Voice, notes: Sequence[Note], plan: Plan, rate: int, second_take: bool = False
    ) -> Instrument:
        if voice.machine is not None:
            machine, tonic = voice.machine, pitch_class(plan.key.split(" ")[0])
            return NoteByNote(
                rate,
                lambda pitch, velocity, _: (
                    stroke(machine, pitch, rate, tonic) * np.float32((velocity / _LOUDEST) ** _MACHINE_LAW)
                ),
                law=_MACHINE_LAW,
                kit=True,
            )
        if voice.program is not None:
            assert self.soundfont is not None
            program = Program(voice.bank, voice.program, voice.label)
            played: Instrument = SoundfontProgram(self.soundfont, program, rate, notes)
            law = _SOUNDFONT_LAW
        elif voice.faust_kit:
            played, law = DrumKit(rate), _FAUST_LAW
        else:
            assert voice.faust is not None
            settings = {
                **voice.settings,
                **{name: each * plan.bpm / 60 for name, each in voice.per_quarter.items()},
            }
            played, law = Synthesiser(voice.faust, rate, settings), _FAUST_LAW
        sound_of = _one_note(played, rate, second_take)
        if voice.sampler:
            sound_of = _through_a_sampler(sound_of, rate)
        if voice.low_pass_hz is not None:
            sound_of = _through_a_loudspeaker(sound_of, voice.low_pass_hz, rate)
        return NoteByNote(rate, sound_of, law=law, kit=voice.is_kit)


def _played_twice(part: Part, genre: Genre) -> bool:
    """Rhythm guitars: distorted ones anywhere, clean ones in bands."""
    doubled = part.sound == "distorted_guitar" or (part.sound in _GUITARS and style_of(genre) == "band")
    return doubled and part.role in _PLAYED_TWICE


def _one_note(instrument: Instrument, rate: int, second_take: bool) -> SoundOf:
    def sound_of(pitch: int, velocity: int, held_s: float) -> Samples:
        note = PlayedNote(0.0, held_s, pitch, velocity, SHARP if second_take else ())
        return instrument.play([note], round(instrument.sounding_until(note) * rate))

    return sound_of


def _through_a_loudspeaker(sound_of: SoundOf, low_pass_hz: float, rate: int) -> SoundOf:
    from scipy.signal import butter, sosfilt

    edge = butter(2, low_pass_hz, fs=rate, output="sos")
    return lambda pitch, velocity, held_s: np.asarray(
        sosfilt(edge, sound_of(pitch, velocity, held_s)), np.float32
    )


def _through_a_sampler(sound_of: SoundOf, rate: int) -> SoundOf:
    """Every stroke as an SP-1200 gives it back: 12 bits of full scale, held from one sample to the next."""
    from scipy.signal import butter, sosfilt

    edge = butter(2, _SAMPLER_EDGE_HZ, fs=rate, output="sos")

    def sampled(pitch: int, velocity: int, held_s: float) -> Samples:
        sound = sound_of(pitch, velocity, held_s)
        peak = float(np.abs(sound).max(initial=0.0))
        if not peak:
            return sound
        taken = (np.arange(sound.shape[1]) * _SAMPLER_HZ // rate * rate / _SAMPLER_HZ).astype(int)
        coarse = np.round(sound[:, taken] / peak * _SAMPLER_STEPS) / _SAMPLER_STEPS * peak
        return np.asarray(sosfilt(edge, coarse), np.float32)

    return sampled

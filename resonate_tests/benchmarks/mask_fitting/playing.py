"""What songs for fitting are made of: scores, soundfonts that play them, rooms."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
import soundfile as sf
from scipy import signal

RATE = 44100
SECONDS = 20
FRAMES = RATE * SECONDS
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")  # Debian: fluid-soundfont-gm
FITTED_SOUNDFONTS = (
    SOUNDFONT,
    # Debian: musescore-general-soundfont-lossless; the small one takes 5 s to unpack for every part.
    Path("/usr/share/sounds/sf2/MuseScore_General_Full.sf2"),
)
JUDGED_SOUNDFONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")  # Debian: timgm6mb-soundfont
DRUM_CHANNEL = 9

Audio = npt.NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class ScoreNote:
    """onset and duration in beats; pitch and velocity as in MIDI; part: which instrument of its stem."""

    onset: float
    duration: float
    pitch: float
    velocity: int = 90
    part: int = 0


@dataclass(frozen=True)
class Harmony:
    """A key, a mode and four bars of chords."""

    tonic: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    tempo_bpm: float
    beats: int

    def pitch(self, degree: int, octave: int) -> int:
        return self.tonic + 12 * (octave + degree // 7) + self.scale[degree % 7]

    def chord(self, beat: int) -> int:
        return self.chords[beat // 4 % len(self.chords)]

    def frame(self, beat: float) -> int:
        return int(beat * 60 / self.tempo_bpm * RATE)


def general_midi(
    notes: Iterable[ScoreNote],
    programs: Sequence[int],
    pans: Sequence[float],
    harmony: Harmony,
    folder: Path,
    soundfont: Path = SOUNDFONT,
) -> Audio:
    """Played by FluidSynth: (2, FRAMES). A part is a channel; pans −1…1."""
    events: list[tuple[float, int, mido.Message]] = []
    notes = list(notes)
    drums = any(note.part == DRUM_CHANNEL for note in notes)
    for part, (program, pan) in enumerate(zip(programs, pans, strict=True)):
        channel = DRUM_CHANNEL if drums else part + (part >= DRUM_CHANNEL)
        events.append((0, 0, mido.Message("program_change", channel=channel, program=program)))
        events.append(
            (0, 0, mido.Message("control_change", channel=channel, control=10, value=int(64 + 63 * pan)))
        )
    for note in notes:
        key = {"channel": note.part, "note": int(note.pitch)}
        events.append((note.onset, 2, mido.Message("note_on", velocity=note.velocity, **key)))
        events.append((note.onset + note.duration, 1, mido.Message("note_off", **key)))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(harmony.tempo_bpm))])
    now = 0
    for beat, _, message in sorted(events, key=lambda event: event[:2]):
        tick = max(now, round(beat * 480))
        track.append(message.copy(time=tick - now))
        now = tick
    song = mido.MidiFile(ticks_per_beat=480)
    song.tracks.append(track)
    midi, wav = folder / "part.mid", folder / "part.wav"
    song.save(midi)
    command = ["fluidsynth", "-niq", "-F", wav, "-r", str(RATE), "-g", "0.6", soundfont, midi]
    subprocess.run(command, check=True, capture_output=True)
    played = sf.read(wav, frames=FRAMES, always_2d=True, fill_value=0.0)[0].T
    return np.ascontiguousarray(played)


def in_room(dry: Audio, rng: Random, rt60: float, wet: float) -> Audio:
    """With exponentially decaying noise of rt60 seconds, different left and right."""
    frames = int(rt60 * RATE)
    room = rng.standard_normal((2, frames)) * 10 ** (-3 * np.arange(frames) / frames)
    room /= np.sqrt(np.square(room).sum(1, keepdims=True))
    return dry + wet * signal.fftconvolve(dry, room, axes=1)[:, :FRAMES]

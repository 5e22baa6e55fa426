"""The single strokes of drum kits: recorded ones, General MIDI's of two soundfonts, and drum machines of ours."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import mido
import numpy as np
import soundfile as sf

from resonate_tests.benchmarks.mask_fitting import real_sounds
from resonate_tests.benchmarks.mask_fitting.playing import DRUM_CHANNEL, RATE, Audio, Random
from resonate_tests.benchmarks.mask_fitting.songs import KIT_PROGRAMS

# TimGM6mb is judged by.
SOUNDFONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),  # Debian: fluid-soundfont-gm
    Path("/usr/share/sounds/sf3/MuseScore_General.sf3"),  # Debian: musescore-general-soundfont
)
CLASSES: Mapping[int, int] = {
    **dict.fromkeys((35, 36), 36),
    **dict.fromkeys((38, 40), 38),
    **dict.fromkeys((41, 43, 45, 47, 48, 50), 45),
    **dict.fromkeys((42, 44), 42),
    46: 46,
    **dict.fromkeys((49, 57), 49),
    **dict.fromkeys((51, 59), 51),
}
"""Key of General MIDI → the key that stands for its class."""
_NOTHING = (37, 39, 54, 56, 70)  # rim, clap, tambourine, cowbell, maracas: of none of the classes
_VELOCITIES = (60, 110)
_SECONDS = 3.0

Kit = Mapping[int, list[Audio]]
"""Key → takes, (frames,) each."""


def any_kit(rng: Random) -> Kit:
    """A kit of one of the three kinds; a piece of it a little higher or lower is the fitting's."""
    by = rng.random()
    if by < 0.45:
        return _recorded(int(rng.integers(len(real_sounds.kits(judged=False)))), judged=False)
    if by < 0.85:
        return played(SOUNDFONTS[rng.integers(len(SOUNDFONTS))], int(rng.choice(KIT_PROGRAMS)))
    return machine(rng)


def unseen_kit(rng: Random) -> Kit:
    """A recorded kit of those that `any_kit` never draws."""
    return _recorded(int(rng.integers(len(real_sounds.kits(judged=True)))), judged=True)


@cache
def _recorded(number: int, judged: bool) -> Kit:
    """A kit of `hydrogen-drumkits`, whose files are all at full scale: peaks are as drummers have them."""
    usual_db = {36: 0, 38: -2, 45: -3, 42: -13, 46: -11, 49: -8, 51: -13}
    kit = {}
    for key, files in real_sounds.kits(judged)[number].items():
        gain = 10 ** (usual_db.get(CLASSES.get(key, 38), -6) / 20)
        takes = [real_sounds.read(file)[: round(_SECONDS * RATE)] for file in files[:6]]
        kit[key] = [gain * take / (np.abs(take).max() + 1e-9) for take in takes]
    return kit


@cache
def played(soundfont: Path, program: int) -> Kit:
    """A kit of a soundfont, every key at two velocities."""
    keys = [(key, velocity) for key in (*CLASSES, *_NOTHING) for velocity in _VELOCITIES]
    track = mido.MidiTrack([mido.Message("program_change", channel=DRUM_CHANNEL, program=program)])
    for key, velocity in keys:
        track.append(mido.Message("note_on", channel=DRUM_CHANNEL, note=key, velocity=velocity))
        track.append(mido.Message("note_off", channel=DRUM_CHANNEL, note=key, time=round(960 * _SECONDS)))
    song = mido.MidiFile(ticks_per_beat=480, tracks=[track])  # 120 BPM: 960 ticks a second
    with TemporaryDirectory() as scratch:
        midi, wav = Path(scratch) / "kit.mid", Path(scratch) / "kit.wav"
        song.save(midi)
        command = ["fluidsynth", "-niq", "-R", "0", "-C", "0", "-F", wav, "-r", str(RATE), "-g", "0.6"]
        subprocess.run([*command, soundfont, midi], check=True, capture_output=True)
        heard = sf.read(wav, always_2d=True)[0].mean(axis=1)
    kit: dict[int, list[Audio]] = {}
    for number, (key, velocity) in enumerate(keys):
        take = heard[round(number * _SECONDS * RATE) : round((number + 1) * _SECONDS * RATE)]
        if np.abs(take).max(initial=0) > 1e-4:
            kit.setdefault(key, []).append(take * 127 / velocity)
    return kit


def machine(rng: Random) -> Kit:
    """Swept sines and shaped noise."""
    t = np.arange(RATE) / RATE

    def swept(hertz: float, sweep: float, fall: float, decay: float) -> Audio:
        return np.sin(2 * np.pi * (hertz * t + sweep * (1 - np.exp(-t / fall)))) * np.exp(-t / decay)

    def hiss(steps: int, decay: float) -> Audio:
        noise = np.diff(rng.standard_normal(len(t) + steps), n=steps)
        return noise / noise.std() * np.exp(-t / decay)

    click = 0.1 * rng.standard_normal(len(t)) * np.exp(-t / 0.004)
    kick = swept(rng.uniform(40, 65), rng.uniform(1, 9), rng.uniform(0.01, 0.05), rng.uniform(0.08, 0.5))
    snare_tone = swept(rng.uniform(160, 260), 1, 0.02, 0.08)
    snare = rng.uniform(0.2, 0.6) * snare_tone + rng.uniform(0.1, 0.25) * hiss(0, rng.uniform(0.05, 0.2))
    closed, opened = rng.uniform(0.015, 0.06), rng.uniform(0.15, 0.5)
    steps, gain = int(rng.integers(1, 4)), rng.uniform(0.05, 0.12)
    kit = {
        36: [kick + rng.uniform(0, 1) * click],
        38: [snare],
        42: [gain * hiss(steps, closed)],
        46: [gain * hiss(steps, opened)],
        49: [1.5 * gain * hiss(1, rng.uniform(0.6, 1.5))],
    }
    first = rng.uniform(80, 110)
    for step, key in enumerate((43, 45, 47, 50)):
        kit[key] = [0.8 * swept(first * 1.25**step, rng.uniform(0.5, 3), 0.04, rng.uniform(0.1, 0.3))]
    return kit

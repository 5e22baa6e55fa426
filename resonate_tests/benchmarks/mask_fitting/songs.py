"""Random songs with known stems: General MIDI instruments, synthesised and recorded drums, basses, and voices.

They share no instrument with the demo song, on which the separation is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_tests.benchmarks.mask_fitting import real_sounds
from resonate_tests.benchmarks.mask_fitting.playing import (
    DRUM_CHANNEL,
    FITTED_SOUNDFONTS,
    FRAMES,
    JUDGED_SOUNDFONT,
    RATE,
    SECONDS,
    Audio,
    Harmony,
    Random,
    ScoreNote,
    general_midi,
    in_room,
)
from resonate_tests.benchmarks.mask_fitting.voices import CHOIR_PROGRAMS, engaged, sings_for_real, vocals

STEMS = ("vocals", "drums", "bass", "other")

BASS_PROGRAMS = (32, 33, 34, 35, 36, 38, 39)
KIT_PROGRAMS = (0, 8, 16, 24, 25, 32, 40)
OTHER_PROGRAMS = tuple(
    p for p in range(113) if p not in (*BASS_PROGRAMS, 37, 47, *CHOIR_PROGRAMS)
)  # timpani (47) is neither
KICK, SNARE, RIM, HAT, OPEN_HAT, CRASH, RIDE = 36, 38, 40, 42, 46, 49, 51


def render_song(seed: int, folder: Path, judged: bool = False) -> dict[str, npt.NDArray[np.float32]]:
    """Stems (2, FRAMES) of the song of this seed, in balance, their sum peaking at −3 dBFS.

    judged: played and sung by those whom songs for fitting never meet.
    """
    rng, soundfont, harmony = _setting(seed, judged)
    stems = {
        "vocals": vocals(harmony, rng, folder, soundfont, judged, sings_for_real(seed, judged)),
        "drums": drums(harmony, rng, folder, soundfont, judged),
        "bass": bass(harmony, rng, folder, soundfont),
        "other": other(harmony, rng, folder, soundfont),
    }
    return balanced(stems, rng)


def balanced(stems: Mapping[str, Audio], rng: Random) -> dict[str, npt.NDArray[np.float32]]:
    """Stems a few dB about as loud as each other, their sum peaking at −3 dBFS."""
    gains_db = {
        "vocals": 0.0,
        "drums": rng.uniform(-4, 2),
        "bass": rng.uniform(-4, 1),
        "other": rng.uniform(-4, 2),
    }
    levelled = {
        name: stem * 10 ** (gains_db[name] / 20) / (np.sqrt(np.square(stem).mean()) + 1e-9)
        for name, stem in stems.items()
    }
    peak = np.abs(sum(levelled.values())).max()
    return {name: (stem * 0.7 / peak).astype(np.float32) for name, stem in levelled.items()}


def singer(seed: int, judged: bool = False) -> tuple[str, bool] | None:
    """Whose recorded voice is in the song of this seed, and whether it was made to sing; None: synthesised."""
    if not sings_for_real(seed, judged):
        return None
    rng, _, harmony = _setting(seed, judged)
    return engaged(harmony, rng, judged)


def _setting(seed: int, judged: bool) -> tuple[Random, Path, Harmony]:
    """What is drawn first, and what everything else is drawn from."""
    rng = np.random.default_rng([seed, judged])
    soundfont = JUDGED_SOUNDFONT if judged else FITTED_SOUNDFONTS[rng.integers(len(FITTED_SOUNDFONTS))]
    tempo = rng.uniform(75, 150)
    harmony = Harmony(
        int(rng.integers(12)),
        (0, 2, 3, 5, 7, 8, 10) if rng.random() < 0.5 else (0, 2, 4, 5, 7, 9, 11),
        tuple(int(rng.choice((0, 1, 2, 3, 4, 5))) for _ in range(4)),
        tempo,
        int(SECONDS * tempo / 60),
    )
    return rng, soundfont, harmony


def bass(harmony: Harmony, rng: Random, folder: Path, soundfont: Path) -> Audio:
    program = int(rng.choice(BASS_PROGRAMS))
    pattern = rng.integers(4)
    notes = []
    for beat in range(harmony.beats):
        root = harmony.pitch(harmony.chord(beat), 2)
        root += 12 if root < 28 else 0
        if pattern == 0:
            notes.append(ScoreNote(beat, 0.9, root, 100))
        elif pattern == 1:
            octave = 12 if rng.random() < 0.3 else 0
            notes += [ScoreNote(beat, 0.45, root, 105), ScoreNote(beat + 0.5, 0.45, root + octave, 90)]
        elif pattern == 2 and beat % 2 == 0:
            notes += [ScoreNote(beat, 1.5, root, 100), ScoreNote(beat + 1.5, 0.45, root + 7, 90)]
        elif pattern == 3 and beat % 4 != 1:
            notes.append(ScoreNote(beat, 0.5 if beat % 4 else 1.4, root, 100))
    if rng.random() < 0.35:
        return synthesised_bass(notes, harmony, rng)
    return _mono(general_midi(notes, [program], [0.0], harmony, folder, soundfont))


def other(harmony: Harmony, rng: Random, folder: Path, soundfont: Path) -> Audio:
    programs = [int(p) for p in rng.choice(OTHER_PROGRAMS, size=rng.integers(1, 5), replace=False)]
    pans = [float(p) for p in rng.uniform(-0.9, 0.9, len(programs)) * (rng.random(len(programs)) < 0.75)]
    notes = []
    for part in range(len(programs)):
        figure, octave = rng.integers(3), int(rng.integers(4, 6))
        for beat in range(harmony.beats):
            chord = harmony.chord(beat)
            velocity = int(rng.integers(70, 95))
            triad = [harmony.pitch(chord + third, octave) for third in (0, 2, 4)]
            if figure == 0 and beat % 4 == 0:
                notes += [ScoreNote(beat, 3.9, pitch, velocity, part) for pitch in triad]
            elif figure == 1:
                steps = rng.choice((0, 2, 4, 7), 2)
                notes += [
                    ScoreNote(beat + k / 2, 0.5, harmony.pitch(chord + int(step), octave), velocity, part)
                    for k, step in enumerate(steps)
                ]
            elif figure == 2:
                notes += [
                    ScoreNote(beat + (0.5 if part else 0), 0.4, pitch, velocity, part) for pitch in triad
                ]
    return general_midi(notes, programs, pans, harmony, folder, soundfont)


def drums(harmony: Harmony, rng: Random, folder: Path, soundfont: Path, judged: bool) -> Audio:
    by = rng.random()
    if by < 0.12:
        return real_sounds.looped(rng, FRAMES, harmony.tempo_bpm, judged)
    hits = _hits(harmony, rng)
    if by < 0.5:
        struck = [(harmony.frame(hit.onset) / RATE, int(hit.pitch), hit.velocity / 127) for hit in hits]
        dry = real_sounds.struck(struck, rng, FRAMES, judged)
    elif by < 0.7:
        dry = synthesised_drums(hits, harmony, rng)
    else:
        return general_midi(hits, [int(rng.choice(KIT_PROGRAMS))], [0.0], harmony, folder, soundfont)
    return in_room(dry, rng, rng.uniform(0.2, 0.8), rng.uniform(0, 0.25))


def _hits(harmony: Harmony, rng: Random) -> list[ScoreNote]:
    """Hats in eighths or sixteenths, or a ride; kick and snare by one of five ways; a crash and a fill at times."""
    hits = []
    style = rng.integers(5)
    cymbal, step = (RIDE, 0.5) if rng.random() < 0.2 else (HAT, 0.25 if rng.random() < 0.25 else 0.5)
    kicks = [float(at) / 4 for at in rng.choice(16, rng.integers(2, 6), replace=False)]
    for beat in range(harmony.beats):
        for part in np.arange(0, 1, step):
            hat = cymbal if rng.random() < 0.9 else OPEN_HAT
            hits.append(ScoreNote(beat + part, 0.2, hat, int(rng.integers(50, 105)), DRUM_CHANNEL))
        if style > 2:
            in_bar = (at for at in kicks if beat % 4 <= at < beat % 4 + 1)
            hits += [ScoreNote(beat - beat % 4 + at, 0.2, KICK, 110, DRUM_CHANNEL) for at in in_bar]
        elif style == 0 or beat % 2 == 0:
            hits.append(ScoreNote(beat, 0.2, KICK, 110, DRUM_CHANNEL))
        elif rng.random() < 0.25:
            hits.append(ScoreNote(beat + 0.5, 0.2, KICK, 110, DRUM_CHANNEL))
        if beat % 2:
            hits.append(ScoreNote(beat, 0.2, SNARE if style < 2 else RIM, 110, DRUM_CHANNEL))
        if beat % 16 == 0:
            hits.append(ScoreNote(beat, 1, CRASH, 100, DRUM_CHANNEL))
        if beat % 16 == 15:
            hits += [
                ScoreNote(beat + k / 4, 0.2, tom, 100, DRUM_CHANNEL) for k, tom in enumerate((50, 48, 45, 43))
            ]
    return hits


def synthesised_bass(notes: Sequence[ScoreNote], harmony: Harmony, rng: Random) -> Audio:
    """Saw, square or near-sine through a fourth-order slope, plucked or held."""
    out = np.zeros(FRAMES + 10 * RATE)
    wave, cutoff, decay = rng.integers(3), rng.uniform(200, 2500), rng.uniform(0, 3)
    for note in notes:
        start = harmony.frame(note.onset)
        t = np.arange(harmony.frame(note.duration)) / RATE
        hz = 440 * 2 ** ((note.pitch - 69) / 12)
        for h in range(1, int(min(30, 6000 / hz))):
            gain = (1 / h, h % 2 / h, 1.0 if h == 1 else 0.05)[wave] / np.sqrt(1 + (hz * h / cutoff) ** 4)
            edges = np.minimum(np.clip(t / 0.005, 0, 1), np.clip((t[-1] - t) / 0.02, 0, 1))
            out[start : start + len(t)] += gain * edges * np.exp(-decay * t) * np.sin(2 * np.pi * hz * h * t)
    return np.stack([out[:FRAMES]] * 2)


def synthesised_drums(hits: Iterable[ScoreNote], harmony: Harmony, rng: Random) -> Audio:
    """A drum machine: swept sines and shaped noise."""
    out = np.zeros(FRAMES + 10 * RATE)
    t = np.arange(RATE // 2) / RATE
    kick_hz, kick_decay, sweep = rng.uniform(40, 70), rng.uniform(0.08, 0.35), rng.uniform(2.4, 9)
    snare_hz, snare_decay, hat_decay = rng.uniform(160, 240), rng.uniform(0.05, 0.2), rng.uniform(0.02, 0.08)
    for hit in hits:
        noise = rng.standard_normal(len(t))
        if hit.pitch == KICK:
            body = np.sin(2 * np.pi * (kick_hz * t + sweep * (1 - np.exp(-t / 0.03)))) * np.exp(
                -t / kick_decay
            )
            sound = body + 0.1 * noise * np.exp(-t / 0.004)
        elif hit.pitch in (SNARE, RIM):
            sound = 0.6 * noise * np.exp(-t / snare_decay) + 0.6 * np.sin(2 * np.pi * snare_hz * t) * np.exp(
                -t / 0.07
            )
        elif hit.pitch in (HAT, OPEN_HAT, CRASH, RIDE):
            sound = (
                0.3
                * np.diff(noise, append=0)
                * np.exp(-t / (hat_decay if hit.pitch == HAT else 5 * hat_decay))
            )
        else:
            sound = np.sin(2 * np.pi * (60 + 2 * hit.pitch) * t * (1 + 0.3 * np.exp(-t / 0.05))) * np.exp(
                -t / 0.15
            )
        start = harmony.frame(hit.onset)
        out[start : start + len(t)] += hit.velocity / 127 * sound
    return np.stack([out[:FRAMES]] * 2)


def _mono(audio: Audio) -> Audio:
    return np.repeat(audio.mean(0, keepdims=True), 2, axis=0)

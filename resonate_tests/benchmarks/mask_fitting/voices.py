"""Those who sing and speak in songs for fitting: recorded voices, and formants that are shaped like some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy import signal

from resonate_tests.benchmarks.mask_fitting import real_sounds
from resonate_tests.benchmarks.mask_fitting.playing import (
    FRAMES,
    RATE,
    SECONDS,
    Audio,
    Harmony,
    Random,
    ScoreNote,
    general_midi,
    in_room,
)
from resonate_tests.benchmarks.mask_fitting.resinging import SungNote, register, resung, singer

CHOIR_PROGRAMS = (52, 53, 54)
VOWELS = {  # formants in Hz and their gains (Peterson and Barney 1952, rounded)
    "a": ((800, 1.0), (1150, 0.5), (2900, 0.25), (3900, 0.12)),
    "e": ((400, 1.0), (1700, 0.4), (2600, 0.3), (3400, 0.12)),
    "i": ((300, 1.0), (2200, 0.35), (2900, 0.3), (3600, 0.15)),
    "o": ((450, 1.0), (800, 0.5), (2800, 0.15), (3500, 0.1)),
    "u": ((325, 1.0), (700, 0.3), (2700, 0.12), (3500, 0.08)),
}


def sings_for_real(seed: int, judged: bool) -> bool:
    """Whether a recorded voice sings or speaks in the song of this seed, not a synthesised one."""
    rng = np.random.default_rng([seed, judged, 6])
    return bool(rng.random() < 0.6)


def vocals(harmony: Harmony, rng: Random, folder: Path, soundfont: Path, judged: bool, real: bool) -> Audio:
    """A real voice, as spoken or made to sing; or formants that sing, alone or doubled, or speak; or a choir."""
    if real:
        if rng.random() < 0.5:
            voice = real_sounds.spoken(rng, FRAMES, judged)
        else:
            _, voice, _ = made_to_sing(melody(harmony, rng), harmony, rng, judged)
        return in_room(np.stack([voice, voice]), rng, rng.uniform(0.3, 1.2), rng.uniform(0, 0.3))
    kind = rng.random()
    notes = syllables(rng, harmony) if kind < 0.2 else melody(harmony, rng)
    if kind > 0.9:
        choir = [int(rng.choice(CHOIR_PROGRAMS))]
        voice = general_midi(notes, choir, [0.0], harmony, folder, soundfont).mean(0)
    else:
        voice = sung(notes, harmony, rng)
        if 0.2 < kind < 0.35:
            interval = rng.choice((0, 0.07, 4, 7, -5))
            second = [ScoreNote(n.onset, n.duration, n.pitch + interval) for n in notes]
            voice = voice + 0.6 * sung(second, harmony, rng)
    return in_room(np.stack([voice, voice]), rng, rng.uniform(0.3, 1.2), rng.uniform(0.05, 0.3))


def engaged(harmony: Harmony, rng: Random, judged: bool) -> tuple[str, bool]:
    """Name of who is the real voice that `vocals` draws, and whether they sing."""
    if rng.random() < 0.5:
        return real_sounds.speaker(rng, judged)[0], False
    melody(harmony, rng)
    return singer(rng, judged)[0], True


def melody(harmony: Harmony, rng: Random) -> list[ScoreNote]:
    notes, beat, degree, octave = (
        [],
        float(rng.choice((0, 2, 4))),
        int(rng.integers(7)),
        int(rng.choice((3, 4, 4, 5))),
    )
    while beat < harmony.beats - 1:
        if rng.random() < 0.15:
            beat += rng.choice((1, 2, 4))
            continue
        duration = float(rng.choice((0.25, 0.5, 1, 1.5, 2)))
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, 9))
        notes.append(ScoreNote(beat, duration, harmony.pitch(degree, octave)))
        beat += duration
    return notes


def syllables(rng: Random, harmony: Harmony) -> list[ScoreNote]:
    notes, second, register = [], 0.0, rng.uniform(42, 62)
    beats_per_second = harmony.tempo_bpm / 60
    while second < SECONDS - 1:
        if rng.random() < 0.12:
            second += rng.uniform(0.2, 1.5)
            continue
        duration = rng.uniform(0.08, 0.3)
        notes.append(
            ScoreNote(second * beats_per_second, duration * beats_per_second, register + rng.normal(0, 2.5))
        )
        second += duration + rng.uniform(0, 0.06)
    return notes


def sung(notes: Iterable[ScoreNote], harmony: Harmony, rng: Random, frames: int = FRAMES) -> Audio:
    """Harmonics with vibrato and glides through vowel formants, consonant noise before some notes: (frames,)."""
    pitch_hz, level, consonants = np.zeros(frames), np.zeros(frames), np.zeros(frames)
    vibrato_hz, depth = rng.uniform(4.5, 6.5), rng.uniform(0.15, 0.8)
    spans = []
    for note in notes:
        start = harmony.frame(note.onset)
        stop = min(frames, harmony.frame(note.onset + 0.95 * note.duration))
        if stop - start < 2000:
            continue
        t = np.arange(stop - start) / RATE
        glide = rng.uniform(0, 2) * np.exp(-t / 0.05)
        semitones = note.pitch + depth * np.sin(2 * np.pi * vibrato_hz * t) * np.clip(t / 0.3, 0, 1) - glide
        pitch_hz[start:stop] = 440 * 2 ** ((semitones - 69) / 12)
        level[start:stop] = np.minimum(
            np.clip(t / 0.04, 0, 1), np.clip((t[-1] - t) / 0.06, 0, 1)
        ) * rng.uniform(0.7, 1)
        spans.append((start, stop))
        before = max(0, start - int(rng.uniform(0.03, 0.11) * RATE))
        if rng.random() < 0.6 and start - before > 10:
            centre = rng.choice((2500, 4500, 6500))
            band = signal.butter(2, [0.7 * centre, 1.6 * centre], "band", fs=RATE, output="sos")
            noise = signal.sosfilt(band, rng.standard_normal(start - before))
            consonants[before:start] += 0.15 * noise * np.hanning(start - before)
    jitter = 1 + 0.002 * signal.lfilter([0.01], [1, -0.99], rng.standard_normal(frames))
    phase = 2 * np.pi * np.cumsum(pitch_hz * jitter) / RATE
    tilt = rng.uniform(0.85, 1.1)
    source = sum((pitch_hz * h < 16000) * np.sin(h * phase) / h**tilt for h in range(1, 40))
    source = level * (source + rng.uniform(0.01, 0.05) * rng.standard_normal(frames))
    voice = np.zeros(frames)
    for start, stop in spans:
        tail = min(frames, stop + 2000)
        part = np.zeros(tail - start)
        part[: stop - start] = source[start:stop]
        for formant, gain in VOWELS[rng.choice(list(VOWELS))]:
            centre = formant * rng.uniform(0.9, 1.15)
            radius = np.exp(-np.pi * (80 + 0.06 * centre) / RATE)
            poles = [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2]
            voice[start:tail] += gain * signal.lfilter([1 - radius], poles, part)
    return voice / (np.abs(voice).max() + 1e-9) + consonants


def made_to_sing(
    notes: Sequence[ScoreNote], harmony: Harmony, rng: Random, judged: bool
) -> tuple[str, Audio, list[SungNote]]:
    """A speaker's name; (FRAMES,) of them singing that melody in the octave that lies best; what they sing.

    Notes are tied or parted, and a little out of tune. Needs the extra `singing`.
    """
    name, files = singer(rng, judged)
    middle = float(np.median([note.pitch for note in notes]))
    octaves = 12 * round((register(files) + 4 - middle) / 12)
    composed: list[SungNote] = []
    for note in sung_times(notes, harmony, 1.0):
        late = rng.normal(0, 0.012)
        parted = rng.uniform(0.02, 0.2) if rng.random() < 0.4 else 0.0
        onset = max(0.0, note.onset_s + late, composed[-1].offset_s if composed else 0.0)
        offset = note.offset_s - parted * (note.offset_s - note.onset_s)
        off_tune = float(np.clip(rng.normal(0, 0.1), -0.25, 0.25))
        composed.append(SungNote(onset, offset, note.pitch + octaves + off_tune))
    voice, sung_notes = resung(composed, files, FRAMES, rng)
    return name, voice, sung_notes


def sung_times(notes: Iterable[ScoreNote], harmony: Harmony, held: float) -> list[SungNote]:
    """When the notes of a score are sung, each held for that part of its duration."""
    return [
        SungNote(
            harmony.frame(note.onset) / RATE,
            min(FRAMES, harmony.frame(note.onset + held * note.duration)) / RATE,
            note.pitch,
        )
        for note in notes
    ]

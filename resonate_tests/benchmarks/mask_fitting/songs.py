"""Random songs with known stems: General MIDI instruments, synthesised drums and basses, and formant voices.

They share no instrument with the demo song, on which the separation is judged.
"""

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

from resonate_tests.benchmarks.mask_fitting import real_sounds
from resonate_tests.benchmarks.mask_fitting.resinging import resung

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
STEMS = ("vocals", "drums", "bass", "other")

BASS_PROGRAMS = (32, 33, 34, 35, 36, 38, 39)
KIT_PROGRAMS = (0, 8, 16, 24, 25, 32, 40)
CHOIR_PROGRAMS = (52, 53, 54)
OTHER_PROGRAMS = tuple(
    p for p in range(113) if p not in (*BASS_PROGRAMS, 37, 47, *CHOIR_PROGRAMS)
)  # timpani (47) is neither
DRUM_CHANNEL = 9
KICK, SNARE, RIM, HAT, OPEN_HAT, CRASH, RIDE = 36, 38, 40, 42, 46, 49, 51

VOWELS = {  # formants in Hz and their gains (Peterson and Barney 1952, rounded)
    "a": ((800, 1.0), (1150, 0.5), (2900, 0.25), (3900, 0.12)),
    "e": ((400, 1.0), (1700, 0.4), (2600, 0.3), (3400, 0.12)),
    "i": ((300, 1.0), (2200, 0.35), (2900, 0.3), (3600, 0.15)),
    "o": ((450, 1.0), (800, 0.5), (2800, 0.15), (3500, 0.1)),
    "u": ((325, 1.0), (700, 0.3), (2700, 0.12), (3500, 0.08)),
}

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


def render_song(seed: int, folder: Path, judged: bool = False) -> dict[str, npt.NDArray[np.float32]]:
    """Stems (2, FRAMES) of the song of this seed, in balance, their sum peaking at −3 dBFS.

    judged: played and sung by those whom songs for fitting never meet.
    """
    rng, soundfont, harmony = _setting(seed, judged)
    stems = {
        "vocals": _vocals(harmony, rng, folder, soundfont, judged, sings_for_real(seed, judged)),
        "drums": _drums(harmony, rng, folder, soundfont, judged),
        "bass": _bass(harmony, rng, folder, soundfont),
        "other": _other(harmony, rng, folder, soundfont),
    }
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
    notes, (name, _) = _engaged(harmony, rng, judged)
    return name, notes is not None


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


def _bass(harmony: Harmony, rng: Random, folder: Path, soundfont: Path) -> Audio:
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


def _other(harmony: Harmony, rng: Random, folder: Path, soundfont: Path) -> Audio:
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


def _drums(harmony: Harmony, rng: Random, folder: Path, soundfont: Path, judged: bool) -> Audio:
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


def sings_for_real(seed: int, judged: bool) -> bool:
    """Whether a recorded voice sings or speaks in the song of this seed, not a synthesised one."""
    rng = np.random.default_rng([seed, judged, 6])
    return bool(rng.random() < 0.6)


def _vocals(harmony: Harmony, rng: Random, folder: Path, soundfont: Path, judged: bool, real: bool) -> Audio:
    """A real voice, as spoken or made to sing; or formants that sing, alone or doubled, or speak; or a choir."""
    if real:
        tune, (_, files) = _engaged(harmony, rng, judged)
        if tune is None:
            voice = real_sounds.spoken(files, rng, FRAMES)
        else:
            beat = 60 / harmony.tempo_bpm
            timed = [(note.onset * beat, note.duration * beat, note.pitch) for note in tune]
            voice = resung(files, timed, rng, FRAMES)
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


def _engaged(
    harmony: Harmony, rng: Random, judged: bool
) -> tuple[list[ScoreNote] | None, tuple[str, tuple[Path, ...]]]:
    """What a speaker is made to sing, None where they speak; and name and recordings of the speaker."""
    tune = None if rng.random() < 0.5 else melody(harmony, rng)
    return tune, real_sounds.speaker(rng, judged)


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


def sung(notes: Iterable[ScoreNote], harmony: Harmony, rng: Random) -> Audio:
    """Harmonics with vibrato and glides through vowel formants, consonant noise before some notes: (FRAMES,)."""
    pitch_hz, level, consonants = np.zeros(FRAMES), np.zeros(FRAMES), np.zeros(FRAMES)
    vibrato_hz, depth = rng.uniform(4.5, 6.5), rng.uniform(0.15, 0.8)
    spans = []
    for note in notes:
        start = harmony.frame(note.onset)
        stop = min(FRAMES, harmony.frame(note.onset + 0.95 * note.duration))
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
    jitter = 1 + 0.002 * signal.lfilter([0.01], [1, -0.99], rng.standard_normal(FRAMES))
    phase = 2 * np.pi * np.cumsum(pitch_hz * jitter) / RATE
    tilt = rng.uniform(0.85, 1.1)
    source = sum((pitch_hz * h < 16000) * np.sin(h * phase) / h**tilt for h in range(1, 40))
    source = level * (source + rng.uniform(0.01, 0.05) * rng.standard_normal(FRAMES))
    voice = np.zeros(FRAMES)
    for start, stop in spans:
        tail = min(FRAMES, stop + 2000)
        part = np.zeros(tail - start)
        part[: stop - start] = source[start:stop]
        for formant, gain in VOWELS[rng.choice(list(VOWELS))]:
            centre = formant * rng.uniform(0.9, 1.15)
            radius = np.exp(-np.pi * (80 + 0.06 * centre) / RATE)
            poles = [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2]
            voice[start:tail] += gain * signal.lfilter([1 - radius], poles, part)
    return voice / (np.abs(voice).max() + 1e-9) + consonants


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


def _mono(audio: Audio) -> Audio:
    return np.repeat(audio.mean(0, keepdims=True), 2, axis=0)

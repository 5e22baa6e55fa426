"""Songs of twelve styles with six known stems, played by General MIDI soundfonts, sung by formants.

Styles and patterns are their own; soundfonts and voice are also those of the songs that the embedded engine's masks
are fitted to or judged on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_studio.demo_song import compose, render
from resonate_tests.benchmarks.mask_fitting.playing import (
    DRUM_CHANNEL,
    FITTED_SOUNDFONTS,
    JUDGED_SOUNDFONT,
    SECONDS,
    Audio,
    Harmony,
    Random,
    ScoreNote,
    general_midi,
    in_room,
)
from resonate_tests.benchmarks.mask_fitting.songs import synthesised_bass
from resonate_tests.benchmarks.mask_fitting.voices import melody, sung, syllables

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))  # major, minor, Dorian


@dataclass(frozen=True)
class Style:
    """tempo in BPM from … to. Drums: key of General MIDI → hits on the sixteen steps of a bar.

    bass, piano, guitar, other: steps on which they play, and the General MIDI programs to choose from;
    no steps: the style is without. held: chords of `other` last for the bar. swing: delay of every second
    eighth, in beats. spoken: the voice raps.
    """

    tempo: tuple[int, int]
    drums: Mapping[int, str]
    bass: tuple[str, tuple[int, ...]]
    piano: tuple[str, tuple[int, ...]]
    guitar: tuple[str, tuple[int, ...]]
    other: tuple[str, tuple[int, ...]]
    held: bool = False
    swing: float = 0.0
    spoken: bool = False


_NONE: tuple[str, tuple[int, ...]] = ("", (0,))
STYLES: Mapping[str, Style] = {
    "rock": Style(
        (100, 150),
        {36: "x.....x.x.x.....", 38: "....x.......x...", 42: "x.x.x.x.x.x.x.x."},
        ("x.x.x.x.x.x.x.x.", (33, 34)),
        _NONE,
        ("x..x..x.x..x..x.", (29, 30, 27)),
        ("x...............", (16, 17, 18)),
        held=True,
    ),
    "metal": Style(
        (140, 190),
        {36: "xxx.xxx.xxx.xxx.", 38: "....x.......x...", 49: "x...............", 51: "x...x...x...x..."},
        ("xxx.xxx.xxx.xxx.", (34,)),
        _NONE,
        ("xxx.xxx.xxx.xxx.", (30, 29)),
        ("....x.......x...", (30, 81)),
    ),
    "jazz": Style(
        (110, 200),
        {51: "x...x.x.x...x.x.", 44: "....x.......x...", 36: "x.........x.....", 38: "..........x....."},
        ("x...x...x...x...", (32,)),
        ("..x.....x..x....", (0, 4)),
        _NONE,
        ("x.x...x.x.x.x...", (65, 66, 56, 11)),
        swing=0.16,
    ),
    "bossa": Style(
        (110, 145),
        {36: "x..xx..xx..xx..x", 37: "x..x..x...x..x..", 42: "x.x.x.x.x.x.x.x."},
        ("x..xx..xx..xx..x", (32, 33)),
        _NONE,
        ("x..x..x..x..x.x.", (24, 25)),
        ("x...x.x.x...x...", (73, 71, 75)),
    ),
    "house": Style(
        (118, 130),
        {36: "x...x...x...x...", 39: "....x.......x...", 46: "..x...x...x...x.", 42: "x.xxx.xxx.xxx.xx"},
        ("..x...x...x...x.", (38, 39)),
        ("x..x..x...x..x..", (1, 2, 3)),
        _NONE,
        ("x...............", (89, 90, 50, 95)),
        held=True,
    ),
    "ballad": Style(
        (60, 82),
        {36: "x.......x.......", 38: "....x.......x...", 42: "x.x.x.x.x.x.x.x."},
        ("x.......x.....x.", (33, 35)),
        ("x.x.x.x.x.x.x.x.", (0, 4, 5)),
        ("x.......x.......", (25, 26)),
        ("x...............", (48, 49, 44)),
        held=True,
    ),
    "reggae": Style(
        (68, 92),
        {36: "........x.......", 37: "........x.......", 42: "x.x.x.x.x.x.x.x."},
        ("x..x..x...x.x...", (33, 35)),
        ("..x...x...x...x.", (17, 0)),
        ("..x...x...x...x.", (27, 28)),
        ("x.....x.........", (57, 61)),
    ),
    "funk": Style(
        (95, 120),
        {36: "x..x..x...x.....", 38: "....x..x.x..x..x", 42: "xxxxxxxxxxxxxxxx"},
        ("x..x..xx..x.x..x", (36, 37)),
        ("..x..x....x..x..", (7, 4)),
        ("x.xx.xx.x.xx.xx.", (28, 27)),
        ("x.....x.........", (61, 62)),
    ),
    "country": Style(
        (95, 140),
        {36: "x.......x.......", 38: "....x.......x...", 42: "..x...x...x...x."},
        ("x.......x.......", (32, 33)),
        ("....x.......x...", (3, 0)),
        ("x.x.x.x.x.x.x.x.", (25, 24)),
        ("x.x.x.xxx.x.x.xx", (105, 110, 22)),
    ),
    "rap": Style(
        (75, 98),
        {36: "x.....x...x.....", 39: "....x.......x...", 42: "x.xxx.x.x.xxxxx."},
        ("x.....x...x.....", (39, 38)),
        ("x.......x..x....", (4, 5, 0)),
        _NONE,
        ("x...x...x...x...", (92, 46, 55, 108)),
        spoken=True,
    ),
    "orchestra": Style(
        (70, 120),
        {49: "x...............", 38: "........x.x.xxxx", 36: "x.......x......."},
        ("x...x...x...x...", (43, 32)),
        _NONE,
        _NONE,
        ("x...x...x...x...", (48, 60, 40, 68, 70, 73)),
        held=True,
    ),
    "ambient": Style(
        (62, 90),
        {70: "x.x.x.x.x.x.x.x.", 56: "......x........."},
        ("x...............", (39, 38, 35)),
        ("x.....x.....x...", (5, 11, 0)),
        ("x.......x.......", (26, 31)),
        ("x...............", (88, 91, 94, 97)),
        held=True,
    ),
}
NAMES = tuple(STYLES)


def band_song(seed: int, folder: Path, judged: bool) -> dict[str, Samples]:
    """Six stems (2, frames) at 44.1 kHz of twenty seconds; their sum peaks at −3 dBFS.

    Style and soundfont go round with the seed, everything else is drawn from it. judged: of the soundfont that
    nothing is fitted on.
    """
    rng = np.random.default_rng([seed, 77, judged])
    style = STYLES[NAMES[seed % len(NAMES)]]
    fonts = (JUDGED_SOUNDFONT,) if judged else FITTED_SOUNDFONTS
    soundfont = fonts[seed // len(NAMES) % len(fonts)]
    tempo = rng.uniform(*style.tempo)
    harmony = Harmony(
        int(rng.integers(12)),
        SCALES[rng.integers(3)],
        tuple(int(degree) for degree in rng.choice((0, 1, 3, 4, 5, 6), 4)),
        tempo,
        int(SECONDS * tempo / 60),
    )

    def played(notes: list[ScoreNote], programs: list[int], pan: float) -> Audio:
        if not notes:
            return np.zeros((2, SECONDS * 44100))
        dry = general_midi(notes, programs, [pan] * len(programs), harmony, folder, soundfont)
        return in_room(dry, rng, rng.uniform(0.2, 1.0), rng.uniform(0, 0.2))

    drums = [
        ScoreNote(_swung(beat, style), 0.2, key, int(rng.integers(80, 120)), DRUM_CHANNEL)
        for key, steps in style.drums.items()
        for beat in _beats(steps, harmony.beats)
    ]
    bass_steps, bass_programs = style.bass
    bass = [
        ScoreNote(_swung(beat, style), 0.45, _low(harmony, beat) + int(rng.choice((0, 0, 0, 7, 12))), 100)
        for beat in _beats(bass_steps, harmony.beats)
    ]
    stems = {
        "vocals": _voice(style, harmony, rng),
        "drums": played(drums, [int(rng.choice((0, 0, 8, 16, 25, 32)))], 0.0),
        "bass": synthesised_bass(bass, harmony, rng)
        if rng.random() < 0.2
        else played(bass, [int(rng.choice(bass_programs))], 0.0),
        "piano": played(*_chords(style.piano, style, harmony, rng, 5), rng.uniform(-0.5, 0.5)),
        "guitar": played(*_chords(style.guitar, style, harmony, rng, 4), rng.uniform(-0.8, 0.8)),
        "other": played(*_chords(style.other, style, harmony, rng, 5), rng.uniform(-0.6, 0.6)),
    }
    if rng.random() < 0.12:
        stems["vocals"] = np.zeros_like(stems["vocals"])
    if rng.random() < 0.3:  # the singer waits
        stems["vocals"][:, : int(rng.uniform(0.3, 0.6) * SECONDS * 44100)] = 0
    balance_db = {"vocals": 0, "drums": -1, "bass": -1, "piano": -4, "guitar": -4, "other": -5}
    levelled = {}
    for name, stem in stems.items():
        rms = np.sqrt(np.square(stem).mean()) + 1e-9
        levelled[name] = stem * 10 ** ((balance_db[name] + rng.normal(0, 3)) / 20) / rms
    if rng.random() < 0.15:
        levelled = {name: np.repeat(stem.mean(0, keepdims=True), 2, 0) for name, stem in levelled.items()}
    peak = np.abs(sum(levelled.values())).max()
    return {name: (stem * 0.7 / peak).astype(np.float32) for name, stem in levelled.items()}


def demo_song(seed: int, folder: Path) -> dict[str, Samples]:
    """Four stems (2, frames) at 44.1 kHz of the demo song of that seed: its middle thirty seconds."""
    song = render(compose(seed=seed), folder)
    middle = song.mix.frames // 2
    return {name: stem.read(middle - 15 * 44100, middle + 15 * 44100) for name, stem in song.stems.items()}


def _beats(steps: str, beats: int) -> list[float]:
    return [bar + step / 4 for bar in range(0, beats - 3, 4) for step, hit in enumerate(steps) if hit == "x"]


def _swung(beat: float, style: Style) -> float:
    return beat + style.swing * (beat % 1 == 0.5)


def _low(harmony: Harmony, beat: float) -> int:
    root = harmony.pitch(harmony.chord(int(beat)), 2)
    return root + 12 if root < 28 else root


def _voice(style: Style, harmony: Harmony, rng: Random) -> Audio:
    voice = sung(syllables(rng, harmony) if style.spoken else melody(harmony, rng), harmony, rng)
    return in_room(np.stack([voice, voice]), rng, rng.uniform(0.3, 1.5), rng.uniform(0.05, 0.35))


def _chords(
    part: tuple[str, tuple[int, ...]], style: Style, harmony: Harmony, rng: Random, octave: int
) -> tuple[list[ScoreNote], list[int]]:
    """Chords or lines on the steps of the part."""
    steps, programs = part
    line = rng.random() < 0.3
    held = style.held and steps.count("x") == 1
    notes = []
    for beat in _beats(steps, harmony.beats):
        chord = harmony.chord(int(beat))
        tones = [int(rng.choice((0, 2, 4, 7)))] if line and not held else [0, 2, 4]
        velocity = int(rng.integers(65, 105))
        notes += [
            ScoreNote(
                _swung(beat, style), 3.9 if held else 0.4, harmony.pitch(chord + tone, octave), velocity
            )
            for tone in tones
        ]
    return notes, [int(rng.choice(programs))]

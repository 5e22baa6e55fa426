"""Styles: tempi, metres, drum patterns, bass lines and instruments that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, RIDE = 36, 38, 42, 46, 49, 51
TOMS = (50, 47, 45, 43)  # high, low-mid, low, high floor (General MIDI level 1)
DRUM_CLASSES: Mapping[int, str] = {
    KICK: "kick",
    SNARE: "snare",
    CLOSED_HAT: "closed_hat",
    OPEN_HAT: "open_hat",
    CRASH: "crash",
    RIDE: "ride",
    **dict.fromkeys(TOMS, "tom"),
}

Patterns = tuple[Mapping[int, str], ...]
"""General MIDI key → strokes on the sixteenths of a bar: X accented, x struck, o ghosted."""

_ROCK: Patterns = (
    {KICK: "X.......x.x.....", SNARE: "....X.......X...", CLOSED_HAT: "X.x.X.x.X.x.X.x."},
    {KICK: "X.....x.X.......", SNARE: "....X.......X...", CLOSED_HAT: "X.x.X.x.X.x.X.x."},
    {
        KICK: "X.....x...x.....",
        SNARE: "....X..o....X..o",
        CLOSED_HAT: "X.x.X.x.X.x.X...",
        OPEN_HAT: "..............x.",
    },
    {KICK: "X.x.....X.x.....", SNARE: "....X.......X...", RIDE: "X.x.X.x.X.x.X.x."},
)
_FOUR: Patterns = (
    {
        KICK: "X...X...X...X...",
        SNARE: "....X.......X...",
        OPEN_HAT: "..x...x...x...x.",
        CLOSED_HAT: "x..xx..xx..xx..x",
    },
    {KICK: "X...X...X...X...", OPEN_HAT: "..X...X...X...X."},
    {KICK: "X...X...X...X...", SNARE: "....X.......X...", CLOSED_HAT: "x.X.x.X.x.X.x.X."},
)
_FUNK: Patterns = (
    {KICK: "X..x..x...x..x..", SNARE: "....X..o.o..X..o", CLOSED_HAT: "XxxxXxxxXxxxXxxx"},
    {
        KICK: "X.x.......x..x..",
        SNARE: "....X..o.o.oX...",
        CLOSED_HAT: "x.x.x.x.x.x.x.x.",
        OPEN_HAT: "...............x",
    },
)
_HIP_HOP: Patterns = (
    {KICK: "X.....x...X.....", SNARE: "....X.......X...", CLOSED_HAT: "x.x.x.x.x.xxx.x."},
    {KICK: "X..x......Xx....", SNARE: "....X.......X...", CLOSED_HAT: "x.x.x.x.x.x.x.x."},
)
_SHUFFLE: Patterns = (
    {KICK: "X.......X.......", SNARE: "....X.......X...", CLOSED_HAT: "X.x.X.x.X.x.X.x."},
    {KICK: "X.....x.X.....x.", SNARE: "....X.......X...", RIDE: "X.x.X.x.X.x.X.x."},
)
_SWING: Patterns = (
    {
        KICK: "o...o...o...o...",
        SNARE: "......o.......o.",
        RIDE: "X...X.x.X...X.x.",
        CLOSED_HAT: "....x.......x...",
    },
    {
        KICK: "x.......o.....x.",
        SNARE: "..o.........o...",
        RIDE: "X...X.x.X...X.x.",
        CLOSED_HAT: "....x.......x...",
    },
)
_BALLAD: Patterns = (
    {KICK: "X.......x.......", SNARE: "....X.......X...", CLOSED_HAT: "X.x.x.x.X.x.x.x."},
    {KICK: "X......xX.......", SNARE: "....X.......X...", RIDE: "X.x.x.x.X.x.x.x."},
)
_FAST: Patterns = (
    {KICK: "X...X...X...X...", SNARE: "..X...X...X...X.", CLOSED_HAT: "X...X...X...X..."},
    {KICK: "X.......X.x.....", SNARE: "....X.......X...", CLOSED_HAT: "X...X...X...X..."},
)
_DRUM_AND_BASS: Patterns = (
    {KICK: "X.........x.....", SNARE: "....X.......X...", CLOSED_HAT: "x.x.x.x.x.x.x.x."},
    {KICK: "X.....x...x.....", SNARE: "....X..o.o..X...", RIDE: "x.x.x.x.x.x.x.x."},
)
_BOSSA: Patterns = ({KICK: "X..xx..xX..xx..x", SNARE: "x..x..x...x..x..", CLOSED_HAT: "x.x.x.x.x.x.x.x."},)
_WALTZ: Patterns = (
    {KICK: "X...........", SNARE: "....x...x...", CLOSED_HAT: "x...x...x..."},
    {KICK: "X.........x.", SNARE: "....X...X...", RIDE: "X...x.x.x..."},
    {KICK: "X.....x.....", SNARE: "........X...", CLOSED_HAT: "X.x.x.x.x.x."},
)
_SIX_EIGHT: Patterns = (
    {KICK: "X...........", SNARE: "......X.....", CLOSED_HAT: "X.x.x.X.x.x."},
    {KICK: "X.........x.", SNARE: "......X.....", RIDE: "X.x.x.X.x.x."},
    {KICK: "X...x.......", SNARE: "......X.....", CLOSED_HAT: "X.x.x.X.x.x.", OPEN_HAT: "..........x."},
)
HALF_TIME: Mapping[int, str] = {
    KICK: "X.....x.........",
    SNARE: "........X.......",
    CLOSED_HAT: "X.x.X.x.X.x.X.x.",
}


@dataclass(frozen=True)
class Style:
    """bpm: beats a minute from … to; a beat is a quarter, in 6/8 a dotted one. idioms: of `PROGRESSIONS`.

    bass, keys, guitar, pad, lead, kits: General MIDI programs to choose from. swing: where the second eighth lies,
    from … to. loose: standard deviation of a player's onsets in seconds, 0 for a machine. bass_lines, comping:
    names in `parts`. quarters: of a bar.
    """

    metre: tuple[int, int]
    bpm: tuple[float, float]
    drums: Patterns
    idioms: tuple[str, ...]
    bass_lines: tuple[str, ...]
    comping: tuple[str, ...]
    bass: tuple[int, ...] = (33, 34)
    keys: tuple[int, ...] = (0, 1, 4)
    guitar: tuple[int, ...] = (25, 26, 27)
    pad: tuple[int, ...] = (48, 49, 89)
    lead: tuple[int, ...] = (65, 66, 71, 73)
    kits: tuple[int, ...] = (0, 8)
    swing: tuple[float, float] = (0.5, 0.5)
    loose: float = 0.005

    @property
    def quarters(self) -> int:
        return self.metre[0] * 4 // self.metre[1]


STYLES: Mapping[str, Style] = {
    "rock": Style(
        (4, 4),
        (96, 160),
        _ROCK,
        ("pop", "folk", "pop"),
        ("eighths", "with kick"),
        ("strum", "comp"),
        guitar=(29, 30, 27),
        keys=(16, 18, 0),
        kits=(0, 16),
    ),
    "house": Style(
        (4, 4),
        (116, 132),
        _FOUR,
        ("pop", "soul"),
        ("offbeat", "eighths"),
        ("stabs", "arpeggio"),
        bass=(38, 39),
        keys=(1, 5, 90),
        guitar=(27, 28),
        pad=(89, 90, 95),
        lead=(80, 81, 52),
        kits=(24, 25),
        loose=0.0,
    ),
    "funk": Style(
        (4, 4),
        (92, 116),
        _FUNK,
        ("soul", "blues"),
        ("with kick", "octaves"),
        ("comp", "stabs"),
        bass=(36, 37, 33),
        keys=(4, 7, 16),
        guitar=(28, 27),
        lead=(65, 56, 66),
    ),
    "hip hop": Style(
        (4, 4),
        (78, 98),
        _HIP_HOP,
        ("soul", "pop"),
        ("with kick", "roots"),
        ("comp", "arpeggio"),
        bass=(38, 39, 33),
        keys=(4, 5, 0),
        pad=(89, 92),
        lead=(11, 80, 73),
        kits=(25, 8),
        swing=(0.5, 0.56),
        loose=0.003,
    ),
    "shuffle": Style(
        (4, 4),
        (84, 138),
        _SHUFFLE,
        ("blues", "gospel", "folk"),
        ("roots", "walking"),
        ("comp", "stabs"),
        keys=(0, 3, 16),
        guitar=(26, 27),
        lead=(65, 22, 66),
        swing=(0.6, 0.68),
    ),
    "swing": Style(
        (4, 4),
        (112, 196),
        _SWING,
        ("jazz",),
        ("walking",),
        ("comp",),
        bass=(32,),
        keys=(0, 4),
        guitar=(26,),
        lead=(66, 56, 71, 11),
        kits=(32, 0),
        swing=(0.6, 0.67),
        loose=0.007,
    ),
    "ballad": Style(
        (4, 4),
        (60, 84),
        _BALLAD,
        ("pop", "gospel", "soul"),
        ("roots", "with kick"),
        ("arpeggio", "comp", "pad"),
        keys=(0, 4, 5),
        lead=(40, 68, 73, 65),
        loose=0.006,
    ),
    "punk": Style(
        (4, 4),
        (160, 200),
        _FAST,
        ("pop", "folk"),
        ("eighths",),
        ("strum",),
        bass=(34,),
        guitar=(29, 30),
        kits=(0, 16),
        lead=(81, 80, 30),
    ),
    "drum and bass": Style(
        (4, 4),
        (170, 178),
        _DRUM_AND_BASS,
        ("soul", "pop"),
        ("roots", "octaves"),
        ("pad", "arpeggio"),
        bass=(38, 39),
        keys=(5, 4),
        pad=(89, 90, 95),
        lead=(80, 54, 73),
        kits=(24, 0),
        loose=0.0,
    ),
    "bossa": Style(
        (4, 4),
        (108, 140),
        _BOSSA,
        ("jazz", "soul"),
        ("fifths",),
        ("comp", "stabs"),
        bass=(32, 33),
        keys=(0, 4),
        guitar=(24, 26),
        lead=(73, 66, 75),
    ),
    "waltz": Style(
        (3, 4),
        (84, 184),
        _WALTZ,
        ("folk", "classical", "pop"),
        ("roots", "fifths"),
        ("oom-pah", "arpeggio"),
        bass=(32, 33),
        keys=(0, 21),
        guitar=(24, 25),
        lead=(40, 21, 71, 73),
        loose=0.006,
    ),
    "six eight": Style(
        (6, 8),
        (62, 96),
        _SIX_EIGHT,
        ("gospel", "pop", "folk"),
        ("roots", "fifths"),
        ("arpeggio", "strum"),
        keys=(0, 4, 16),
        lead=(65, 40, 68, 22),
        loose=0.005,
    ),
    "chamber": Style(
        (4, 4),
        (66, 132),
        (),
        ("classical", "pop", "folk"),
        ("roots", "fifths"),
        ("arpeggio", "pad", "comp"),
        bass=(42, 43),
        keys=(0, 6, 46),
        guitar=(24, 46),
        pad=(48, 49, 44),
        lead=(40, 68, 71, 73),
        loose=0.008,
    ),
    "minuet": Style(
        (3, 4),
        (92, 150),
        (),
        ("classical", "folk"),
        ("roots", "walking"),
        ("oom-pah", "arpeggio"),
        bass=(42, 43),
        keys=(0, 6),
        guitar=(24,),
        pad=(48, 44),
        lead=(40, 68, 73),
        loose=0.008,
    ),
}

"""Plans written by hand, in three styles, of any number of bars."""

from __future__ import annotations

from collections.abc import Sequence

from resonate_resources.composition.plan import Chord, Effect, Part, Plan, PlannedNote, PlannedSection
from resonate_resources.composition.request import Genre

_BARS_OF_CHORDS = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))  # Am F C G


def _bar_by_bar(bars: int, bar: Sequence[PlannedNote]) -> tuple[PlannedNote, ...]:
    return tuple(
        (4 * place + onset, length, pitch, vel) for place in range(bars) for onset, length, pitch, vel in bar
    )


def _chords(
    bars: int, onsets: Sequence[float], length: float, velocity: int, up: int = 0
) -> tuple[PlannedNote, ...]:
    return tuple(
        (4 * place + onset, length, pitch + up, velocity)
        for place in range(bars)
        for onset in onsets
        for pitch in _BARS_OF_CHORDS[place % 4]
    )


def _roots(bars: int, onsets: Sequence[float], length: float, down: int = 24) -> tuple[PlannedNote, ...]:
    return tuple(
        (4 * place + onset, length, _BARS_OF_CHORDS[place % 4][0] - down, 100)
        for place in range(bars)
        for onset in onsets
    )


def _melody(bars: int, up: int = 12) -> tuple[PlannedNote, ...]:
    steps = ((0.0, 1.0, 0), (1.5, 0.5, 1), (2.0, 1.0, 2), (3.5, 0.5, 1))
    return tuple(
        (4 * place + onset, length, _BARS_OF_CHORDS[place % 4][step] + up, 80 + 8 * step)
        for place in range(bars)
        for onset, length, step in steps
    )


_EIGHTHS = tuple(step / 2 for step in range(8))


def plan(
    genre: Genre, bpm: float, bars: int, parts: Sequence[Part], effects: Sequence[Effect] = (), seed: int = 1
) -> Plan:
    half = max(1, bars // 2)
    sections = [PlannedSection(name="verse", first_bar=0, bars=half, energy=0.4)]
    if bars > half:
        sections.append(PlannedSection(name="chorus", first_bar=half, bars=bars - half, energy=0.9))
    return Plan(
        title=f"A plan of {genre}",
        genre=genre,
        seed=seed,
        bpm=bpm,
        metre="4/4",
        key="A minor",
        swing=0.5,
        sections=tuple(sections),
        chords=tuple(
            Chord(onset=4.0 * place, symbol=("Am", "F", "C", "G")[place % 4],
                  degree=("i", "VI", "III", "VII")[place % 4],
                  pitches=tuple(pitch % 12 for pitch in _BARS_OF_CHORDS[place % 4]))
            for place in range(bars)
        ),
        parts=tuple(parts),
        effects=tuple(effects),
    )  # fmt: skip


def house(bars: int = 8) -> Plan:
    kicks = tuple((float(beat), 0.25, 36, 112) for beat in range(4))
    claps = ((1.0, 0.25, 39, 100), (3.0, 0.25, 39, 100))
    hats = tuple((onset, 0.25, 46 if onset % 1 else 42, 90) for onset in _EIGHTHS)
    shakes = tuple((step / 4, 0.2, 70, 60 + 20 * (step % 2)) for step in range(16))
    middle = 4.0 * (bars // 2)
    return plan(
        "house", 124, bars,
        [
            Part(name="Drums", stem="drums", role="drums", sound="kit_909",
                 notes=_bar_by_bar(bars, (*kicks, *claps, *hats))),
            Part(name="Shaker", stem="drums", role="percussion", sound="kit_808", notes=_bar_by_bar(bars, shakes)),
            Part(name="Bass", stem="bass", role="bass", sound="synth_bass",
                 notes=_roots(bars, (0.5, 1.5, 2.5, 3.5), 0.4)),
            Part(name="Piano", stem="piano", role="chords", sound="piano",
                 notes=_chords(bars, (0.5, 1.5, 2.75), 0.5, 92)),
            Part(name="Pad", stem="other", role="pad", sound="synth_pad", notes=_chords(bars, (0.0,), 4.0, 70)),
            Part(name="Lead", stem="other", role="melody", sound="synth_lead", notes=_melody(bars, 24)),
            Part(name="Pluck", stem="other", role="arpeggio", sound="pluck",
                 notes=tuple((step / 4 + 4 * place, 0.2, _BARS_OF_CHORDS[place % 4][step % 3] + 12, 80)
                             for place in range(bars) for step in range(16)), pan=0.3),
        ],
        [
            Effect(kind="riser", begins=max(0.0, middle - 8), ends=middle),
            Effect(kind="low_pass_opening", begins=max(0.0, middle - 8), ends=middle, parts=("Pad", "Pluck")),
            Effect(kind="reverse_cymbal", begins=middle - 2, ends=middle),
            Effect(kind="impact", begins=middle, ends=middle + 4),
            Effect(kind="downlifter", begins=middle, ends=middle + 4),
        ] if middle else [],
    )  # fmt: skip


def rock(bars: int = 8) -> Plan:
    drums = (
        (0.0, 0.25, 36, 115), (2.0, 0.25, 36, 110), (2.5, 0.25, 36, 100), (1.0, 0.25, 38, 115),
        (3.0, 0.25, 38, 118),
        *((onset, 0.25, 42, 95 - 15 * int(onset % 1 > 0)) for onset in _EIGHTHS),
    )  # fmt: skip
    crash = tuple((16.0 * place, 1.0, 49, 110) for place in range(bars // 4))
    power = tuple(
        (4 * place + onset, 0.45, _BARS_OF_CHORDS[place % 4][0] - 12 + up, 105)
        for place in range(bars) for onset in _EIGHTHS for up in (0, 7)
    )  # fmt: skip
    return plan(
        "rock", 132, bars,
        [
            Part(name="Drums", stem="drums", role="drums", sound="rock_kit",
                 notes=tuple(sorted((*_bar_by_bar(bars, drums), *crash)))),
            Part(name="Bass", stem="bass", role="bass", sound="bass", notes=_roots(bars, _EIGHTHS, 0.45, 24)),
            Part(name="Rhythm guitar", stem="guitar", role="riff", sound="distorted_guitar", notes=power),
            Part(name="Organ", stem="other", role="pad", sound="organ", notes=_chords(bars, (0.0,), 4.0, 80)),
            Part(name="Lead guitar", stem="guitar", role="melody", sound="distorted_guitar",
                 notes=_melody(bars, 12), pan=0.15),
        ],
    )  # fmt: skip


def lofi(bars: int = 8) -> Plan:
    drums = (
        (0.0, 0.25, 36, 100), (2.5, 0.25, 36, 90), (1.0, 0.25, 38, 95), (3.0, 0.25, 38, 98), (3.75, 0.2, 38, 40),
        *((onset + 0.08 * (onset % 1 > 0), 0.25, 42, 80 - 20 * int(onset % 1 > 0)) for onset in _EIGHTHS),
    )  # fmt: skip
    return plan(
        "lofi_hip_hop", 78, bars,
        [
            Part(name="Drums", stem="drums", role="drums", sound="lofi_kit",
                 notes=tuple(sorted(_bar_by_bar(bars, drums)))),
            Part(name="Bass", stem="bass", role="bass", sound="bass", notes=_roots(bars, (0.0, 2.5), 1.4)),
            Part(name="Keys", stem="piano", role="chords", sound="electric_piano",
                 notes=_chords(bars, (0.0, 2.0), 1.9, 75)),
            Part(name="Melody", stem="other", role="melody", sound="flute", notes=_melody(bars, 12)),
            Part(name="Strings", stem="other", role="pad", sound="strings", notes=_chords(bars, (0.0,), 4.0, 60)),
        ],
    )  # fmt: skip

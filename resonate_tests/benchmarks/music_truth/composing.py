"""A song drawn from one seed: form, harmony, arrangement, tempo, and every note where a player puts it.

A section that comes again has the same chords, grooves and melody; small variations are drawn anew each time.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_tests.benchmarks.music_truth.harmony import (
    PROGRESSIONS,
    Chord,
    Key,
    chord_of,
    voiced,
    with_sevenths,
)
from resonate_tests.benchmarks.music_truth.parts import (
    Bar,
    Event,
    bass_line,
    comped,
    drummed,
    motif_of,
    sung_bars,
)
from resonate_tests.benchmarks.music_truth.song import Part, Song, Span
from resonate_tests.benchmarks.music_truth.sound import sound_of
from resonate_tests.benchmarks.music_truth.styles import HALF_TIME, KICK, STYLES, Style
from resonate_tests.benchmarks.music_truth.timing import (
    TempoMap,
    drifting,
    median_bpm,
    ramped,
    slowed_at_the_end,
    tempo_map,
)

Random = np.random.Generator

NAMES = {"I": "intro", "A": "verse", "P": "pre-chorus", "B": "chorus", "C": "bridge", "O": "outro"}
FORMS = ("IABABCBO", "IABABO", "AABA", "IABACABO", "IAPBAPBO", "ABACA", "IABCBO", "IAABAO", "IABABB")
LOUD = {"I": 0.6, "A": 0.75, "P": 0.85, "B": 1.0, "C": 0.65, "O": 0.6}
SHORTEST_S, LONGEST_S = 60.0, 100.0
RING_S = 3.0

# Which parts play in a section, one set drawn for each letter of a song; what a style lacks is left out.
ARRANGEMENTS = {
    "I": (("keys",), ("drums",), ("drums", "bass", "keys"), ("guitar", "pad"), ("drums", "guitar")),
    "A": (("drums", "bass", "keys", "lead"), ("drums", "bass", "guitar", "lead"), ("bass", "keys", "lead")),
    "P": (("drums", "bass", "keys", "pad", "lead"), ("drums", "bass", "guitar", "pad")),
    "B": (("drums", "bass", "keys", "guitar", "pad", "lead"), ("drums", "bass", "keys", "pad", "lead")),
    "C": (("keys", "pad", "lead"), ("drums", "bass", "pad", "lead"), ("bass", "guitar", "pad")),
    "O": (("keys", "bass"), ("drums", "bass", "keys"), ("keys", "pad"), ("drums", "bass", "guitar", "pad")),
}


@dataclass(frozen=True)
class _Section:
    letter: str
    bars: int
    key: Key
    metre: tuple[int, int]


def compose(seed: int) -> Song:
    """The song of that seed, always the same: 60–100 s. Style and key go round with the seed."""
    rng = np.random.default_rng([seed, 1404])
    name = tuple(STYLES)[seed % len(STYLES)]
    style = STYLES[name]
    key = Key(seed * 7 % 12, ("major", "minor")[seed * 7 // 12 % 2])
    bpm = float(rng.uniform(*style.bpm))
    sections = _changed(_form(style, bpm, key, rng), style, rng)
    bars = _bars(seed, sections, style, rng)
    timing, steady = _timing(sections, style, bpm, rng)
    swing = timing.swing
    # A melody is sung, or an instrument of the band has it: then nothing is in the vocals.
    sung = bool(np.random.default_rng([seed, 7]).random() < 0.6)
    played, kinds = _played(seed, sections, bars, style, sung)
    programs: dict[str, int | None] = {
        part: int(rng.choice(getattr(style, "kits" if part == "drums" else part)))
        for part in ("drums", "bass", "keys", "guitar", "pad", "lead")
    }
    if sung:
        programs["lead"] = None
    side = 1 if rng.random() < 0.5 else -1
    pans = {"keys": side * rng.uniform(0.1, 0.6), "guitar": -side * rng.uniform(0.2, 0.7)}
    stems = {"drums": "drums", "bass": "bass", "lead": "vocals" if sung else "other"}
    parts = {
        part: Part(
            stems.get(part, "other"),
            programs[part],
            float(pans.get(part, 0.0)),
            _humanised(events, timing, style.loose, part, rng),
        )
        for part, events in played.items()
        if events
    }
    edges = [float(timing.at(bar.start)) for bar in bars]
    end = float(timing.at(bars[-1].start + bars[-1].quarters))
    beats = [
        float(timing.at(bar.start + beat))
        for bar in bars
        for beat in np.arange(0, bar.quarters, bar.beat_quarters)
    ]
    # The first section begins with the recording.
    section_edges = [
        0.0,
        *(edge for edge, bar in zip(edges, bars, strict=True) if bar.first and bar.start),
        end,
    ]
    order = {letter: chr(65 + i) for i, letter in enumerate(dict.fromkeys(s.letter for s in sections))}
    intervals = np.diff([*beats, end])
    return Song(
        seed=seed,
        style=name,
        duration_s=end + RING_S,
        tempo_bpm=median_bpm([*beats, end]),
        steady=steady,
        swing=swing,
        tempo=tuple((beat, 60 / float(gap)) for beat, gap in zip(beats, intervals, strict=True)),
        beats_s=tuple(beats),
        downbeats_s=tuple(edges),
        metres=_spans([f"{bar.metre[0]}/{bar.metre[1]}" for bar in bars], [*edges, end]),
        keys=_spans([str(bar.key) for bar in bars], [*edges, end]),
        chords=_chord_spans(bars, kinds, timing),
        sections=tuple(
            Span(start, stop, order[section.letter])
            for section, (start, stop) in zip(sections, pairwise(section_edges), strict=True)
        ),
        section_names=tuple(NAMES[section.letter] for section in sections),
        arrangement=_arrangement(parts, [*edges, end]),
        parts=parts,
        sound=sound_of(seed, style, 60 / bpm, parts, np.random.default_rng([seed, 2])),
    )


def _form(style: Style, bpm: float, key: Key, rng: Random) -> list[_Section]:
    """A form and a number of bars a section with which the song has the length it should have."""
    bar_s = style.quarters * 60 / bpm / (1.5 if style.metre == (6, 8) else 1)
    choices = []
    for form in FORMS:
        for unit in (4, 6, 8, 12, 16):
            bars = [unit // 2 if letter in "IO" and form[0] == "I" else unit for letter in form]
            if SHORTEST_S <= sum(bars) * bar_s <= LONGEST_S - RING_S and unit * bar_s >= 7:
                choices.append((form, bars))
    form, bars = choices[int(rng.integers(len(choices)))]
    return [_Section(letter, count, key, style.metre) for letter, count in zip(form, bars, strict=True)]


def _changed(sections: list[_Section], style: Style, rng: Random) -> list[_Section]:
    """In some songs the last chorus lies a tone or semitone higher, the bridge in the relative key or in three."""
    letters = [section.letter for section in sections]
    bridge = letters.index("C") if "C" in letters else None
    kind = rng.random()
    if kind < 0.18 and letters.count("B") > 1:
        last = len(letters) - 1 - letters[::-1].index("B")
        up = int(rng.choice((1, 2, 2)))
        sections = [replace(s, key=s.key.moved(up)) if i >= last else s for i, s in enumerate(sections)]
    elif kind < 0.4 and bridge is not None:
        sections[bridge] = replace(sections[bridge], key=sections[bridge].key.relative)
    if bridge is not None and style.metre == (4, 4) and rng.random() < 0.3:
        sections[bridge] = replace(sections[bridge], metre=(3, 4))
    return sections


def _timing(sections: Sequence[_Section], style: Style, bpm: float, rng: Random) -> tuple[TempoMap, bool]:
    """The tempo map, and whether the tempo only drifts."""
    quarters = [section.bars * section.metre[0] * 4 // section.metre[1] for section in sections]
    starts = [0, *np.cumsum(quarters).tolist()]
    quarter_bpm = bpm * (1.5 if style.metre == (6, 8) else 1)
    amount = float(rng.uniform(0.003, 0.012)) if style.loose else 0.0
    curve = drifting(rng, starts[-1], quarter_bpm, amount)
    kind = rng.random()
    middle = len(sections) // 2
    if kind < 0.08:
        curve = ramped(curve, starts[middle], starts[middle], float(rng.choice((0.85, 1.12, 1.2))))
    elif kind < 0.16:
        curve = ramped(curve, starts[middle], starts[middle + 1], float(rng.choice((0.88, 1.1, 1.15))))
    if style.loose and rng.random() < 0.35:
        curve = slowed_at_the_end(curve, quarters[-1] // sections[-1].bars, float(rng.uniform(0.6, 0.8)))
    return tempo_map(curve, float(rng.uniform(0.2, 1.2)), float(rng.uniform(*style.swing))), kind >= 0.16


def _bars(seed: int, sections: Sequence[_Section], style: Style, rng: Random) -> list[Bar]:
    sevenths = bool(rng.random() < 0.3)
    idiom = str(rng.choice(style.idioms))
    bars: list[Bar] = []
    start = 0
    for number, section in enumerate(sections):
        # Verse and chorus get loops of their own; intro and outro have the verse's.
        letter = {"I": "A", "O": "A"}.get(section.letter, section.letter)
        loops = PROGRESSIONS[section.key.mode][idiom]
        shuffled = np.random.default_rng([seed, 3]).permutation(len(loops))
        loop = loops[shuffled["ABCP".index(letter) % len(loops)]].split()
        quarters = section.metre[0] * 4 // section.metre[1]
        for index in range(section.bars):
            symbols = loop[index % len(loop)].split(".")
            if number == len(sections) - 1 and index == section.bars - 1:
                symbols = ["I" if section.key.mode == "major" else "i"]  # home
            elif sevenths:
                symbols = [with_sevenths(symbol, section.key.mode) for symbol in symbols]
            chords = [chord_of(symbol, section.key) for symbol in symbols]
            halves = (
                (0.0,)
                if len(chords) == 1
                else (0.0, {4: 2.0, 3: 1.5 if section.metre == (6, 8) else 2.0}[quarters])
            )
            lengths = np.diff([*halves, quarters])
            placed = tuple((s, float(n), c) for s, n, c in zip(halves, lengths, chords, strict=True))
            last = index == section.bars - 1
            bars.append(
                Bar(
                    start,
                    quarters,
                    section.metre,
                    section.key,
                    placed,
                    LOUD[section.letter],
                    index == 0,
                    last,
                )
            )
            start += quarters
    return bars


def _played(
    seed: int, sections: Sequence[_Section], bars: Sequence[Bar], style: Style, sung: bool
) -> tuple[dict[str, list[Event]], list[tuple[str, ...]]]:
    """Part → events; and per bar which parts were to play."""
    played: dict[str, list[Event]] = {part: [] for part in ("drums", "bass", "keys", "guitar", "pad", "lead")}
    kinds: list[tuple[str, ...]] = []
    song_rng = np.random.default_rng([seed, 4])
    ways = {
        "keys": str(song_rng.choice(style.comping)),
        "pad": "pad",
        "guitar": str(song_rng.choice(style.comping)),
    }
    line = str(song_rng.choice(style.bass_lines))
    octave = 4 if bars[0].key.tonic >= 7 else 5
    if sung:  # the tonic in D#3…D4, as a tenor has it, or an octave above
        octave = (4 if bars[0].key.tonic < 3 else 3) + int(song_rng.random() < 0.4)
    voicing: dict[Chord, tuple[int, ...]] = {}
    previous: tuple[int, ...] = (57, 60, 64)
    for bar in bars:
        for _, _, chord in bar.chords:
            if chord not in voicing:
                previous = voicing[chord] = voiced(chord, previous, 52, 74)
    first = 0
    for number, section in enumerate(sections):
        of_section = bars[first : first + section.bars]
        material = np.random.default_rng([seed, zlib.crc32(section.letter.encode())])
        sets = ARRANGEMENTS[section.letter]
        playing = [p for p in sets[int(material.integers(len(sets)))] if p != "drums" or style.drums]
        if not style.drums and not {"keys", "guitar", "pad"} & set(playing):
            playing.append("keys")
        patterns = style.drums if section.metre == style.metre else STYLES["waltz"].drums
        pattern = patterns[int(material.integers(len(patterns)))] if patterns else {}
        if section.letter == "C" and section.metre == (4, 4) and material.random() < 0.4:
            pattern = HALF_TIME
        choice = int(material.integers(12))
        fill = str(material.choice(("beat", "half", "half", "none")))
        motif = motif_of(section.metre, {"A": 0, "P": 2, "B": 4}.get(section.letter, 1), material)
        variation = np.random.default_rng([seed, 5, number])
        ending = number == len(sections) - 1
        for index, bar in enumerate(of_section):
            kinds.append(tuple(playing))
            if ending and bar.last:
                _final(bar, played, playing, voicing)
                continue
            following = (
                bars[first + index + 1].chords[0][2] if first + index + 1 < len(bars) else bar.chords[0][2]
            )
            if "drums" in playing:
                played["drums"] += drummed(bar, pattern, fill, variation)
            if "bass" in playing:
                kicks = pattern.get(KICK, "X")
                played["bass"] += bass_line(bar, line, kicks, following, variation)
            for part in ("keys", "guitar", "pad"):
                if part in playing:
                    way = ways[part] if section.metre == style.metre else "comp"
                    played[part] += comped(bar, "pad" if part == "pad" else way, choice, voicing)
            if "lead" in playing and index % 2 == 0:
                pair = [b for b in of_section[index : index + 2] if not (ending and b.last)]
                played["lead"] += sung_bars(pair, motif, octave, variation)
        first += section.bars
    return played, kinds


def _final(
    bar: Bar, played: dict[str, list[Event]], playing: Sequence[str], voicing: dict[Chord, tuple[int, ...]]
) -> None:
    """The last bar: all strike its chord and hold it."""
    chord = bar.chords[0][2]
    if "drums" in playing:
        played["drums"] += [Event(bar.start, 0.5, KICK, 100), Event(bar.start, 1, 49, 96)]
    if "bass" in playing:
        played["bass"].append(Event(bar.start, bar.quarters, 28 + (chord.bass - 28) % 12, 92))
    chordal = [part for part in ("keys", "guitar", "pad") if part in playing]
    for part in chordal:
        played[part] += [Event(bar.start, bar.quarters, pitch, 78) for pitch in voicing[chord]]


def _humanised(
    events: Sequence[Event], timing: TempoMap, loose: float, part: str, rng: Random
) -> tuple[Note, ...]:
    """Notes in seconds: swing, a player's habit of early or late, scatter within 2.5 deviations."""
    lay = float(rng.normal(0, loose)) if part != "drums" else 0.0
    notes: dict[tuple[float, int], Note] = {}
    for event in sorted(events, key=lambda e: (e.quarter, e.pitch)):
        late = lay + loose * float(np.clip(rng.standard_normal(), -2.5, 2.5)) + event.late_s
        onset = max(0.0, timing.swung(event.quarter) + late)
        offset = max(onset + 0.03, timing.swung(event.quarter + event.quarters) + late)
        velocity = int(
            np.clip(round(event.velocity + (4 if loose else 1.5) * rng.standard_normal()), 20, 127)
        )
        notes[event.quarter, event.pitch] = Note(round(onset, 4), round(offset, 4), event.pitch, velocity)
    return tuple(sorted(_parted(list(notes.values()))))


def _parted(notes: list[Note]) -> list[Note]:
    """Each ended 5 ms before the same pitch is struck again: a key can't be struck while it is down."""
    parted = []
    for _, group in groupby(sorted(notes, key=lambda n: (n.pitch, n.onset_s)), key=lambda n: n.pitch):
        of_pitch = list(group)
        for note, again in pairwise(of_pitch):
            if again.onset_s - note.onset_s > 0.01:
                parted.append(replace(note, offset_s=min(note.offset_s, again.onset_s - 0.005)))
        parted += of_pitch[-1:]
    return parted


def _spans(values: Sequence[str], edges: Sequence[float]) -> tuple[Span, ...]:
    """Neighbours of the same value made one."""
    spans: list[Span] = []
    for value, (start, end) in zip(values, pairwise(edges), strict=True):
        if spans and spans[-1].value == value:
            spans[-1] = replace(spans[-1], end_s=end)
        else:
            spans.append(Span(start, end, value))
    return tuple(spans)


def _chord_spans(bars: Sequence[Bar], kinds: Sequence[tuple[str, ...]], timing: TempoMap) -> tuple[Span, ...]:
    """N where only drums play, and before the first beat."""
    labels, edges = ["N"], [0.0]
    for bar, playing in zip(bars, kinds, strict=True):
        for start, _, chord in bar.chords:
            labels.append("N" if set(playing) <= {"drums"} else chord.label)
            edges.append(float(timing.at(bar.start + start)))
    return _spans(labels, [*edges, float(timing.at(bars[-1].start + bars[-1].quarters))])


def _arrangement(parts: dict[str, Part], edges: Sequence[float]) -> tuple[tuple[str, ...], ...]:
    """Per bar the stems of which a note begins in it or a tenth of a bar and more sounds on."""
    bars = []
    for start, end in pairwise(edges):
        slack = 0.1 * (end - start)
        bars.append(
            tuple(
                dict.fromkeys(
                    part.stem
                    for part in parts.values()
                    if any(n.onset_s < end - slack and n.offset_s > start + slack for n in part.notes)
                )
            )
        )
    return tuple(bars)

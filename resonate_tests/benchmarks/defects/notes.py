"""Other notes: chords, bass, melody, kick and drums that were not played so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.defect import Audible, Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt
from resonate_tests.benchmarks.defects.replaying import between, fitted, replayed, transposed
from resonate_tests.benchmarks.music_truth.song import Part
from resonate_tests.benchmarks.music_truth.styles import KICK

_NOT_DRUMS = ("bass", "other", "vocals")


def in_another_key(excerpt: Excerpt, bars: float, stems: tuple[str, ...], semitones: int) -> Samples | None:
    """Those stems higher for that many bars. None where it has none of them."""
    start, end = excerpt.bars(bars)
    mix = None
    for stem in stems:
        moved = transposed(excerpt, stem, semitones, start, end)
        if moved is not None:
            mix = (excerpt.mix if mix is None else mix) - excerpt.stems[stem] + moved
    return mix


def with_wrong_notes(excerpt: Excerpt, share: float, stem: str) -> Samples | None:
    """That share of a stem's notes, by chance, 1 to 4 semitones off, up or down. None without a score or stem.

    Of `vocals` where nobody sings, what plays the melody."""
    chance = excerpt.chance(f"wrong notes of {stem}")
    sung = "vocals" in excerpt.stems

    def wrong(name: str, part: Part) -> Part:
        if stem == "vocals" and name != "lead":
            return part
        return replace(part, notes=tuple(_off(note, share, chance) for note in part.notes))

    played_by = "other" if stem == "vocals" and not sung else stem
    return _in_its_place(excerpt, played_by, replayed(excerpt, played_by, wrong))


def with_other_chords(excerpt: Excerpt, bars: float) -> Samples | None:
    """Chord and bass notes of that many bars by a third, fourth or tritone off, another in each bar; the melody is
    as it was. None without a score."""
    if excerpt.score is None:
        return None
    chance = excerpt.chance("other chords")
    start, end = (excerpt.score.start_s + at for at in excerpt.bars(bars))
    edges = np.array([start, *(t for t in excerpt.score.song.downbeats_s if start < t < end)])
    steps = chance.choice((-4, -3, 3, 4, 5, 6), len(edges))

    def other(name: str, part: Part) -> Part:
        if name == "lead":
            return part
        return replace(
            part,
            notes=tuple(
                replace(n, pitch=n.pitch + int(steps[np.searchsorted(edges, n.onset_s + 0.05) - 1]))
                if start <= n.onset_s + 0.05 < end
                else n
                for n in part.notes
            ),
        )

    mix = None
    for stem in ("bass", "other"):
        played = replayed(excerpt, stem, other)
        if played is not None:
            mix = (excerpt.mix if mix is None else mix) - excerpt.stems[stem] + played
    return mix


def with_kicks(excerpt: Excerpt, size: float, change: Callable[[Note, float], list[Note]]) -> Samples | None:
    """Kicks as `change` makes of each, given the beat's seconds; size: the share of them. None without any."""
    if excerpt.score is None or not any(n.pitch == KICK for n in excerpt.score.song.notes("drums")):
        return None
    chance = excerpt.chance("kicks")

    def changed(_: str, part: Part) -> Part:
        notes = []
        for note in part.notes:
            struck = note.pitch == KICK and chance.random() < size
            notes += change(note, excerpt.beat_s) if struck else [note]
        return replace(part, notes=tuple(sorted(notes)))

    return _in_its_place(excerpt, "drums", replayed(excerpt, "drums", changed))


def with_late_kicks(excerpt: Excerpt, beats: float) -> Samples | None:
    return with_kicks(excerpt, 1.0, lambda note, beat_s: [_later(note, beats * beat_s)])


def with_kicks_replaced(excerpt: Excerpt, key: float) -> Samples | None:
    """By another percussion key of General MIDI."""
    return with_kicks(excerpt, 1.0, lambda note, _: [replace(note, pitch=int(key))])


def with_other_drums(excerpt: Excerpt, bars: float) -> Samples | None:
    """Drums of that many bars a beat and a half later in them, what is pushed out coming first: another pattern of
    the same strokes."""
    if not excerpt.plays("drums"):
        return None
    start, end = excerpt.bars(bars)
    span = excerpt.frames_of(start, end)
    drums = excerpt.stems["drums"]
    turned = drums.copy()
    turned[:, span] = np.roll(drums[:, span], round(1.5 * excerpt.beat_s * excerpt.rate), axis=1)
    return excerpt.with_stem("drums", between(excerpt, drums, turned, start, end))


def with_late_stem(excerpt: Excerpt, seconds: float, stem: str) -> Samples | None:
    """None where there is no such stem, or nothing else."""
    if not excerpt.plays(stem):
        return None
    late = np.pad(excerpt.stems[stem], ((0, 0), (round(seconds * excerpt.rate), 0)))
    return excerpt.with_stem(stem, fitted(late, excerpt.frames))


def jittered(excerpt: Excerpt, seconds: float) -> Samples | None:
    """Every note, by chance, off by a standard deviation of that; strokes on one moment apart. None without a
    score."""
    if excerpt.score is None:
        return None
    chance = excerpt.chance("jitter")

    def moved(_: str, part: Part) -> Part:
        return replace(part, notes=tuple(sorted(_later(n, chance.normal(0, seconds)) for n in part.notes)))

    mix = excerpt.mix.copy()
    for stem in excerpt.stems:
        if stem != "vocals":  # its line is one note at a time
            played = replayed(excerpt, stem, moved)
            assert played is not None
            mix += played - excerpt.stems[stem]
    return mix


def evenly_struck(excerpt: Excerpt, share: float) -> Samples | None:
    """Velocities moved by that share of the way to the stem's mean: no accents. None without a score."""
    if excerpt.score is None:
        return None

    def flat(_: str, part: Part) -> Part:
        mean = float(np.mean([n.velocity for n in part.notes]))
        notes = tuple(
            replace(n, velocity=round(n.velocity + share * (mean - n.velocity))) for n in part.notes
        )
        return replace(part, notes=notes)

    played = replayed(excerpt, "drums", flat)
    return _in_its_place(excerpt, "drums", played)


def _in_its_place(excerpt: Excerpt, stem: str, played: Samples | None) -> Samples | None:
    return None if played is None else excerpt.with_stem(stem, played)


def _off(note: Note, share: float, chance: np.random.Generator) -> Note:
    step = int(chance.choice((-4, -3, -2, -1, 1, 2, 3, 4)))
    return replace(note, pitch=note.pitch + step) if chance.random() < share else note


def _later(note: Note, seconds: float) -> Note:
    onset = max(0.0, note.onset_s + seconds)
    return replace(note, onset_s=onset, offset_s=onset + note.duration_s)


_BARS: tuple[float, ...] = (1, 4, np.inf)
_ALL: tuple[Audible, ...] = ("yes", "yes", "yes")
_WRONG = "a wrong chord or note is what a musician hears first, once is enough"
_LATE = "Hirsh 1959, JASA 31: order is heard from 20 ms on; flams of 50 ms are two strokes"
_KICK = "one stroke in four that lacks or is too many passes for playing, more are another groove"


def _removed(_: Note, beat_s: float) -> list[Note]:
    return []


def _doubled(note: Note, beat_s: float) -> list[Note]:
    return [note, _later(note, beat_s / 2)]


DEFECTS = (
    Defect(
        "chords a semitone up", "harmony", partial(in_another_key, stems=("other",), semitones=1), _BARS, "bars",
        "minor seconds against bass and voice", _ALL,
    ),
    Defect(
        "chords a minor third up", "harmony", partial(in_another_key, stems=("other",), semitones=3), _BARS, "bars",
        _WRONG, _ALL,
    ),
    Defect(
        "all a semitone up", "harmony", partial(in_another_key, stems=_NOT_DRUMS, semitones=1), _BARS, "bars",
        "a modulation that the song does not have; of all of it, only beside the original", _ALL,
    ),
    Defect("wrong chords and bass", "harmony", with_other_chords, _BARS, "bars", _WRONG, _ALL),
    Defect(
        "bass a fourth up", "bass", partial(in_another_key, stems=("bass",), semitones=5), _BARS, "bars",
        "other roots", _ALL,
    ),
    Defect(
        "bass an octave up", "bass", partial(in_another_key, stems=("bass",), semitones=12), _BARS, "bars",
        "the same harmony, thinner: in one bar hardly more than a fill",
    ),
    Defect(
        "bass line wrong", "bass", partial(with_wrong_notes, stem="bass"), (0.1, 0.3, 1.0), "of notes",
        _WRONG, _ALL,
    ),
    Defect(
        "melody wrong", "melody", partial(with_wrong_notes, stem="vocals"), (0.1, 0.3, 1.0), "of notes",
        _WRONG, _ALL,
    ),
    Defect(
        "kicks missing", "kick", partial(with_kicks, change=_removed), (0.25, 0.5, 1.0), "of strokes",
        _KICK,
    ),
    Defect(
        "kicks doubled", "kick", partial(with_kicks, change=_doubled), (0.25, 0.5, 1.0), "of strokes",
        _KICK,
    ),
    Defect("kicks late", "kick", with_late_kicks, (0.0625, 0.25, 0.5), "beats", _LATE),
    Defect(
        "kicks replaced", "kick", with_kicks_replaced, (35, 43, 37), "as General MIDI key",
        "another bass drum, a floor tom, a side stick",
    ),
    Defect(
        "drums otherwise", "onsets", with_other_drums, _BARS, "bars",
        "strokes a beat and a half off", _ALL,
    ),
    Defect(
        "accents flattened", "dynamics", evenly_struck, (0.3, 0.6, 1.0), "of the way",
        "composed velocities differ by a few decibels", ("no", "hardly", "hardly"),
    ),
    *(
        Defect(f"{stem} late", own, partial(with_late_stem, stem=stem), (0.02, 0.05, 0.12), "s", _LATE)
        for stem, own in (("drums", "onsets"), ("bass", "bass"), ("vocals", "melody"), ("other", "onsets"))
    ),
    Defect(
        "onsets jittered", "onsets", jittered, (0.005, 0.015, 0.04), "s",
        "Friberg & Sundberg 1995, JASA 98: 6 ms of an even pulse is the least heard; players have 10",
        ("no", "hardly", "yes"),
    ),
)  # fmt: skip

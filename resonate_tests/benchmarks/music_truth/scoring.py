"""How right an analysis is against a song's truth, measure by measure, by mir_eval; and how right its doubts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypedDict

import mir_eval
import numpy as np
import numpy.typing as npt

from resonate_resources.signal.spelling import spelt

NoteRow = Sequence[float]
"""onset_s, offset_s, pitch (MIDI), velocity."""


class Stretch(TypedDict):
    start_s: float
    end_s: float
    value: str


class Doubted(Stretch, total=False):
    """A chord, or a section, and how sure it is; of a section, that it begins there. name: what it is called."""

    confidence: float
    name: str | None
    name_confidence: float


class Estimate(TypedDict, total=False):
    """What an analysis tells. A field that is absent was not looked for, and isn't judged; null is "unknown".

    chords in Harte's syntax; notes: stem → rows; drums' pitches are General MIDI percussion keys. rt60_s: octave
    band's centre in Hz, as text, → s. melody: times in s, Hz (0: none). pump_db: None where nothing
    pumps. confidence: measure → 0…1.
    """

    tempo_bpm: float | None
    beats_s: Sequence[float]
    downbeats_s: Sequence[float]
    time_signature: str | None
    key: str | None
    chords: Sequence[Stretch]
    sections: Sequence[Stretch]
    melody: tuple[Sequence[float], Sequence[float]]
    notes: Mapping[str, Sequence[NoteRow]]
    rt60_s: Mapping[str, float] | None
    bandwidth_hz: float | None
    pump_db: float | None
    confidence: Mapping[str, float]


Truth = Mapping[str, Any]
"""A song's truth.json."""

# Where no name of a class is in the key, it is none of those judged.
DRUMS: Mapping[str, tuple[int, ...]] = {
    "kick": (35, 36),
    "snare": (37, 38, 39, 40),
    "hat": (42, 44, 46),
    "tom": (41, 43, 45, 47, 48, 50),
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
}
OPEN_HAT = (46,)
_ROOM_OCTAVES = ("125", "250", "500", "1000", "2000", "4000")  # ISO 3382-1


def scores(truth: Truth, told: Estimate) -> dict[str, float]:
    """Measure → 0…1, of what was looked for and what the song can tell."""
    found: dict[str, float] = {}
    for judge in (_rhythm, _harmony, _form, _notes, _melody, _sound):
        found |= judge(truth, told)
    return found


def _rhythm(truth: Truth, told: Estimate) -> dict[str, float]:
    """Beats and downbeats within 0.07 s from the fifth second on, as in MIREX. The tempo of songs of one tempo."""
    found = {}
    if "beats_s" in told:
        found["beats"] = _beats_f(truth["beats_s"], told["beats_s"])
    if "downbeats_s" in told:
        found["downbeats"] = _beats_f(truth["downbeats_s"], told["downbeats_s"])
    if "tempo_bpm" in told and truth["steady"]:
        found["tempo"] = _within(told["tempo_bpm"], truth["tempo_bpm"], 0.02)
    if "time_signature" in told:
        found["metre"] = float(told["time_signature"] == truth["metre"])
    return found


def _beats_f(true: Sequence[float], told: Sequence[float]) -> float:
    trimmed = (mir_eval.beat.trim_beats(np.asarray(times, float)) for times in (true, told))
    return float(mir_eval.beat.f_measure(*trimmed))


def _harmony(truth: Truth, told: Estimate) -> dict[str, float]:
    """The key of most of the song; chords by their share of the time (MIREX's chord symbol recall)."""
    found = {}
    if "key" in told:
        key = spelt(told["key"]) if told["key"] else "X"
        found["key"] = float(key == spelt(truth["key"]))
        found["key, weighted"] = float(mir_eval.key.weighted_score(spelt(truth["key"]), key))
    if "chords" in told:
        judged = mir_eval.chord.evaluate(*_labelled(truth["chords"]), *_labelled(told["chords"]))
        for measure in ("majmin", "sevenths", "majmin_inv"):
            found[f"chords, {measure}"] = float(judged[measure])
    return found


def _form(truth: Truth, told: Estimate) -> dict[str, float]:
    if "sections" not in told:
        return {}
    true, true_labels = _labelled(truth["sections"])
    ours, our_labels = _labelled(told["sections"])
    found = {
        f"boundaries, {window:g} s": float(
            mir_eval.segment.detection(true, ours, window=window, trim=True)[2]
        )
        for window in (3.0, 0.5)
    }
    ours, our_labels = mir_eval.util.adjust_intervals(ours, our_labels, true.min(), true.max())
    found["sections, pairwise"] = float(mir_eval.segment.pairwise(true, true_labels, ours, our_labels)[2])
    return found


def _labelled(stretches: Sequence[Stretch]) -> tuple[npt.NDArray[np.float64], list[str]]:
    if not stretches:
        return np.array([[0.0, 0.01]]), ["N"]
    spans = np.array([(stretch["start_s"], stretch["end_s"]) for stretch in stretches])
    return spans, [stretch["value"] for stretch in stretches]


def _notes(truth: Truth, told: Estimate) -> dict[str, float]:
    """F of onsets within 50 ms; pitched ones within 50 cents, too. "drums": all classes together."""
    found = {}
    for stem, ours in told.get("notes", {}).items():
        true = truth["notes"].get(stem, [])
        if not true and not ours:
            continue
        if stem != "drums":
            found[f"notes, {stem}"] = notes_f(true, ours)
            continue
        counts = np.zeros(3)
        for name, keys in DRUMS.items():
            matched, struck, heard = _strokes(true, ours, keys)
            counts += matched, struck, heard
            if struck:
                found[f"drums, {name}"] = 2 * matched / (struck + heard)
        matched, struck, heard = _strokes(true, ours, OPEN_HAT)
        if struck:
            found["drums, open hat"] = 2 * matched / (struck + heard)
        found["drums"] = float(2 * counts[0] / max(counts[1] + counts[2], 1))
    return found


def _melody(truth: Truth, told: Estimate) -> dict[str, float]:
    """Raw pitch accuracy: within 50 cents, of the time in which the lead plays or sings."""
    if "melody" not in told or not truth.get("lead"):
        return {}
    times, hertz = (np.asarray(values, float) for values in told["melody"])
    true = np.zeros(len(times))
    for onset, offset, pitch, _ in truth["lead"]:
        true[(times >= onset) & (times < offset)] = 440 * 2 ** ((pitch - 69) / 12)
    accuracy = float(mir_eval.melody.evaluate(times, true, times, hertz)["Raw Pitch Accuracy"])
    return {"melody, sung" if truth["notes"]["vocals"] else "melody, played": accuracy}


def _strokes(true: Sequence[NoteRow], ours: Sequence[NoteRow], keys: tuple[int, ...]) -> tuple[int, int, int]:
    """How many match, were struck, were heard."""
    struck, heard = (np.array(sorted(row[0] for row in rows if row[2] in keys)) for rows in (true, ours))
    matched = len(mir_eval.util.match_events(struck, heard, 0.05)) if len(struck) and len(heard) else 0
    return matched, len(struck), len(heard)


def notes_f(true: Sequence[NoteRow], ours: Sequence[NoteRow]) -> float:
    """As mir_eval.transcription without offsets; 0 where only one of both has notes."""
    if not true or not ours:
        return 0.0
    rows = [np.asarray(notes, float) for notes in (true, ours)]
    spans = [row[:, :2] for row in rows]
    hertz = [440 * 2 ** ((row[:, 2] - 69) / 12) for row in rows]
    return float(
        mir_eval.transcription.precision_recall_f1_overlap(
            spans[0],
            hertz[0],
            spans[1],
            hertz[1],
            onset_tolerance=0.05,
            pitch_tolerance=50,
            offset_ratio=None,
        )[2]
    )


def _sound(truth: Truth, told: Estimate) -> dict[str, float]:
    """Rooms of songs that have a known one, and where something is told; the cut of songs that are cut."""
    found = {}
    true_rooms = truth["sound"]["rt60_s"]
    if true_rooms and told.get("rt60_s"):
        rooms = told["rt60_s"] or {}
        judged = [_within(rooms[o], float(true_rooms[o]), 0.2) for o in _ROOM_OCTAVES if o in rooms]
        if judged:
            found["RT60"] = float(np.mean(judged))
    if "bandwidth_hz" in told and truth["bandwidth_hz"]:
        found["bandwidth"] = _within(told["bandwidth_hz"], truth["bandwidth_hz"], 0.05)
    if "pump_db" in told:
        found["pump depth"] = float(abs((told["pump_db"] or 0.0) - (truth["sound"]["pump_db"] or 0.0)) <= 2)
    return found


def _within(told: float | None, true: float, part: float) -> float:
    return float(told is not None and abs(told - true) <= part * true)


class Measure(NamedTuple):
    """target: the least that is asked; right: from which score on an estimate counts as right in calibration."""

    name: str
    target: float | None
    right: float = 1.0


MEASURES = (
    Measure("beats", 0.92, 0.9),
    Measure("tempo", 0.95),
    Measure("downbeats", 0.80, 0.9),
    Measure("metre", 0.90),
    Measure("key", 0.90),
    Measure("key, weighted", 0.93),
    Measure("chords, majmin", 0.80, 0.8),
    Measure("chords, sevenths", 0.65, 0.65),
    Measure("chords, majmin_inv", None),
    Measure("boundaries, 3 s", 0.70, 0.7),
    Measure("boundaries, 0.5 s", None),
    Measure("sections, pairwise", None),
    *(Measure(f"notes, {stem}", 0.75, 0.75) for stem in ("vocals", "bass", "other")),
    Measure("drums", 0.85, 0.85),
    *(Measure(f"drums, {name}", None) for name in (*DRUMS, "open hat")),
    Measure("melody, sung", None),
    Measure("melody, played", None),
    Measure("RT60", None),
    Measure("bandwidth", None),
    Measure("pump depth", None),
)


class Judged(NamedTuple):
    """An estimate that said how sure it is, and whether it is right."""

    measure: str
    confidence: float
    right: bool


def judged(told: Estimate, found: Mapping[str, float]) -> list[Judged]:
    """Of the measures whose confidence was told."""
    rights = {measure.name: measure.right for measure in MEASURES}
    return [
        Judged(name, confidence, found[name] >= rights[name])
        for name, confidence in told.get("confidence", {}).items()
        if name in found
    ]


def judged_parts(
    truth: Truth, chords: Sequence[Doubted] = (), sections: Sequence[Doubted] = ()
) -> list[Judged]:
    """Of each chord, whether root and quality are right for most of it; of each section but the first, whether one
    begins within 3 s; and whether it is called what most of it is."""
    found = []
    for chord in chords:
        shares = _shares(truth["chords"], chord)
        same = mir_eval.chord.tetrads(
            [true["value"] for true in truth["chords"]], [chord["value"]] * len(shares)
        )
        if (total := float(shares[same >= 0].sum())) > 0:
            right = float(shares[same == 1].sum()) > total / 2
            found.append(Judged("chords", chord["confidence"], right))
    starts = np.array([true["start_s"] for true in truth["sections"][1:]])
    for number, section in enumerate(sections):
        if number:
            near = float(np.abs(starts - section["start_s"]).min(initial=np.inf)) < 3
            found.append(Judged("sections begin", section["confidence"], near))
        if section["name"]:
            true_name = truth["section_names"][int(_shares(truth["sections"], section).argmax())]
            found.append(Judged("sections' names", section["name_confidence"], section["name"] == true_name))
    return found


def _shares(true: Sequence[Stretch], told: Stretch) -> npt.NDArray[np.float64]:
    """(spans,): for how many seconds each of the true ones holds in the other."""
    spans, _ = _labelled(true)
    ends = np.minimum(spans[:, 1], told["end_s"])
    return np.asarray(np.clip(ends - np.maximum(spans[:, 0], told["start_s"]), 0, None), np.float64)


BINS = (0.0, 0.5, 0.7, 0.85, 0.95, 1.0)
"""The fourth are those who say that they are 90 % sure."""


class Bin(NamedTuple):
    low: float
    high: float
    estimates: int
    said: float
    right: float


def calibration(estimates: Iterable[Judged]) -> list[Bin]:
    """Of each bin that has estimates: how many, how sure they are on average, which part of them is right."""
    every = list(estimates)
    bins = []
    for low, high in pairwise(BINS):
        within = [e for e in every if low <= e.confidence < high or high == e.confidence == BINS[-1]]
        if within:
            said = float(np.mean([e.confidence for e in within]))
            bins.append(Bin(low, high, len(within), said, float(np.mean([e.right for e in within]))))
    return bins


def table(rows: Mapping[str, Mapping[str, Sequence[float]]], write: Callable[[str], object] = print) -> None:
    """A Markdown table; rows: analysis → measure → a score a song. Only measures that somebody has."""
    analyses = list(rows)
    write(f"| measure | asked | {' | '.join(f'{name} | songs' for name in analyses)} |")
    write(f"|{'---|' * (2 + 2 * len(analyses))}")
    for measure in MEASURES:
        of_measure = [rows[name].get(measure.name, ()) for name in analyses]
        if any(of_measure):
            cells = [f"{np.mean(found):.3f} | {len(found)}" if found else "| 0" for found in of_measure]
            asked = "" if measure.target is None else f"{measure.target:.2f}"
            write(f"| {measure.name} | {asked} | {' | '.join(cells)} |")

"""A plan written down for others: MIDI of each stem and of all parts, and the plan itself as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from resonate_resources.composition.composer.numerals import MINOR_MODES
from resonate_resources.composition.genre import genre_data
from resonate_resources.composition.plan import BEATS_A_BAR, Part, Plan, Stem
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.sounds import is_kit, midi_program
from resonate_resources.composition.sound.tracks import notes_of, stems_of
from resonate_resources.recordings.midi import DRUM_CHANNEL, conducted, key_signature, write_notes
from resonate_resources.recordings.planned_music import PlannedMusic, PlannedSection
from resonate_resources.recordings.score import Score
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT, Anchor, TempoMap, TimeSignature
from resonate_resources.signal.spelling import MODES, spelt

if TYPE_CHECKING:
    import mido

_CHANNELS: Final = [channel for channel in range(16) if channel != DRUM_CHANNEL]
_PAN, _MIDDLE = 10, 64  # control change 10


def write_plan(plan: Plan, into: Path, provenance: str) -> dict[str, Path]:
    """plan.json, all.mid and STEM.mid of each stem that plays; by file name. provenance: a line on how it was made,
    which each MIDI file holds."""
    into.mkdir(parents=True, exist_ok=True)
    files = {"plan.json": into / "plan.json", "all.mid": into / "all.mid"}
    plan.write(files["plan.json"])
    _write_all(plan, files["all.mid"], provenance)
    for stem in get_args(Stem):
        parts = [part for part in plan.parts if part.stem == stem and part.notes]
        if parts:
            files[f"{stem}.mid"] = into / f"{stem}.mid"
            _write_stem(plan, stem, parts, files[f"{stem}.mid"])
    return files


def tempo_of(plan: Plan) -> TempoMap:
    """One tempo and one time signature."""
    numerator, denominator = map(int, plan.metre.split("/"))
    return TempoMap((Anchor(0, 0.0, round(6e7 / plan.bpm)),), ((0, numerator, denominator),))


def planned_music_of(plan: Plan) -> PlannedMusic:
    """Its grid as one tempo and one time signature, its key and its sections."""
    numerator, denominator = map(int, plan.metre.split("/"))
    signature = TimeSignature(0.0, numerator, denominator)
    beat = signature.beat_ticks / TICKS_PER_BEAT
    beats = [at * beat * 60 / plan.bpm for at in range(round(plan.quarters / beat))]
    tonic, mode = plan.key.split()
    bar_s = BEATS_A_BAR[plan.metre] * 60 / plan.bpm
    return PlannedMusic(
        tempo_bpm=plan.bpm / beat,
        beats_s=beats,
        downbeats_s=beats[:: signature.bar_ticks // signature.beat_ticks],
        signature=signature,
        swing=plan.swing if genre_data(plan.genre).swing_unit == "eighth" else None,
        key=spelt(f"{tonic} {'minor' if mode in MINOR_MODES else 'major'}"),
        mode=None if mode in MODES else mode,
        sections=[PlannedSection(each.first_bar * bar_s, each.name) for each in plan.sections],
    )


def score_of(plan: Plan) -> Score:
    """Its notes, and its grid as one tempo and one time signature."""
    planned = planned_music_of(plan)
    parts = {stem: [part for part in plan.parts if part.stem == stem] for stem in stems_of(plan.parts)}
    music: dict[str, Any] = {
        "tempo_bpm": planned.tempo_bpm,
        "beats_s": planned.beats_s,
        "downbeats_s": planned.downbeats_s,
        "time_signatures": [asdict(planned.signature)],
        "swing": planned.swing,
    }
    if key_signature(plan.key):
        music |= {"key": plan.key, "keys": [], "key_confidence": 1.0}
    return Score(
        music,
        {
            stem: sorted(note for part in of_stem for note in notes_of(part, plan.bpm))
            for stem, of_stem in parts.items()
        },
        {stem: midi_program(_most(of_stem).sound) for stem, of_stem in parts.items() if of_stem},
        total_s(plan),
    )


def _most(parts: list[Part]) -> Part:
    return max(parts, key=lambda part: len(part.notes))


def _write_stem(plan: Plan, stem: Stem, parts: list[Part], path: Path) -> None:
    """All notes of a stem on one track, with the program of the part that has most of them."""
    write_notes(
        path,
        sorted(note for part in parts for note in notes_of(part, plan.bpm)),
        tempo=tempo_of(plan),
        name=stem,
        program=midi_program(_most(parts).sound),
        channel=DRUM_CHANNEL if stem == "drums" else 0,
        key=plan.key,
    )


def _write_all(plan: Plan, path: Path, provenance: str) -> None:
    import mido

    # Past fifteen parts with a pitch, channels are shared: the notes stay apart by their tracks.
    pitched = [part.name for part in plan.parts if not is_kit(part.sound)]
    channels = {name: _CHANNELS[place % len(_CHANNELS)] for place, name in enumerate(pitched)}
    tracks = [mido.MidiTrack(_conductor(plan, provenance))]
    tracks += [mido.MidiTrack(_played(part, channels.get(part.name, DRUM_CHANNEL))) for part in plan.parts]
    mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=tracks, charset="utf-8").save(path)


def _conductor(plan: Plan, provenance: str) -> Iterator[mido.MetaMessage]:
    """Title, provenance, key, tempo and metre, and a marker where each section begins."""
    import mido

    yield mido.MetaMessage("track_name", name=plan.title)
    yield mido.MetaMessage("text", text=provenance)
    yield from conducted(tempo_of(plan), plan.key)
    now = 0
    for section in plan.sections:
        at = round(section.first_bar * BEATS_A_BAR[plan.metre] * TICKS_PER_BEAT)
        yield mido.MetaMessage("marker", text=section.name, time=at - now)
        now = at


def _played(part: Part, channel: int) -> Iterator[mido.Message | mido.MetaMessage]:
    import mido

    yield mido.MetaMessage("track_name", name=part.name)
    yield mido.Message("program_change", channel=channel, program=midi_program(part.sound))
    pan = min(127, round(_MIDDLE * (1 + part.pan)))
    yield mido.Message("control_change", channel=channel, control=_PAN, value=pan)
    events = []
    for onset, length, pitch, velocity in part.notes:
        begins = round(onset * TICKS_PER_BEAT)
        ends = max(begins + 1, round((onset + length) * TICKS_PER_BEAT))
        events.append((begins, 1, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((ends, 0, mido.Message("note_off", channel=channel, note=pitch, velocity=0)))
    now = 0
    for at, _, message in sorted(events, key=lambda event: event[:2]):
        yield message.copy(time=at - now)
        now = at

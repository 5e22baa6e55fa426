"""Plans as MIDI files and JSON, read back by pretty_midi and mido."""

from __future__ import annotations

import mido
import pretty_midi
import pytest

from resonate_resources.composition.plan import Part, Plan, PlannedSection
from resonate_resources.composition.writing import planned_music_of, score_of, write_plan
from resonate_tests.resources.composition.sound import plans

SAID = "composed by rules, seed 1"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_plan(plans.house(8), tmp_path_factory.mktemp("plan"), SAID)


def test_the_plan_can_be_read_back(written):
    assert Plan.model_validate_json(written["plan.json"].read_text(encoding="utf-8")) == plans.house(8)


def test_one_file_has_all_parts_with_their_programs_and_names(written):
    heard = pretty_midi.PrettyMIDI(str(written["all.mid"]))
    parts = {part.name: part for part in plans.house(8).parts}
    assert {instrument.name for instrument in heard.instruments} == parts.keys()
    for instrument in heard.instruments:
        assert len(instrument.notes) == len(parts[instrument.name].notes)
        assert instrument.is_drum == (parts[instrument.name].stem == "drums")
    programs = {each.name: each.program for each in heard.instruments}
    assert programs["Piano"] == 0  # General MIDI's Acoustic Grand Piano
    assert heard.get_tempo_changes()[1][0] == pytest.approx(124, abs=0.01)


def test_notes_lie_where_the_plan_has_them(written):
    heard = pretty_midi.PrettyMIDI(str(written["all.mid"]))
    (lead,) = (instrument for instrument in heard.instruments if instrument.name == "Lead")
    planned = next(part for part in plans.house(8).parts if part.name == "Lead").notes
    for note, (onset, length, pitch, velocity) in zip(
        sorted(lead.notes, key=lambda each: each.start), planned, strict=True
    ):
        assert note.start == pytest.approx(onset * 60 / 124, abs=0.001)
        assert note.end == pytest.approx((onset + length) * 60 / 124, abs=0.001)
        assert (note.pitch, note.velocity) == (pitch, velocity)


def test_sections_are_markers_and_how_it_was_made_is_told(written):
    conductor = mido.MidiFile(written["all.mid"]).tracks[0]
    now, markers = 0, []
    for message in conductor:
        now += message.time
        if message.type == "marker":
            markers.append((now / 960 / 4, message.text))
    assert markers == [(0, "verse"), (4, "chorus")]
    assert SAID in {message.text for message in conductor if message.type == "text"}
    assert {message.key for message in conductor if message.type == "key_signature"} == {"Am"}


def test_each_stem_that_plays_has_a_file_of_its_notes(written):
    assert written.keys() == {"plan.json", "all.mid", "drums.mid", "bass.mid", "other.mid", "piano.mid"}
    other = pretty_midi.PrettyMIDI(str(written["other.mid"]))
    planned = sum(len(part.notes) for part in plans.house(8).parts if part.stem == "other")
    assert sum(len(instrument.notes) for instrument in other.instruments) == planned
    assert pretty_midi.PrettyMIDI(str(written["drums.mid"])).instruments[0].is_drum


@pytest.mark.parametrize("metre", ["3/4", "6/8", "7/8"])
def test_the_metre_is_written(tmp_path, metre):
    plan = plans.plan("folk", 100, 4, [plans.house(4).parts[3]]).model_copy(update={"metre": metre})
    heard = pretty_midi.PrettyMIDI(str(write_plan(plan, tmp_path, SAID)["all.mid"]))
    (signature,) = heard.time_signature_changes
    assert f"{signature.numerator}/{signature.denominator}" == metre


def test_more_parts_than_midi_has_channels_are_written(tmp_path):
    notes = ((0.0, 1.0, 60, 90),)
    many = [Part(name=f"part {n}", stem="other", role="pad", sound="strings", notes=notes) for n in range(20)]
    heard = pretty_midi.PrettyMIDI(
        str(write_plan(plans.plan("ambient", 90, 4, many), tmp_path, SAID)["all.mid"])
    )
    assert len([note for each in heard.instruments for note in each.notes]) == 20


def test_a_score_is_counted_in_the_beats_of_its_metre():
    plan = plans.plan("folk", 90, 4, [plans.house(4).parts[3]]).model_copy(update={"metre": "6/8"})
    music = score_of(plan).music
    assert music["tempo_bpm"] == pytest.approx(60)  # dotted quarters
    assert music["beats_s"] == pytest.approx(range(8))
    assert music["downbeats_s"] == pytest.approx([0, 2, 4, 6])


def test_a_score_in_a_church_mode_tells_no_key():
    in_mode = score_of(plans.rock(4).model_copy(update={"key": "E phrygian"})).music
    assert "key" not in in_mode
    assert score_of(plans.rock(4).model_copy(update={"key": "E minor"})).music["key"] == "E minor"


@pytest.mark.parametrize(
    ("planned", "told"),
    [
        ("E minor", ("E minor", None)),
        ("E phrygian", ("E minor", "phrygian")),
        ("D dorian", ("D minor", "dorian")),
        ("F lydian", ("F major", "lydian")),
        ("A# minor", ("Bb minor", None)),
    ],
)
def test_a_church_mode_is_told_as_the_key_of_its_tonic_and_third(planned, told):
    music = planned_music_of(plans.rock(4).model_copy(update={"key": planned}))
    assert (music.key, music.mode) == told


def test_planned_sections_begin_on_their_bars():
    sections = (
        PlannedSection(name="verse", first_bar=0, bars=3, energy=0.5),
        PlannedSection(name="chorus", first_bar=3, bars=1, energy=0.8),
    )
    plan = plans.rock(4).model_copy(update={"sections": sections, "bpm": 120.0})
    assert [(each.name, each.start_s) for each in planned_music_of(plan).sections] == [
        ("verse", 0.0),
        ("chorus", 6.0),
    ]

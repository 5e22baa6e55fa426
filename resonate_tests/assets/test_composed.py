"""A track that begins with words goes through the same stages as one that begins with a file."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import numpy as np
import pretty_midi
import pytest

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import ORIGIN
from resonate_assets.partitions import tracks
from resonate_assets.referencing import heard_by
from resonate_resources.brief.brief import Brief
from resonate_resources.composition.plan import Plan
from resonate_resources.exporting.track_song import MADE, song_of
from resonate_resources.ingestion.intake import identify
from resonate_resources.ingestion.words import Words
from resonate_resources.profiling.key import Keys
from resonate_resources.profiling.profile import KeySpan, Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.recording import AudioError, write_samples
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import S3Resource, StorageResource

PROMPT = {"prompt": "techno in C minor, 130 bpm", "seed": 5, "asked": {"bars": 4}}
AFTER_STEMS = ("analysis", "mix_plan", "mix", "master")
AS_FAR_AS_STEMS = (*ORIGIN, "brief", "raw_track", "profile", "restored_track", "stems", "restored_stems")


class Home:
    def __init__(self, instance: dg.DagsterInstance, storage: StorageResource, folder: Path) -> None:
        self.instance, self.storage, self.folder = instance, storage, folder

    @classmethod
    def within(cls, folder: Path) -> Home:
        storage = StorageResource(
            root=str(folder / "home"),
            s3=S3Resource(),
            cache=str(folder / "cache"),
            database=f"sqlite:///{folder / 'home.sqlite'}",
        )
        return cls(dg.DagsterInstance.ephemeral(), storage, folder)

    def drop(self, asked: object, name: str = "song.compose.json") -> str:
        """The track that a file becomes."""
        file = self.folder / name
        file.write_text(json.dumps(asked), encoding="utf-8")
        source = identify(file, str(file))
        self.storage.sources.register(source)
        self.instance.add_dynamic_partitions(str(tracks.name), [source.track])
        return source.track

    def run(self, track: str, *stages: str) -> dg.ExecuteInProcessResult:
        defs = build_defs(resource_overrides={"storage": self.storage})
        return defs.resolve_job_def("process_track").execute_in_process(
            instance=self.instance,
            partition_key=track,
            asset_selection=[dg.AssetKey(stage) for stage in stages],
            raise_on_error=False,
        )

    def made(self, stage: str, track: str) -> Artefact:
        found = self.storage.artefacts.current(stage, track)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    home = Home.within(tmp_path_factory.mktemp("composed"))
    track = home.drop(PROMPT)
    assert home.run(track, *AS_FAR_AS_STEMS).success
    return home, track


@pytest.fixture(scope="module")
def written(composed: tuple[Home, str]) -> Artefact:
    home, track = composed
    assert home.run(track, "midi").success
    return home.made("midi", track)


@pytest.fixture(scope="module")
def plan(composed: tuple[Home, str]) -> Plan:
    home, track = composed
    return Plan.read(home.made("generated_stems", track).path("plan.json"))


@pytest.fixture
def heard_as_e_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is heard is heard in E flat major, the relative key of C minor, and is heard anew."""
    heard = Keys(
        "Eb major", 0.9, 3.0, (KeySpan(start_s=0, end_s=8, key="Eb major", mode=None, confidence=0.9),)
    )
    monkeypatch.setattr("resonate_resources.profiling.analysis.estimate_keys", lambda *_: heard)
    monkeypatch.setattr("resonate_resources.profiling.resource.CODE_VERSION", "another")


def midi_of(artefact: Artefact, name: str) -> pretty_midi.PrettyMIDI:
    return pretty_midi.PrettyMIDI(str(artefact.path(name)))


@pytest.fixture
def home(instance: dg.DagsterInstance, storage: StorageResource, tmp_path: Path) -> Home:
    return Home(instance, storage, tmp_path)


def test_the_track_is_the_sum_of_its_stems(composed: tuple[Home, str]) -> None:
    home, track = composed
    generated = home.made("generated_stems", track).stems()
    whole = home.made("raw_track", track).recording("track.wav").read()
    assert np.array_equal(whole, np.sum([stem.read() for stem in generated.values()], axis=0))
    assert np.abs(whole).max() > 0.1


@pytest.mark.parametrize("stage", ["stems", "restored_stems"])
def test_its_stems_are_those_that_it_was_composed_as_and_nothing_is_restored(
    composed: tuple[Home, str], stage: str
) -> None:
    home, track = composed
    generated, kept = home.made("generated_stems", track).stems(), home.made(stage, track).stems()
    assert {name: stem.sha256 for name, stem in kept.items()} == {
        name: stem.sha256 for name, stem in generated.items()
    }


@pytest.mark.usefixtures("heard_as_e_flat")
def test_its_profile_is_of_its_plan_whatever_is_heard(composed: tuple[Home, str], plan: Plan) -> None:
    home, track = composed
    assert home.run(track, "profile").success
    made = home.made("profile", track)
    profile = Profile.read(made.path("profile.json"))
    assert (plan.key, plan.bpm, plan.metre, plan.bars) == ("C minor", 130.0, "4/4", 4)
    assert (profile.key, profile.camelot, profile.tempo_bpm, profile.metre) == ("C minor", "5A", 130.0, "4/4")
    assert [(span.key, span.confidence) for span in profile.keys] == [("C minor", 1.0)]
    assert profile.tuning_cents == 3.0
    assert profile.beats_s == pytest.approx([beat * 60 / 130 for beat in range(16)])
    assert profile.downbeats_s == pytest.approx([bar * 240 / 130 for bar in range(4)])
    assert [(section.name, section.start_s) for section in profile.sections] == [
        (section.name, pytest.approx(section.first_bar * 240 / 130)) for section in plan.sections
    ]
    assert "tempo, beats, metre, key, sections by the plan" in made.manifest.notes
    assert (made.manifest.made_from or {}).keys() == {"brief", "raw_track", "generated_stems"}


@pytest.mark.usefixtures("heard_as_e_flat")
def test_what_another_engine_played_is_profiled_as_it_is_heard(
    composed: tuple[Home, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, track = composed
    monkeypatch.setattr("resonate_resources.composition.engines.composer.Composer.name", "somebody else")
    assert home.run(track, "profile").success
    made = home.made("profile", track)
    assert made.read_json("profile.json")["key"] == "Eb major"
    assert (made.manifest.made_from or {}).keys() == {"brief", "raw_track"}
    monkeypatch.undo()
    assert home.run(track, "profile").success  # as it was, for the others


@pytest.mark.usefixtures("heard_as_e_flat")
def test_a_composition_is_checked_by_what_is_heard_in_it(composed: tuple[Home, str]) -> None:
    home, track = composed
    heard = heard_by(ProfilingResource(), None, home.made("raw_track", track).recording("track.wav"))
    assert heard.key == "Eb major"


def planned_notes(plan: Plan, stem: str) -> list[tuple[int, float, float, int]]:
    """Pitch, onset and end in s, and velocity, from the plan's quarters."""
    return sorted(
        (pitch, onset * 60 / plan.bpm, (onset + length) * 60 / plan.bpm, velocity)
        for part in plan.parts
        if part.stem == stem
        for onset, length, pitch, velocity in part.notes
    )


def notes_in(artefact: Artefact, name: str) -> list[pretty_midi.Note]:
    read = [note for part in midi_of(artefact, name).instruments for note in part.notes]
    return sorted(read, key=lambda note: (note.pitch, note.start))


def test_its_midi_is_told_as_the_plans_notes(written: Artefact) -> None:
    assert written.note_files == ["vocals.mid", "drums.mid", "bass.mid", "other.mid"]
    assert written.manifest.notes == ("notes of the plan, not transcribed",)
    assert (written.manifest.made_from or {}).keys() == {"generated_stems"}


@pytest.mark.parametrize("stem", ["drums", "bass", "vocals"])
def test_its_midi_is_of_the_notes_that_it_was_played_from(written: Artefact, plan: Plan, stem: str) -> None:
    found, expected = notes_in(written, f"{stem}.mid"), planned_notes(plan, stem)
    assert [(each.pitch, each.velocity) for each in found] == [(each[0], each[3]) for each in expected]
    times = [second for each in found for second in (each.start, each.end)]
    assert times == pytest.approx(
        [second for each in expected for second in each[1:3]], abs=0.001
    )  # two ticks
    assert written.manifest.measures[f"{stem}_notes"] == len(expected)
    assert bool(expected) == (stem != "vocals")


def test_parts_of_a_stem_in_unison_are_one_note_of_its_midi(written: Artefact, plan: Plan) -> None:
    found, expected = notes_in(written, "other.mid"), planned_notes(plan, "other")
    strokes = [
        (pitch, onset)
        for number, (pitch, onset, *_) in enumerate(expected)
        if number == 0 or expected[number - 1][0] != pitch or onset - expected[number - 1][1] > 0.02
    ]
    assert 10 < len(strokes) < len(expected)
    assert [each.pitch for each in found] == [pitch for pitch, _ in strokes]
    assert [each.start for each in found] == pytest.approx([onset for _, onset in strokes], abs=0.001)


def test_its_midi_has_tempo_bars_key_and_general_midi_drums_of_the_plan(
    written: Artefact, plan: Plan
) -> None:
    drums = midi_of(written, "drums.mid")
    assert [part.is_drum for part in drums.instruments] == [True]
    assert drums.get_tempo_changes()[1] == pytest.approx([130.0], abs=0.001)
    assert [(each.numerator, each.denominator) for each in drums.time_signature_changes] == [(4, 4)]
    assert [each.key_number for each in drums.key_signature_changes] == [12]  # C minor by pretty_midi
    assert drums.get_downbeats()[:4] == pytest.approx([bar * 4 * 60 / 130 for bar in range(4)], abs=0.001)


def test_its_quantised_midi_lies_on_the_plans_sixteenths(written: Artefact) -> None:
    for name in ("quantised/drums.mid", "quantised/bass.mid"):
        sixteenths = np.array([each.start for each in notes_in(written, name)]) * 130 / 60 * 4
        assert sixteenths == pytest.approx(np.round(sixteenths), abs=0.01)


def test_what_another_engine_played_is_transcribed(
    composed: tuple[Home, str], written: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, track = composed
    monkeypatch.setattr("resonate_resources.composition.engines.composer.Composer.name", "somebody else")
    assert home.run(track, "midi").success
    heard = home.made("midi", track).manifest
    assert (heard.made_from or {}).keys() == {"brief", "stems", "profile"}
    assert "notes of the plan, not transcribed" not in heard.notes


def test_it_is_told_as_composed_with_its_words_seed_and_licence(composed: tuple[Home, str]) -> None:
    home, track = composed
    facts = home.made("raw_track", track).read_json("track.json")
    assert facts["composed"] == {
        "label": "composed by rules",
        "engine": "composer",
        "model": None,
        "licence": "GPL-3.0-or-later",
        "seed": 5,
        "prompt": PROMPT["prompt"],
    }
    assert facts["tags"]["title"] == PROMPT["prompt"]
    assert "seed 5" in facts["tags"]["comment"]


def test_what_was_understood_and_assumed_is_kept(composed: tuple[Home, str]) -> None:
    home, track = composed
    request = home.made("composition", track).read_json("request.json")
    assert (request["request"]["bpm"], request["request"]["key"]) == (130.0, "C minor")
    assert any("assumed: " in note for note in home.made("composition", track).manifest.notes)


def test_a_composition_stays_as_it_is_by_a_later_composer(
    composed: tuple[Home, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, track = composed
    before = [home.made(stage, track).data_version for stage in ORIGIN]
    monkeypatch.setattr("resonate_resources.composition.resource.CODE_VERSION", "a later one")
    assert home.run(track, *ORIGIN).success
    assert [home.made(stage, track).data_version for stage in ORIGIN] == before


def test_of_a_file_nothing_is_composed(home: Home) -> None:
    song = home.folder / "song.wav"
    noise = 0.1 * np.random.default_rng(1).normal(size=(2, 44100)).astype(np.float32)
    write_samples(song, noise, 44100)
    source = identify(song, str(song))
    home.storage.sources.register(source)
    home.instance.add_dynamic_partitions(str(tracks.name), [source.track])
    assert home.run(source.track, *ORIGIN, "raw_track").success
    assert [home.storage.artefacts.current(stage, source.track) for stage in ORIGIN] == [None, None]
    assert home.made("raw_track", source.track).recording("track.wav").frames == 44100


def test_words_that_cannot_be_composed_are_listed_with_the_reason_and_are_no_track(home: Home) -> None:
    track = home.drop({"prompt": "house", "asked": {"key": "H sharp"}})
    assert not home.run(track, *ORIGIN).success
    (rejection,) = home.storage.sources.rejections()
    assert rejection.reason.startswith("song.compose.json: key: 'H sharp' is no key")
    assert home.instance.get_dynamic_partitions(str(tracks.name)) == []


def test_an_engine_without_weights_fails_with_a_line_and_the_track_stays(home: Home) -> None:
    track = home.drop({"prompt": "house", "engine": "musicgen"})
    assert not home.run(track, *ORIGIN).success
    assert home.instance.get_dynamic_partitions(str(tracks.name)) == [track]
    assert not home.storage.sources.rejections()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "says nothing to compose"),
        ({"prompt": "  "}, "says nothing to compose"),
        ({"prompt": "x" * 10_001}, "at most 10000 characters"),
        ({"prompt": "house", "seed": -1}, "greater than or equal to 0"),
        ({"prompt": "house", "colour": "blue"}, "colour: there is no such field"),
        ([], "should be an object"),
    ],
)
def test_a_file_of_words_that_is_none_is_refused_in_one_line(home: Home, asked: object, told: str) -> None:
    with pytest.raises(AudioError, match=told) as refused:
        home.drop(asked)
    assert str(refused.value).startswith("song.compose.json: ")
    assert "\n" not in str(refused.value)


def test_the_same_words_are_the_same_track_however_they_are_written_down() -> None:
    one = Words.parse('{"prompt": "house", "seed": 0}', "a.compose.json")
    other = Words.parse('{ "seed":0,\n "prompt":"house" }', "b.compose.json")
    assert one.source("a.compose.json").track == other.source("b.compose.json").track
    assert one.source("a.compose.json").track.startswith("house-")


def test_another_seed_is_another_track() -> None:
    one, other = (Words(prompt="house", seed=seed).source("a.compose.json").track for seed in (0, 1))
    assert one != other


def test_programs_for_music_get_the_plans_grid_with_its_notes(
    composed: tuple[Home, str], written: Artefact
) -> None:
    home, track = composed
    assert home.run(track, *AFTER_STEMS).success
    source = home.storage.sources.find(track)
    assert source is not None
    made = {stage: home.made(stage, track) for stage in MADE} | {"midi": written}
    song = song_of(source, Brief(), made, home.storage.artefacts)
    assert (song.tags.bpm, song.tags.key) == (130.0, "Cm")
    plan = Plan.read(home.made("generated_stems", track).path("plan.json"))
    assert [(section.name, section.start_s) for section in song.sections] == [
        (section.name.capitalize(), pytest.approx(section.first_bar * 240 / 130)) for section in plan.sections
    ]
    assert [beat.second for beat in song.beats()] == pytest.approx(
        [beat * 60 / 130 for beat in range(16)], abs=0.001
    )

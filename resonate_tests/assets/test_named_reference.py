"""Words that name a reference: a track of the library, or a file beside them, composed at a known tempo and key."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from resonate_assets.jobs import ORIGIN
from resonate_assets.named_reference import find_reference
from resonate_assets.partitions import tracks
from resonate_resources.analysis.resource import AnalysisResource
from resonate_resources.exporting.provenance import provenance_of
from resonate_resources.ingestion.intake import identify
from resonate_resources.ingestion.words import Words
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import AudioError, Progress
from resonate_resources.recordings.tags import Tags
from resonate_resources.separation.planning import Planned
from resonate_resources.separation.resource import SeparationResource
from resonate_resources.storage.heartbeats import heartbeats
from resonate_resources.storage.resource import StorageResource
from resonate_resources.transcription.resource import TranscriptionResource
from resonate_tests.assets.test_composed import AS_FAR_AS_STEMS, Home
from resonate_tests.resources.composition.engines import tiny_style

KNOWN = {"prompt": "house in A minor, 126 bpm", "seed": 3, "asked": {"bars": 16}}
BEGINS = "house-in-a-minor-126-bpm-"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    """A home in which a track of house in A minor at 126 BPM is analysed."""
    home = Home.within(tmp_path_factory.mktemp("library"))
    track = home.drop(KNOWN, "known.compose.json")
    assert home.run(track, *AS_FAR_AS_STEMS, "analysis").success
    return home, track


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    def analyse(*_: object, **__: object) -> None:
        raise AssertionError("a second analysis")

    monkeypatch.setattr(AnalysisResource, "analyse", analyse)


def test_a_track_of_the_library_lends_its_style_without_a_second_analysis(
    library: tuple[Home, str], unheard: None
) -> None:
    home, known = library
    track = home.drop({"reference": known, "seed": 4, "asked": {"bars": 8, "genre": "house"}})
    assert home.run(track, *ORIGIN).success
    made = home.made("composition", track)
    told = made.read_json("request.json")
    assert (told["request"]["bpm"], told["request"]["key"]) == (126.0, "A minor")
    heard = {each["field"]: (each["how"], each["words"]) for each in told["from_reference"]}
    name = f"Resonate – {KNOWN['prompt']}"
    assert heard["bpm"] == heard["key"] == ("reference", name)
    assert any(note == f"in the style of {name}" for note in made.manifest.notes)

    source = home.storage.sources.find(known)
    assert source is not None
    assert made.manifest.inputs["reference/sha256"] == source.sha256
    assert made.manifest.inputs["reference/name"] == name

    generated = home.made("generated_stems", track)
    report = generated.read_json("composition.json")
    assert "at least 0.85 wanted" in report["qa"]["similarity"]["detail"]
    assert 0.5 < float(generated.manifest.measures["similarity"]) <= 1.0  # another genre's median is 0.47
    assert generated.manifest.inputs["composition/reference.json"]
    assert home.run(track, "raw_track").success
    facts = home.made("raw_track", track).read_json("track.json")
    assert facts["composed"]["reference"] == name
    assert f"in the style of {name}" in facts["tags"]["comment"]


def test_a_file_beside_the_words_lends_its_style_and_what_was_made_of_it_stays(
    library: tuple[Home, str], unheard: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, known = library
    (home.folder / "sounds").mkdir()
    file = home.folder / "sounds" / "like this.wav"
    shutil.copy(home.made("raw_track", known).path("track.wav"), file)
    words = {"prompt": "in D minor", "reference": "sounds/like this.wav", "asked": {"bars": 8}}
    track = home.drop(words, "file.compose.json")
    assert not home.run(track, "composition").success  # it has to be heard, and can't be

    monkeypatch.undo()
    assert home.run(track, "composition").success
    before = home.made("composition", track)
    told = before.read_json("request.json")
    assert (told["request"]["bpm"], told["request"]["key"]) == (126.0, "D minor")  # words win
    assert told["reference"]["name"] == "like this.wav"
    file.unlink()
    assert home.run(track, "composition").success
    assert home.made("composition", track).manifest.key == before.manifest.key


SOUNDS_ASKED = {"reference_sounds": True, "asked": {"bars": 8, "genre": "house"}}


def assert_played_by(home: Home, track: str, name: str) -> None:
    """By sounds of the recording, which is told wherever the piece is."""
    made, generated = home.made("composition", track), home.made("generated_stems", track)
    assert "sounds/Bass.sfz" in made.manifest.files
    assert {
        "composition/sounds/Bass.sfz",
        "composition/sounds/LICENCE.txt",
    } <= generated.manifest.inputs.keys()
    report = generated.read_json("composition.json")
    played = {part for part, each in report["instruments"].items() if each["source"] == name}
    assert any("bass" in part for part in played)
    assert report["label"] == generated.manifest.notes[0] == "composed by rules, with sounds of a recording"
    (rights,) = [
        note for note in generated.manifest.notes if f"sounds of {name}; whoever holds the rights" in note
    ]
    assert set(rights.partition(":")[0].split(", ")) == played
    assert home.run(track, "brief", "raw_track").success
    raw = home.made("raw_track", track)
    facts = raw.read_json("track.json")
    assert facts["composed"]["sounds"] == report["sounds"] == rights
    assert facts["tags"]["comment"].endswith(rights)
    source = home.storage.sources.find(track)
    assert source is not None
    told = provenance_of(source, Tags(), [raw], home.storage.artefacts).to_json()["stages"]
    assert told["generated_stems"]["composed"]["sounds"] == rights  # type: ignore[call-overload,index]


def test_a_track_of_the_library_plays_by_its_own_stems_and_notes_and_they_are_not_made_twice(
    library: tuple[Home, str], unheard: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, known = library
    assert home.run(known, "midi").success

    def again(*_: object, **__: object) -> None:
        raise AssertionError("separated or transcribed twice")

    monkeypatch.setattr(SeparationResource, "separate", again)
    monkeypatch.setattr(TranscriptionResource, "transcribe", again)
    track = home.drop({**SOUNDS_ASKED, "reference": known, "seed": 4}, "own.compose.json")
    assert home.run(track, *ORIGIN).success
    name = f"Resonate – {KNOWN['prompt']}"
    assert_played_by(home, track, name)
    inputs = home.made("composition", track).manifest.inputs
    stems, midi = (home.made(stage, known).manifest.files for stage in ("stems", "midi"))
    for stem in ("drums", "bass", "other"):
        assert inputs[f"reference/stems/{stem}.wav"] == stems[f"{stem}.wav"].sha256
        assert inputs[f"reference/midi/{stem}.mid"] == midi[f"{stem}.mid"].sha256
    assert "reference/stems/vocals.wav" not in inputs  # a voice plays nothing

    before = home.made("composition", track).manifest
    monkeypatch.setattr("resonate_assets.named_reference.current_of", lambda *_: {})  # as if they were gone
    assert home.run(track, *ORIGIN).success
    assert home.made("composition", track).manifest.key == before.key
    other = home.drop(
        {"reference": known, "seed": 4, "asked": SOUNDS_ASKED["asked"]}, "other_sound.compose.json"
    )
    assert other != track


def test_a_file_is_separated_and_transcribed_in_places_of_their_own_and_may_go_after_that(
    library: tuple[Home, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, known = library
    true, held = home.made("stems", known).stems(), {}
    file = home.folder / "lent.wav"
    shutil.copy(home.made("raw_track", known).path("track.wav"), file)

    def places() -> list[str | None]:
        found = [each for each in heartbeats(home.storage.database, "pool") if each.name.startswith("cores@")]
        return [each.track for each in found]

    def separate(_: object, planned: Planned, into: Path, progress: Progress) -> Product:
        held["separating"] = places()
        files = {
            f"{name}.wav": Path(shutil.copy(stem.path, into / f"{name}.wav")) for name, stem in true.items()
        }
        return Product(files, engine=Engine("somebody"), recipe=Recipe(Engine("somebody")))

    transcribe = TranscriptionResource.transcribe

    def transcribed(*given: object) -> Product:
        held["transcribing"] = places()
        return transcribe(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(SeparationResource, "separate", separate)
    monkeypatch.setattr(TranscriptionResource, "transcribe", transcribed)
    track = home.drop({**SOUNDS_ASKED, "reference": "lent.wav"}, "lent.compose.json")
    assert home.run(track, "composition").success
    assert held == {"separating": [], "transcribing": [track]}
    made = home.made("composition", track).manifest
    assert "sounds of lent.wav, cut out of stems by somebody" in " ".join(made.notes)
    file.unlink()
    assert home.run(track, *ORIGIN).success
    assert home.made("composition", track).manifest.key == made.key
    assert_played_by(home, track, "lent.wav")


@pytest.mark.parametrize("beside", [{"prompt": "pop"}, {"reference": "a.wav", "engine": "musicgen-style"}])
def test_sounds_of_no_reference_or_by_another_engine_are_refused_in_one_line(
    beside: dict[str, object],
) -> None:
    with pytest.raises(AudioError) as refused:
        Words.parse(json.dumps({**beside, "reference_sounds": True}), "a.compose.json")
    told = "a.compose.json: reference_sounds: needs a reference, and the engine composer"
    assert str(refused.value) == told


def test_a_track_that_is_not_analysed_is_heard(library: tuple[Home, str]) -> None:
    home, known = library
    file = home.folder / "unheard.wav"
    samples, rate = sf.read(home.made("raw_track", known).path("track.wav"))
    sf.write(file, samples[: 15 * rate], rate)
    source = identify(file, str(file))
    home.storage.sources.register(source)
    home.instance.add_dynamic_partitions(str(tracks.name), [source.track])
    track = home.drop({"reference": source.track, "asked": {"bars": 4}}, "unheard.compose.json")
    assert home.run(track, "composition").success
    assert home.made("composition", track).read_json("request.json")["request"]["bpm"] == 126.0


def test_an_engine_that_hears_style_hears_the_reference(
    library: tuple[Home, str], unheard: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tiny_style.save(tmp_path / "models")))
    home, known = library
    asked = {"duration_s": 5}
    words = {"prompt": "ambient piano, no drums, no bass", "asked": asked, "engine": "musicgen-style"}
    track = home.drop({**words, "reference": known}, "styled.compose.json")
    assert home.run(track, *ORIGIN).success
    style = home.made("composition", track).recording("style.wav")
    assert style.duration == pytest.approx(3.0)  # its authors' setting
    generated = home.made("generated_stems", track)
    assert generated.manifest.engine.name == "musicgen-style"
    assert generated.read_json("composition.json")["label"] == "AI-generated"

    without = home.drop(words, "unstyled.compose.json")
    assert not home.run(without, *ORIGIN).success
    assert home.storage.artefacts.current("generated_stems", without) is None


def _silence(path: Path) -> None:
    sf.write(path, np.zeros(10 * 22_050), 22_050)


def _noise(path: Path) -> None:
    sf.write(path, np.random.default_rng(0).normal(0, 0.1, 10 * 22_050), 22_050)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_silence, "ref.wav: is silent; as a reference, give a recording of music"),
        (_noise, "ref.wav: neither a beat nor a key is heard in it"),
        (lambda path: path.write_text("la la la"), "ref.wav: is not audio"),
    ],
)
def test_what_is_no_music_is_listed_with_the_reason(
    library: tuple[Home, str], make: Callable[[Path], object], told: str
) -> None:
    home, _ = library
    make(home.folder / "ref.wav")
    track = home.drop({"reference": "ref.wav", "prompt": told}, "refused.compose.json")
    assert not home.run(track, *ORIGIN).success
    (reason,) = [each.reason for each in home.storage.sources.rejections() if each.track == track]
    assert reason.startswith(f"refused.compose.json: {told}")
    assert "\n" not in reason
    assert track not in home.instance.get_dynamic_partitions(str(tracks.name))


@pytest.mark.parametrize("named", ["gone.wav", "no-such-track-0123456789ab", "../../gone.wav"])
def test_a_reference_out_of_reach_fails_with_a_line_and_the_track_stays(
    library: tuple[Home, str], named: str
) -> None:
    home, _ = library
    track = home.drop({"reference": named, "prompt": "pop"}, "gone.compose.json")
    ended = home.run(track, "composition")
    (failed,) = [event for event in ended.all_events if event.is_step_failure]
    told = str(failed.step_failure_data.error)
    assert "gone.compose.json: reference: " in told
    assert "is neither a file nor the key of a track of the library" in told
    assert track in home.instance.get_dynamic_partitions(str(tracks.name))


def test_a_composition_that_is_not_made_yet_is_no_reference(library: tuple[Home, str]) -> None:
    home, _ = library
    other = home.drop({"prompt": "folk"}, "other.compose.json")
    track = home.drop({"reference": other}, "of_other.compose.json")
    ended = home.run(track, "composition")
    (failed,) = [event for event in ended.all_events if event.is_step_failure]
    assert "is not composed yet; have it composed first" in str(failed.step_failure_data.error)


@pytest.mark.parametrize("named", ["/etc/passwd", "s3://other/song.wav", "../../song.wav"])
def test_words_in_a_bucket_name_nothing_outside_it(
    storage: StorageResource, tmp_path: Path, named: str
) -> None:
    words = Words(prompt="pop", reference=named).source("s3://bucket/music/a.compose.json")
    with pytest.raises(AudioError, match="words in a bucket name a file in it"):
        find_reference(storage, named, words, tmp_path)


def test_words_in_a_bucket_name_what_lies_beside_them(
    storage: StorageResource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def local_copy(_: StorageResource, uri: str, directory: Path) -> Path:
        asked.append(uri)
        (directory / "song.wav").write_bytes(b"sound")
        return directory / "song.wav"

    monkeypatch.setattr(StorageResource, "local_copy", local_copy)
    words = Words(prompt="pop", reference="../song.wav").source("s3://bucket/music/a.compose.json")
    found = find_reference(storage, "../song.wav", words, tmp_path)
    assert asked == ["s3://bucket/song.wav"]
    assert found.sha256 == hashlib.sha256(b"sound").hexdigest()


def test_words_without_a_reference_are_the_track_that_they_were_before_there_were_any() -> None:
    words = Words.parse('{"prompt": "house", "reference": ""}', "a.compose.json")
    assert words.sha256 == Words(prompt="house").sha256
    assert Words(prompt="house", reference="a.wav").sha256 != words.sha256


def test_a_plan_takes_no_reference() -> None:
    with pytest.raises(AudioError, match="leave the reference out"):
        Words.parse('{"plan": {}, "reference": "a.wav"}', "a.compose.json")

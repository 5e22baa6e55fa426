"""What leaves the graph for programs: targets that the brief asks for, and `resonate export`."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mutagen
import numpy as np
import pytest
import soundfile as sf
from pyrekordbox import RekordboxXml

from resonate_assets.targets import TARGETS
from resonate_resources.recordings.recording import write_samples
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_tests.e2e.test_cli import resonate, track_of

COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Of IPTC's vocabulary of digital source types."""


@dataclass(frozen=True)
class Made:
    """A home in which two clips went through every stage, the first for every target."""

    home: Path
    clip: Path
    track: str
    other: str
    told: dict[str, Any]

    @property
    def folder(self) -> Path:
        [folder] = (self.home / "exports").glob("Björk - Jóga_*")
        return folder

    def export(self, target: str, out: Path, *more: str) -> Any:
        return resonate("export", target, self.track, "--home", self.home, "--out", out, *more)


def clip_at(path: Path, seconds: float, tone: float) -> Path:
    rate = 44100
    time = np.arange(round(seconds * rate)) / rate
    pulse = np.random.default_rng(1).normal(size=time.size) * np.exp(-30 * (time % 0.5))
    mix = 0.1 * pulse + 0.1 * sum(np.sin(2 * np.pi * hertz * time) for hertz in (55.0, tone, 1.5 * tone))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_samples(path, np.stack([mix, 0.8 * mix]).astype(np.float32), rate)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    home, inputs = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("inputs")
    clip = clip_at(inputs / "House" / "Jóga.wav", 12, 220.0)
    write_tags(clip, Tags(artist="Björk", title="Jóga", comment="made with suno; created=2026"))
    targets = f"exports.targets={json.dumps([*TARGETS])}"
    done = resonate("process", "--json", "--home", home, "--set", targets, clip)
    told = track_of(done)
    assert told["error"] is None
    other = track_of(resonate("process", "--json", "--home", home, clip_at(inputs / "Other.wav", 6, 330.0)))
    return Made(home, clip, told["track"], other["track"], told)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_target_stands_in_the_folder_as_metadata_tells(made: Made) -> None:
    files = read_json(made.folder / "metadata.json")["files"]
    of_targets = {one["stage"]: name for name, one in files.items() if one["stage"] in TARGETS}
    assert of_targets.keys() == TARGETS.keys() - {"mirrored"}
    assert {name: one["sha256"] for name, one in files.items()} == {
        str(path.relative_to(made.folder)): digest(path)
        for path in made.folder.rglob("*")
        if path.is_file() and path.name != "metadata.json"
    }
    for name in ("Björk - Jóga.dawproject", "Björk - Jóga (Stems).stem.mp4", "Björk - Jóga (Stems).zip"):
        assert name in files
    assert "Ableton Live/Björk - Jóga Project/Björk - Jóga.als" in files
    assert {"rekordbox/rekordbox.xml", "Serato/Jóga.wav", "midi/Björk - Jóga (MIDI).mid"} <= files.keys()
    instruments = [Path(name) for name in files if name.startswith("Björk - Jóga (Instruments)/")]
    assert {path.suffix for path in instruments} >= {".sfz", ".mid", ".wav", ".txt"}
    mirrored = sorted(path.name for path in (made.home / "mirrored").rglob("*") if path.is_file())
    assert mirrored == [
        f"Jóga_{part}" for part in ("Bass.wav", "Drums.wav", "Other.wav", "Provenance.json", "Vocals.wav")
    ]


def test_what_is_not_asked_for_is_not_made(made: Made) -> None:
    assets = track_of(resonate("process", "--json", "--home", made.home, made.clip.parents[1] / "Other.wav"))[
        "assets"
    ]
    assert {name: assets[name]["files"] for name in TARGETS} == {name: [] for name in TARGETS}
    assert all(assets[name]["from_cache"] for name in TARGETS)


def test_how_it_was_made_stands_beside_every_file_and_in_its_tags(made: Made) -> None:
    told = read_json(made.folder / "metadata.json")["provenance"]
    assert told["source_sha256"] == digest(made.clip)
    assert {"stems", "restored_stems", "master", "midi", "profile", "raw_track"} <= told["stages"].keys()
    for stage in ("stems", "midi"):
        assert told["stages"][stage]["licence"]
        assert told["stages"][stage]["settings"] is not None
    assert told["ai_generated"] is True  # its own tags say so
    assert told["digital_source_type"] == f"{COMPOSITE}trainedAlgorithmicMedia"
    in_tags = [
        json.loads(str(mutagen.File(path).tags["TXXX:PROVENANCE"]))
        for path in (made.folder / "Björk - Jóga (Vocals).wav", made.folder / "Björk - Jóga (Master).mp3")
    ]
    [flac] = mutagen.File(made.folder / "Björk - Jóga (Master).flac").tags["PROVENANCE"]
    [atom] = mutagen.File(made.folder / "Björk - Jóga (Stems).stem.mp4").tags[
        "----:com.apple.iTunes:PROVENANCE"
    ]
    in_tags += [json.loads(flac), json.loads(bytes(atom))]
    for one in in_tags:
        assert one["ai_generated"] is True
        assert one["track"] == made.track
    assert "master" not in in_tags[0]["stages"]  # no master made the stems
    assert "stems" in in_tags[0]["stages"]
    live = ElementTree.fromstring(
        gzip.decompress((made.folder / "Ableton Live/Björk - Jóga Project/Björk - Jóga.als").read_bytes())
    )
    assert "AI-generated" in live.find("LiveSet/Annotation").get("Value")  # type: ignore[union-attr,operator]
    quiet = next((made.home / "exports").glob("*Other_*/metadata.json"))
    assert read_json(quiet)["provenance"]["ai_generated"] is False


def test_what_was_changed_by_hand_is_kept(made: Made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    [folder] = (home / "exports").glob("Björk - Jóga_*")
    live = folder / "Ableton Live" / "Björk - Jóga Project" / "Björk - Jóga.als"
    live.write_bytes(b"hours of work")
    here = {"RESONATE_HOME": str(home)}
    resonate("brief", "set", made.track, "profile.key=F minor", "--home", home)
    done = track_of(resonate("process", "--json", "--home", home, made.clip, **here))
    assert done["error"] is None
    assert (live.parent / "Björk - Jóga (edited).als").read_bytes() == b"hours of work"
    assert gzip.decompress(live.read_bytes()).startswith(b"<?xml")
    edited = live.parent / "Björk - Jóga (edited).als"
    done = resonate("process", "--home", home, "--set", "exports.targets=[]", made.clip, **here)
    assert done.exit_code == 0, done.output
    assert edited.exists()
    assert not live.exists()
    assert not (home / "mirrored").exists()


@pytest.mark.parametrize(
    ("form", "bits", "rate"), [("flac", 16, 48_000), ("aiff", 24, 44_100), ("opus", None, 48_000)]
)
def test_stems_go_into_the_folder_in_the_form_that_is_asked_for(
    made: Made, tmp_path: Path, form: str, bits: int | None, rate: int
) -> None:
    settings = [f"exports.stem_format={form}", f"exports.stem_sample_rate={rate}"]
    settings += [f"exports.stem_bits={bits}"] if bits else []
    result = made.export("folder", tmp_path, *(word for one in settings for word in ("--set", one)))
    assert result.exit_code == 0, result.output
    [folder] = tmp_path.iterdir()
    levels = []
    for part in ("Vocals", "Drums", "Bass", "Other"):
        path = folder / f"Björk - Jóga ({part}).{form}"
        told = sf.info(path)
        assert told.samplerate == rate
        assert bits is None or told.subtype == f"PCM_{bits}"
        assert abs(told.duration - 12) < 0.01
        samples = sf.read(path)[0]
        original = sf.read(made.folder / f"Björk - Jóga ({part}).wav")[0]
        levels.append((np.sqrt(np.mean(samples**2)), np.sqrt(np.mean(original**2))))
        assert "replaygain" in str(mutagen.File(path).tags).lower() or form == "opus"
    loud = [(now, before) for now, before in levels if before > 1e-4]
    ratios = np.array([now / before for now, before in loud])
    assert loud
    assert np.ptp(20 * np.log10(ratios)) < 0.3  # all are turned alike


def test_a_form_that_does_not_exist_is_refused(made: Made, tmp_path: Path) -> None:
    result = made.export(
        "archive", tmp_path, "--set", "exports.stem_format=flac", "--set", "exports.stem_bits=32"
    )
    assert result.exit_code == 1
    assert "flac has 16 or 24 bits" in result.output


@pytest.mark.parametrize("target", ["folder", *TARGETS])
def test_an_export_is_written_once_and_never_over_something_else(
    made: Made, tmp_path: Path, target: str
) -> None:
    first = made.export(target.replace("_", "-"), tmp_path, "--json")
    assert first.exit_code == 0, first.output
    [one] = json.loads(first.stdout)["tracks"]
    assert one["error"] is None
    files = [Path(file) for file in one["files"]]
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(files)
    before = {path: (path.stat().st_mtime_ns, digest(path)) for path in files}
    assert made.export(target, tmp_path).exit_code == 0
    assert {path: (path.stat().st_mtime_ns, digest(path)) for path in files} == before
    files[0].write_bytes(b"mine")
    refused = made.export(target, tmp_path)
    assert refused.exit_code == 1
    assert "--replace writes over it" in refused.stderr
    assert files[0].read_bytes() == b"mine"
    assert made.export(target, tmp_path, "--replace").exit_code == 0
    assert digest(files[0]) == before[files[0]][1]


def test_several_tracks_are_one_collection_of_rekordbox(made: Made, tmp_path: Path) -> None:
    result = resonate("export", "rekordbox", "--all", "--home", made.home, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    xml = RekordboxXml(tmp_path / "rekordbox.xml")
    assert sorted(track.Name for track in xml.get_tracks()) == ["Jóga", "Other"]
    assert {Path(track.Location).name for track in xml.get_tracks()} == {"Jóga.wav", "Other.wav"}
    assert len(list(tmp_path.glob("*(Provenance).json"))) == 2


def test_a_crate_of_serato_grows(made: Made, tmp_path: Path) -> None:
    from serato_tools.crate import Crate

    for track in (made.track, made.other):
        assert resonate("export", "serato", track, "--home", made.home, "--out", tmp_path).exit_code == 0
    crate = Crate(str(tmp_path / "_Serato_/Subcrates/Resonate.crate"))
    names = [Path(path).name for path in crate.tracks()]
    assert sorted(names) == ["Jóga.wav", "Other.wav"]


def test_stems_from_elsewhere_become_a_live_set(made: Made, tmp_path: Path) -> None:
    stems = tmp_path / "Some Song"
    stems.mkdir()
    for part in ("Vocals", "Drums", "Bass"):
        shutil.copy(made.folder / f"Björk - Jóga ({part}).wav", stems / f"Some Song - {part}.wav")
    result = resonate("export-ableton", stems, "--bpm", "120", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    [one] = json.loads(result.stdout)["tracks"]
    names = [Path(file).name for file in one["files"]]
    assert {"Some Song.als", "Vocals.wav", "Drums.wav", "Bass.wav"} <= set(names)
    for _, path in enumerate(one["files"]):
        assert Path(path).is_file()
    (stems / "notes.txt").write_text("no sound")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    refused = resonate("export-ableton", nothing, "--out", tmp_path / "out2")
    assert refused.exit_code == 1
    assert "there are no stems in it" in refused.output


def test_what_can_not_be_exported_is_one_line(made: Made, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for arguments, told in (
        (("ableton", "nobody"), "no track's key begins so"),
        (("live", made.track), "is none of folder, ableton"),
        (("ableton",), "give tracks, or --all"),
    ):
        result = resonate("export", *arguments, "--home", made.home, "--out", tmp_path / "out")
        assert result.exit_code != 0
        assert told in result.output
    refused = resonate("export", "ableton", made.track, "--home", made.home, "--out", file / "out")
    assert refused.exit_code == 1
    assert "can't be written to" in refused.output
    assert not (tmp_path / "out").exists() or not [*(tmp_path / "out").rglob("*")]


def test_a_track_that_is_not_finished_does_not_stop_the_others(made: Made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    (home / "artefacts" / "midi" / made.track / "manifest.json").unlink()
    result = resonate("export", "archive", made.track, made.other, "--home", home, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"has no midi yet: `resonate retry {made.track}` makes it" in result.stderr
    assert [path.suffix for path in sorted((tmp_path / "out").iterdir())] == [".json", ".zip"]


def test_a_file_that_became_another_song_is_not_given_out_as_the_track(made: Made, tmp_path: Path) -> None:
    home, source = tmp_path / "home", made.clip
    shutil.copytree(made.home, home)
    before = source.read_bytes()
    try:
        clip_at(source, 3, 500.0)
        for target in ("serato", "rekordbox"):
            result = resonate("export", target, made.track, "--home", home, "--out", tmp_path / target)
            assert result.exit_code == 0, result.output
            assert "has changed since it came in" in result.output
            [flac] = (tmp_path / target).glob("*(Original).flac")
            assert sf.info(flac).duration == pytest.approx(12, abs=0.01)
    finally:
        source.write_bytes(before)


def test_two_songs_of_one_name_do_not_take_each_others_place(made: Made, tmp_path: Path) -> None:
    home, inputs = tmp_path / "home", tmp_path / "inputs"
    shutil.copytree(made.home, home)
    twin = clip_at(inputs / "Other.wav", 3, 415.0)
    done = track_of(resonate("process", "--json", "--home", home, twin))
    twin.unlink()  # so that both go out as FLAC, or by the same name
    (made.clip.parents[1] / "Other.wav").rename(tmp_path / "Other.wav")
    try:
        out = tmp_path / "rekordbox"
        result = resonate("export", "rekordbox", made.other, done["track"], "--home", home, "--out", out)
        assert result.exit_code == 0, result.output
        xml = RekordboxXml(out / "rekordbox.xml")
        locations = {Path("/" + track.Location.lstrip("/")) for track in xml.get_tracks()}
        assert len(locations) == 2
        assert {round(sf.info(path).duration) for path in locations} == {3, 6}
        assert len(list(out.glob("*Provenance*.json"))) == 2
        out = tmp_path / "archive"
        both = resonate(
            "export", "archive", made.other, done["track"], "--replace", "--home", home, "--out", out
        )
        assert both.exit_code == 1
        assert "was just written of another track" in both.stderr
    finally:
        (tmp_path / "Other.wav").rename(made.clip.parents[1] / "Other.wav")

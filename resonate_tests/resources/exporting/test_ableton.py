"""A Live set as abletoolz and logic2ableton find it, in the order of a set that Live itself wrote."""

from __future__ import annotations

import colorsys
import gzip
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.exporting.ableton.target import AbletonLive
from resonate_resources.exporting.song import Marker, Song
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import (
    AudioError,
    DestinationError,
    silent,
)
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature
from resonate_tests.reader_environments import read_with
from resonate_tests.resources.exporting.live_sets import (
    FOUR,
    GRIDS,
    ON_LINE_S,
    PLAYED,
    SECONDS,
    SECTIONS,
    WITHIN_S,
    Written,
    a_song,
    written,
)
from resonate_tests.resources.exporting.songs_for_decks import mapped


@pytest.fixture(scope="module")
def of_grid(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Written]:
    @cache
    def made(name: str) -> Written:
        folder = tmp_path_factory.mktemp("song")
        song = a_song(folder, GRIDS[name], notes={"drums": PLAYED, "vocals": []})
        return written(song, folder / "out")

    return made


@pytest.mark.parametrize("name", GRIDS)
def test_every_beat_is_at_its_second_by_tempo_and_by_each_clips_warp(
    name: str, of_grid: Callable[[str], Written]
) -> None:
    found = of_grid(name)
    beats = found.song.beats()
    told = found.logic([beat.quarter for beat in beats])
    seconds = [beat.second for beat in beats]
    assert seconds == mapped(GRIDS[name])
    np.testing.assert_allclose(told["by_tempo"], seconds, rtol=0, atol=WITHIN_S)
    assert told["by_warp"].keys() == {"Vocals", "Drums", "Bass", "Other", "Master"}
    for by_warp in told["by_warp"].values():
        np.testing.assert_allclose(by_warp, seconds, rtol=0, atol=WITHIN_S)


@pytest.mark.parametrize("name", GRIDS)
def test_bars_begin_with_downbeats(name: str, of_grid: Callable[[str], Written]) -> None:
    found, downbeats = of_grid(name), GRIDS[name].downbeats_s
    last = found.song.tempo_map.quarter(SECONDS)
    lines: list[float] = []
    signatures = [(max(at, 0.0), *rest) for at, *rest in found.logic()["signatures"]]
    for (at, numerator, denominator), (end, *_) in pairwise([*signatures, (last, 4, 4)]):
        lines += np.arange(at, end - 1e-6, 4 * numerator / denominator).tolist()
    told = np.array(found.logic(lines)["by_tempo"])
    for downbeat in downbeats:
        assert np.abs(told - downbeat).min() < ON_LINE_S
    within = (told > downbeats[0] - ON_LINE_S) & (told < downbeats[-1] + ON_LINE_S)
    assert within.sum() == len(downbeats)


def test_a_steady_tempo_is_one_and_a_drifting_one_steps_on_the_way(of_grid: Callable[[str], Written]) -> None:
    assert of_grid("steady").logic()["tempi"] == [[-63072000, 120]]
    assert of_grid("steady").abletoolz()["bpm"] == 120
    tempi = of_grid("drifting").logic()["tempi"][1:]
    assert len(tempi) > 4
    for before, after in zip(tempi[::2], tempi[1::2], strict=True):  # at one place both, or Live would glide
        assert before[0] == after[0]
    grown = [bpm for at, bpm in tempi if at > 3]
    assert 117.5 < grown[0] < 119
    assert 123 < grown[-1] < 124.5


def test_stems_are_a_coloured_group_with_the_master_muted_beside_it(
    of_grid: Callable[[str], Written],
) -> None:
    found = of_grid("drifting")
    group, *tracks = found.abletoolz()["tracks"]
    assert (group["kind"], group["name"], group["group"]) == ("GroupTrack", "Stems", "-1")
    told = [(track["kind"], track["name"], track["group"] == group["id"]) for track in tracks]
    assert told == [
        *(("AudioTrack", name, True) for name in ("Vocals", "Drums", "Bass", "Other")),
        ("AudioTrack", "Master", False),
        ("MidiTrack", "Drums MIDI", False),
    ]
    hues = {
        "Vocals": (310, 340),
        "Drums": (90, 130),
        "Bass": (195, 230),
        "Other": (15, 40),
    }  # pink, green, blue, orange
    for track in tracks:
        assert track["clip_colours"] == [track["colour"]]
        red, green, blue = (int(track["colour"][at : at + 2], 16) / 255 for at in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
        if (name := track["name"].removesuffix(" MIDI")) in hues:
            assert hues[name][0] < 360 * hue < hues[name][1]
        else:
            assert saturation < 0.05
    speakers = {
        track.find("Name/EffectiveName").get("Value"): track.find("DeviceChain/Mixer/Speaker/Manual").get(
            "Value"
        )  # type: ignore[union-attr]
        for track in found.tree().findall("LiveSet/Tracks/AudioTrack")
    }
    assert [name for name, on in speakers.items() if on == "false"] == ["Master"]


def test_the_project_holds_all_that_it_plays_as_it_was(
    of_grid: Callable[[str], Written], tmp_path: Path
) -> None:
    found = of_grid("drifting")
    moved = tmp_path / "somewhere else"
    for name, path in found.product.files.items():
        (moved / name).parent.mkdir(parents=True, exist_ok=True)
        (moved / name).write_bytes(path.read_bytes())
    [als] = moved.rglob("*.als")
    assert als.relative_to(moved) == Path("Björk - Jóga Project/Björk - Jóga.als")
    told = read_with("abletoolz", str(als))
    assert Path(told["project"]) == als.parent
    assert [sample["exists"] for sample in told["samples"]] == [True] * 5
    clips = read_with("logic2ableton", str(als), "[]")["audio"]
    for part, recording in (*found.song.stems.items(), ("master", found.song.master)):
        [clip] = clips[part.capitalize()]
        assert (clip["source_issue"], clip["is_disabled"], clip["start_beats"]) == (None, False, 0)
        sound, rate = sf.read(clip["source_path"], dtype="float32", always_2d=True)
        assert rate == recording.sample_rate
        np.testing.assert_array_equal(sound.T, recording.read())
    assert str(found.folder).encode() not in gzip.decompress(als.read_bytes())


def test_locators_are_at_sections(of_grid: Callable[[str], Written]) -> None:
    found = of_grid("drifting")
    quarters, names = zip(*found.logic()["locators"], strict=True)
    assert list(names) == [section.name for section in SECTIONS]
    starts = [section.start_s for section in SECTIONS]
    np.testing.assert_allclose(found.logic(quarters)["by_tempo"], starts, rtol=0, atol=WITHIN_S)


def test_notes_sound_when_they_were_played(of_grid: Callable[[str], Written]) -> None:
    found = of_grid("drifting")
    midi = found.logic()["midi"]
    assert midi.keys() == {"Drums MIDI"}  # of a stem without notes there is no track
    [clip] = midi["Drums MIDI"]
    starts = [note["start_beats"] for note in clip["notes"]]
    ends = [note["start_beats"] + note["duration_beats"] for note in clip["notes"]]
    tick_s = 0.001
    at = {name: found.logic(quarters)["by_tempo"] for name, quarters in (("on", starts), ("off", ends))}
    np.testing.assert_allclose(at["on"], [note.onset_s for note in PLAYED], rtol=0, atol=tick_s)
    # Struck again while it sounds, a key of Live's sounds anew; in MIDI the next end of a key is that of both.
    np.testing.assert_allclose(at["off"], [0.9, 7.3, 7.5, 20.1], rtol=0, atol=tick_s)
    assert [(note["pitch"], note["velocity"]) for note in clip["notes"]] == [
        (note.pitch, note.velocity) for note in PLAYED
    ]


def test_bends_that_a_set_does_not_hold_are_told(tmp_path: Path) -> None:
    glide = Note(1.0, 2.0, 60, 90, bends=((0.0, 0.0), (0.5, 1.0)))
    song = a_song(tmp_path, GRIDS["steady"], notes={"vocals": [glide, Note(3.0, 4.0, 62, 90)]})
    assert written(song, tmp_path / "out").product.notes == (
        "notes that bend keep their pitch in the set: 1",
    )


@pytest.mark.parametrize(
    ("key", "scale"), [("Ebm", ("3", "Minor")), ("F#", ("6", "Major")), ("Cb", ("11", "Major"))]
)
def test_the_set_has_the_songs_key(key: str, scale: tuple[str, str], tmp_path: Path) -> None:
    song = replace(a_song(tmp_path, GRIDS["steady"]), tags=Tags(title="x", key=key))
    said = written(song, tmp_path / "out").tree().find("LiveSet/ScaleInformation")
    assert said is not None
    assert tuple(said.find(name).get("Value") for name in ("RootNote", "Name")) == scale  # type: ignore[union-attr]


@pytest.mark.parametrize(("bpm", "tempo"), [(None, 120), (97.5, 97.5)])
def test_without_beats_nothing_is_warped_and_that_is_told(
    bpm: float | None, tempo: float, tmp_path: Path
) -> None:
    found = written(a_song(tmp_path, Grid(), bpm=bpm), tmp_path / "out")
    told = found.logic()
    assert told["tempi"] == [[-63072000, pytest.approx(tempo, rel=1e-6)]]
    for [clip] in told["audio"].values():
        assert not clip["is_warped"]
        assert clip["end_beats"] == pytest.approx(SECONDS * tempo / 60, rel=1e-6)
    notes = ["no beats were tracked: clips are not warped", "no tempo is known: the set's is a mere ruler"]
    assert list(found.product.notes) == notes[: 1 if bpm else 2]


def test_tempi_that_live_does_not_play_are_held_and_told(tmp_path: Path) -> None:
    """A first beat after 12 ms makes a sixteenth of them: 1250 BPM."""
    beats = np.arange(0.012, SECONDS, 0.5)
    grid = Grid(beats.tolist(), beats[::4].tolist(), [TimeSignature(0.012, 4, 4)])
    found = written(a_song(tmp_path, grid), tmp_path / "out")
    assert all(20 <= tempo <= 999 for _, tempo in found.logic()["tempi"])
    told = found.logic([beat.quarter for beat in found.song.beats()])
    np.testing.assert_allclose(told["by_warp"]["Drums"], beats, rtol=0, atol=WITHIN_S)
    assert [note.partition(":")[0] for note in found.product.notes] == [
        "Live plays 20 to 999 quarter notes a minute"
    ]


@pytest.mark.parametrize("parts", [("vocals", "drums", "bass"), (*FOUR, "piano", "guitar"), ()], ids=len)
def test_as_many_stems_as_there_are(parts: tuple[str, ...], tmp_path: Path) -> None:
    found = written(a_song(tmp_path, GRIDS["steady"], parts=parts), tmp_path / "out")
    grouped = [track["name"] for track in found.abletoolz()["tracks"] if track["group"] != "-1"]
    assert grouped == [part.capitalize() for part in parts]


@pytest.mark.parametrize(("rate", "channels", "level"), [(8000, 1, 0.1), (192_000, 2, 0.0), (44_100, 1, 0.0)])
def test_any_rate_one_channel_and_silence(rate: int, channels: int, level: float, tmp_path: Path) -> None:
    song = a_song(
        tmp_path, GRIDS["steady"], parts=("drums",), rate=rate, channels=channels, level=level, seconds=2.5
    )
    tree = written(song, tmp_path / "out").tree()
    for said in tree.iter("SampleRef"):
        values = [said.find(name).get("Value") for name in ("DefaultDuration", "DefaultSampleRate")]  # type: ignore[union-attr]
        assert values == [str(round(2.5 * rate)), str(rate)]


@pytest.mark.parametrize(
    ("artist", "title"),
    [
        ("Sigur Rós", "Ágætis byrjun"),
        ("AC/DC", 'T.N.T. "live": <A\\B>'),
        ("🎧 ", "🔥🔥"),
        ("x" * 300, "ü" * 300),
        (None, None),
    ],
)
def test_any_name_makes_a_project_that_every_system_can_hold(
    artist: str | None, title: str | None, tmp_path: Path
) -> None:
    song = replace(a_song(tmp_path, GRIDS["steady"], parts=("drums",)), tags=Tags(artist=artist, title=title))
    song = replace(song, sections=(Marker("\x00\ud800\uffff🎤 Hook", 0.0, 5.0),))
    found = written(song, tmp_path / "out")
    for name in found.product.files:
        for part in Path(name).parts:
            assert len(part.encode()) < 256
            assert not set('<>:"\\|?*') & set(part)
    assert [sample["exists"] for sample in found.abletoolz()["samples"]] == [True, True]
    assert [name for _, name in found.logic()["locators"]] == ["🎤 Hook"]


def test_what_can_be_pointed_at_has_a_number_of_its_own(of_grid: Callable[[str], Written]) -> None:
    tree = of_grid("drifting").tree()
    pointees = [
        int(element.get("Id", ""))
        for element in tree.iter()
        if element.tag.endswith("Target")
        or element.tag.startswith("ControllerTargets")
        or element.tag == "Pointee"
        if element.get("Id")
    ]
    assert len(pointees) == len(set(pointees)) > 100
    [next_id] = tree.iter("NextPointeeId")
    assert int(next_id.get("Value", "")) > max(pointees)
    envelopes = [int(element.get("Value", "")) for element in tree.iter("PointeeId")]
    targets = {
        int(tree.find(f"LiveSet/MasterTrack/DeviceChain/Mixer/{name}/AutomationTarget").get("Id"))  # type: ignore[union-attr, arg-type]
        for name in ("Tempo", "TimeSignature")
    }
    assert set(envelopes) == targets
    scenes = len(tree.findall("LiveSet/Scenes/Scene"))
    for sequencer in (*tree.iter("MainSequencer"), *tree.findall("LiveSet/Tracks/GroupTrack/Slots")):
        slots = [*sequencer.findall("ClipSlotList/ClipSlot"), *sequencer.findall("GroupTrackSlot")]
        assert len(slots) == scenes


LIVE_11 = {
    *("MasterTrack", "SongMasterValues", "AutoColorPickerForReturnAndMasterTracks", "ChooserBar"),
    *(
        "ViewStateSesstionTrackWidth",
        "VelocityDetail",
        "ReWireSlaveMidiTargetId",
        "ExpressionLane",
        "RootNote",
    ),
    *("ViewStateArrangerHasDetail", "ViewStateSessionHasDetail", "ViewStateDetailIsSample"),
    *("ViewStateExtendedClipProperties", "ViewStateSessionMixerHeight"),
    *("ArrangerMixer", "ArrangerTrackDelay", "SessionMixer", "SessionTrackDelay"),
}
"""What Live 12 calls otherwise or no longer has: DawVert's classes are those of Live 11."""
NOT_IN_AN_EMPTY_SET = {"AudioClip", "MidiClip", "GroupTrack", "Slots", "Locator", "MidiNoteEvent"}


def test_elements_stand_where_live_itself_puts_them(of_grid: Callable[[str], Written]) -> None:
    """Against the empty set of Live 12 that logic2ableton has."""
    found = of_grid("drifting")
    live = ElementTree.fromstring(gzip.decompress(Path(found.logic()["template"]).read_bytes()))
    known: dict[str, list[list[str]]] = {}
    for element in live.iter():
        if len(element):
            known.setdefault(element.tag, []).append([*dict.fromkeys(child.tag for child in element)])
    known["MasterTrack"], known["GroupTrack"] = known["MainTrack"], known["AudioTrack"]
    elsewhere, compared = set(), 0
    for element in found.tree().iter():
        if not len(element) or element.tag not in known:
            continue
        ours = [*dict.fromkeys(child.tag for child in element)]
        theirs = {tag for each in known[element.tag] for tag in each}
        elsewhere |= set(ours) - theirs
        if element.tag in (
            "Tracks",
            "DeviceChain",
        ):  # of a group, which has its devices before what is frozen
            continue
        ours = [tag for tag in ours if tag in theirs]
        assert any([tag for tag in each if tag in ours] == ours for each in known[element.tag]), element.tag
        compared += 1
    assert elsewhere - NOT_IN_AN_EMPTY_SET == LIVE_11
    assert compared > 500


def test_the_same_song_makes_the_same_bytes(tmp_path: Path) -> None:
    song = a_song(tmp_path, GRIDS["drifting"], notes={"drums": PLAYED})
    first, second = (written(song, tmp_path / name).product.files for name in ("once", "twice"))
    assert [path.read_bytes() for path in first.values()] == [path.read_bytes() for path in second.values()]


def test_broken_midi_files_and_folders_that_cannot_be_made_are_told_in_one_line(tmp_path: Path) -> None:
    song = a_song(tmp_path, GRIDS["steady"])
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "out").mkdir()
    with pytest.raises(AudioError, match=r"broken\.mid"):
        AbletonLive().write(replace(song, notes={"bass": tmp_path / "broken.mid"}), tmp_path / "out", silent)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "Björk - Jóga Project").write_text("a file")
    with pytest.raises(DestinationError):
        AbletonLive().write(song, tmp_path / "taken", silent)


@st.composite
def wandering(draw: st.DrawFn) -> Grid:
    second, beat, beats = draw(st.floats(0, 3)), draw(st.floats(0.25, 1.3)), []
    while second < SECONDS and len(beats) < 60:
        beats.append(second)
        beat = min(max(beat * draw(st.floats(0.9, 1.1)), 0.25), 1.3)
        second += beat
    return Grid(beats, beats[::4], [TimeSignature(beats[0], 4, 4)])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Song:
    return a_song(tmp_path_factory.mktemp("plain"), Grid(), parts=(), channels=1)


@given(grid=wandering())
@settings(max_examples=40)
def test_warp_markers_rise_and_nothing_is_stretched_at_the_sets_own_tempo(grid: Grid, plain: Song) -> None:
    song = replace(plain, grid=grid, tempo_map=TempoMap.of(grid, None))
    with TemporaryDirectory() as folder:
        tree = written(song, Path(folder) / "out").tree()
    markers = [
        (float(each.get("SecTime", "")), float(each.get("BeatTime", ""))) for each in tree.iter("WarpMarker")
    ]
    seconds, quarters = map(np.array, zip(*markers, strict=True))
    assert len(markers) >= 2
    assert (np.diff(seconds) > 0).all()
    assert (np.diff(quarters) > 0).all()
    for beat in mapped(grid):
        assert np.abs(seconds - beat).min() <= WITHIN_S
    tempi = [(float(each.get("Time", "")), float(each.get("Value", ""))) for each in tree.iter("FloatEvent")]
    if all(20 < tempo < 999 for _, tempo in tempi):
        steps = [tempi[0], *tempi[2::2]]
        for (second, quarter), (later, after) in pairwise(markers):
            holding = [tempo for at, tempo in steps if at <= (quarter + after) / 2][-1]
            assert (after - quarter) / (later - second) * 60 == pytest.approx(holding, rel=2e-3)

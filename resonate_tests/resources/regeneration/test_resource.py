from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import REBUILT, AudioError, Recording, Stems, write_samples
from resonate_resources.regeneration.brief import RegenerationBrief
from resonate_resources.regeneration.facts import Heard
from resonate_resources.regeneration.resource import LEFT_OUT, REPORT, RegenerationResource
from resonate_resources.signal.loudness import measure_loudness
from resonate_studio.demo_song import Composition, DemoSong

_BRIEF = RegenerationBrief()


def write_midi(path: Path, notes: list[tuple[float, float, int]], *, drums: bool = False) -> Path:
    """(onset, duration, pitch) in seconds as a MIDI file."""
    instrument = pretty_midi.Instrument(program=0, is_drum=drums)
    instrument.notes = [pretty_midi.Note(100, pitch, onset, onset + length) for onset, length, pitch in notes]
    midi = pretty_midi.PrettyMIDI(resolution=960)
    midi.instruments.append(instrument)
    midi.write(str(path))
    return path


def song_midi(composition: Composition, into: Path) -> dict[str, Path]:
    return {
        stem: write_midi(
            into / f"{stem}.mid",
            [(note.onset_s, note.duration_s, note.pitch) for note in notes],
            drums=stem == "drums",
        )
        for stem, notes in composition.notes.items()
    }


@pytest.fixture(scope="module")
def regenerated(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Product:
    midi = song_midi(demo_song.composition, tmp_path_factory.mktemp("midi"))
    into = tmp_path_factory.mktemp("regenerated")
    return regenerate_all(midi, demo_song.stems, into, RegenerationBrief(instruments="all"))


def regenerate_all(
    midi: Mapping[str, Path], stems: Stems, into: Path, brief: RegenerationBrief = _BRIEF
) -> Product:
    return RegenerationResource().regenerate(midi, stems, Heard(), brief, into)


def noise(
    path: Path, *, seconds: float = 3.0, rate: int = 44_100, channels: int = 2, level: float = 0.1
) -> Recording:
    samples = level * np.random.default_rng(0).standard_normal((channels, max(1, round(seconds * rate))))
    return write_samples(path, samples.astype(np.float32), rate)


def regenerate(original: Recording, midi: Path, into: Path, stem: str = "other") -> Recording:
    into.mkdir()
    product = regenerate_all({stem: midi}, {stem: original}, into)
    return Recording.open(product.files[f"{stem}.wav"])


def test_every_stem_has_the_length_rate_and_channels_of_its_original(
    regenerated: Product, demo_song: DemoSong
) -> None:
    assert list(regenerated.files) == ["vocals.wav", "drums.wav", "bass.wav", "other.wav", REBUILT, LEFT_OUT]
    for name, original in demo_song.stems.items():
        made = Recording.open(regenerated.files[f"{name}.wav"])
        assert (made.frames, made.sample_rate, made.channels) == (
            original.frames,
            original.sample_rate,
            original.channels,
        )


def test_every_stem_is_as_loud_as_its_original(regenerated: Product, demo_song: DemoSong) -> None:
    for name, original in demo_song.stems.items():
        made = measure_loudness(Recording.open(regenerated.files[f"{name}.wav"])).integrated_lufs
        assert made == pytest.approx(measure_loudness(original).integrated_lufs, abs=0.5)


def test_every_note_of_the_song_is_played(regenerated: Product, demo_song: DemoSong) -> None:
    notes = demo_song.composition.notes
    # In "other", pad and keys meet on one pitch at times: one key, one note.
    for name in ("vocals", "drums", "bass"):
        assert regenerated.measures[f"{name}_notes"] == len(notes[name])
    assert regenerated.notes == ()


def test_nothing_but_the_files_of_the_product_is_left_behind(regenerated: Product) -> None:
    folder = regenerated.files["bass.wav"].parent
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert sorted(left) == sorted([*regenerated.files.values(), *regenerated.reports.values()])


def test_the_same_midi_gives_the_same_bytes(
    regenerated: Product, demo_song: DemoSong, tmp_path: Path
) -> None:
    midi = song_midi(demo_song.composition, tmp_path)
    (tmp_path / "again").mkdir()
    again = regenerate_all(midi, demo_song.stems, tmp_path / "again")
    for name, path in regenerated.files.items():
        assert path.read_bytes() == again.files[name].read_bytes()


@pytest.mark.parametrize(
    ("rate", "channels", "seconds"),
    [(8_000, 1, 3.0), (22_050, 2, 3.0), (48_000, 6, 3.0), (96_000, 2, 3.1), (192_000, 1, 2.0)],
)
def test_any_rate_and_channel_count_comes_out_as_it_went_in(
    rate: int, channels: int, seconds: float, tmp_path: Path
) -> None:
    bursts = noise(tmp_path / "in.wav", rate=rate, channels=channels, seconds=seconds).read()
    seconds_of = np.arange(bursts.shape[1]) / rate
    bursts[:, (seconds_of < 0.5) | ((seconds_of > 1.3) & (seconds_of < 1.4)) | (seconds_of > 1.9)] = 0
    original = write_samples(tmp_path / "bursts.wav", bursts, rate)
    midi = write_midi(tmp_path / "other.mid", [(0.5, 0.8, 60), (1.4, 0.5, 67)])

    (tmp_path / "out").mkdir()
    brief = RegenerationBrief(instruments="own")
    product = regenerate_all({"other": midi}, {"other": original}, tmp_path / "out", brief)
    made = Recording.open(product.files["other.wav"])

    assert (made.frames, made.sample_rate, made.channels) == (original.frames, rate, channels)
    assert measure_loudness(made).integrated_lufs == pytest.approx(
        measure_loudness(original).integrated_lufs, abs=0.5
    )
    sound = made.read()[0]
    onset = np.argmax(np.abs(sound) > 0.25 * np.abs(sound).max()) / rate
    assert onset == pytest.approx(0.5, abs=0.005)


def test_without_notes_there_is_silence(tmp_path: Path) -> None:
    made = regenerate(noise(tmp_path / "in.wav"), write_midi(tmp_path / "empty.mid", []), tmp_path / "out")
    assert made.frames == 3 * 44_100
    assert not made.read().any()


def test_what_was_silent_stays_silent(tmp_path: Path) -> None:
    original = noise(tmp_path / "in.wav", level=0.0)
    made = regenerate(original, write_midi(tmp_path / "other.mid", [(0.0, 1.0, 60)]), tmp_path / "out")
    assert not made.read().any()


def test_a_single_sample_comes_out_as_one(tmp_path: Path) -> None:
    original = noise(tmp_path / "in.wav", seconds=0)
    made = regenerate(original, write_midi(tmp_path / "other.mid", [(0.0, 1.0, 60)]), tmp_path / "out")
    assert made.frames == 1


def test_notes_after_the_end_of_the_original_are_not_played(tmp_path: Path) -> None:
    midi = write_midi(tmp_path / "other.mid", [(0.5, 0.5, 60), (3.5, 0.5, 60)])
    (tmp_path / "out").mkdir()
    stems: Stems = {"other": noise(tmp_path / "in.wav")}
    assert regenerate_all({"other": midi}, stems, tmp_path / "out").measures["other_notes"] == 1


def test_progress_ends_at_one(tmp_path: Path) -> None:
    seen: list[float] = []
    (tmp_path / "out").mkdir()
    midi = {name: write_midi(tmp_path / f"{name}.mid", [(0.0, 1.0, 45)]) for name in ("bass", "drums")}
    stems = dict.fromkeys(midi, noise(tmp_path / "in.wav"))
    RegenerationResource().regenerate(midi, stems, Heard(), _BRIEF, tmp_path / "out", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_report_tells_what_plays_each_stem_and_what_else_might(regenerated: Product) -> None:
    report = json.loads(regenerated.reports[REPORT].read_text(encoding="utf-8"))
    assert set(report["stems"]) == {"vocals", "drums", "bass", "other"}
    assert 0 <= report["copied"] <= 1
    for name, stem in report["stems"].items():
        distances = [one["distance_db"] for one in stem["candidates"]]
        assert distances == sorted(distances)
        assert len(distances) >= 2
        assert stem["label"] == stem["candidates"][0]["label"] == regenerated.measures[f"{name}_instrument"]


def test_a_stem_that_is_kept_is_the_original_and_is_called_so(tmp_path: Path) -> None:
    stems: Stems = {
        name: noise(tmp_path / f"{name}.wav", level=level) for name, level in (("vocals", 0.1), ("bass", 0.2))
    }
    midi = {name: write_midi(tmp_path / f"{name}.mid", [(0.5, 1.0, 45)]) for name in stems}
    (tmp_path / "out").mkdir()
    product = regenerate_all(midi, stems, tmp_path / "out", RegenerationBrief(keep=("vocals",)))
    kept, played = (Recording.open(product.files[f"{name}.wav"]).read() for name in stems)
    np.testing.assert_array_equal(kept, stems["vocals"].read())
    assert not np.array_equal(played, stems["bass"].read())
    assert product.measures["vocals_kept"] is True
    assert "bass_kept" not in product.measures
    report = json.loads(product.reports[REPORT].read_text(encoding="utf-8"))
    assert [stem["kept"] for stem in report["stems"].values()] == [True, False]


def test_a_stem_is_played_by_what_the_brief_names(tmp_path: Path) -> None:
    stems: Stems = {"bass": noise(tmp_path / "bass.wav")}
    midi = {"bass": write_midi(tmp_path / "bass.mid", [(0.5, 0.5, 45), (1.5, 0.5, 45)])}
    for named, kind in (("faust", "faust"), ("additive", "additive"), ("own notes", "sampler")):
        (tmp_path / kind).mkdir()
        brief = RegenerationBrief(stems={"bass": named})
        product = regenerate_all(midi, stems, tmp_path / kind, brief)
        report = json.loads(product.reports[REPORT].read_text(encoding="utf-8"))
        assert {one["kind"] for one in report["stems"]["bass"]["candidates"]} == {kind}


def test_an_instrument_that_is_not_to_be_had_is_one_clear_line(tmp_path: Path) -> None:
    stems: Stems = {"bass": noise(tmp_path / "bass.wav")}
    midi = {"bass": write_midi(tmp_path / "bass.mid", [(0.5, 0.5, 45)])}
    with pytest.raises(AudioError, match=r"^bass: no instrument called theremin can play it"):
        regenerate_all(midi, stems, tmp_path, RegenerationBrief(stems={"bass": "theremin"}))


def test_what_is_played_by_synthesis_copies_nothing(tmp_path: Path) -> None:
    stems: Stems = {"bass": noise(tmp_path / "bass.wav")}
    midi = {"bass": write_midi(tmp_path / "bass.mid", [(0.5, 0.5, 45), (1.5, 0.5, 52)])}
    (tmp_path / "out").mkdir()
    product = regenerate_all(midi, stems, tmp_path / "out", RegenerationBrief(instruments="faust"))
    assert product.measures["bass_copied"] == 0
    np.testing.assert_allclose(
        Recording.open(product.files[LEFT_OUT]).read(),
        Recording.open(product.files["bass.wav"]).read(),
        atol=1e-6,
    )


def side_share(stems: Stems) -> float:
    """Of the sum: energy of the side against all."""
    left, right = np.sum([stem.read() for stem in stems.values()], axis=0, dtype=np.float64)
    return float(np.square(left - right).sum() / 2 / (np.square(left).sum() + np.square(right).sum()))


def test_rounds_better_what_the_judge_finds_and_are_told(tmp_path: Path) -> None:
    """By a judge who wants all of it narrower, and tells by how much."""
    stems: Stems = {"bass": noise(tmp_path / "bass.wav"), "other": noise(tmp_path / "other.wav", level=0.05)}
    midi = {name: write_midi(tmp_path / f"{name}.mid", [(0.5, 1.0, 45), (1.6, 1.0, 45)]) for name in stems}
    seen: list[float] = []

    def judge(made: Stems, folder: Path) -> dict[str, object]:
        assert folder.is_dir()
        assert list(made) == ["bass", "other"]
        seen.append(side_share(made))
        total = 100 * (1 - seen[-1])
        width = {"score": total, "detail": "", "stem": "bass", "change": 3.0}
        return {"total": total, "accepted": False, "matched": False, "dimensions": {"stereo_width": width}}

    (tmp_path / "out").mkdir()
    brief = RegenerationBrief(rounds=2)
    product = RegenerationResource().regenerate(midi, stems, Heard(), brief, tmp_path / "out", judge)
    made = {name: Recording.open(product.files[f"{name}.wav"]) for name in stems}
    assert len(seen) == 3
    assert side_share(made) == pytest.approx(min(seen), abs=1e-6)
    assert min(seen) < 0.9 * seen[0]
    assert product.measures["rounds"] == 2
    assert product.measures["gained"] == pytest.approx(100 * (seen[0] - min(seen)), abs=0.02)
    curve = json.loads(product.reports["loop.json"].read_text(encoding="utf-8"))
    assert [each["kept"] for each in curve["rounds"]][:2] == [True, True]
    assert curve["rounds"][1]["change"]["path"] == "stems.bass.width"
    assert "round 1: bass width from 1 to 0.7" in product.notes[1]
    assert product.reports["picture.png"].read_bytes().startswith(b"\x89PNG")
    report = json.loads(product.reports[REPORT].read_text(encoding="utf-8"))
    assert report["decisions"]["stems"]["bass"]["width"] < 0.75
    left = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert left == {*product.files.values(), *product.reports.values()}


def test_nothing_is_judged_where_no_rounds_are_asked_for(tmp_path: Path) -> None:
    midi = {"bass": write_midi(tmp_path / "bass.mid", [(0.5, 1.0, 45)])}
    (tmp_path / "out").mkdir()
    product = RegenerationResource().regenerate(
        midi,
        {"bass": noise(tmp_path / "bass.wav")},
        Heard(),
        RegenerationBrief(rounds=0),
        tmp_path / "out",
        lambda *_: pytest.fail("judged"),
    )
    assert "rounds" not in product.measures
    assert set(product.reports) == {REPORT}


def test_a_model_that_is_not_set_up_is_one_clear_line(tmp_path: Path) -> None:
    midi = {"bass": write_midi(tmp_path / "bass.mid", [(0.5, 1.0, 45)])}
    stems: Stems = {"bass": noise(tmp_path / "bass.wav")}
    with pytest.raises(
        AudioError, match=r"^regeneration\.decisions=model needs a model: set RESONATE_CONDUCTOR"
    ):
        regenerate_all(midi, stems, tmp_path, RegenerationBrief(decisions="model"))

"""`resonate loudness`, `mix` and `master`, beside the standard's own signals and a peer's meter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

from resonate_studio.cli import main

RATE = 48_000


def resonate(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def told(*arguments: object) -> dict[str, Any]:
    result = resonate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def tone(path: Path, level_dbfs: float, seconds: float = 20.0) -> Path:
    wave = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)
    sf.write(path, np.stack([wave, wave], axis=1), RATE, subtype="PCM_24")
    return path


@pytest.mark.parametrize("level_dbfs", [-23.0, -33.0])
def test_loudness_meets_cases_1_and_2_of_ebu_tech_3341(level_dbfs: float, tmp_path: Path) -> None:
    found = told("loudness", tone(tmp_path / "tone.wav", level_dbfs))
    assert list(found) == [
        "integrated_lufs",
        "loudness_range_lu",
        "momentary_max_lufs",
        "short_term_max_lufs",
        "true_peak_dbtp",
        "sample_peak_dbfs",
    ]
    for name in ("integrated_lufs", "momentary_max_lufs", "short_term_max_lufs"):
        assert found[name] == pytest.approx(level_dbfs, abs=0.1)
    assert found["true_peak_dbtp"] == pytest.approx(level_dbfs, abs=0.2)
    assert found["loudness_range_lu"] == pytest.approx(0, abs=0.1)
    lines = resonate("loudness", tmp_path / "tone.wav").output.splitlines()
    assert lines[0] == f"integrated            {level_dbfs:.1f} LUFS"


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    sf.write(tmp_path / "silence.wav", np.zeros((RATE, 2)), RATE)
    found = told("loudness", tmp_path / "silence.wav")
    assert found["integrated_lufs"] is None
    assert found["true_peak_dbtp"] is None
    assert "none" in resonate("loudness", tmp_path / "silence.wav").output


@pytest.mark.parametrize("command", ["loudness", "master"])
def test_what_is_no_audio_is_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_text("ffconcat version 1.0\n")
    more = ("--out", tmp_path / "out.wav") if command == "master" else ()
    result = resonate(command, tmp_path / "song.mp3", *more)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "song.mp3" in result.output
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(("target", "lufs"), [("ebu-r128", -23.0), ("-18.5", -18.5), ("Apple", -16.0)])
@pytest.mark.parametrize("form", ["wav", "flac"])
def test_a_master_is_as_loud_as_asked(target: str, lufs: float, form: str, tmp_path: Path) -> None:
    out = tmp_path / f"out.{form}"
    found = told("master", tone(tmp_path / "tone.wav", -30.0, 5.0), "--target", target, "--out", out)
    samples, rate = sf.read(out)
    assert (rate, sf.info(out).subtype) == (RATE, "PCM_24")
    assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(lufs, abs=0.1)
    assert found["integrated_lufs"] == pytest.approx(lufs, abs=0.1)
    assert found["limiting_db"] == 0


def test_an_mp3_at_another_rate_is_measured_as_it_decodes(tmp_path: Path) -> None:
    out = tmp_path / "out.mp3"
    source = tone(tmp_path / "tone.wav", -30.0, 5.0)
    found = told("master", source, "--rate", 44100, "--peak", -2, "--out", out)
    samples, rate = sf.read(out)
    assert rate == 44_100
    assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(-14, abs=0.1)
    assert found["true_peak_dbtp"] <= -2


@pytest.mark.parametrize("form", ["m4a", "opus"])
def test_several_targets_make_several_files(form: str, tmp_path: Path) -> None:
    source, out = tone(tmp_path / "tone.wav", -30.0, 5.0), tmp_path / f"out.{form}"
    found = told("master", source, "--target", "spotify", "--target", "apple", "--target", -20, "--out", out)
    assert found["integrated_lufs"] == pytest.approx(-14, abs=0.1)
    assert [each["file"] for each in found["also"]] == [
        str(tmp_path / f"out-{label}.{form}") for label in ("apple", "20lufs")
    ]
    for path, lufs in (
        (out, -14),
        (tmp_path / f"out-apple.{form}", -16),
        (tmp_path / f"out-20lufs.{form}", -20),
    ):
        assert told("loudness", path)["integrated_lufs"] == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(("channels", "lufs"), [(8, -21.08), (12, -19.28)])
def test_immersive_channels_are_weighed_by_the_standard(channels: int, lufs: float, tmp_path: Path) -> None:
    """The same sine of −27 dBFS (−30.01 LUFS) in each of 7.1 (3 + 2 + 2 · 1.41) and 7.1.4 (4 more)."""
    weights = 3 + 2 + 2 * 1.41 + (4 if channels == 12 else 0)
    wave = 10 ** (-27 / 20) * np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE)
    sf.write(tmp_path / "a.wav", np.stack([wave] * channels, axis=1), RATE, subtype="PCM_24")
    assert lufs == pytest.approx(-30.01 + 10 * np.log10(weights), abs=0.02)
    assert told("loudness", tmp_path / "a.wav")["integrated_lufs"] == pytest.approx(lufs, abs=0.05)


def test_channels_that_loudness_is_not_defined_for_are_one_line(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros((RATE, 11)), RATE)
    result = resonate("loudness", tmp_path / "a.wav")
    assert result.exit_code == 1
    assert "11 channels" in result.output
    assert result.output.count("\n") == 1


def test_what_would_need_more_limiting_than_allowed_says_so(tmp_path: Path) -> None:
    clicks = np.zeros((5 * RATE, 1))
    clicks[::RATE] = 0.9
    clicks += 0.01 * np.random.default_rng(0).standard_normal(clicks.shape)
    sf.write(tmp_path / "clicks.wav", clicks, RATE)
    result = resonate("master", tmp_path / "clicks.wav", "--limiting", 2, "--out", tmp_path / "out.wav")
    assert result.exit_code == 0
    assert "over 2.0 dB off its peaks" in result.output


def strokes(path: Path, hertz: tuple[int, int], levels: tuple[float, float]) -> Path:
    time = np.arange(6 * RATE) / RATE
    waves = sum(level * np.sin(2 * np.pi * f * time) for f, level in zip(hertz, levels, strict=True))
    sf.write(path, np.exp(-(time % 0.5) / 0.1) * waves, RATE)
    return path


def test_a_file_is_mastered_towards_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dull = strokes(tmp_path / "dull.wav", (500, 4000), (0.3, 0.03))
    strokes(tmp_path / "bright.flac", (500, 4000), (0.2, 0.06))  # 9.5 dB more at 4 kHz
    command = ("master", dull, "--reference", "bright.flac", "--target", "-30", "--out", "out.wav")
    found = told(*command)
    assert found["notes"][0].startswith("moved towards bright.flac, by octave in dB: ")
    before, after = (np.abs(np.fft.rfft(sf.read(path)[0])) for path in (dull, "out.wav"))
    raised = 20 * np.log10(after[24_000] / before[24_000] * before[3_000] / after[3_000])
    assert raised == pytest.approx(9.5, abs=0.5)
    assert "reference_amount: 2.0 can't be used" in resonate(*command, "--amount", "2").output
    (tmp_path / "bright.flac").write_text("no music")
    result = resonate(*command)
    assert result.exit_code == 1
    assert "mastering.reference: bright.flac: is not audio" in result.output
    assert result.output.count("\n") == 1


def test_what_is_finished_is_made_dense_where_that_is_set(tmp_path: Path) -> None:
    source = strokes(tmp_path / "strokes.wav", (500, 4000), (0.3, 0.1))
    command = ("master", source, "--target", -24, "--preset", "aggressive", "--out", tmp_path / "out.wav")
    plain = told(*command)
    dense = told(*command, "--set", "mastering.compress=1", "--set", "mastering.target_lufs=-25")
    assert plain["compressed_db"] == plain["clipped_db"] == 0
    assert dense["compressed_db"] > 1
    assert dense["clipped_db"] == pytest.approx(2, abs=0.3)
    assert any(note.startswith("compressed in three bands, by at most ") for note in dense["notes"])
    assert (plain["integrated_lufs"], dense["integrated_lufs"]) == pytest.approx((-24, -25), abs=0.1)
    peaks = [each["true_peak_dbtp"] - each["integrated_lufs"] for each in (plain, dense)]
    assert peaks[1] < peaks[0] - 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--set", "mixing.compress=1", "--out", "out.wav"),
            "mixing.compress is none of mastering's settings",
        ),
        (("--set", "mastering.formats=['mp3']", "--out", "out.wav"), "the ending of --out says the format"),
        (("--target", "loud", "--out", "out.wav"), "'loud' is neither a number nor one of spotify"),
        (("--target", "3", "--out", "out.wav"), "3 is not from -36 to -6 LUFS"),
        (("--peak", "3", "--out", "out.wav"), "ceiling_dbtp: 3.0 can't be used"),
        (("--out", "out.ogg"), "out.ogg ends in none of .wav, .flac, .mp3, .m4a, .opus"),
        (("--out", "nowhere/out.wav"), "there is no folder nowhere"),
        (("--out", "tone.wav"), "is FILE itself"),
        (("--amount", "0.5", "--out", "out.wav"), "there is none"),
    ],
)
def test_what_cannot_be_asked_is_told(
    arguments: tuple[str, ...], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = tone(tmp_path / "tone.wav", -30.0, 1.0).read_bytes()
    result = resonate("master", "tone.wav", *arguments)
    assert result.exit_code == 2
    assert line in " ".join(result.output.split())
    assert (tmp_path / "tone.wav").read_bytes() == before


def test_what_mastering_cannot_be_set_to_is_told(tmp_path: Path) -> None:
    source = tone(tmp_path / "tone.wav", -30.0, 1.0)
    result = resonate("master", source, "--set", "mastering.compress=2", "--out", tmp_path / "out.wav")
    assert result.exit_code == 1
    assert result.output.startswith("Error: mastering.compress: 2 can't be used")
    assert result.output.count("\n") == 1


LEVELS = {"Vocals.flac": 0.05, "drums.wav": 0.4, "bass.wav": 0.3, "other.wav": 0.1}
HERTZ = {"Vocals.flac": 1000, "drums.wav": 4000, "bass.wav": 200, "other.wav": 600}


@pytest.fixture
def stem_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "stems"
    folder.mkdir()
    time = np.arange(5 * RATE) / RATE
    for name, level in LEVELS.items():
        wave = level * np.sin(2 * np.pi * HERTZ[name] * time)
        sf.write(folder / name, np.stack([wave, wave], axis=1), RATE, subtype="PCM_24")
    (folder / "notes.txt").write_text("no stem")
    return folder


def level_at(path: Path, hertz: int) -> float:
    samples, rate = sf.read(path)
    wave = (
        np.abs(np.fft.rfft(samples[:rate, 0]))[hertz]
        * 2
        / rate
        * np.sin(2 * np.pi * hertz * np.arange(2 * rate) / rate)
    )
    return float(pyloudnorm.Meter(rate).integrated_loudness(np.stack([wave, wave], axis=1)))


def test_stems_of_a_folder_are_mixed_in_the_standard_balance(stem_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mix.wav"
    found = told("mix", stem_folder, "--gain", "bass=3", "--out", out)
    assert list(found["gains_db"]) == ["vocals", "drums", "bass", "other"]
    heard = {name: level_at(out, hertz) for name, hertz in HERTZ.items()}
    for name, asked in {"drums.wav": -3, "bass.wav": -6 + 3, "other.wav": -8}.items():
        assert heard[name] - heard["Vocals.flac"] == pytest.approx(asked, abs=0.1)


def test_or_as_they_are(stem_folder: Path, tmp_path: Path) -> None:
    assert resonate("mix", stem_folder, "--balance", "original", "--out", tmp_path / "mix.wav").exit_code == 0
    plain = sum(sf.read(stem_folder / name)[0] for name in LEVELS)
    np.testing.assert_allclose(sf.read(tmp_path / "mix.wav")[0], plain, atol=1e-6)


def test_all_of_mixings_settings_can_be_set(stem_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mix.wav"
    time = np.arange(5 * RATE) / RATE
    kick = np.sin(2 * np.pi * 55 * time) * np.exp(-(time % 0.5) / 0.05) * 0.4
    sf.write(stem_folder / "drums.wav", np.stack([kick, kick], axis=1), RATE, subtype="PCM_24")
    plain, ducked = (
        told("mix", stem_folder, "--balance", "original", "--out", out, *more)
        for more in ((), ("--set", "mixing.duck_db=12", "--set", "mixing.mono_bass=true"))
    )
    assert ducked["integrated_lufs"] < plain["integrated_lufs"] - 0.5
    assert any("bass 12.0 dB, other 12.0 dB" in note for note in ducked["notes"])
    assert any("low end in mono to 100%" in note for note in ducked["notes"])
    louder = told(
        "mix", stem_folder, "--set", "mixing.gains_db.vocals=6", "--set", "mixing.compress=1", "--out", out
    )
    assert any(note.startswith("vocals: compressed 2 : 1") for note in louder["notes"])


@pytest.mark.parametrize(
    ("assignment", "line"),
    [
        ("mixing.duck_db=13", "mixing.duck_db: 13 can't be used"),
        ("mastering.target_lufs=-9", "mastering.target_lufs is none of mixing's settings"),
        ("mixing.balance=master-only", "needs a track"),
    ],
)
def test_what_mixing_cannot_be_set_to_is_told(
    assignment: str, line: str, stem_folder: Path, tmp_path: Path
) -> None:
    result = resonate("mix", stem_folder, "--set", assignment, "--out", tmp_path / "mix.wav")
    assert result.exit_code != 0
    assert line in " ".join(result.output.split())
    assert not (tmp_path / "mix.wav").exists()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--gain", "guitar=3"), "guitar: there is no such stem"),
        (
            ("--set", "mixing.preset=conservative", "--set", "mixing.compress=1"),
            "compresses nothing with the preset conservative",
        ),
        (("--set", "mixing.naturalise.breath=1", "--balance", "original"), "nothing to naturalise"),
    ],
)
def test_a_setting_that_nothing_comes_of_is_told(
    options: tuple[str, ...], line: str, stem_folder: Path, tmp_path: Path
) -> None:
    (stem_folder / "Vocals.flac").rename(stem_folder / "piano.flac")
    found = told("mix", stem_folder, "--out", tmp_path / "mix.wav", *options)
    assert any(line in note for note in found["notes"])


def test_a_mix_towards_a_reference_tells_tone_and_width_and_one_of_a_second_counts_in_part(
    stem_folder: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    notes = {}
    for seconds in (1, 5):
        reference = tmp_path / f"{seconds}.wav"
        sf.write(reference, 0.1 * rng.standard_normal((seconds * RATE, 2)), RATE)
        found = told("mix", stem_folder, "--reference", reference, "--out", tmp_path / "mix.wav")
        notes[seconds] = " | ".join(found["notes"])
    assert "tone of all, by octave in dB: " in notes[5]
    assert "count 33%" in notes[1]
    assert "count" not in notes[5]
    result = resonate("mix", stem_folder, "--balance", "reference", "--out", tmp_path / "mix.wav")
    assert "--reference FILE" in result.output


def test_stems_as_they_are_exported_are_stems(stem_folder: Path, tmp_path: Path) -> None:
    plain, named = told("mix", stem_folder, "--out", tmp_path / "mix.wav"), {}
    for file in [*stem_folder.iterdir()]:
        file.rename(file.with_stem(f"Somebody - Night (live) ({file.stem.title()})"))
    named = told("mix", stem_folder, "--out", tmp_path / "mix.wav")
    assert named["gains_db"] == plain["gains_db"]


def test_what_is_wrong_with_stems_is_one_line(stem_folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = ("--out", tmp_path / "mix.wav")
    assert "holds none of vocals, drums" in resonate("mix", empty, *out).output
    sf.write(stem_folder / "drums.wav", np.zeros((100, 2)), RATE)
    result = resonate("mix", stem_folder, *out)
    assert result.exit_code == 1
    assert "drums.wav 48000 Hz, 2 channels, 100 frames" in result.output
    assert result.output.count("\n") == 1
    assert "kazoo" in resonate("mix", stem_folder, "--gain", "kazoo=3", *out).output
    assert resonate("mix", stem_folder, "--out", stem_folder / "bass.wav").exit_code == 2
    assert not (tmp_path / "mix.wav").exists()


def test_stems_played_anew_pump_as_the_original_did(tmp_path: Path) -> None:
    rate, beat_s = 44_100, 0.5
    times = np.arange(12 * rate) / rate
    since = times % beat_s
    kick = 0.8 * np.exp(-since / 0.05) * np.sin(2 * np.pi * 60 * since)
    pad = 0.2 * sum(np.sin(2 * np.pi * hertz * times) for hertz in (220, 277, 330))
    pumped = pad * 10 ** (-6 * np.exp(-since / 0.12) / 20)  # 6 dB at every beat
    for folder, other in (("original", pumped), ("anew", pad)):
        (tmp_path / folder).mkdir()
        for name, part in (("drums", kick), ("other", other)):
            sf.write(tmp_path / folder / f"{name}.wav", np.stack([part, part], axis=1), rate, "FLOAT")
    out = tmp_path / "mix.wav"
    options = ("--balance", "original", "--out", out, "--pumping-of")
    found = told("mix", tmp_path / "anew", *options, tmp_path / "original")
    assert any(
        "ducked as the original pumps: other 6" in note or "other 5.9" in note for note in found["notes"]
    )
    left = sf.read(out)[0][:, 0] - kick
    level = np.sqrt(np.mean(left[6 * rate :].reshape(-1, round(0.05 * rate)) ** 2, axis=1)).reshape(-1, 10)
    middle_of_last, first = level[:, 9].mean(), level[:, 0].mean()
    assert 20 * np.log10(first / middle_of_last) == pytest.approx(-6 * np.exp(-0.025 / 0.12), abs=0.7)
    still = told("mix", tmp_path / "anew", *options, tmp_path / "anew")
    assert "ducked as the original pumps: it does not" in still["notes"]

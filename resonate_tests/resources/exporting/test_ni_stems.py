"""NI Stems as stempeg, FFmpeg and mutagen read them; the manifest by a walk of its own over the boxes."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest
from mutagen.mp4 import MP4

from resonate_resources.exporting.ni_stems import NiStems
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import AudioError, Samples, silent, write_samples
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid
from resonate_tests.resources.exporting.stem_songs import FOUR, SIX, noise, song

REPOSITORY = Path(__file__).parents[3]
READER = REPOSITORY / "resonate_tests" / "readers" / "stempeg"
ORDER = ("drums", "bass", "other", "vocals")
STEP = 2.0**-15
"""Of 16 bits. Dither of one step to either side and rounding: nothing is further off than 1.5."""


def only(product: Product) -> Path:
    (path,) = product.files.values()
    return path


def decoded(path: Path) -> list[Samples]:
    """Every track, by FFmpeg's decoders."""
    tracks = []
    for number in range(5):
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray() for frame in container.decode(audio=number)]
        whole = np.concatenate(frames, axis=1)
        tracks.append((whole / 32768 if whole.dtype == np.int16 else whole).astype(np.float32))
    return tracks


def boxes(data: bytes) -> list[tuple[str, bytes]]:
    """ISO/IEC 14496-12, 4.2."""
    found, at = [], 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        found.append((name.decode("latin-1"), data[at + 8 : at + size]))
        at += size
    return found


def box(data: bytes, *names: str) -> bytes:
    for name in names:
        (data,) = [content for found, content in boxes(data) if found == name]
    return data


@cache
def _environment() -> Path:
    """Where stempeg, ffmpeg and ffprobe are. Made once, beside workers' environments."""
    made_of = b"".join((READER / name).read_bytes() for name in ("requirements.txt", "package-lock.json"))
    home = Path(sys.prefix) / "readers" / f"stempeg-{hashlib.sha256(made_of).hexdigest()[:12]}"
    if home.is_dir():
        return home
    home.parent.mkdir(exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=home.parent))
    subprocess.run([sys.executable, "-m", "venv", str(making)], check=True)
    python = str(making / "bin" / "python")
    install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--requirement",
        str(READER / "requirements.txt"),
    ]
    subprocess.run([python, *install], check=True)
    for name in ("package.json", "package-lock.json"):
        (making / name).write_bytes((READER / name).read_bytes())
    npm = [sys.executable, str(REPOSITORY / "page" / "npm.py"), "--prefix", str(making)]
    subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit"], check=True)
    told = [python, "-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"]
    ffmpeg = Path(subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip())
    (ffprobe,) = (making / "node_modules" / "@ffprobe-installer").glob("*/ffprobe")
    ffprobe.chmod(0o755)
    (making / "bin" / "ffmpeg").symlink_to(os.path.relpath(ffmpeg, making / "bin"))
    (making / "bin" / "ffprobe").symlink_to(os.path.relpath(ffprobe, making / "bin"))
    making.rename(home)
    return home


def test_stempeg_reads_five_tracks_in_the_order_of_the_format_with_the_samples_that_went_in(
    tmp_path: Path,
) -> None:
    made = song(tmp_path)
    path = only(NiStems().write(made, tmp_path, silent))
    programs = _environment() / "bin"
    command = [str(programs / "python"), str(READER / "read.py"), str(path), str(tmp_path / "read.npy")]
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    told = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    assert told == {
        "rate": 44_100,
        "titles": ["Mix", "Drums", "Bass", "Other", "Vocals"],
        "enabled": [1, 0, 0, 0, 0],
        "codecs": ["alac"] * 5,
    }
    read = np.load(tmp_path / "read.npy")
    expected = [made.master, *(made.stems[name] for name in ORDER)]
    assert read.shape == (5, made.master.frames, 2)
    for track, recording in zip(read, expected, strict=True):
        assert np.abs(track.T - recording.read()).max() <= 1.6 * STEP


def test_the_manifest_lies_where_players_look_and_names_four_stems_without_dsp(tmp_path: Path) -> None:
    path = only(NiStems().write(song(tmp_path), tmp_path, silent))
    manifest = json.loads(box(path.read_bytes(), "moov", "udta", "stem"))
    assert manifest["version"] == 1
    assert [stem["name"] for stem in manifest["stems"]] == ["Drums", "Bass", "Other", "Vocals"]
    assert len({stem["color"] for stem in manifest["stems"]}) == 4
    assert not any(part["enabled"] for part in manifest["mastering_dsp"].values())


def test_only_the_mix_is_enabled(tmp_path: Path) -> None:
    path = only(NiStems().write(song(tmp_path), tmp_path, silent))
    moov = box(path.read_bytes(), "moov")
    headers = [box(content, "tkhd") for name, content in boxes(moov) if name == "trak"]
    assert [int.from_bytes(header[1:4], "big") for header in headers] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("codec", ["alac", "aac"])
def test_tags_and_cover_are_in_the_file_and_it_keeps_its_manifest(
    codec: Literal["alac", "aac"], tmp_path: Path
) -> None:
    product = NiStems(codec).write(song(tmp_path), tmp_path, silent)
    tags: Any = MP4(only(product)).tags
    assert (tags["©ART"], tags["©nam"], tags["tmpo"]) == (["Björk"], ["Jóga"], [120])
    assert bytes(tags["covr"][0]) == b"\xff\xd8\xff12"
    assert bytes(tags["----:com.apple.iTunes:initialkey"][0]) == b"Am"
    assert json.loads(box(only(product).read_bytes(), "moov", "udta", "stem"))["version"] == 1
    assert list(product.files) == ["Björk - Jóga (Stems).stem.mp4"]


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_aac_has_the_length_and_the_place_of_the_recording(rate: int, tmp_path: Path) -> None:
    time = np.arange(2 * rate) / rate
    tones = {
        name: np.stack([0.2 * np.sin(2 * np.pi * hertz * time)] * 2).astype(np.float32)
        for name, hertz in zip(FOUR, (440, 660, 110, 1000), strict=True)
    }
    made = song(tmp_path, tones, rate=rate)
    tracks = decoded(only(NiStems("aac").write(made, tmp_path, silent)))
    for track, recording in zip(tracks, [made.master, *(made.stems[name] for name in ORDER)], strict=True):
        inner = slice(rate // 2, -rate // 2)
        left = track[:, : made.master.frames] - recording.read()
        assert np.sqrt(np.mean(left[:, inner] ** 2)) < 0.01 * np.sqrt(np.mean(recording.read() ** 2))


def test_gains_find_back_how_the_master_was_mixed(tmp_path: Path) -> None:
    stems = {name: noise(number, 100_000) for number, name in enumerate(FOUR)}
    gains = {"vocals": 0.9, "drums": 1.1, "bass": 0.8, "other": 1.0}
    master = sum(gains[name] * samples for name, samples in stems.items()).astype(np.float32)
    product = NiStems().write(song(tmp_path, stems, master), tmp_path, silent)
    for name, gain in gains.items():
        assert 10 ** (float(product.measures[f"{name}_gain_db"]) / 20) == pytest.approx(gain, abs=0.002)
    assert float(product.measures["sum_of_stems_db"]) < -100
    tracks = decoded(only(product))
    assert np.abs(np.sum(tracks[1:], axis=0) - tracks[0]).max() <= 5 * 1.6 * STEP
    assert product.notes == ()


def test_how_far_the_stems_are_from_a_limited_master_is_told_as_it_is(tmp_path: Path) -> None:
    stems = {name: noise(number, 100_000, peak=0.4) for number, name in enumerate(FOUR)}
    master = np.tanh(2 * np.sum([*stems.values()], axis=0)).astype(np.float32)
    product = NiStems().write(song(tmp_path, stems, master), tmp_path, silent)
    mix, *parts = decoded(only(product))
    apart = 10 * np.log10(np.sum((np.sum(parts, axis=0) - mix) ** 2) / np.sum(mix**2))
    assert float(product.measures["sum_of_stems_db"]) == pytest.approx(apart, abs=0.05)
    assert any(f"{-apart:.0f} dB under it" in note for note in product.notes)


def test_stems_that_would_clip_are_turned_down_together_and_it_is_told(tmp_path: Path) -> None:
    stems = {
        name: noise(number, 50_000, peak=1.5 if name == "drums" else 0.3) for number, name in enumerate(FOUR)
    }
    product = NiStems().write(song(tmp_path, stems), tmp_path, silent)
    gains = {name: float(product.measures[f"{name}_gain_db"]) for name in FOUR}
    assert gains == pytest.approx(dict.fromkeys(FOUR, -20 * np.log10(1.5)), abs=0.05)
    drums = decoded(only(product))[1]
    assert np.abs(drums - stems["drums"] / 1.5).max() < 3 * STEP
    assert any("turned down by 3.5 dB" in note for note in product.notes)


def test_six_stems_are_brought_to_four_and_it_is_told_what_other_is(tmp_path: Path) -> None:
    made = song(tmp_path, SIX)
    product = NiStems().write(made, tmp_path, silent)
    other = np.sum([made.stems[name].read() for name in ("other", "piano", "guitar")], axis=0)
    assert np.abs(decoded(only(product))[3] - other).max() <= 1.6 * STEP
    assert any("other and piano and guitar together" in note for note in product.notes)


def test_a_stem_that_is_missing_is_silence_and_it_is_told(tmp_path: Path) -> None:
    product = NiStems().write(song(tmp_path, ("vocals", "drums", "bass")), tmp_path, silent)
    tracks = decoded(only(product))
    assert not tracks[3].any()
    assert tracks[3].shape == tracks[0].shape
    assert product.notes == ("there is no stem for Other: silence in its place",)


def test_a_song_of_silence_stays_silent_to_the_last_bit(tmp_path: Path) -> None:
    zeros = np.zeros((2, 44_100), np.float32)
    product = NiStems().write(song(tmp_path, dict.fromkeys(FOUR, zeros)), tmp_path, silent)
    assert not any(track.any() for track in decoded(only(product)))


def test_stems_of_a_silent_master_go_out_as_they_are_and_it_is_told(tmp_path: Path) -> None:
    made = song(tmp_path, master=np.zeros((2, 132_300), np.float32))
    product = NiStems().write(made, tmp_path, silent)
    assert np.abs(decoded(only(product))[4] - made.stems["vocals"].read()).max() <= 1.6 * STEP
    assert product.notes == ("the master is silent, and its stems are not",)
    assert all(np.isfinite(value) for value in product.measures.values() if not isinstance(value, str))


@pytest.mark.parametrize(
    ("rate", "written"),
    [
        (8000, 48_000),
        (22_050, 44_100),
        (32_000, 48_000),
        (88_200, 44_100),
        (96_000, 48_000),
        (192_000, 48_000),
    ],
)
def test_whatever_the_rate_players_get_one_they_take(rate: int, written: int, tmp_path: Path) -> None:
    time = np.arange(rate) / rate
    tone = np.stack([0.2 * np.sin(2 * np.pi * 440 * time)] * 2).astype(np.float32)
    product = NiStems().write(song(tmp_path, {"vocals": tone}, rate=rate), tmp_path, silent)
    assert MP4(only(product)).info.sample_rate == written
    expected = 0.2 * np.sin(2 * np.pi * 440 * np.arange(written) / written)
    inner = slice(written // 4, -written // 4)
    mix, *_, vocals = decoded(only(product))
    for track in (mix, vocals):
        assert track.shape == (2, written)
        assert np.abs(track[0, inner] - expected[inner]).max() < 1e-3


@pytest.mark.parametrize("channels", [1, 6])
def test_every_track_is_stereo_whatever_the_song_is(channels: int, tmp_path: Path) -> None:
    made = song(tmp_path, channels=channels)
    tracks = decoded(only(NiStems().write(made, tmp_path, silent)))
    assert [len(track) for track in tracks] == [2] * 5
    if channels == 1:
        assert np.abs(tracks[4] - made.stems["vocals"].read()).max() <= 1.6 * STEP


def test_more_channels_than_a_rule_is_known_for_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    made = song(tmp_path, channels=8)
    with pytest.raises(AudioError, match="8 channels"):
        NiStems().write(made, tmp_path, silent)
    assert not list(tmp_path.glob("*.mp4"))


def test_a_master_at_another_rate_than_its_stems_lies_right_above_them(tmp_path: Path) -> None:
    time = np.arange(96_000) / 48_000
    tone = np.stack([0.2 * np.sin(2 * np.pi * 300 * time)] * 2).astype(np.float32)
    made = song(tmp_path, {"vocals": tone}, rate=48_000)
    slower = np.stack([0.2 * np.sin(2 * np.pi * 300 * np.arange(88_200) / 44_100)] * 2).astype(np.float32)
    made = replace(made, master=write_samples(tmp_path / "other-rate.wav", slower, 44_100))
    product = NiStems().write(made, tmp_path, silent)
    mix, *_, vocals = decoded(only(product))
    assert mix.shape == vocals.shape == (2, 88_200)
    assert float(product.measures["sum_of_stems_db"]) < -40


def test_a_song_without_beats_or_names_goes_out_all_the_same_and_twice_alike(tmp_path: Path) -> None:
    made = song(tmp_path, tags=Tags(artist="AC/DC", title="Ünïcode 🎵 " + "x" * 300), grid=Grid())
    first = NiStems().write(made, tmp_path, silent)
    (name,) = first.files
    assert len(name.encode()) <= 255 and "/" not in name and name.endswith(" (Stems).stem.mp4")
    before = only(first).read_bytes()
    assert only(NiStems().write(made, tmp_path, silent)).read_bytes() == before

"""Rebuilt stems through the whole graph: played by a user's own soundfont, told, and exported as what they are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile as sf

from resonate_resources.recordings.tags import Tags, write_tags
from resonate_tests.benchmarks.music_truth.rendering import soundfont as installed
from resonate_tests.e2e.test_cli import resonate, track_of
from resonate_tests.e2e.test_exports import clip_at

NAME = b"Our Piano"
"""In the place of the name that TimGM6mb gives itself, of eight letters and two zeros."""
PARTS = ["stems", "regenerated_stems", "master"]


@dataclass(frozen=True)
class Rebuilt:
    """A home in which a clip was rebuilt by the soundfont."""

    home: Path
    clip: Path
    soundfont: Path
    track: dict[str, Any]

    @property
    def folder(self) -> Path:
        [folder] = (self.home / "exports").iterdir()
        return folder

    def again(self, *settings: str) -> dict[str, Any]:
        return processed(self.home, self.clip, *settings)


def processed(home: Path, clip: Path, *settings: str) -> dict[str, Any]:
    words = [word for one in ("regeneration.rounds=0", *settings) for word in ("--set", one)]
    return track_of(resonate("process", "--json", "--home", home, *words, clip))


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    folder = tmp_path_factory.mktemp("rebuilt")
    whole = installed("TimGM6mb").read_bytes()
    at = whole.index(b"INAM") + 8
    soundfont = folder / "mine.sf2"
    soundfont.write_bytes(whole[:at] + NAME + whole[at + len(NAME) :])
    clip = clip_at(folder / "Jóga.wav", 8, 220.0)
    write_tags(clip, Tags(artist="Björk", title="Jóga"))
    home = folder / "home"
    track = processed(
        home,
        clip,
        "regeneration.instruments=soundfont",
        f"regeneration.soundfonts={json.dumps([str(soundfont)])}",
        f"exports.parts={json.dumps(PARTS)}",
    )
    assert track["error"] is None
    return Rebuilt(home, clip, soundfont, track)


def file_of(rebuilt: Rebuilt, name: str) -> Path:
    files = map(Path, rebuilt.track["assets"]["regenerated_stems"]["files"])
    return next(file for file in files if file.name == name)


def played(rebuilt: Rebuilt) -> dict[str, Any]:
    """Stems that a soundfont plays: some may have no notes."""
    stems: dict[str, Any] = json.loads(file_of(rebuilt, "regeneration.json").read_text(encoding="utf-8"))[
        "stems"
    ]
    return {name: stem for name, stem in stems.items() if stem["kind"] == "soundfont"}


def test_the_report_names_a_users_soundfont_its_hash_and_its_terms(rebuilt: Rebuilt) -> None:
    stems = played(rebuilt)
    assert stems
    digest = hashlib.sha256(rebuilt.soundfont.read_bytes()).hexdigest()
    for stem in stems.values():
        assert stem["label"].startswith(f"{NAME.decode()}: ")
        assert stem["source"] == "soundfont mine.sf2"
        assert stem["licence"] == "not told"  # TimGM6mb has neither ICOP nor ICMT
        assert stem["settings"]["sha256"] == digest
        assert stem["copied"] == 0


def test_rebuilt_stems_and_their_sum_are_exported_under_their_own_name_beside_the_real_ones(
    rebuilt: Rebuilt,
) -> None:
    stems = ("Vocals", "Drums", "Bass", "Other")
    names = {path.relative_to(rebuilt.folder).as_posix() for path in rebuilt.folder.rglob("*.wav")}
    assert names == {
        *(f"Björk - Jóga ({stem}).wav" for stem in stems),
        *(f"regenerated/Björk - Jóga ({stem}, played anew).wav" for stem in (*stems, "Mix")),
        "Björk - Jóga (Master).wav",
    }
    of_stems = json.loads((rebuilt.folder / "metadata.json").read_text(encoding="utf-8"))["files"]
    assert of_stems["Björk - Jóga (Bass).wav"]["stage"] == "restored_stems"
    parts = [
        sf.read(rebuilt.folder / f"regenerated/Björk - Jóga ({stem}, played anew).wav")[0]
        for stem in (*stems, "Mix")
    ]
    np.testing.assert_allclose(sum(parts[:-1]), parts[-1], atol=1e-6)
    assert np.abs(parts[-1]).max() > 0.01


def test_what_is_rebuilt_says_so_in_its_tags_and_what_is_not_does_not(rebuilt: Rebuilt) -> None:
    def tags(name: str) -> Any:
        return mutagen.File(rebuilt.folder / name).tags

    for stem in played(rebuilt):
        told = tags(f"regenerated/Björk - Jóga ({stem.capitalize()}, played anew).wav")
        assert str(told["TIT2"]) == f"Jóga ({stem.capitalize()}, played anew)"
        by = json.loads(str(told["TXXX:PROVENANCE"]))["stages"]["regenerated_stems"]["rebuilt"][stem]
        assert by["by"].startswith(f"{NAME.decode()}: ")
        assert by["licence"] == "not told"
    real = json.loads(str(tags("Björk - Jóga (Bass).wav")["TXXX:PROVENANCE"]))
    assert "regenerated_stems" not in real["stages"]


def test_rebuilt_stems_go_out_in_the_form_of_all_stems_and_all_alike(
    rebuilt: Rebuilt, tmp_path: Path
) -> None:
    words = ("--set", "exports.stem_format=flac", "--set", "exports.stem_bits=24")
    key = rebuilt.track["track"]
    done = resonate("export", "folder", key, "--home", rebuilt.home, "--out", tmp_path, *words)
    assert done.exit_code == 0, done.output
    *stems, mix = (
        sf.read(next(tmp_path.glob(f"*/regenerated/*({part}, played anew).flac")))[0]
        for part in ("Vocals", "Drums", "Bass", "Other", "Mix")
    )
    np.testing.assert_allclose(sum(stems), mix, atol=2**-20)  # five dithers of 24 bits


def test_the_sum_with_no_note_copied_is_not_called_the_mix(rebuilt: Rebuilt) -> None:
    files = [Path(file) for file in rebuilt.track["assets"]["regenerated_stems"]["files"]]
    assert file_of(rebuilt, "rebuilt.wav").parent == file_of(rebuilt, "bass.wav").parent
    assert not [file for file in files if file.name == "mix.wav"]
    assert file_of(rebuilt, "without_own_recordings.wav").parent.name == "leave_one_out"


def test_the_terminal_tells_of_the_rebuilt_track_as_well_as_of_the_master(rebuilt: Rebuilt) -> None:
    scores = rebuilt.track["assets"]["qc_scores"]["metadata"]
    told = f"scores {np.floor(10 * scores['regenerated_total']) / 10:.1f} of 100: a likeness, not accepted"
    assert scores["regenerated_accepted"] is False
    status = resonate("status", rebuilt.track["track"], "--home", rebuilt.home).stdout
    assert f"rebuilt  {told}" in status.splitlines()
    process = resonate("process", "--home", rebuilt.home, rebuilt.clip).stdout
    assert f"the rebuilt track {told}" in process.splitlines()


def test_setting_a_brief_tells_what_was_set_and_nothing_else(rebuilt: Rebuilt) -> None:
    def lines(*words: str) -> list[str]:
        done = resonate("brief", *words, "--home", rebuilt.home)
        assert done.exit_code == 0, done.output
        *changes, what_next, where = done.stdout.splitlines()
        assert "resonate retry" in what_next
        assert where.startswith("home: ")
        return changes

    key = rebuilt.track["track"]
    settings = ("mastering.target_lufs=-9", "mixing.gains_db.bass=-1.5")
    assert lines("set", key, *settings) == [
        "mastering.target_lufs: -14.0 → -9.0",
        "mixing.gains_db.bass: not set → -1.5",
    ]
    assert lines("set", key, "mastering.target_lufs=-10") == ["mastering.target_lufs: -9.0 → -10.0"]
    assert lines("unset", key, "mastering.target_lufs", "mixing.gains_db.bass") == [
        "mastering.target_lufs: -10.0 → -14.0",
        "mixing.gains_db.bass: -1.5 → not set",
    ]
    told = json.loads(resonate("brief", "set", key, "midi.x=1", "--json", "--home", rebuilt.home).stdout)
    assert "error" in told
    whole = json.loads(
        resonate("brief", "set", key, "mastering.target_lufs=-14", "--json", "--home", rebuilt.home).stdout
    )
    assert len(whole["brief"]) > 30


@pytest.mark.parametrize(
    ("kind", "file", "why"),
    [
        ("soundfont", "gone.sf2", "gone.sf2: cannot be read as a soundfont (no such file or directory)"),
        ("plugin", "gone.vst3", "gone.vst3: no such plugin; give the path of an installed one"),
        ("plugin", "text.vst3", "text.vst3"),
    ],
)
def test_a_file_of_the_users_that_can_not_play_is_one_line(
    rebuilt: Rebuilt, tmp_path: Path, kind: str, file: str, why: str
) -> None:
    (tmp_path / "text.vst3").write_text("no plugin")
    named = json.dumps([str(tmp_path / file)])
    error = rebuilt.again(f"regeneration.instruments={kind}", f"regeneration.{kind}s={named}")["error"]
    assert "\n" not in error
    assert f": no {kind} can play it ({kind}: {why}" in error

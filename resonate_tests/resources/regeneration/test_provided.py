"""Soundfonts and plugins that a brief names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from resonate_resources.instruments.soundfont_file import Soundfont
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, write_samples
from resonate_resources.regeneration.brief import Provided, RegenerationBrief
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.choice import candidates_of
from resonate_resources.regeneration.provided_files import told_of_files
from resonate_resources.regeneration.resource import RegenerationResource
from resonate_tests.benchmarks.music_truth.rendering import soundfont as installed
from resonate_tests.programs import required

RATE = 44_100
TIM = installed("TimGM6mb")
NOTES = (Note(0.25, 0.75, 45, 100), Note(1.0, 1.5, 45, 100))


@pytest.fixture
def part(tmp_path: Path) -> Part:
    seconds = np.arange(2 * RATE) / RATE
    sound = 0.2 * np.sin(2 * np.pi * 110 * seconds) * (seconds % 0.75 > 0.25)
    stereo = np.stack([sound, sound]).astype(np.float32)
    return Part("bass", write_samples(tmp_path / "b.wav", stereo, RATE), NOTES, RATE)


def keyed(**brief: object) -> object:
    return RegenerationResource().recipe(RegenerationBrief.model_validate(brief)).keyed()


def test_a_soundfont_that_is_missing_is_one_line_and_the_other_plays(part: Part, tmp_path: Path) -> None:
    provided = Provided(soundfonts=(tmp_path / "gone.sf2", TIM))
    found, missing = candidates_of(part, "soundfont", provided)
    assert {made.source for made in found} == {f"soundfont {TIM.name}"}
    [line] = missing
    assert "gone.sf2" in line
    assert "\n" not in line


def test_where_only_what_is_missing_is_named_it_is_refused_by_name(part: Part, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"gone\.sf2"):
        candidates_of(part, "soundfont", Provided(soundfonts=(tmp_path / "gone.sf2",)))
    with pytest.raises(AudioError, match=r"gone\.vst3"):
        candidates_of(part, "plugin", Provided(plugins=((tmp_path / "gone.vst3", None),)))


def test_a_plugin_that_cannot_be_loaded_is_no_loss_to_the_next(part: Part, tmp_path: Path) -> None:
    (tmp_path / "text.vst3").write_text("no plugin")
    kars = required("dpf-plugins-vst") / "Kars-vst.so"
    brief = RegenerationBrief(plugins=(str(tmp_path / "text.vst3"), str(kars)))
    found, missing = candidates_of(part, "plugin", brief.provided)
    assert [made.label for made in found] == ["Kars-vst"]
    assert len(missing) == 1
    assert "text.vst3" in missing[0]


def test_a_preset_belongs_to_the_plugin_before_it() -> None:
    brief = RegenerationBrief(plugins=("/a/One.vst3", "/a/Warm.vstpreset", "/a/Two.vst3"))
    assert brief.provided.plugins == (
        (Path("/a/One.vst3"), Path("/a/Warm.vstpreset")),
        (Path("/a/Two.vst3"), None),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"soundfonts": ["fonts/one.sf2"]},
        {"plugins": ["one.vst3"]},
        {"plugins": ["/a/warm.fxp"]},
        {"plugins": ["/a/one.vst3", "/a/warm.fxp", "/a/cold.fxp"]},
    ],
)
def test_paths_are_absolute_and_presets_stand_behind_plugins(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        RegenerationBrief.model_validate(wrong)


def test_a_result_is_known_by_its_soundfont_and_not_by_where_that_lies(tmp_path: Path) -> None:
    here, there = tmp_path / "here" / "font.sf2", tmp_path / "there" / "font.sf2"
    for path in (here, there):
        path.parent.mkdir()
        shutil.copyfile(TIM, path)
    first = keyed(instruments="soundfont", soundfonts=[str(here)])
    assert keyed(instruments="soundfont", soundfonts=[str(there)]) == first
    with there.open("ab") as file:
        file.write(b"\0")
    os.utime(there, ns=(1, 1))
    assert keyed(instruments="soundfont", soundfonts=[str(there)]) != first
    there.unlink()
    assert keyed(instruments="soundfont", soundfonts=[str(there)]) != first


def test_a_plugin_that_is_a_folder_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    bundle = tmp_path / "One.vst3"
    binary = bundle / "Contents" / "x86_64-linux" / "One.so"
    binary.parent.mkdir(parents=True)
    binary.write_bytes(b"first")
    asked: dict[str, object] = {"instruments": "plugin", "plugins": [str(bundle)]}
    first = keyed(**asked)
    binary.write_bytes(b"second")
    assert keyed(**asked) != first


def test_what_nothing_asks_for_is_not_part_of_a_result() -> None:
    assert keyed(soundfonts=[str(TIM)], plugins=["/a/One.vst3"]) == keyed()
    named: dict[str, object] = {"stems": {"bass": "Fingered Bass"}}
    assert keyed(**named, soundfonts=[str(TIM)]) != keyed(**named, soundfonts=["/a/gone.sf2"])


def test_a_pipe_is_no_soundfont_and_nobody_waits_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.sf2"
    os.mkfifo(pipe)
    with pytest.raises(AudioError, match=r"pipe\.sf2: cannot be read as a soundfont \(no file\)"):
        Soundfont.read(pipe)
    told = told_of_files(RegenerationBrief(instruments="soundfont", soundfonts=(str(pipe),)))
    assert told["soundfonts"] == [{"name": "pipe.sf2", "sha256": None}]

"""What goes out beside samplers: what they play, presets of other candidates, and on what terms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dawdreamer
import numpy as np
import pretty_midi
import pytest

from resonate_resources.instruments.faust import FAUST_SOURCES, Synthesiser
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, read_notes, write_notes
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import Recording, silent, write_samples
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.regeneration.instrument_export import export_instruments
from resonate_resources.regeneration.presets import faust_source, write_presets
from resonate_tests.resources.regeneration.test_sfz import play, read

RATE = 44_100
TEMPO = TempoMap.of(Music(120.0).grid, 120.0)
INSTRUMENTS = FAUST_SOURCES
SOUNDFONT: dict[str, Any] = {
    "kind": "soundfont",
    "label": "FluidR3: Fingered Bass",
    "licence": "MIT",
    "settings": {"soundfont": "/home/somebody/FluidR3_GM.sf2", "sha256": "ab" * 32, "bank": 0, "program": 33},
}
FITTED: dict[str, Any] = {
    "kind": "faust",
    "label": "Faust subtractive, fitted to the stem",
    "licence": "GPL-3.0-or-later",
    "settings": {"program": "subtractive", "cutoff": 7.25, "release": 0.31, "square": 1.0},
}


def stem(folder: Path, name: str, notes: list[Note], level: float = 0.3) -> tuple[Path, Recording]:
    sound = np.zeros(5 * RATE)
    for note in notes:
        time = np.arange(round(note.duration_s * RATE)) / RATE
        at = round(note.onset_s * RATE)
        sound[at : at + len(time)] += level * np.sin(2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) * time)
    midi = folder / f"{name}.mid"
    channel = DRUM_CHANNEL if name == "drums" else 0
    write_notes(midi, notes, tempo=TEMPO, name=name, program=0, channel=channel)
    return midi, write_samples(folder / f"{name}.wav", np.stack([sound, sound]).astype(np.float32), RATE)


def exported(
    folder: Path,
    parts: dict[str, list[Note]],
    rebuilt: dict[str, Any] | None = None,
    levels: dict[str, float] | None = None,
) -> Product:
    made = {name: stem(folder, name, notes, (levels or {}).get(name, 0.3)) for name, notes in parts.items()}
    into = folder / "out"
    into.mkdir()
    return export_instruments(
        {name: midi for name, (midi, _) in made.items()},
        {name: recording for name, (_, recording) in made.items()},
        TEMPO,
        rebuilt or {},
        "Björk - Jóga: made by Resonate",
        into,
        silent,
    )


LINE = [Note(0.5 + at, 1.2 + at, pitch, 90) for at, pitch in enumerate((45, 48, 45))]
CHORDS = [
    Note(0.5 + at, 1.3 + at, root + third, 90) for at, root in enumerate((57, 60, 55)) for third in (0, 4, 7)
]
BEAT = [Note(0.5 + at, 0.6 + at, pitch, 90) for at, pitch in enumerate((36, 42, 36, 42))]


def test_beside_each_sampler_stands_what_it_plays(tmp_path: Path) -> None:
    product = exported(tmp_path, {"bass": LINE, "drums": BEAT})
    assert {"Bass.sfz", "Bass.mid", "Drums.sfz", "Drums.mid", "LICENCE.txt"} <= product.files.keys()
    played = read_notes(product.files["Bass.mid"])
    assert [(note.pitch, note.velocity) for note in played] == [(note.pitch, 90) for note in LINE]
    assert [note.onset_s for note in played] == pytest.approx([note.onset_s for note in LINE], abs=0.005)
    [drums] = pretty_midi.PrettyMIDI(str(product.files["Drums.mid"])).instruments
    assert drums.is_drum
    assert "Björk - Jóga" in product.files["LICENCE.txt"].read_text(encoding="utf-8")
    assert not list(tmp_path.glob("out/tmp*"))


@pytest.mark.parametrize("velocity", [127, 90])
def test_loaded_together_the_instruments_have_the_balance_of_the_stems_and_none_clips(
    velocity: int, tmp_path: Path
) -> None:
    """As sfzlint reads and smplr plays them."""
    levels = {"bass": 0.5, "drums": 0.02, "other": 0.1}
    lines = {"bass": LINE, "drums": BEAT, "other": CHORDS}
    parts = {name: [replace(note, velocity=velocity) for note in notes] for name, notes in lines.items()}
    product = exported(tmp_path, parts, levels=levels)
    played = {}
    for name, notes in parts.items():
        sfz = product.files[f"{name.capitalize()}.sfz"]
        volumes = [region["volume"] for region in read(sfz)]
        assert all(-144 <= volume <= 0 for volume in volumes)
        sound = play(sfz, notes, 5, ringing=name == "drums")
        assert np.abs(sound).max() <= 1
        played[name] = 20 * np.log10(np.sqrt(np.square(sound).mean()))
    original = {
        name: 20 * np.log10(np.sqrt(np.square(Recording.open(tmp_path / f"{name}.wav").read()).mean()))
        for name in parts
    }
    for name in parts:
        assert played[name] - played["bass"] == pytest.approx(original[name] - original["bass"], abs=1.5)


def test_notes_that_bend_go_out_though_their_strokes_were_moved_onto_each_other(tmp_path: Path) -> None:
    bends = ((0.0, 0.0), (0.1, 3.5))
    notes = [Note(0.5, 1.0, 60, 90, bends), Note(1.0, 1.5, 62, 90, bends)]
    product = exported(tmp_path, {"vocals": notes})
    assert max(
        to for note in read_notes(product.files["Vocals.mid"]) for _, to in note.bends
    ) == pytest.approx(3.5, abs=0.01)
    assert "bend_up=400 bend_down=-400" in product.files["Vocals.sfz"].read_text(encoding="utf-8")


def test_a_mono_stem_of_another_rate_has_its_instrument_too(tmp_path: Path) -> None:
    midi, recording = stem(tmp_path, "bass", LINE)
    mono = write_samples(tmp_path / "mono.wav", recording.read()[:1, ::2], RATE // 2)
    (tmp_path / "out").mkdir()
    product = export_instruments({"bass": midi}, {"bass": mono}, TEMPO, {}, "x", tmp_path / "out", silent)
    sound = play(product.files["Bass.sfz"], LINE, 5)
    assert np.abs(sound).max() > 0.1


def test_stems_without_notes_are_told_and_the_others_go_out(tmp_path: Path) -> None:
    product = exported(tmp_path, {"vocals": [], "drums": BEAT})
    assert "Drums.sfz" in product.files
    assert not any("ocals" in name for name in product.files)
    assert product.notes == ("vocals: no note of it sounds, so there is no instrument",)


def test_where_no_stem_has_notes_nothing_goes_out(tmp_path: Path) -> None:
    product = exported(tmp_path, {"vocals": []})
    assert product.files == {}
    assert product.notes[-1] == "no stem has notes: there are no instruments"


def test_a_soundfont_is_named_by_program_and_hash_but_not_by_where_it_lies(tmp_path: Path) -> None:
    product = exported(tmp_path, {"bass": LINE}, {"bass": {"kept": False, "candidates": [SOUNDFONT]}})
    told = product.files["presets/Bass.txt"].read_text(encoding="utf-8")
    assert "FluidR3_GM.sf2" in told
    assert "ab" * 32 in told
    assert "program 33 counted from 0; licence: MIT" in told
    assert "somebody" not in told
    assert "soundfonts" in product.files["LICENCE.txt"].read_text(encoding="utf-8")


def test_a_kept_stem_has_a_sampler_all_the_same(tmp_path: Path) -> None:
    assert "Bass.sfz" in exported(tmp_path, {"bass": LINE}, {"bass": {"kept": True}}).files


def test_a_faust_source_begins_with_the_parameters_that_were_found_and_compiles(tmp_path: Path) -> None:
    files = write_presets("bass", [FITTED], tmp_path)
    assert files.keys() == {"presets/Bass subtractive.dsp", "presets/voice.lib"}
    engine = dawdreamer.RenderEngine(RATE, 512)
    processor = engine.make_faust_processor("preset")
    processor.faust_libraries_paths = [str(tmp_path / "presets")]
    processor.set_dsp_string(files["presets/Bass subtractive.dsp"].read_text(encoding="utf-8"))
    assert processor.compile()
    asked = FITTED["settings"]
    assert {name: processor.get_parameter(f"/dawdreamer/{name}") for name in asked if name != "program"} == (
        pytest.approx({name: value for name, value in asked.items() if name != "program"}, abs=0.01)
    )


def test_the_parameters_of_every_instrument_are_written() -> None:
    for name in ("subtractive", "fm", "organ", "string"):
        settings = dict.fromkeys(Synthesiser(name, RATE, {"release": 0.1}).parameters, 0.123456)
        assert faust_source(INSTRUMENTS / f"{name}.dsp", settings).count("0.123456") == len(settings)


def test_a_plugins_preset_goes_along_where_it_is_still_there(tmp_path: Path) -> None:
    preset = tmp_path / "Warm.fxp"
    preset.write_bytes(b"preset")
    made: dict[str, Any] = {
        "kind": "plugin",
        "label": "Synth: Warm",
        "licence": "not told",
        "settings": {"plugin": "/plugins/Synth.so", "preset": str(preset)},
    }
    files = write_presets("other", [made], tmp_path)
    assert files["presets/Other Warm.fxp"].read_bytes() == b"preset"
    assert "plugin Synth.so, preset Warm.fxp" in files["presets/Other.txt"].read_text(encoding="utf-8")
    preset.unlink()
    assert write_presets("other", [made], tmp_path).keys() == {"presets/Other.txt"}

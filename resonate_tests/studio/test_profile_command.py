"""`resonate profile`, of a song whose music is known, and of what has none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.signal.loudness import measure_loudness
from resonate_studio.demo_song import DemoSong
from resonate_tests.studio.test_sound_commands import RATE, resonate, told


def test_a_profile_tells_the_tempo_metre_key_and_chords_that_a_song_was_made_with(
    demo_song: DemoSong, tmp_path: Path
) -> None:
    found = told("profile", demo_song.mix.path)
    composition = demo_song.composition
    assert found["tempo_bpm"] == pytest.approx(composition.tempo_bpm, rel=0.02)
    assert found["time_signature"] == "4/4"
    assert found["key"] == "F# minor"  # composed so: tonic 6 from C, minor
    assert found["loudness"]["integrated_lufs"] == pytest.approx(
        measure_loudness(demo_song.mix).integrated_lufs
    )
    assert {"beats_s", "downbeats_s", "sections", "bandwidth_hz", "cut", "snr_db", "hum", "dc"} <= set(found)
    assert (found["rt60_s"], found["rt60_confidence"]) == (None, 0.0)  # nobody listened for a room
    assert 0 < found["quality"]["total"] <= 100
    assert min(found["quality"]["parts"].values()) <= found["quality"]["total"]
    labels = {chord["label"] for chord in found["chords"]}
    assert any(label.startswith("F#:min") for label in labels), labels
    report = resonate("profile", demo_song.mix.path).output
    assert "BPM" in report
    assert "F# minor" in report
    assert "of 100" in report
    assert "█" in report
    assert max(map(len, report.splitlines())) <= 80


def test_a_profile_of_noise_is_unknown_where_nothing_can_be_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.wav"
    sf.write(path, 0.1 * rng.standard_normal((10 * RATE, 1)), RATE, subtype="PCM_24")
    found = told("profile", path)
    assert (found["tempo_bpm"], found["key"], found["time_signature"]) == (None, None, None)
    assert resonate("profile", path).output.count("unknown") >= 3


def test_a_profile_of_what_is_no_recording_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "text.mp3"
    path.write_text("no music")
    result = resonate("profile", path)
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1

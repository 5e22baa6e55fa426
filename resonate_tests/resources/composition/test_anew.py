"""A recording made anew: how much of it, how loud, and never in the place of what was recorded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.composition.anew import (
    BLEND,
    GENERATED,
    REPORT,
    Mode,
    PlayedAnew,
    made_anew,
    share_of,
    signal_to_noise_db,
)
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.traces import find_traces

RATE = 48_000


def tone(path: Path, hertz: float, level: float, seconds: float = 4.0) -> Recording:
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return write_samples(path, np.stack([wave, wave]).astype(np.float32), RATE)


def amplitude(recording: Recording, hertz: float) -> float:
    wave = recording.read()[0].astype(np.float64)
    return float(2 * abs(np.mean(wave * np.exp(-2j * np.pi * hertz * np.arange(wave.size) / RATE))))


@pytest.mark.parametrize(
    ("mode", "blend", "snr_db", "share"),
    [
        ("restore", 0.5, 0.0, 0.0),
        ("generate", 0.5, 60.0, 1.0),
        ("blend", 0.3, 60.0, 0.3),
        ("auto", 0.5, 4.9, 1.0),  # R9: under 5 dB generation
        ("auto", 0.5, 15.1, 0.0),  # R9: over 15 dB restoration
        ("auto", 0.5, 10.0, 0.5),
        ("auto", 0.5, None, 0.0),
    ],
)
def test_the_share_is_what_is_asked_or_follows_from_the_noise(
    mode: Mode, blend: float, snr_db: float | None, share: float
) -> None:
    assert share_of(mode, blend, snr_db)[0] == share


@pytest.mark.parametrize(("noise_db", "share"), [(-80.0, 0.0), (3.0, 1.0)])
def test_music_without_a_quiet_moment_is_not_taken_for_noise(
    noise_db: float, share: float, tmp_path: Path
) -> None:
    time = np.arange(8 * RATE) / RATE
    hertz = 110 * 2 ** (np.floor(time / 0.25) % 12 / 12)  # a note follows the other without a rest
    music = np.sign(np.sin(2 * np.pi * np.cumsum(hertz) / RATE)) * 0.1
    noise = np.random.default_rng(1).standard_normal(len(time)) * 0.1 * 10 ** (noise_db / 20)
    traces = find_traces(
        write_samples(tmp_path / "dense.wav", (music + noise)[None].astype(np.float32), RATE)
    )
    assert traces.snr_db is not None
    assert traces.snr_db < 5
    heard_db = signal_to_noise_db(traces.snr_db, traces.over_steady_noise_db)
    assert share_of("auto", 0.5, heard_db)[0] == share


def test_of_silence_no_signal_to_noise_is_known() -> None:
    assert signal_to_noise_db(None, None) is None


def test_what_is_generated_is_as_loud_as_the_restored_track(tmp_path: Path) -> None:
    restored, rebuilt = tone(tmp_path / "a.wav", 500, 0.2), tone(tmp_path / "b.wav", 1000, 0.01)
    made = made_anew(restored, PlayedAnew(rebuilt), 1.0, "asked for", tmp_path)
    loudness = [
        measure_loudness(each).integrated_lufs for each in (restored, Recording.open(made.files[GENERATED]))
    ]
    assert loudness[0] == pytest.approx(loudness[1], abs=0.05)
    assert BLEND not in made.files


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_blend_has_both_by_their_shares_of_power(tmp_path: Path, share: float) -> None:
    restored, rebuilt = tone(tmp_path / "a.wav", 500, 0.2), tone(tmp_path / "b.wav", 1000, 0.05)
    made = made_anew(restored, PlayedAnew(rebuilt), share, "asked for", tmp_path)
    generated, blend = (Recording.open(made.files[name]) for name in (GENERATED, BLEND))
    parts = (
        amplitude(blend, 500) / amplitude(restored, 500),
        amplitude(blend, 1000) / amplitude(generated, 1000),
    )
    assert (parts[1] / parts[0]) ** 2 == pytest.approx(share / (1 - share), rel=0.01)
    assert measure_loudness(blend).integrated_lufs == pytest.approx(
        measure_loudness(restored).integrated_lufs, abs=0.05
    )


def test_it_is_labelled_with_who_made_it_and_why(tmp_path: Path) -> None:
    restored, rebuilt = tone(tmp_path / "a.wav", 500, 0.2), tone(tmp_path / "b.wav", 1000, 0.05)
    made = made_anew(restored, PlayedAnew(rebuilt), 0.5, "a blend: 10 dB of signal to noise", tmp_path)
    told = json.loads(made.files[REPORT].read_text())
    assert (told["label"], told["engine"]) == ("played anew from its notes", "instruments")
    assert made.measures["generated"] is False  # no model made it
    assert "a blend: 10 dB of signal to noise" in made.notes


def test_silence_stays_silence(tmp_path: Path) -> None:
    restored, rebuilt = tone(tmp_path / "a.wav", 500, 0.2), tone(tmp_path / "b.wav", 1000, 0.0)
    made = made_anew(restored, PlayedAnew(rebuilt), 0.5, "asked for", tmp_path)
    assert not Recording.open(made.files[GENERATED]).read().any()
    assert np.isfinite(Recording.open(made.files[BLEND]).read()).all()


def test_what_is_of_another_length_is_refused(tmp_path: Path) -> None:
    restored, rebuilt = tone(tmp_path / "a.wav", 500, 0.2), tone(tmp_path / "b.wav", 500, 0.2, seconds=3)
    with pytest.raises(ValueError, match="another rate"):
        made_anew(restored, PlayedAnew(rebuilt), 1.0, "asked for", tmp_path)

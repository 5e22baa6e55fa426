"""Stems whose tempo and place are known, brought onto a plan's grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.composition.engines.alignment import OffGridError, aligned, find_beat, in_place
from resonate_resources.composition.plan import Plan, Stem
from resonate_resources.composition.sound.rendering import render
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_tests.resources.composition.sound import plans

RATE = 48_000
GRID = plans.plan("house", 120.0, 12, [])


def clicks(bpm: float, late_s: float, seconds: float = 24.0) -> Samples:
    """(1, frames): an eighth each, those on quarters 12 dB louder."""
    sound = np.zeros((1, round(seconds * RATE)), np.float32)
    burst = np.random.default_rng(2).standard_normal(600) * np.exp(-np.arange(600) / 100)
    for number in range(int(seconds * bpm / 30)):
        at = round((number * 30 / bpm + late_s) * RATE)
        if 0 <= at < sound.shape[1] - burst.size:
            sound[0, at : at + burst.size] += (0.1 if number % 2 else 0.4) * burst
    return sound


def onsets_s(sound: Samples) -> list[float]:
    """Where clicks begin: the first sample over 26 dB under the loudest, 50 ms of quiet before it."""
    loud = np.flatnonzero(np.abs(sound[0]) > 0.05 * np.abs(sound).max())
    return [float(at) / RATE for at in loud[np.diff(loud, prepend=-RATE) > 0.05 * RATE]]


def on_grid(sound: Samples, plan: Plan, stem: Stem, folder: Path) -> Samples:
    recording = write_samples(folder / "made.wav", sound, RATE)
    recording, late_s = aligned(recording, plan, stem, folder / "stretched.wav")
    return np.concatenate([*in_place(recording, late_s)], axis=1)


@pytest.mark.parametrize(
    ("bpm", "late_s"), [(120, 0.0), (120, 0.08), (118, 0.08), (118, -0.08), (125, 0.2), (114, 0.03)]
)
def test_clicks_of_another_tempo_and_place_come_onto_the_grid(
    bpm: float, late_s: float, tmp_path: Path
) -> None:
    found = onsets_s(on_grid(clicks(bpm, late_s), GRID, "drums", tmp_path))
    assert len(found) > 80
    away_ms = [1000 * (at - round(at / 0.25) * 0.25) for at in found]
    assert np.abs(away_ms).max() < 10
    assert abs(np.mean(away_ms)) < 6


def test_quarters_of_drums_stay_quarters(tmp_path: Path) -> None:
    """An eighth late they would lie on the grid as well."""
    found = on_grid(clicks(118, 0.2), GRID, "drums", tmp_path)[0]
    quarter = RATE // 2
    bars = found[: found.size // quarter * quarter].reshape(-1, quarter)
    on, off = (np.abs(bars[2:-2, at : at + 1500]).max() for at in (0, quarter // 2))
    assert on > 1.5 * off


@pytest.mark.parametrize("make", [plans.house, plans.rock, plans.lofi])
def test_composed_drums_at_another_tempo_are_found_where_they_are(make: object, tmp_path: Path) -> None:
    plan: Plan = make(8)  # type: ignore[operator]
    drums = tuple(part for part in plan.parts if part.stem == "drums")
    slower = plan.model_copy(update={"parts": drums, "effects": (), "bpm": plan.bpm * 118 / 120})
    stem = render(slower, tmp_path).stems["drums"].read()
    late = write_samples(tmp_path / "late.wav", np.pad(stem, ((0, 0), (round(0.08 * RATE), 0))), RATE)
    beat = find_beat(late, plan, "drums")
    assert beat.clarity > 1.5 * beat.needed
    assert abs(beat.ratio - 118 / 120) * late.duration < 0.005
    assert abs(beat.late_s - 0.08 * 118 / 120) < 0.01


def noise(seed: int, seconds: int = 20) -> Samples:
    return 0.1 * np.random.default_rng(seed).standard_normal((1, seconds * RATE)).astype(np.float32)


def struck_at_random(seed: int, seconds: int = 20) -> Samples:
    chance = np.random.default_rng(seed)
    sound = np.zeros((1, seconds * RATE), np.float32)
    for at in chance.integers(0, seconds * RATE - 3000, 4 * seconds):
        sound[0, at : at + 3000] += 0.3 * chance.standard_normal(3000) * np.exp(-np.arange(3000) / 600)
    return sound


@pytest.mark.parametrize("stem", ["drums", "bass"])
@pytest.mark.parametrize("seed", range(4))
def test_strokes_at_random_are_refused_in_one_line(stem: Stem, seed: int, tmp_path: Path) -> None:
    with pytest.raises(OffGridError, match=f"{stem}: no beat within 6% of 120 BPM") as refused:
        on_grid(struck_at_random(seed), GRID, stem, tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("sound", [noise(1), np.zeros((1, 5 * RATE), np.float32), clicks(150, 0.0)])
def test_noise_silence_and_another_tempo_are_refused_as_drums(sound: Samples, tmp_path: Path) -> None:
    with pytest.raises(OffGridError):
        on_grid(sound, GRID, "drums", tmp_path)


def swells(seconds: int = 20) -> Samples:
    time = np.arange(seconds * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220.0, 261.63, 329.63))
    return np.asarray(0.1 * chord * (0.6 - 0.4 * np.cos(2 * np.pi * time / 7)), np.float32)[np.newaxis]


@pytest.mark.parametrize("sound", [swells(), struck_at_random(7), np.zeros((1, 5 * RATE), np.float32)])
def test_pads_and_what_else_has_no_beat_stay_as_they_are(sound: Samples, tmp_path: Path) -> None:
    np.testing.assert_array_equal(on_grid(sound, GRID, "other", tmp_path), sound)


def test_a_bass_of_a_few_long_notes_is_no_reason_to_refuse_it(tmp_path: Path) -> None:
    sound = swells()
    np.testing.assert_array_equal(on_grid(sound, GRID, "bass", tmp_path), sound)


def test_a_stereo_recording_stays_stereo(tmp_path: Path) -> None:
    sound = np.repeat(clicks(118, 0.0), 2, axis=0)
    recording, _ = aligned(write_samples(tmp_path / "a.wav", sound, RATE), GRID, "drums", tmp_path / "b.wav")
    assert Recording.open(recording.path).channels == 2

"""Each part of a plan, carried out alone on signals whose result is known; and what it leaves as it was."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from resonate_resources.mixing.mixer import mix_stems
from resonate_resources.mixing.plan import EVEN, Ducking, Dynamics, MixPlan, MonoBass, Section, StemPlan
from resonate_resources.mixing.processors import mono_bass
from resonate_resources.recordings.recording import Samples, Stems, write_samples
from resonate_resources.signal.compression import Compression
from resonate_resources.signal.octaves import OCTAVES_HZ

RATE = 44_100
RAISED_1K = tuple(6.0 if hertz == 1000 else 0.0 for hertz in OCTAVES_HZ)
WIDE = (6.0,) * 10
SQUASHED = Dynamics(settings=Compression(-30.0, 4.0, 2.0, 80.0, 2.0), part=1.0, most_db=12.0)


def tone(hertz: float, amplitude: float = 0.1, channels: int = 2, seconds: float = 3) -> Samples:
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[None], channels, axis=0).astype(np.float32)


def noise(seed: int, channels: int = 2, seconds: float = 3) -> Samples:
    return (0.05 * np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE)))).astype(
        np.float32
    )


def stems_of(folder: Path, **samples: Samples) -> Stems:
    return {name: write_samples(folder / f"{name}.wav", part, RATE) for name, part in samples.items()}


def stem_plan(**moves: Any) -> StemPlan:
    return StemPlan(**({"wished_db": 0.0, "gain_db": 0.0, "present": 1.0, "loudness_lufs": -20.0} | moves))


def mixed(stems: Stems, folder: Path, plans: dict[str, StemPlan] | None = None, **moves: Any) -> Samples:
    of_stems = {name: stem_plan() for name in stems} | (plans or {})
    plan = MixPlan(balance="original", rough=0.0, reasons=(), stems=of_stems, **moves)
    return mix_stems(stems, plan, folder / "mix.wav").recording.read()


def plain(stems: Stems) -> Samples:
    return np.sum([stem.read() for stem in stems.values()], axis=0, dtype=np.float32)


def level_db(made: Samples, was: Samples, hertz: int) -> float:
    """In the middle second."""
    one, two = (np.abs(np.fft.rfft(samples[RATE : 2 * RATE]))[hertz] for samples in (made, was))
    return 20 * math.log10(one / two)


@pytest.mark.parametrize(
    "moves",
    [
        {},
        {"mono_bass": MonoBass(below_hz=120, part=0.0)},
        {"sections": (Section(start_s=0, stop_s=1, width_db=EVEN),)},
        {"ducking": Ducking(depths_db={"bass": 0.0}, release_s=0.1)},
    ],
)
def test_what_is_left_at_zero_changes_no_sample(moves: dict[str, Any], tmp_path: Path) -> None:
    stems = stems_of(tmp_path, drums=noise(1), bass=noise(2), other=noise(3))
    idle = SQUASHED.model_copy(update={"part": 0.0})
    made = mixed(stems, tmp_path, {"other": stem_plan(dynamics=idle)}, **moves)
    np.testing.assert_array_equal(made, plain(stems))


def test_a_stem_is_filtered_and_the_others_are_as_they_were(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, vocals=tone(1000) + tone(4000), other=tone(1500))
    made = mixed(stems, tmp_path, {"vocals": stem_plan(tone_db=RAISED_1K)})
    was = plain(stems)
    assert level_db(made[0], was[0], 1000) == pytest.approx(6, abs=0.1)
    assert level_db(made[0], was[0], 4000) == pytest.approx(0, abs=0.1)
    assert level_db(made[0], was[0], 1500) == pytest.approx(0, abs=0.01)


def test_stems_of_one_tone_still_null_against_each_other(tmp_path: Path) -> None:
    """What one lacks the other holds: filtered alike, they sum to the filtered track and to nothing else."""
    shared = noise(5)
    stems = stems_of(tmp_path, vocals=noise(1) + shared, other=-shared)
    alike = {name: stem_plan(tone_db=RAISED_1K) for name in stems}
    made = mixed(stems, tmp_path, alike)
    alone = mixed(stems_of(tmp_path, vocals=noise(1)), tmp_path, {"vocals": alike["vocals"]})
    assert 20 * math.log10(np.std(made - alone) / np.std(alone)) < -110


def test_the_whole_in_a_tone_is_all_its_stems_in_it(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, vocals=noise(1), other=noise(2))
    whole = mixed(stems, tmp_path, tone_db=RAISED_1K)
    each = mixed(stems, tmp_path, {name: stem_plan(tone_db=RAISED_1K) for name in stems})
    assert 20 * math.log10(np.std(whole - each) / np.std(each)) < -110


@pytest.mark.parametrize("of_whole", [True, False])
def test_width_moves_the_side_alone(of_whole: bool, tmp_path: Path) -> None:
    stems = stems_of(tmp_path, other=tone(1000) + tone(3000) * np.array([[1], [-1]], np.float32))
    plans = None if of_whole else {"other": stem_plan(width_db=WIDE)}
    made = mixed(stems, tmp_path, plans, **({"width_db": WIDE} if of_whole else {}))
    was = plain(stems)
    assert level_db(made[0] + made[1], was[0] + was[1], 1000) == pytest.approx(0, abs=0.01)
    assert level_db(made[0] - made[1], was[0] - was[1], 3000) == pytest.approx(6, abs=0.05)


def test_width_by_section_goes_over_within_50_ms(tmp_path: Path) -> None:
    side = (tone(1000) * np.array([[1], [-1]], np.float32))[:, :-11]  # ends on a crest: it is no loop
    stems = stems_of(tmp_path, other=side)
    halves = (
        Section(start_s=0.0, stop_s=1.0, width_db=(-6.0,) * 10),
        Section(start_s=1.0, stop_s=2.0, width_db=(0.0,) * 10),
    )
    gain = np.abs(mixed(stems, tmp_path, sections=halves)[0]) / np.maximum(np.abs(side[0]), 1e-9)
    loud = np.abs(side[0]) > 0.05
    time = np.arange(side.shape[1]) / RATE
    half = 10 ** (-6 / 20)
    np.testing.assert_allclose(gain[loud & (time < 0.97)], half, atol=0.01)
    np.testing.assert_allclose(gain[loud & (time > 1.03)], 1.0, atol=0.01)
    between = gain[loud & (abs(time - 1) < 0.02)]
    assert (between > half + 0.02).all()
    assert (between < 0.98).all()


def test_a_low_end_in_mono_keeps_its_middle_and_what_is_above(tmp_path: Path) -> None:
    turned = np.array([[1], [-1]], np.float32)
    stems = stems_of(tmp_path, bass=tone(60) + tone(70) * turned + tone(400) * turned)
    made, was = mixed(stems, tmp_path, mono_bass=MonoBass(below_hz=120, part=1.0)), plain(stems)
    assert level_db(made[0] + made[1], was[0] + was[1], 60) == pytest.approx(0, abs=0.01)
    assert level_db(made[0] - made[1], was[0] - was[1], 70) < -40
    assert level_db(made[0] - made[1], was[0] - was[1], 400) == pytest.approx(0, abs=0.05)


def test_a_low_end_is_brought_to_the_middle_as_far_as_that_loses_nothing() -> None:
    assert mono_bass(0.6) is None
    assert mono_bass(-1.0) is None
    parts = [mono_bass(correlation) for correlation in np.arange(0.62, 1.001, 0.02)]
    found = [part.part for part in parts if part is not None]
    assert len(found) == len(parts)
    assert found == sorted(found)
    assert max(np.diff(found)) < 0.11
    full = mono_bass(0.9)
    assert full == MonoBass(below_hz=120, part=1.0)


@pytest.mark.parametrize(
    ("pan", "left", "right"), [(0.0, 1.0, 1.0), (1.0, 0.0, math.sqrt(2)), (-1.0, math.sqrt(2), 0.0)]
)
def test_pan_is_a_balance_of_constant_power(pan: float, left: float, right: float, tmp_path: Path) -> None:
    stems = stems_of(tmp_path, other=tone(1000))
    made = mixed(stems, tmp_path, {"other": stem_plan(pan=pan)})
    np.testing.assert_allclose(made, stems["other"].read() * np.array([[left], [right]]), atol=1e-6)
    for part in (-0.7, 0.2):
        each = mixed(stems, tmp_path, {"other": stem_plan(pan=part)})
        assert np.sum(each**2) == pytest.approx(np.sum(stems["other"].read() ** 2), rel=1e-4)


@pytest.mark.parametrize("channels", [1, 6])
def test_other_than_two_channels_have_tone_but_no_width_and_no_pan(channels: int, tmp_path: Path) -> None:
    stems = stems_of(tmp_path, other=noise(1, channels))
    wide = {"other": stem_plan(width_db=WIDE, pan=0.5)}
    np.testing.assert_allclose(mixed(stems, tmp_path, wide), plain(stems), atol=1e-6)
    toned = mixed(stems, tmp_path, {"other": stem_plan(tone_db=RAISED_1K)})
    alone = mixed(
        stems_of(tmp_path, other=noise(1, channels)[-1:]), tmp_path, {"other": stem_plan(tone_db=RAISED_1K)}
    )
    np.testing.assert_allclose(toned[-1], alone[0], atol=1e-6)


def test_a_stem_is_compressed_by_its_plan_and_no_further(tmp_path: Path) -> None:
    samples = np.full((2, 3 * RATE), 10 ** (-10 / 20), np.float32) * np.array([[1], [-0.5]], np.float32)
    stems = stems_of(tmp_path, vocals=samples, other=noise(1) * 0)
    made = mixed(stems, tmp_path, {"vocals": stem_plan(dynamics=SQUASHED)})
    # 20 dB over the threshold at 4 : 1 would be 15 dB; 12 are allowed.
    np.testing.assert_allclose(made, samples * 10 ** (-12 / 20), rtol=1e-3)


@pytest.mark.parametrize("depth_db", [3.0, 12.0])
def test_stems_go_down_when_the_kick_sounds_and_come_back(depth_db: float, tmp_path: Path) -> None:
    time = np.arange(3 * RATE) / RATE
    kick = np.zeros(3 * RATE)
    for at in (1.0, 2.0):
        since = np.maximum(time - at, 0)
        kick += 0.5 * np.sin(2 * np.pi * 55 * since) * np.exp(-since / 0.08)
    still = np.full((2, 3 * RATE), 0.25, np.float32)
    stems = stems_of(tmp_path, drums=np.stack([kick, kick]).astype(np.float32), bass=still)
    ducking = Ducking(depths_db={"bass": depth_db}, release_s=0.1)
    bass = mixed(stems, tmp_path, ducking=ducking)[0] - stems["drums"].read()[0]
    gain_db = 20 * np.log10(bass / 0.25)
    frames = {at: round(at * RATE) for at in (0.5, 0.98, 1.02, 1.1, 1.2, 1.9)}
    assert abs(gain_db[frames[0.5]]) < 1e-3
    assert abs(gain_db[frames[0.98]]) < 0.01
    assert gain_db[round(0.99 * RATE) : round(1.02 * RATE)].min() == pytest.approx(-depth_db, abs=0.01)
    for at in (1.1, 1.2):  # to within the 10 ms that a kick is found to
        assert gain_db[frames[at]] == pytest.approx(-depth_db * math.exp(-(at - 1) / 0.1), rel=0.15)
    assert np.abs(np.diff(gain_db)).max() < depth_db / 100  # no click: 5 ms are 220 frames


def test_processors_of_a_loop_do_not_start_from_rest(tmp_path: Path) -> None:
    """As three turns of it sound in the middle one."""
    wave = tone(100, 0.5, seconds=1) * (1 - 0.8 * np.cos(2 * np.pi * np.arange(RATE) / RATE)).astype(
        np.float32
    )
    plans = {"other": stem_plan(tone_db=RAISED_1K, dynamics=SQUASHED)}
    moves: dict[str, Any] = {"width_db": WIDE, "tone_db": RAISED_1K}
    once = mixed(stems_of(tmp_path, other=wave), tmp_path, plans, **moves)
    thrice = mixed(stems_of(tmp_path, other=np.tile(wave, 3)), tmp_path, plans, **moves)
    np.testing.assert_allclose(once, thrice[:, RATE : 2 * RATE], atol=1e-4)


def test_sections_meet_softly_at_the_seam_of_a_loop(tmp_path: Path) -> None:
    side = tone(100, 0.2, seconds=2) * np.array([[1], [-1]], np.float32)
    narrow_then_wide = (
        Section(start_s=0.0, stop_s=1.0, width_db=(-12.0,) * 10),
        Section(start_s=1.0, stop_s=2.0, width_db=(6.0,) * 10),
    )
    shifted = np.roll(side, round(0.0025 * RATE), axis=1)  # the seam lies where the wave is high
    made = mixed(stems_of(tmp_path, other=shifted), tmp_path, sections=narrow_then_wide)[0]
    assert abs(made[0] - made[-1]) <= 1.1 * np.abs(np.diff(made)).max()


@pytest.mark.parametrize("frames", [1, 50, 5000])
def test_a_plan_with_everything_keeps_any_length(frames: int, tmp_path: Path) -> None:
    stems = stems_of(tmp_path, drums=noise(1)[:, :frames], bass=noise(2)[:, :frames])
    everything = stem_plan(gain_db=1.0, tone_db=RAISED_1K, width_db=WIDE, dynamics=SQUASHED, pan=0.2)
    made = mixed(
        stems,
        tmp_path,
        {"bass": everything},
        tone_db=RAISED_1K,
        width_db=WIDE,
        mono_bass=MonoBass(below_hz=120, part=0.5),
        sections=(Section(start_s=0.0, stop_s=9.0, width_db=WIDE),),
        ducking=Ducking(depths_db={"bass": 6.0}, release_s=0.1),
    )
    assert made.shape == (2, frames)
    assert np.isfinite(made).all()


@pytest.mark.parametrize("wrong", [{"pan": 1.5}, {"tone_db": (0.0,) * 9}, {"pan": math.nan}])
def test_a_plan_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        stem_plan(**wrong)

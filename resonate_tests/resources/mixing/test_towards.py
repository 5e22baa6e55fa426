"""Stems towards the levels, tone and width of a reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soxr

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth
from resonate_resources.mixing.material import FINISHED
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.resource import PLAN, MixingResource
from resonate_resources.mixing.towards import heard, heard_together, towards
from resonate_resources.recordings.recording import AudioError, Recording, Samples, Stems, write_samples
from resonate_studio.demo_song import DemoSong

OFF_DB = {"vocals": 6.0, "drums": -5.0, "bass": 3.0, "other": -4.0}


@pytest.fixture(scope="module")
def off(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Stems:
    """The demo song's stems, each louder or softer than it should be."""
    folder = tmp_path_factory.mktemp("off")
    return {
        name: write_samples(
            folder / f"{name}.wav", stem.read(0) * np.float32(10 ** (OFF_DB[name] / 20)), stem.sample_rate
        )
        for name, stem in demo_song.stems.items()
    }


@pytest.fixture(scope="module")
def true_mix(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    path = tmp_path_factory.mktemp("true") / "mix.wav"
    first = next(iter(demo_song.stems.values()))
    mix: Samples = np.sum([stem.read(0) for stem in demo_song.stems.values()], axis=0, dtype=np.float32)
    return write_samples(path, mix, first.sample_rate)


def plan_for(
    stems: Stems,
    reference: Path,
    folder: Path,
    quality_db: float = math.inf,
    sections: Sequence[tuple[float, float]] = (),
) -> MixPlan:
    worth = {name: [Worth(0.0, stem.duration, quality_db, 0.0)] for name, stem in stems.items()}
    brief = MixingBrief(balance="reference", reference=str(reference))
    track = replace(FINISHED, sections=sections)
    product = MixingResource().plan(stems, worth, track, brief, folder)
    return MixPlan.read(product.files[PLAN])


def test_levels_go_back_to_those_of_a_recording_of_the_same_piece(
    off: Stems, true_mix: Recording, tmp_path: Path
) -> None:
    plan = plan_for(off, true_mix.path, tmp_path)
    left = np.array([OFF_DB[name] + plan.stems[name].gain_db for name in off])
    assert np.ptp(left) < 1
    assert np.ptp(plan.tone_db[1:9]) < 1


def test_the_reference_may_have_another_level_rate_and_tone(
    off: Stems, true_mix: Recording, tmp_path: Path
) -> None:
    bright = pedalboard.HighShelfFilter(3000, 6.0)(true_mix.read(0) * 0.3, true_mix.sample_rate)
    there = np.asarray(soxr.resample(bright.T, true_mix.sample_rate, 48_000).T, np.float32)
    reference = write_samples(tmp_path / "bright.wav", there, 48_000)
    plan = plan_for(off, reference.path, tmp_path)
    left = np.array([OFF_DB[name] + plan.stems[name].gain_db for name in off])
    assert np.ptp(left) < 1.5
    assert plan.tone_db[8] - plan.tone_db[4] == pytest.approx(6, abs=1.5)


def test_poor_stems_leave_levels_and_the_whole_takes_the_tone(
    off: Stems, true_mix: Recording, tmp_path: Path
) -> None:
    plan = plan_for(off, true_mix.path, tmp_path, quality_db=0.0)
    assert all(abs(stem.gain_db) < abs(stem.wished_db) for stem in plan.stems.values())


@pytest.mark.parametrize("narrowed_db", [-3.0, 2.0])
def test_each_section_gets_the_width_that_it_has_in_the_reference(
    narrowed_db: float, demo_song: DemoSong, true_mix: Recording, tmp_path: Path
) -> None:
    samples, half = true_mix.read(0), round(true_mix.duration / 2)
    side = (samples[:1] - samples[1:]) / 2 * np.array([[1], [-1]], np.float32)
    side[:, half * true_mix.sample_rate :] *= np.float32(1 - 10 ** (narrowed_db / 20))
    side[:, : half * true_mix.sample_rate] = 0
    reference = write_samples(tmp_path / "half.wav", samples - side, true_mix.sample_rate)
    sections = [(0.0, half), (half, true_mix.duration)]
    plan = plan_for(demo_song.stems, reference.path, tmp_path, sections=sections)
    first, second = (np.array(section.width_db) + plan.width_db for section in plan.sections)
    apart = (second - first)[7:9]  # where the demo song has a side
    assert apart == pytest.approx(np.full(2, narrowed_db), abs=0.2)
    assert any("2 sections" in reason for reason in plan.reasons)
    whole = plan_for(demo_song.stems, true_mix.path, tmp_path, sections=sections)
    assert not whole.sections


def test_another_piece_tells_little_of_levels(off: Stems, true_mix: Recording, tmp_path: Path) -> None:
    backwards = write_samples(tmp_path / "b.wav", true_mix.read(0)[:, ::-1].copy(), true_mix.sample_rate)
    plan = plan_for(off, backwards.path, tmp_path)
    assert any("no recording of the same piece" in reason for reason in plan.reasons)


def test_the_mix_itself_as_its_reference_moves_nothing(off: Stems, tmp_path: Path) -> None:
    stems, mix = heard_together(off)
    found = towards(stems, mix, mix)
    assert found.same_piece
    assert max(abs(gain) for gain in found.gains_db.values()) < 0.01
    assert max(abs(gain) for gain in found.tone_db(found.gains_db)) < 0.01
    assert not any(found.width_db)


def test_width_is_that_of_the_reference_as_far_as_both_have_a_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mid, side = rng.standard_normal((2, 8 * 44_100)).astype(np.float32) * np.float32(0.1)

    def stereo(name: str, part: float) -> Recording:
        return write_samples(
            tmp_path / name, np.stack([mid + part * side, mid - part * side]).astype(np.float32), 44_100
        )

    stems, mix = heard_together({"other": stereo("narrow.wav", 0.25)})
    assert towards(stems, mix, heard(stereo("wide.wav", 0.35))).width_db == pytest.approx(
        [20 * math.log10(0.35 / 0.25)] * 10, abs=0.1
    )
    assert not any(towards(stems, mix, heard(stereo("mono.wav", 0.0))).width_db)


def test_what_sounds_in_one_channel_stays_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    both = rng.standard_normal((2, 8 * 44_100)).astype(np.float32) * np.float32(0.1)
    left = write_samples(tmp_path / "left.wav", both * np.array([[1], [0]], np.float32), 44_100)
    stems, mix = heard_together({"other": left})
    wide = heard(write_samples(tmp_path / "wide.wav", both, 44_100))
    assert not any(towards(stems, mix, wide).width_db)


def test_a_reference_without_its_balance_and_a_wish_without_a_model_are_told(
    off: Stems, true_mix: Recording, tmp_path: Path
) -> None:
    worth = {name: [Worth(0.0, stem.duration, math.inf, 0.0)] for name, stem in off.items()}
    brief = MixingBrief(reference=str(true_mix.path), wish="warmer")
    product = MixingResource().plan(off, worth, FINISHED, brief, tmp_path)
    told = "\n".join(product.notes)
    assert "mixing.reference is not asked for" in told
    assert "mixing.wish is for a model" in told


def test_a_reference_that_tells_nothing_is_one_line(off: Stems, tmp_path: Path) -> None:
    silent = write_samples(tmp_path / "silent.wav", np.zeros((2, 44_100), np.float32), 44_100)
    with pytest.raises(AudioError, match="is silent"):
        plan_for(off, silent.path, tmp_path)
    with pytest.raises(AudioError, match="check the path"):
        MixingResource().plan_recipe(
            MixingBrief(balance="reference", reference=str(tmp_path / "nothing.wav"))
        )
    with pytest.raises(AudioError, match="set mixing"):
        MixingResource().plan_recipe(MixingBrief(balance="reference"))


def test_another_reference_of_that_name_is_another_plan(true_mix: Recording, tmp_path: Path) -> None:
    brief = MixingBrief(balance="reference", reference=str(tmp_path / "reference.wav"))
    keys = set()
    for level in (0.5, 0.6):
        write_samples(tmp_path / "reference.wav", true_mix.read(0, 44_100) * level, true_mix.sample_rate)
        keys.add(str(MixingResource().plan_recipe(brief).keyed()))
    assert len(keys) == 2

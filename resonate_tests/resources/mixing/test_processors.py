"""What a plan makes of wishes for dynamics, ducking and mono bass, and by what it is bounded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.dynamics import MOST_DB, STRIPS, strip_of
from resonate_resources.mixing.holdings import Worth
from resonate_resources.mixing.material import FINISHED, TrackFacts
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.planning import ASTRAY_DB
from resonate_resources.mixing.resource import PLAN, MixingResource
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Recording, Samples, Stems, write_samples
from resonate_resources.signal.si_sdr import si_sdr

RATE = 44_100
PRESETS: tuple[Preset, ...] = ("conservative", "balanced", "aggressive")
PHONE = TrackFacts(8_000.0, (-80.0, -60.0, -25.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -80.0))


def noises(seed: int = 3, count: int = 4) -> Samples:
    return (0.1 * np.random.default_rng(seed).standard_normal((count, 2, 10 * RATE))).astype(np.float32)


def stems_of(folder: Path, **samples: Samples) -> Stems:
    return {name: write_samples(folder / f"{name}.wav", part, RATE) for name, part in samples.items()}


def four(folder: Path) -> Stems:
    return stems_of(folder, **dict(zip(("vocals", "drums", "bass", "other"), noises(), strict=True)))


def planned(
    stems: Stems, folder: Path, quality_db: float = math.inf, phone: bool = False, **wanted: Any
) -> MixPlan:
    worth = {name: [Worth(0.0, 10.0, quality_db, 0.0)] for name in stems}
    brief = MixingBrief(**{"balance": "original", "conductor": "none"} | wanted)
    track = PHONE if phone else FINISHED
    return MixPlan.read(MixingResource().plan(stems, worth, track, brief, folder).files[PLAN])


@pytest.mark.parametrize("preset", PRESETS)
def test_finished_music_is_not_compressed_unless_the_brief_says_so(preset: Preset, tmp_path: Path) -> None:
    stems = four(tmp_path)
    assert planned(stems, tmp_path, preset=preset).moves_nothing
    asked = planned(stems, tmp_path, preset=preset, compress=1.0)
    compressed = {name for name, stem in asked.stems.items() if stem.compresses}
    assert compressed == STRIPS[preset].keys() & stems.keys()
    assert (preset == "conservative") is (compressed == set())


def test_a_phones_recording_is_compressed_unless_the_brief_says_no(tmp_path: Path) -> None:
    stems = four(tmp_path)
    assert planned(stems, tmp_path, phone=True).stems["vocals"].compresses
    assert not planned(stems, tmp_path, phone=True, compress=0.0).stems["vocals"].compresses


def test_thresholds_stand_over_a_stems_own_loudness() -> None:
    loud, soft = (strip_of("vocals", "balanced", 1.0, 1.0, loudness) for loudness in (-10.0, -30.0))
    assert loud is not None
    assert soft is not None
    assert loud.settings.threshold_db - soft.settings.threshold_db == pytest.approx(20)
    assert loud.settings.ratio == soft.settings.ratio
    assert strip_of("vocals", "balanced", 1.0, 1.0, None) is None
    assert strip_of("vocals", "conservative", 1.0, 1.0, -20.0) is None


def test_what_is_compressed_is_bounded_by_its_room() -> None:
    deepest = 1 - 10 ** (-MOST_DB / 20)
    for room in (0.0, 0.1, 0.3, 2.0):
        strip = strip_of("bass", "aggressive", 0.8, room, -20.0)
        part = 0.0 if strip is None else strip.part
        assert part == pytest.approx(min(0.8, room / deepest))
        assert part * deepest <= room + 1e-12


@pytest.mark.parametrize("preset", ["balanced", "aggressive"])
@pytest.mark.parametrize("wanted", [{"compress": 1.0}, {"duck_db": 12.0}, {"compress": 1.0, "duck_db": 12.0}])
def test_stems_fall_no_further_than_what_is_not_their_own_allows(
    preset: Preset, wanted: dict[str, float], tmp_path: Path
) -> None:
    """Errors that are known, moved by the deepest that gains may fall to, against the mix."""
    bass, drums, error = noises(count=3)
    error *= np.float32(0.3)
    stems = stems_of(tmp_path, drums=drums - error, bass=bass + error)
    worth = {
        name: [Worth(0.0, 10.0, si_sdr(stems[name].read(), truth), 0.0)]
        for name, truth in (("drums", drums), ("bass", bass))
    }
    brief = MixingBrief(balance="original", conductor="none", preset=preset, **wanted)
    product = MixingResource().plan(stems, worth, FINISHED, brief, tmp_path)
    plan = MixPlan.read(product.files[PLAN])
    fall = dict.fromkeys(stems, 0.0)
    for name, stem in plan.stems.items():
        if stem.dynamics is not None:
            fall[name] += stem.dynamics.part * (1 - 10 ** (-stem.dynamics.most_db / 20))
    if plan.ducking is not None:
        for name, depth in plan.ducking.depths_db.items():
            fall[name] += 1 - 10 ** (-depth / 20)
    assert max(fall.values()) > 0.01
    moved = sum(fall.values()) ** 2 * np.mean(error**2) / np.mean((drums + bass) ** 2)
    assert 10 * math.log10(moved) < ASTRAY_DB[preset] + 0.5


def test_worse_stems_are_ducked_less(tmp_path: Path) -> None:
    stems = four(tmp_path)
    depths = []
    for quality_db in (math.inf, 12.0, 6.0, 0.0):
        ducking = planned(stems, tmp_path, quality_db, duck_db=6.0).ducking
        assert ducking is not None
        assert ducking.depths_db.keys() == {"bass", "other"}
        depths.append(ducking.depths_db["bass"])
    assert depths[0] == pytest.approx(6)
    assert depths == sorted(depths, reverse=True)
    assert depths[-1] < depths[0] / 2


def test_without_drums_nothing_is_ducked_and_it_is_told(tmp_path: Path) -> None:
    plan = planned(stems_of(tmp_path, bass=noises()[0], other=noises()[1]), tmp_path, duck_db=6.0)
    assert plan.ducking is None
    assert any("ducked under the kick: nothing (6 dB asked)" in reason for reason in plan.reasons)


def test_mono_bass_is_made_as_far_as_the_low_end_allows_and_only_where_asked(tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    wave = (0.2 * np.sin(2 * np.pi * 60 * time)).astype(np.float32)
    alike, turned = stems_of(tmp_path, bass=np.stack([wave, 0.9 * wave])), np.stack([wave, -wave])
    assert planned(alike, tmp_path).mono_bass is None
    mono = planned(alike, tmp_path, mono_bass=True).mono_bass
    assert mono is not None
    assert (mono.below_hz, mono.part) == (120, 1)
    wide = planned(stems_of(tmp_path, bass=turned), tmp_path, mono_bass=True)
    assert wide.mono_bass is None
    assert any("low end in mono to 0%" in reason for reason in wide.reasons)
    one = planned(stems_of(tmp_path, bass=wave[None]), tmp_path, mono_bass=True)
    assert one.moves_nothing
    assert any("only two channels" in reason for reason in one.reasons)


def channel_levels_db(stems: Stems, plan: MixPlan, folder: Path) -> tuple[float, float, float]:
    """Of the vocals alone, against how they came: left, right, side."""
    alone = {name: stem for name, stem in stems.items() if name == "vocals"}
    into = folder / "alone"
    into.mkdir()
    only = plan.model_copy(update={"stems": {"vocals": plan.stems["vocals"]}})
    mix = Recording.open(MixingResource().mix(alone, only, into).files["mix.wav"]).read(0)
    came = stems["vocals"].read(0)
    pairs = [(mix[0], came[0]), (mix[1], came[1]), (mix[0] - mix[1], came[0] - came[1])]
    left, right, side = (
        10 * math.log10(np.square(now).mean() / np.square(was).mean() + 1e-12) for now, was in pairs
    )
    return left, right, side


@pytest.mark.parametrize("pan", [-1.0, -0.5, 0.5])
def test_a_stem_is_put_where_it_is_asked_at_constant_power(pan: float, tmp_path: Path) -> None:
    stems = four(tmp_path)
    left, right, _ = channel_levels_db(
        stems, planned(stems, tmp_path, pan={"vocals": pan}, gains_db={"vocals": -6.0}), tmp_path
    )
    angle = (pan + 1) * math.pi / 4
    for found, part in ((left, math.cos(angle)), (right, math.sin(angle))):
        if part > 1e-9:
            assert found == pytest.approx(20 * math.log10(part) + 3.01 - 6, abs=0.05)
        else:
            assert found < -100


def test_a_stem_is_as_wide_as_it_is_asked(tmp_path: Path) -> None:
    stems = four(tmp_path)
    plan = planned(stems, tmp_path, width_db={"vocals": -9.0})
    assert channel_levels_db(stems, plan, tmp_path)[2] == pytest.approx(-9, abs=0.05)


def test_what_is_not_its_own_bounds_how_far_a_stem_is_moved_aside(tmp_path: Path) -> None:
    stems = four(tmp_path)
    plan = planned(stems, tmp_path, quality_db=3.0, pan={"vocals": 0.8}, width_db={"other": 6.0})
    assert 0 < plan.stems["vocals"].pan < 0.8
    assert 0 < plan.stems["other"].width_db[0] < 6
    assert any("+0.80 asked" in reason for reason in plan.reasons)

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.composition.engines.alignment import OffGridError
from resonate_resources.composition.engines.composer import Composer
from resonate_resources.composition.plan import Part, Plan
from resonate_resources.composition.resource import CompositionResource, HeardMusic
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.composition.sound.rendering import Rendered
from resonate_resources.recipe import Engine, Json
from resonate_resources.recordings.recording import AudioError, Progress, Recording
from resonate_tests.resources.composition.sound.plans import plan

RIGHT = HeardMusic(120.0, "A minor")


def short(seed: int) -> Plan:
    beats = tuple((float(beat), 0.5, 36, 100) for beat in range(4))
    return plan(
        "house",
        120.0,
        1,
        [Part(name="kick", stem="drums", role="drums", sound="kit_909", notes=beats)],
        seed=seed,
    )


@pytest.mark.parametrize(
    ("heard", "tries", "kept"),
    [
        ([RIGHT], 1, 0),
        ([HeardMusic(90.0, "A minor"), RIGHT], 2, 1),
        ([HeardMusic(90.0, "C# major"), HeardMusic(90.0, "A minor"), HeardMusic(None, None)], 3, 1),
        ([HeardMusic(None, None)] * 3, 3, 0),
    ],
)
def test_what_fails_is_composed_anew_and_the_best_is_kept(
    heard: list[HeardMusic], tries: int, kept: int, tmp_path: Path
) -> None:
    answers = iter(heard)
    plans = [short(seed) for seed in range(3)]

    def hear(mix: Recording) -> HeardMusic:
        assert len(list(mix.path.parent.parent.iterdir())) <= 2  # this one, and the best before
        return next(answers)

    product = CompositionResource().generate(plans, {"seed": 0}, tmp_path, hear)
    report = json.loads((tmp_path / "composition.json").read_text(encoding="utf-8"))
    assert report["tries"] == tries
    assert report["plan"]["seed"] == kept
    failed = [name for name, verdict in report["qa"].items() if not verdict["passed"]]
    assert product.measures["failed"] == ", ".join(failed)
    assert len(product.notes) == len(failed)
    assert (not failed) == (RIGHT in heard)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        {"composition.json", "parts"} | {name for name in product.files if "/" not in name}
    )


def test_no_further_plan_is_made_once_one_passes(tmp_path: Path) -> None:
    def plans() -> Iterator[Plan]:
        yield short(0)
        raise AssertionError("asked for another")

    CompositionResource().generate(plans(), {}, tmp_path, lambda _: RIGHT)


def test_stems_sum_to_the_mix_and_say_how_they_came_to_be(tmp_path: Path) -> None:
    product = CompositionResource().generate([short(5)], {"prompt": "a kick"}, tmp_path, lambda _: RIGHT)
    stems = [Recording.open(product.files[f"{name}.wav"]) for name in ("vocals", "drums", "bass", "other")]
    mix = Recording.open(product.files["mix.wav"]).read()
    assert np.abs(mix).max() > 0.05
    np.testing.assert_allclose(sum(stem.read() for stem in stems), mix, atol=1e-6)
    report = json.loads(product.reports["composition.json"].read_text(encoding="utf-8"))
    assert report["label"] == "composed by rules"
    assert report["engine"]["licence"]
    assert report["prompt"] == "a kick"
    assert report["instruments"]["kick"]["licence"]


def test_a_model_that_is_not_set_up_is_told() -> None:
    with pytest.raises(AudioError, match="RESONATE_CONDUCTOR_MODEL"):
        CompositionResource().understand("slow house", by_model=True)


class Stubborn(Composer):
    """Refuses so many times."""

    name, model, licence, label = "stubborn", "of nobody", "CC-BY-NC-4.0", "AI-generated"

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    def keyed(self) -> Mapping[str, Json]:
        return {"weights.bin": "00"}

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress) -> Rendered:
        self.refusals -= 1
        if self.refusals >= 0:
            raise OffGridError("drums: no beat")
        return super().generate(plan, into, seed, progress)


def test_what_is_off_the_grid_is_made_anew_and_the_engine_is_told(tmp_path: Path) -> None:
    plans = [short(seed) for seed in range(3)]
    product = CompositionResource().generate(plans, {}, tmp_path, lambda _: RIGHT, engine=Stubborn(1))
    report = json.loads(product.reports["composition.json"].read_text(encoding="utf-8"))
    assert (report["tries"], report["plan"]["seed"]) == (2, 1)
    assert report["label"] == "AI-generated"
    assert report["engine"] == {"name": "stubborn", "model": "of nobody", "licence": "CC-BY-NC-4.0"}
    assert report["weights"] == {"weights.bin": "00"}
    assert product.engine == Engine("stubborn", "of nobody", "CC-BY-NC-4.0")
    assert b"AI-generated, seed 1" in (tmp_path / "all.mid").read_bytes()


def test_a_recording_whose_sounds_can_play_nothing_is_not_told_to_play(tmp_path: Path) -> None:
    composer = Composer()
    composer.play_by(RecordedSounds("song.wav", {}))
    product = CompositionResource().generate([short(0)], {}, tmp_path, lambda _: RIGHT, engine=composer)
    report = json.loads(product.reports["composition.json"].read_text(encoding="utf-8"))
    assert report["label"] == "composed by rules"
    assert "sounds" not in report
    assert "the recording has no drums" in report["instruments"]["kick"]["instead_of"]
    assert not any("song.wav" in note for note in product.notes)


def test_an_engine_that_never_keeps_to_the_grid_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OffGridError, match="drums: no beat"):
        CompositionResource().generate([short(0)] * 3, {}, tmp_path, lambda _: RIGHT, engine=Stubborn(9))

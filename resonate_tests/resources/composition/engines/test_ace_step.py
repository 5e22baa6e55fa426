"""ACE-Step's engines with a pipeline of its real architecture, small and random, without a network connection."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resonate_resources.composition.engines import ace_pipeline, ace_step
from resonate_resources.composition.engines.ace_pipeline import AcePipeline, folder_of, load
from resonate_resources.composition.engines.ace_step import AceStep, AceStepLego, metas, track_of
from resonate_resources.composition.engines.alignment import OffGridError
from resonate_resources.composition.engines.checkpoint import seeded
from resonate_resources.composition.engines.describing import describe_all
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.rendering import render
from resonate_resources.models.device import Device
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import AudioError, Samples, file_sha256
from resonate_resources.signal.loudness import measure_loudness
from resonate_tests.resources.composition.sound import plans

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
from resonate_tests.resources.composition.engines.tiny_ace_step import save  # noqa: E402

RATE = 48_000
ENGINES = [AceStep(), AceStepLego()]


def with_parts(*names: str, bars: int = 1) -> Plan:
    plan = plans.house(bars)
    parts = tuple(part for part in plan.parts if part.name in names)
    return plan.model_copy(update={"parts": parts, "effects": (), "bpm": 240.0})  # as short as it gets


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("models")
    save(models / "acestep-base")
    return models


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, folders: Path) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("RESONATE_MODELS", str(folders))
    monkeypatch.setattr(ace_pipeline, "STEPS", 2)
    yield
    load.cache_clear()


class Call:
    """What the pipeline was asked, and a sound of which the test knows where its beats are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sound: Samples | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        generate = AcePipeline.generate
        names = ("task", "text", "seconds", "metas", "heard", "track")

        def told(pipeline: AcePipeline, *given: Any) -> Samples:
            self.asked.append(dict(zip(names, given[:6], strict=True)))
            return generate(pipeline, *given) if sound is None else sound

        monkeypatch.setattr(AcePipeline, "generate", told)


@pytest.mark.parametrize("engine", ENGINES)
def test_stems_with_parts_are_made_in_stereo_and_others_are_silent(engine: AceStep, tmp_path: Path) -> None:
    plan = with_parts("Pad", "Piano")
    rendered = engine.generate(plan, tmp_path, 1)
    frames = round(total_s(plan) * RATE)
    assert [*rendered.stems] == ["vocals", "drums", "bass", "other", "piano"]
    for stem in (*rendered.stems.values(), rendered.mix):
        assert (stem.sample_rate, stem.channels, stem.frames) == (RATE, 2, frames)
    sums = {name: stem.read() for name, stem in rendered.stems.items()}
    assert [name for name, each in sums.items() if each.any()] == ["other", "piano"]
    assert not np.array_equal(sums["other"][0], sums["other"][1])
    np.testing.assert_allclose(sum(sums.values()), rendered.mix.read(), atol=1e-6)
    told = rendered.instruments["other"]
    assert told.label == "AI-generated: house, no drums, no bass, synth pad, 240 bpm, A minor"
    assert told.licence == "MIT"
    assert told.source == f"{engine.name} (acestep-base)"
    assert {path.name for path in tmp_path.iterdir()} == {"stems", "mix.wav"}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_seed_gives_the_same_bytes_and_another_another_sound(
    engine: AceStep, tmp_path: Path
) -> None:
    def made(name: str, seed: int) -> str:
        (tmp_path / name).mkdir()
        return engine.generate(with_parts("Pad"), tmp_path / name, seed).mix.sha256

    first = made("a", 1)
    assert made("b", 1) == first
    assert made("c", 2) != first


def test_a_stem_is_as_loud_as_the_composer_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = with_parts("Pad", bars=6)
    for name in ("composed", "made"):
        (tmp_path / name).mkdir()
    composed = render(plan, tmp_path / "composed").stems["other"]
    time = np.arange(12 * RATE) / RATE
    tones = np.stack([0.9 * np.sin(2 * np.pi * hertz * time) for hertz in (440, 660)]).astype(np.float32)
    Call(monkeypatch, tones)
    made = AceStepLego().generate(plan, tmp_path / "made", 1).stems["other"]
    found, wanted = (measure_loudness(each).integrated_lufs for each in (made, composed))
    assert abs(found - wanted) < 0.5


def test_music_is_made_with_tempo_key_and_length_and_its_stems_are_taken_out_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = Call(monkeypatch)
    plan = with_parts("Pad", "Piano")
    AceStep().generate(plan, tmp_path, 1)
    music, *taken = calls.asked
    assert (music["task"], music["track"], music["heard"]) == ("text2music", None, None)
    assert music["text"] == "house, piano, synth pad, 240 bpm, A minor" == describe_all(plan)
    assert music["metas"] == {"bpm": 240, "keyscale": "A minor", "timesignature": "4"}
    assert [(each["task"], each["track"]) for each in taken] == [
        ("extract", "synth"),
        ("extract", "keyboard"),
    ]
    assert music["seconds"] == pytest.approx(10.0, abs=0.04)  # no less than it was trained on
    for each in taken:
        np.testing.assert_array_equal(each["heard"], taken[0]["heard"])
        assert each["heard"].shape == (2, round(music["seconds"] * RATE))


def test_a_stem_is_made_over_the_composed_ones_and_then_over_what_was_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = Call(monkeypatch)
    plan = with_parts("Pad", "Piano")
    for name in ("composed", "made"):
        (tmp_path / name).mkdir()
    composed = render(plan, tmp_path / "composed", RATE).stems
    rendered = AceStepLego().generate(plan, tmp_path / "made", 1)
    first, second = calls.asked
    assert [(each["task"], each["track"]) for each in calls.asked] == [
        ("lego", "synth"),
        ("lego", "keyboard"),
    ]
    piano = composed["piano"].read()
    np.testing.assert_array_equal(first["heard"][:, : piano.shape[1]], piano)
    assert not first["heard"][:, piano.shape[1] :].any()
    made = rendered.stems["other"].read()[:, : RATE // 2]  # before the plan's end fades it
    heard = second["heard"][:, : RATE // 2]
    scale = float((made * heard).sum() / (heard**2).sum())  # all stems are softer where their sum would clip
    np.testing.assert_allclose(made, scale * heard, atol=1e-5)


def test_what_it_hears_decides_what_it_takes_out(folders: Path) -> None:
    pipeline = load(folders / "acestep-base")
    rng = np.random.default_rng(3)
    numbers = {"bpm": 120, "keyscale": "A minor", "timesignature": "4"}

    def made(task: Any, heard: Samples | None, track: str | None, **other: Any) -> Samples:
        with seeded(1):
            return pipeline.generate(task, "house", 2.0, numbers | other, heard, track, lambda _: None)

    noise, others = (rng.normal(0, 0.1, (2, 2 * RATE)).astype(np.float32) for _ in range(2))
    drums = made("extract", noise, "drums")
    assert drums.shape == (2, 2 * RATE)
    assert np.abs(drums).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)
    np.testing.assert_array_equal(drums, made("extract", noise, "drums"))
    for another in (
        made("extract", others, "drums"),
        made("extract", noise, "bass"),
        made("lego", noise, "drums"),
        made("text2music", None, None),
    ):
        assert not np.array_equal(drums, another)
    assert not np.array_equal(made("text2music", None, None), made("text2music", None, None, bpm=90))


def test_long_sound_is_made_in_tiles_without_a_seam(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = load(folders / "acestep-base")
    heard = np.random.default_rng(3).normal(0, 0.1, (2, 36 * RATE)).astype(np.float32)

    def made() -> Samples:
        with seeded(1):
            return pipeline.generate("lego", "house", 36.0, {}, heard, "drums", lambda _: None)

    vae = pipeline._pipeline.vae
    assert vae.use_tiling
    tiled = made()
    assert tiled.shape == (2, 36 * RATE)
    vae.disable_tiling()
    try:
        whole = made()
    finally:
        vae.enable_tiling()
    assert np.abs(tiled - whole).max() < 1e-3


def test_it_works_in_a_gpu_s_precision(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a processor, which has bfloat16, too."""
    monkeypatch.setattr(ace_pipeline, "choose_device", lambda: Device("cuda", 1, "float16"))
    pipeline = AcePipeline(folders / "acestep-base")
    assert {part.dtype for part in pipeline._pipeline.components.values() if hasattr(part, "dtype")} == {
        torch.bfloat16
    }
    heard = np.random.default_rng(3).normal(0, 0.1, (2, RATE)).astype(np.float32)
    with seeded(1):
        made = pipeline.generate("extract", "house", 1.0, {}, heard, "drums", lambda _: None)
    assert made.dtype == np.float32
    assert np.abs(made).max() == pytest.approx(10 ** (-1 / 20), rel=1e-2)


def clicks(bpm: float, seconds: float, first_s: float) -> Samples:
    sound = np.zeros((2, round(seconds * RATE)), np.float32)
    burst = np.random.default_rng(1).normal(0, 0.5, 1200) * np.exp(-np.arange(1200) / 300)
    for onset in np.arange(first_s, seconds - 0.1, 60 / bpm):
        at = round(onset * RATE)
        sound[:, at : at + burst.size] += burst.astype(np.float32)
    return sound


def heard_onsets(samples: Samples) -> np.ndarray:
    level = np.abs(samples[0]) > 0.05 * np.abs(samples).max()
    at = np.flatnonzero(level)
    return at[np.r_[True, np.diff(at) > 0.2 * RATE]] / RATE


@pytest.mark.parametrize("engine", ENGINES)
def test_music_off_the_plan_s_tempo_and_place_is_brought_onto_its_grid(
    engine: AceStep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = plans.house(8)
    plan = plan.model_copy(update={"parts": plan.parts[:1], "effects": ()})  # drums at 124 bpm
    calls = Call(monkeypatch, clicks(122.0, 18.0, 0.15))
    rendered = engine.generate(plan, tmp_path, 1)
    beat = 60 / plan.bpm
    if engine.name == "ace-step":
        onsets = heard_onsets(calls.asked[1]["heard"])  # the stand-in gives the same whatever it hears
    else:
        onsets = heard_onsets(rendered.stems["drums"].read())
    assert len(onsets) >= 28
    off = (onsets / beat + 0.5) % 1 - 0.5
    assert np.abs(off * beat).max() < 0.02


@pytest.mark.parametrize("engine", ENGINES)
def test_drums_of_a_model_that_learnt_nothing_are_refused(engine: AceStep, tmp_path: Path) -> None:
    plan = plans.house(4)
    drums = plan.model_copy(update={"parts": plan.parts[:1], "effects": ()})
    with pytest.raises(OffGridError, match="drums: no beat"):
        engine.generate(drums, tmp_path, 1)
    assert [*tmp_path.iterdir()] == []


def test_a_plan_that_is_too_long_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    plan = with_parts("Pad", bars=700)
    with pytest.raises(AudioError, match=r"ace-step: makes 10 minutes at most, and the plan has 12\.4"):
        AceStep().generate(plan, tmp_path, 1)


def test_keys_and_metres_are_in_its_own_words() -> None:
    plan = plans.house(1)
    modal = plan.model_copy(update={"key": "F# mixolydian", "metre": "7/8", "bpm": 99.6})
    assert metas(modal) == {"bpm": 100, "keyscale": "F# major", "timesignature": None}
    assert metas(plan.model_copy(update={"key": "D dorian"}))["keyscale"] == "D minor"
    assert track_of(plan, "other") == "synth"
    assert track_of(plan, "piano") == "keyboard"


def test_only_a_base_checkpoint_makes_stems_and_the_widest_is_taken(tmp_path: Path) -> None:
    save(tmp_path / "turbo", width=64, version="turbo")
    save(tmp_path / "sft", width=64, version="sft")
    assert folder_of(tmp_path) is None
    save(tmp_path / "base")
    save(tmp_path / "xl-base", width=32)
    assert folder_of(tmp_path) == tmp_path / "xl-base"


def test_what_is_lacking_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    for engine in ENGINES:
        assert str(tmp_path) in engine.lacks()
        assert "ACE-Step/acestep-v15-xl-base-diffusers" in engine.lacks()
        assert "\n" not in engine.lacks()
        with pytest.raises(ModelError, match="no weights"):
            engine.generate(with_parts("Pad"), tmp_path, 1)
    monkeypatch.setattr(ace_step, "packages_lacking", lambda *more: ", ".join(more))
    assert AceStep().lacks() == (
        "ace-step: can't be used without diffusers: pip install 'resonate-studio[ace-step]'"
    )


def test_the_weights_of_all_parts_are_keyed(folders: Path) -> None:
    keyed = AceStep().keyed()
    assert [*keyed] == [
        "condition_encoder/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]
    vae = folders / "acestep-base" / "vae" / "diffusion_pytorch_model.safetensors"
    assert keyed["vae/diffusion_pytorch_model.safetensors"] == file_sha256(vae)


@pytest.mark.parametrize("part", ["transformer", "condition_encoder", "text_encoder", "vae"])
def test_a_folder_that_is_not_whole_is_refused(
    part: str, monkeypatch: pytest.MonkeyPatch, folders: Path, tmp_path: Path
) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    shutil.copytree(folders / "acestep-base", tmp_path / "base")
    (weights,) = (tmp_path / "base" / part).glob("*.safetensors")
    tensors = safetensors.load_file(weights)
    del tensors[sorted(tensors)[-1]]
    safetensors.save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(ModelError) as raised:
        AceStep().generate(with_parts("Pad"), tmp_path, 1)
    assert "\n" not in str(raised.value)
    weights.write_bytes(b"no weights")
    with pytest.raises(ModelError, match="can't be read"):
        AceStep().generate(with_parts("Pad"), tmp_path, 1)


def test_code_in_a_folder_is_not_run(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "acestep-base", tmp_path / "base")
    index = tmp_path / "base" / "model_index.json"
    told = json.loads(index.read_text())
    told["transformer"] = ["evil", "Network"]
    index.write_text(json.dumps(told))
    (tmp_path / "base" / "evil.py").write_text("raise SystemExit('run')")
    load(tmp_path / "base")


@pytest.mark.parametrize("engine", ENGINES)
def test_progress_rises_to_one(engine: AceStep, tmp_path: Path) -> None:
    told: list[float] = []
    engine.generate(with_parts("Pad", "Piano"), tmp_path, 1, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len({round(each, 3) for each in told if 0.1 < each < 1}) >= 4

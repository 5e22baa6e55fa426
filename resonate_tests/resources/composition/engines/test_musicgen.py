"""MusicGen's engines with networks of their real architecture, small and random, without a network connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr

from resonate_resources.composition.engines import checkpoint, musicgen
from resonate_resources.composition.engines.alignment import OffGridError
from resonate_resources.composition.engines.checkpoint import Checkpoint, load, melody_of, seeded
from resonate_resources.composition.engines.describing import describe
from resonate_resources.composition.engines.musicgen import MusicGen, MusicGenMelody
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.rendering import render
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import (
    AudioError,
    Recording,
    Samples,
    file_sha256,
    silent,
    write_samples,
)
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.mono import Mono
from resonate_tests.resources.composition.sound import plans

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from resonate_tests.resources.composition.engines.tiny_musicgen import save  # noqa: E402

RATE = 32_000
HOUSE = plans.house(1)


def with_parts(*names: str, bars: int = 1) -> Plan:
    plan = plans.house(bars)
    parts = tuple(part for part in plan.parts if part.name in names)
    return plan.model_copy(update={"parts": parts, "effects": (), "bpm": 240.0})  # as short as it gets


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("models")
    save(models / "musicgen-small")
    save(models / "musicgen-melody", melody=True)
    return models


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, folders: Path) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("RESONATE_MODELS", str(folders))
    yield
    load.cache_clear()


@pytest.mark.parametrize("engine", [MusicGen(), MusicGenMelody()])
def test_stems_with_parts_are_made_and_others_are_silent(engine: MusicGen, tmp_path: Path) -> None:
    plan = with_parts("Pad")
    rendered = engine.generate(plan, tmp_path, 1)
    frames = round(total_s(plan) * 48_000)
    assert [*rendered.stems] == ["vocals", "drums", "bass", "other"]
    for stem in (*rendered.stems.values(), rendered.mix):
        assert (stem.sample_rate, stem.channels, stem.frames) == (48_000, 2, frames)
    sums = [stem.read() for stem in rendered.stems.values()]
    assert [bool(each.any()) for each in sums] == [False, False, False, True]
    np.testing.assert_allclose(sum(sums), rendered.mix.read(), atol=1e-6)
    told = rendered.instruments["other"]
    assert told.label == "AI-generated: house, no drums, no bass, synth pad, 240 bpm, A minor"
    assert told.licence == "CC-BY-NC-4.0"
    assert engine.model in told.source
    assert {path.name for path in tmp_path.iterdir()} == {"stems", "mix.wav"}
    assert {path.name for path in (tmp_path / "stems").iterdir()} == {
        f"{name}.wav" for name in rendered.stems
    }


def test_a_stem_is_as_loud_as_the_composer_has_it(tmp_path: Path) -> None:
    plan = with_parts("Pad", bars=6)
    for name in ("composed", "made"):
        (tmp_path / name).mkdir()
    composed = render(plan, tmp_path / "composed").stems["other"]
    made = MusicGen().generate(plan, tmp_path / "made", 1).stems["other"]
    found, wanted = (measure_loudness(each).integrated_lufs for each in (made, composed))
    assert abs(found - wanted) < 0.5


def test_the_same_seed_gives_the_same_bytes_and_another_another_sound(tmp_path: Path) -> None:
    def made(name: str, seed: int) -> str:
        (tmp_path / name).mkdir()
        return MusicGen().generate(with_parts("Pad"), tmp_path / name, seed).mix.sha256

    first = made("a", 1)
    torch.rand(1)  # what others draw does not matter
    assert made("b", 1) == first
    assert made("c", 2) != first


def test_drums_of_a_model_that_learnt_nothing_are_refused(tmp_path: Path) -> None:
    plan = plans.house(4)
    drums = plan.model_copy(update={"parts": plan.parts[:1], "effects": ()})
    with pytest.raises(OffGridError, match="drums: no beat"):
        MusicGen().generate(drums, tmp_path, 1)
    assert [*tmp_path.iterdir()] == []


def test_windows_are_continued_from_what_was_made_and_the_length_is_exact(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Windows of a second stand in for thirty."""
    monkeypatch.setattr(musicgen, "_WINDOW_S", 1.0)
    monkeypatch.setattr(musicgen, "_PROMPT_S", 0.4)
    monkeypatch.setattr(musicgen, "_FADE_S", 0.1)
    prompts: list[tuple[float, int]] = []
    generate = Checkpoint.generate

    def told(
        self: Checkpoint, texts: object, prompt: Samples | None, frames: int, melodies: object
    ) -> object:
        prompts.append((0 if prompt is None else prompt.shape[1] / RATE, frames))
        return generate(self, texts, prompt, frames, melodies)  # type: ignore[arg-type]

    monkeypatch.setattr(Checkpoint, "generate", told)
    plan = with_parts("Pad").model_copy(update={"bpm": 120.0})
    rendered = MusicGen().generate(plan, tmp_path, 1)
    assert rendered.mix.frames == round(total_s(plan) * 48_000)
    seconds, frames = zip(*prompts, strict=True)
    assert seconds[0] == 0
    assert set(seconds[1:]) == {0.4}
    assert max(frames) == RATE
    assert len(prompts) >= 5


@pytest.mark.parametrize("melody", [False, True])
def test_what_is_continued_comes_first(melody: bool, folders: Path) -> None:
    name, kind = ("musicgen-melody", "musicgen_melody") if melody else ("musicgen-small", "musicgen")
    network = load(folders / name, kind)  # type: ignore[arg-type]
    chroma = [np.sin(np.arange(RATE) / each).astype(np.float32) for each in (10, 12)] if melody else None
    with seeded(1):
        first = network.generate(["drums", "a bass"], None, RATE, None)
        more = network.generate(["drums", "a bass"], first, 2 * RATE, chroma)
    assert (first.shape, more.shape) == ((2, RATE), (2, 2 * RATE))
    assert not np.array_equal(first[0], first[1])
    with torch.inference_mode():
        codec = network._network.audio_encoder
        codes = codec.encode(torch.from_numpy(first)[:, None]).audio_codes
        again = codec.decode(codes, [None]).audio_values[:, 0].numpy()
    # Up to where the codec hears what follows.
    settled = round(0.8 * RATE)
    assert np.abs(more[:, :settled] - again[:, :settled]).max() < 0.02 * np.abs(again).max()


def test_melody_leads_melody_s_network(folders: Path) -> None:
    network = load(folders / "musicgen-melody", "musicgen_melody")
    tones = [
        np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE).astype(np.float32) for hertz in (440.0, 523.25)
    ]

    def made(melody: Mono | None) -> Samples:
        with seeded(1):
            return network.generate(["keys"], None, RATE, None if melody is None else [melody])

    np.testing.assert_array_equal(made(tones[0]), made(tones[0]))
    assert not np.array_equal(made(tones[0]), made(tones[1]))
    assert not np.array_equal(made(tones[0]), made(None))
    np.testing.assert_array_equal(made(np.zeros(RATE, np.float32)), made(None))  # for drums: not led at all


def test_melody_is_the_window_s_own(tmp_path: Path) -> None:
    time = np.arange(4 * 48_000) / 48_000
    sound = np.sin(2 * np.pi * np.where(time < 2, 440.0, 523.25) * time).astype(np.float32)
    recording = write_samples(tmp_path / "a.wav", np.stack([sound, sound]), 48_000)
    found = melody_of(recording, 2.0, 3.0)
    assert found.size == 3 * RATE
    inner = slice(2000, 2 * RATE - 2000)
    np.testing.assert_allclose(found[inner], soxr.resample(sound[96_000:], 48_000, RATE)[inner], atol=0.01)
    assert not found[2 * RATE :].any()


def test_the_decoder_alone_is_in_lower_precision(folders: Path) -> None:
    """bfloat16 on a processor stands in for a GPU's float16."""
    network = load(folders / "musicgen-small", "musicgen")
    network.lower = torch.bfloat16
    kinds: dict[str, object] = {}
    whole = network._network
    hooks = [
        part.register_forward_hook(lambda _, __, out, name=name: kinds.__setitem__(name, out.dtype))
        for name, part in {
            "decoder": whole.decoder.model.decoder.layers[0].fc1,
            "text": whole.text_encoder.encoder.block[0].layer[-1].DenseReluDense.wi,
            "sound": whole.audio_encoder.decoder.layers[0],
        }.items()
    ]
    try:
        with seeded(1):
            made = network.generate(["drums"], None, RATE // 5, None)
    finally:
        for hook in hooks:
            hook.remove()
    assert kinds == {"decoder": torch.bfloat16, "text": torch.float32, "sound": torch.float32}
    assert np.isfinite(made).all()


def test_what_is_lacking_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    for engine in (MusicGen(), MusicGenMelody()):
        assert str(tmp_path) in engine.lacks()
        assert engine.hub in engine.lacks()
        assert "not for commercial use" in engine.lacks()
        assert "\n" not in engine.lacks()
        assert engine.model == ""
        with pytest.raises(ModelError, match="no weights"):
            engine.generate(HOUSE, tmp_path, 1)
    monkeypatch.setattr(checkpoint, "PACKAGES", ("torch", "no_such_package"))
    assert (
        MusicGen().lacks()
        == "musicgen: can't be used without no_such_package: pip install 'resonate-studio[compose]'"
    )


def test_the_widest_of_its_own_kind_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    save(tmp_path / "musicgen-a", width=32)
    save(tmp_path / "musicgen-b")
    save(tmp_path / "melody", melody=True, width=48)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("[]")
    assert MusicGen().model == "musicgen-a"
    assert MusicGenMelody().model == "melody"
    assert MusicGen().keyed() == {
        "model.safetensors": file_sha256(tmp_path / "musicgen-a" / "model.safetensors")
    }


def test_a_folder_that_is_not_whole_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    weights = save(tmp_path / "small") / "model.safetensors"
    config = tmp_path / "small" / "config.json"
    told = json.loads(config.read_text())
    told["decoder"]["num_hidden_layers"] = 2
    config.write_text(json.dumps(told))
    with pytest.raises(ModelError, match="has not all weights"):
        MusicGen().generate(with_parts("Pad"), tmp_path, 1)
    weights.write_bytes(b"no weights")
    load.cache_clear()
    with pytest.raises(ModelError, match="can't be read"):
        MusicGen().generate(with_parts("Pad"), tmp_path, 1)


def test_a_stereo_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="stereo"):
        load(save(tmp_path / "stereo", channels=2), "musicgen")


def test_text_has_genre_stem_sounds_tempo_and_key() -> None:
    assert describe(HOUSE, "bass") == "house, bass line only, synth bass, 124 bpm, A minor"
    assert describe(HOUSE, "drums") == "house, drums only, kit 909, kit 808, 124 bpm"


def test_stems_are_made_side_by_side_each_from_its_own_words(tmp_path: Path) -> None:
    rendered = MusicGenMelody().generate(with_parts("Pad", "Piano"), tmp_path, 1)
    one, other = (rendered.stems[name].read() for name in ("other", "piano"))
    assert one.any()
    assert other.any()
    assert not np.array_equal(one, other)
    assert [*rendered.instruments] == ["other", "piano"]


def test_a_plan_without_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="has no parts"):
        MusicGen().generate(with_parts(), tmp_path, 1)


def test_progress_rises_to_one(tmp_path: Path) -> None:
    told: list[float] = []
    MusicGen().generate(with_parts("Pad"), tmp_path, 1, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert silent(0.5) is None  # type: ignore[func-returns-value]


def test_recordings_are_opened_as_others_are(tmp_path: Path) -> None:
    rendered = MusicGen().generate(with_parts("Pad"), tmp_path, 1)
    assert Recording.open(rendered.mix.path) == rendered.mix
    assert np.abs(rendered.mix.read()).max() <= 0.9

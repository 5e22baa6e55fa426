"""MusicGen-Style's engine with networks of their real architecture, small and random, offline."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from resonate_resources.composition.engines.choosing import choose, lacked
from resonate_resources.composition.engines.style.conditioner import StyleConditioner
from resonate_resources.composition.engines.style.engine import MusicGenStyle, excerpt_of
from resonate_resources.composition.engines.style.network import StyleNetwork, load
from resonate_resources.composition.engines.style.sampling import continued_codes, guided
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.models.audiocraft_files import read_language_model
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import AudioError, Recording, Samples, write_samples
from resonate_tests.resources.composition.engines.test_musicgen import with_parts

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from resonate_tests.resources.composition.engines import tiny_style  # noqa: E402

RATE = 32_000
STYLE = "condition_provider.conditioners.self_wav."


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_style.save(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, folders: Path) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("RESONATE_MODELS", str(folders))
    yield
    load.cache_clear()


def sound(hertz: float, seconds: float = 4.0, rate: int = 44_100) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.3 * np.sign(np.sin(2 * np.pi * hertz * time)) * np.exp(-(time % 0.5))
    return np.stack([tone, tone]).astype(np.float32)


def engine_for(tmp_path: Path, hertz: float = 220.0) -> MusicGenStyle:
    engine = MusicGenStyle()
    engine.reference = write_samples(tmp_path / f"reference {hertz:.0f}.wav", sound(hertz), 44_100)
    return engine


def made(engine: MusicGenStyle, into: Path, seed: int = 1) -> Recording:
    into.mkdir()
    return engine.generate(with_parts("Pad"), into, seed).mix


def peer(weights: Mapping[str, Any], width: int, heads: int) -> list[Any]:
    """torch's own encoder of those layers, whose norms come first, and that has biases in norms alone."""
    layers = []
    for number in range(2):
        layer = torch.nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        at = f"transformer.layers.{number}."
        mine = {name.removeprefix(at): value for name, value in weights.items() if name.startswith(at)}
        for name, value in layer.state_dict().items():
            value.copy_(mine[name]) if name in mine else value.zero_()
        layers.append(layer.eval())
    return layers


class TestTheStyle:
    def test_is_encoded_as_by_torchs_own_transformer(self, folders: Path) -> None:
        weights, _ = read_language_model(folders / "musicgen-style")
        mine = {name.removeprefix(STYLE): each for name, each in weights.items() if name.startswith(STYLE)}
        features = torch.randn(1, 20, tiny_style.MERT_WIDTH)
        # Vaswani et al. 2017, 3.5, with cosines first: periods from 2π to 2π·10,000.
        half = tiny_style.STYLE_WIDTH // 2
        phase = np.arange(20)[:, None] / 10_000 ** (np.arange(half) / (half - 1))
        places = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
        with torch.inference_mode():
            begun = features @ mine["embed.weight"].T + mine["embed.bias"] + torch.tensor(places).float()
            expected = begun
            for layer in peer(mine, tiny_style.STYLE_WIDTH, 8):
                expected = layer(expected)
            found = StyleConditioner(mine, None, 8, 3, 15).encoded(features)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)

    def test_is_the_sum_of_what_is_nearest_in_each_codebook(self) -> None:
        books = [[[0.0, 0.0], [10.0, 0.0]], [[1.0, 1.0], [0.0, -2.0]], [[50.0, 0.0], [60.0, 0.0]]]
        weights = {
            f"rvq.vq.layers.{number}._codebook.embed": torch.tensor(book) for number, book in enumerate(books)
        }
        heard = torch.tensor([[[9.0, -1.5], [2.0, 2.0]]])
        found = StyleConditioner(weights, None, 1, 2, 1).rounded(heard)
        assert found.tolist() == [[[10.0, -2.0], [1.0, 1.0]]]

    def test_is_whitened_by_what_training_heard_and_thinned(self) -> None:
        # A conditioner whose layers do nothing: what is left is normalising, rounding and every second frame.
        nothing = {name: 0 * each for name, each in tiny_style.style_weights().items()}
        one = torch.eye(tiny_style.STYLE_WIDTH)
        weights = nothing | {
            "embed.weight": one,
            "output_proj.weight": one,
            "output_proj.bias": 0 * one[0],
            "batch_norm.running_mean": torch.full((tiny_style.STYLE_WIDTH,), 2.0),
            "batch_norm.running_var": torch.full((tiny_style.STYLE_WIDTH,), 4.0),
            "rvq.vq.layers.0._codebook.embed": torch.stack([0 * one[0], 0 * one[0] + 1]),
        }
        conditioner = StyleConditioner(weights, None, 8, 1, 2)
        features = torch.zeros(1, 4, tiny_style.STYLE_WIDTH)
        half = tiny_style.STYLE_WIDTH // 2
        phase = torch.arange(4)[:, None] / 10_000 ** (torch.arange(half) / (half - 1))
        features[0] -= torch.cat([phase.cos(), phase.sin()], dim=1)  # which the conditioner adds
        features[0, 0] += 4  # (4 - 2) / 2 = 1
        features[0, 2] += 2  # (2 - 2) / 2 = 0
        found = conditioner.tokens(features)
        assert found.shape == (1, 2, tiny_style.STYLE_WIDTH)
        assert found[0].tolist() == [[1.0] * tiny_style.STYLE_WIDTH, [0.0] * tiny_style.STYLE_WIDTH]

    def test_is_five_tokens_a_second_of_the_loudest_three(self, folders: Path, tmp_path: Path) -> None:
        samples = np.concatenate([0.1 * sound(220, 4.0), sound(440, 3.0), 0.1 * sound(220, 2.0)], axis=1)
        recording = write_samples(tmp_path / "a.wav", samples, 44_100)
        excerpt = excerpt_of(recording)
        alone = excerpt_of(write_samples(tmp_path / "b.wav", sound(440, 3.0), 44_100))
        assert excerpt.shape == alone.shape == (72_000,)
        inner = slice(500, -500)
        np.testing.assert_allclose(excerpt[inner], alone[inner], atol=0.01)
        assert load(folders).hear(excerpt).shape == (1, 15, tiny_style.WIDTH)

    def test_of_under_a_second_and_a_half_is_none(self, tmp_path: Path) -> None:
        assert excerpt_of(write_samples(tmp_path / "a.wav", sound(220, 1.6), 44_100)).size == 1.6 * 24_000
        with pytest.raises(AudioError, match=r"a\.wav: is 1\.4 s long; a style needs 1\.5 s"):
            excerpt_of(write_samples(tmp_path / "a.wav", sound(220, 1.4), 44_100))


class TestTokens:
    def test_are_led_by_style_and_by_text_beyond_it(self) -> None:
        # none + 3·(style + 5·(both − style) − none), by hand.
        assert guided(2.0, 1.0, 0.5) == 0.5 + 3 * (1 + 5 * 1 - 0.5) == 17.0
        assert guided(1.0, 1.0, 1.0) == 1.0

    def test_begin_a_step_later_in_each_codebook_and_continue_those_known(self) -> None:
        given: list[list[list[int]]] = []

        def step(sequence: Any) -> Any:
            given.append(sequence[0].tolist())
            chances = torch.full((1, 2, 10), -100.0)
            chances[:, :, len(given)] = 100.0  # the number of the step
            return torch.stack([chances] * 3)

        found = continued_codes(step, torch.tensor([[[7], [8]]]), 3, 9)
        # Steps: 0 holds nothing, 1 the first codebook's first token, 2 its second and the other's first, …
        assert given == [[[9, 7], [9, 9]], [[1], [8]], [[2], [2]]]
        assert found.tolist() == [[[7, 1, 2], [8, 2, 3]]]

    def test_come_as_by_torchs_own_transformer(self, folders: Path) -> None:
        """The whole language model at once, against its steps: prefix, places, names of weights."""
        network = StyleNetwork(folders)
        weights, _ = read_language_model(folders / "musicgen-style")
        style, codes = torch.randn(1, 5, tiny_style.WIDTH), torch.randint(0, 1024, (2, 4, 6))
        with torch.inference_mode():
            said = network._said(["drums", "bass"])
            step = network._steps(style, said)
            step(codes[..., :4])
            found = step(codes[..., 4:])
            prefix = torch.cat([style.expand(2, -1, -1), said], dim=1)
            tokens = sum(weights[f"emb.{book}.weight"][codes[:, book]] for book in range(4))
            for number, led in enumerate(
                (prefix, prefix * (torch.arange(prefix.shape[1]) < 5)[:, None], 0 * prefix)
            ):
                begun = torch.cat([led, tokens], dim=1)
                half = tiny_style.WIDTH // 2
                phase = torch.arange(begun.shape[1])[:, None] / 10_000 ** (torch.arange(half) / (half - 1))
                state = begun + torch.cat([phase.cos(), phase.sin()], dim=1)
                future = torch.ones(begun.shape[1], begun.shape[1]).triu(1).bool()
                for layer in peer(weights, tiny_style.WIDTH, 2):
                    state = layer(state, future)
                last = torch.nn.functional.layer_norm(
                    state[:, -1], (tiny_style.WIDTH,), weights["out_norm.weight"], weights["out_norm.bias"]
                )
                expected = torch.stack(
                    [last @ weights[f"linears.{book}.weight"].T for book in range(4)], dim=1
                )
                torch.testing.assert_close(found[number], expected, atol=1e-3, rtol=1e-3)


class TestTheEngine:
    def test_makes_stems_of_the_plan_in_the_style(self, tmp_path: Path) -> None:
        engine, plan = engine_for(tmp_path), with_parts("Pad", "Piano")
        rendered = engine.generate(plan, tmp_path, 1)
        frames = round(total_s(plan) * 48_000)
        for stem in (*rendered.stems.values(), rendered.mix):
            assert (stem.sample_rate, stem.channels, stem.frames) == (48_000, 2, frames)
        sums = [stem.read() for stem in rendered.stems.values()]
        np.testing.assert_allclose(sum(sums), rendered.mix.read(), atol=1e-6)
        assert not np.array_equal(rendered.stems["other"].read(), rendered.stems["piano"].read())
        assert not rendered.stems["drums"].read().any()
        told = rendered.instruments["other"]
        assert told.label == "AI-generated: house, no drums, no bass, synth pad, 240 bpm, A minor"
        assert (told.licence, told.source) == ("CC-BY-NC-4.0", "musicgen-style (musicgen-style)")

    def test_is_told_by_seed_and_by_reference(self, tmp_path: Path) -> None:
        engine = engine_for(tmp_path)
        first = made(engine, tmp_path / "a").sha256
        torch.rand(1)  # what others draw does not matter
        assert made(engine, tmp_path / "b").sha256 == first
        assert made(engine, tmp_path / "c", seed=2).sha256 != first
        other = engine_for(tmp_path, 587.33)
        assert made(other, tmp_path / "d").sha256 != first
        keyed, others = engine.keyed(), other.keyed()
        assert keyed["reference"] != others["reference"]
        assert {*keyed} - {"reference"} == {
            "musicgen-style/state_dict.bin",
            "musicgen-style/compression_state_dict.bin",
            "t5-base/model.safetensors",
            "encodec_32khz/model.safetensors",
            "MERT-v1-95M/model.safetensors",
        }

    def test_continues_what_was_before(self, folders: Path) -> None:
        network = load(folders)
        style = network.hear(np.zeros(72_000, np.float32))
        torch.manual_seed(1)
        first = network.generate(["drums", "a bass"], style, None, RATE)
        more = network.generate(["drums", "a bass"], style, first, 2 * RATE)
        assert (first.shape, more.shape) == ((2, RATE), (2, 2 * RATE))
        with torch.inference_mode():
            codes = network._codec.encode(torch.from_numpy(first)[:, None]).audio_codes
            again = network._codec.decode(codes, [None]).audio_values[:, 0].numpy()
        settled = round(0.8 * RATE)  # up to where the codec hears what follows
        assert np.abs(more[:, :settled] - again[:, :settled]).max() < 0.02 * np.abs(again).max()

    def test_has_its_language_model_alone_in_lower_precision(self, folders: Path) -> None:
        """bfloat16 on a processor stands in for a GPU's float16."""
        network = StyleNetwork(folders)
        network.lower = torch.bfloat16
        kinds = {}
        hook = network._decoder.model.decoder.layers[0].fc1.register_forward_hook(
            lambda _, __, out: kinds.__setitem__("decoder", out.dtype)
        )
        made = network.generate(["drums"], network.hear(np.zeros(72_000, np.float32)), None, RATE // 5)
        hook.remove()
        assert kinds == {"decoder": torch.bfloat16}
        assert made.dtype == np.float32
        assert np.isfinite(made).all()


def test_the_command_hands_the_reference_to_the_engine(tmp_path: Path) -> None:
    from resonate_studio.cli import main

    reference, out = write_samples(tmp_path / "a.wav", sound(220, 8.0), 44_100), tmp_path / "out"
    words = ["compose", "ambient piano, no drums, no bass", "--engine", "musicgen-style", "--out", str(out)]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert "needs a recording in whose style it is to be" in refused.stderr
    made = CliRunner().invoke(main, [*words, "--duration", "5", "--reference", str(reference.path)])
    assert made.exit_code == 0, made.stderr
    told = json.loads((out / "composition.json").read_text())
    assert told["label"] == "AI-generated"
    assert told["engine"] == {"name": "musicgen-style", "model": "musicgen-style", "licence": "CC-BY-NC-4.0"}
    assert told["weights"]["reference"] == reference.sha256
    assert {each["source"] for each in told["instruments"].values()} == {"musicgen-style (musicgen-style)"}


class TestWhatIsLacking:
    def test_is_told_in_one_line_with_what_to_put_where(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
        line = MusicGenStyle().lacks()
        assert line.startswith("musicgen-style: no weights of facebook/musicgen-style, google-t5/t5-base, ")
        assert "m-a-p/MERT-v1-95M" in line
        assert "not for commercial use" in line
        assert "\n" not in line
        with pytest.raises(ModelError, match="no weights of"):
            choose("musicgen-style", referenced=True)

    def test_may_be_the_reference(self, tmp_path: Path) -> None:
        assert lacked(MusicGenStyle(), referenced=True) == ""
        told = "musicgen-style: needs a recording in whose style it is to be, as its reference"
        assert lacked(MusicGenStyle()) == told
        with pytest.raises(ModelError, match=f"^{told}$"):
            choose("musicgen-style")
        assert choose("musicgen-style", referenced=True).name == "musicgen-style"
        with pytest.raises(ModelError, match="needs a recording"):
            MusicGenStyle().generate(with_parts("Pad"), tmp_path, 1)


class TestAFileThatIsNotWhole:
    def test_is_refused(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        models = tiny_style.save(tmp_path / "models")
        monkeypatch.setenv("RESONATE_MODELS", str(models))
        file = models / "musicgen-style" / "state_dict.bin"
        saved = torch.load(file, weights_only=True)
        weights = saved["best_state"]
        lost = {name: each for name, each in weights.items() if name != "linears.3.weight"}
        for wrong in (lost, {**weights, "out_norm.scale": torch.ones(1)}):
            torch.save({**saved, "best_state": wrong}, file)
            with pytest.raises(ModelError, match=r"has not the weights it should have \(.*, 1 in all\)"):
                load(models)
        torch.save(saved["best_state"], file)
        with pytest.raises(ModelError, match="is no language model of audiocraft's"):
            load(models)
        file.write_bytes(file.read_bytes()[:5000])
        with pytest.raises(ModelError, match="is no file of tensors, or is damaged"):
            load(models)

    def test_is_never_run(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        models = tiny_style.save(tmp_path / "models")
        monkeypatch.setenv("RESONATE_MODELS", str(models))

        class Touch:
            def __reduce__(self) -> object:
                return (Path.touch, (tmp_path / "run",))

        for name in ("state_dict.bin", "compression_state_dict.bin"):
            torch.save(
                {"pretrained": "facebook/encodec_32khz", "best_state": {}, "xp.cfg": Touch()}, models / name
            )
            (models / name).replace(models / "musicgen-style" / name)
            with pytest.raises(ModelError, match="is no file of tensors"):
                load(models)
        assert not (tmp_path / "run").exists()

    def test_made_for_another_codec_or_hearing_otherwise_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        models = tiny_style.save(tmp_path / "models")
        monkeypatch.setenv("RESONATE_MODELS", str(models))
        file = models / "musicgen-style" / "state_dict.bin"
        saved = torch.load(file, weights_only=True)
        torch.save(
            {**saved, "xp.cfg": saved["xp.cfg"].replace("model_name: mert", "model_name: encodec")}, file
        )
        with pytest.raises(ModelError, match="hears style otherwise"):
            load(models)
        torch.save({"pretrained": "dac_44khz"}, models / "musicgen-style" / "compression_state_dict.bin")
        with pytest.raises(ModelError, match="was made for dac_44khz"):
            load(models)

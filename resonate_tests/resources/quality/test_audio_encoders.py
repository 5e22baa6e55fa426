"""CLAP and MERT of random weights, saved as the hub has them, against transformers' own way through them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.models.weights import ModelError
from resonate_resources.quality.audio_encoders import Encoder, embeddings, folder_in, load
from resonate_resources.quality.timbre import hear_timbre, timbre
from resonate_resources.recordings.recording import Recording, Samples, write_samples

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    torch.manual_seed(17)
    load.cache_clear()
    yield
    load.cache_clear()


def sound(rate: int, seconds: float) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.2 * np.sin(2 * np.pi * 330 * time) * np.exp(-(time % 1.0))
    return np.stack([tone, tone]).astype(np.float32)


def save_clap(folder: Path) -> object:
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    audio = {
        "patch_embeds_hidden_size": 8,
        "hidden_size": 64,
        "depths": [1] * 4,
        "projection_hidden_size": 16,
    }
    config = transformers.ClapConfig(
        text_config=text | {"vocab_size": 50},
        audio_config=audio | {"num_attention_heads": [1, 1, 2, 2]},
        projection_dim=16,
    )
    model = transformers.ClapModel(config).eval()
    model.save_pretrained(folder)
    transformers.ClapFeatureExtractor(truncation="rand_trunc").save_pretrained(folder)
    return model


def save_mert(folder: Path, **settings: object) -> object:
    """As its authors saved it: a file of torch's, weight norm by its old names, a model of their own code."""
    config = transformers.HubertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
    )
    model = transformers.HubertModel(config).eval()
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    weights = {}
    for name, value in model.state_dict().items():
        for new, old in names.items():
            name = name.replace(new, old)  # noqa: PLW2901
        weights[name] = value
    folder.mkdir()
    torch.save(weights, folder / "pytorch_model.bin")
    theirs: dict[str, object] = {
        "model_type": "mert_model",
        "auto_map": {"AutoModel": "modeling_MERT.MERTModel"},
    }
    theirs |= {"architectures": ["MERTModel"], "sample_rate": 24000, "feature_extractor_cqt": False}
    (folder / "config.json").write_text(json.dumps(config.to_dict() | theirs | settings))
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=24000, do_normalize=True).save_pretrained(folder)
    return model


def encoder_in(directory: Path) -> Encoder:
    folder = folder_in(directory)
    assert folder is not None
    return load(folder)


def recording(tmp_path: Path, rate: int, seconds: float = 12.0) -> Recording:
    return write_samples(tmp_path / "sound.wav", sound(rate, seconds), rate)


def test_clap_hears_what_its_own_model_hears(tmp_path: Path) -> None:
    model = save_clap(tmp_path / "larger_clap_music")
    encoder = encoder_in(tmp_path)
    assert encoder.name == "CLAP larger_clap_music"
    found = embeddings(encoder, recording(tmp_path, 48_000), [0.0, 2.0])
    extractor = transformers.ClapFeatureExtractor(truncation="rand_trunc")
    windows = [sound(48_000, 12.0)[0][start * 48_000 :][: 10 * 48_000] for start in (0, 2)]
    with torch.inference_mode():
        expected = model.get_audio_features(  # type: ignore[attr-defined]
            **extractor(windows, sampling_rate=48_000, return_tensors="pt")
        )
    expected = getattr(expected, "pooler_output", expected)
    assert np.abs(found - expected.numpy()).max() < 1e-4


def test_mert_is_read_as_its_authors_saved_it(tmp_path: Path) -> None:
    model = save_mert(tmp_path / "MERT-v1-95M")
    encoder = encoder_in(tmp_path)
    assert encoder.name == "MERT MERT-v1-95M"
    found = embeddings(encoder, recording(tmp_path, 24_000), [3.0])
    samples = sound(24_000, 12.0)[0][3 * 24_000 : 8 * 24_000]
    samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)  # Wav2Vec2's normalisation
    with torch.inference_mode():
        layers = model(torch.from_numpy(samples)[None], output_hidden_states=True).hidden_states  # type: ignore[operator]
    means = [layer[0].mean(dim=0).numpy() for layer in layers]
    expected = np.concatenate([mean / np.linalg.norm(mean) for mean in means])
    assert found.shape == (1, 3 * 32)
    assert np.abs(found[0] - expected).max() < 1e-4


def test_mert_is_preferred_to_clap(tmp_path: Path) -> None:
    save_clap(tmp_path / "a")
    save_mert(tmp_path / "b")
    encoder = encoder_in(tmp_path)
    assert encoder.name == "MERT b"


def test_a_recording_of_another_rate_is_resampled_and_a_short_one_is_followed_by_silence(
    tmp_path: Path,
) -> None:
    save_mert(tmp_path / "mert")
    encoder = encoder_in(tmp_path)
    long = np.concatenate([sound(48_000, 4.0), np.zeros((2, 6 * 48_000), np.float32)], axis=1)
    found = [
        embeddings(encoder, write_samples(tmp_path / "one.wav", samples, rate), [0.0])
        for samples, rate in ((sound(24_000, 4.0), 24_000), (long, 48_000))
    ]
    assert float((found[0] * found[1]).sum() / 3) > 0.999  # three layers, each of length 1


@pytest.mark.parametrize(
    "other", [{"feature_extractor_cqt": True}, {"deepnorm": True}, {"attention_relax": 32.0}]
)
def test_mert_that_hubert_can_not_be_is_refused(tmp_path: Path, other: dict[str, object]) -> None:
    save_mert(tmp_path / "mert", **other)
    with pytest.raises(ModelError, match="only MERT without"):
        encoder_in(tmp_path)


def test_weights_that_are_missing_are_not_drawn_at_random(tmp_path: Path) -> None:
    save_mert(tmp_path / "mert")
    weights = torch.load(tmp_path / "mert" / "pytorch_model.bin", weights_only=True)
    del weights["encoder.layers.1.attention.k_proj.weight"]
    torch.save(weights, tmp_path / "mert" / "pytorch_model.bin")
    with pytest.raises(
        ModelError, match=r"has not all weights \(encoder.layers.1.attention.k_proj.weight, 1"
    ):
        encoder_in(tmp_path)


def test_a_folder_without_its_weights_is_told_in_one_line(tmp_path: Path) -> None:
    save_mert(tmp_path / "mert")
    (tmp_path / "mert" / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError) as raised:
        encoder_in(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'mert'}: can't be read")
    assert "\n" not in str(raised.value)


def test_folders_of_other_models_are_none_of_ours(tmp_path: Path) -> None:
    for name, text in (("bert", '{"model_type": "bert"}'), ("broken", "{"), ("list", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(text)
    assert folder_in(tmp_path) is None
    assert folder_in(tmp_path / "nowhere") is None


def test_before_a_recording_there_is_silence(tmp_path: Path) -> None:
    save_mert(tmp_path / "mert")
    encoder = encoder_in(tmp_path)
    late = np.concatenate([np.zeros((2, 24_000), np.float32), sound(24_000, 12.0)], axis=1)
    expected = embeddings(encoder, write_samples(tmp_path / "late.wav", late, 24_000), [0.0])
    assert np.abs(embeddings(encoder, recording(tmp_path, 24_000), [-1.0]) - expected).max() < 1e-5


def test_the_report_tells_which_network_heard_how_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    save_mert(tmp_path / "MERT-v1-95M")
    heard = hear_timbre(recording(tmp_path, 24_000), -20.0)
    told = timbre(heard, heard)
    assert told.detail == "musicnn: cosine 1.000; MERT MERT-v1-95M: 1.000, not scored"
    assert told.amount == pytest.approx(0.0, abs=1e-9)

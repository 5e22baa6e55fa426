import os
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

import demucs.pretrained
import numpy as np
import pytest
import torch
import yaml
from demucs.apply import BagOfModels, apply_model
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.models.chunks import chunk_bounds
from resonate_resources.models.device import Device
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import silent, write_samples
from resonate_resources.separation.demucs import engine as demucs_engine
from resonate_resources.separation.demucs.bag import load_checkpoint
from resonate_resources.separation.demucs.engine import DemucsSeparator, weights
from resonate_tests.resources.separation.demucs.checkpoints import SOURCES, full_size, package, publish, small

SEGMENT = 66150  # of the small model: 1.5 s
STEMS = ["vocals", "drums", "bass", "other"]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Puts models into the cache directory under a model's name; all that a hub would do."""
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(demucs_engine, "choose_device", lambda: Device("cpu", 2, None))
    demucs_engine._load.cache_clear()

    def publish_as(name, *models):
        files = tuple(publish(package(model), tmp_path / "models") for model in models)
        monkeypatch.setitem(demucs_engine._FILES, name, files)
        return [load_checkpoint(tmp_path / "models" / file) for file in files]

    yield publish_as
    demucs_engine._load.cache_clear()


def music(frames, channels=2, rate=44100, seed=0):
    """Noise, and a tone that is struck twice a second; without an offset."""
    time = np.arange(frames) / rate
    struck = 0.3 * np.sin(2 * np.pi * 220 * time) * np.exp(-8 * (time % 0.5))
    noise = np.random.default_rng(seed).normal(0, 0.05, (channels, frames))
    samples = noise + struck
    return (samples - samples.mean()).astype(np.float32)


def separated(tmp_path, samples, rate=44100, model="htdemucs", name="stems"):
    track = write_samples(tmp_path / "track.wav", samples, rate)
    (tmp_path / name).mkdir()
    return DemucsSeparator(model).separate(track, tmp_path / name, silent)


def normalised(samples):
    """The input of the package's models, and its scale, as `demucs.api.Separator.separate_tensor` has them."""
    wave = torch.from_numpy(samples)
    reference = wave.mean(0)
    return ((wave - reference.mean()) / reference.std())[None], float(reference.std())


def error_db(estimate, reference):
    return 10 * np.log10(np.square(estimate - reference).sum() / np.square(reference).sum())


def test_the_files_are_those_that_the_package_knows_on_its_hub():
    known = demucs.pretrained._parse_remote_files(demucs.pretrained.REMOTE_ROOT / "files.txt")
    for model in ("htdemucs_ft", "htdemucs", "htdemucs_6s"):
        bag = yaml.safe_load((demucs.pretrained.REMOTE_ROOT / f"{model}.yaml").read_text())
        assert [file.url for file in weights(model)] == [known[signature] for signature in bag["models"]]
        assert [file.name for file in weights(model)] == [
            f"{s}-{file.sha256}.th" for s, file in zip(bag["models"], weights(model), strict=True)
        ]
        if len(bag["models"]) > 1:  # the n-th model is for the n-th source alone
            assert np.array_equal(bag["weights"], np.eye(len(SOURCES)))


def test_a_track_as_long_as_a_segment_comes_out_as_from_the_model_itself(published, tmp_path):
    (model,) = published("htdemucs", small())
    samples = music(SEGMENT)
    stems = separated(tmp_path, samples)
    assert list(stems) == STEMS
    wave, scale = normalised(samples)
    with torch.inference_mode():
        expected = model(wave)[0].numpy() * scale
    for index, source in enumerate(SOURCES):
        assert error_db(stems[source].read(), expected[index]) < -90


def test_each_fine_tuned_model_gives_only_its_own_stem(published, tmp_path):
    models = published("htdemucs_ft", *(small(seed) for seed in range(4)))
    samples = music(SEGMENT)
    stems = separated(tmp_path, samples, model="htdemucs_ft")
    wave, scale = normalised(samples)
    expected = (
        apply_model(BagOfModels(models, np.eye(4).tolist()), wave, shifts=0, split=False)[0].numpy() * scale
    )
    for index, source in enumerate(SOURCES):
        assert error_db(stems[source].read(), expected[index]) < -90


def test_the_model_of_six_sources_gives_six_stems(published, tmp_path):
    published("htdemucs_6s", small(sources=[*SOURCES, "guitar", "piano"]))
    assert list(separated(tmp_path, music(5000), model="htdemucs_6s")) == [*STEMS, "piano", "guitar"]


def test_chunks_come_nearer_to_the_whole_file_at_once_than_the_packages_own_do(published, tmp_path):
    (model,) = published("htdemucs", small())
    samples = music(5 * 44100)
    stems = separated(tmp_path, samples)
    wave, scale = normalised(samples)
    package_chunks = apply_model(model, wave, shifts=0)[0].numpy() * scale
    model.use_train_segment = False
    whole = apply_model(model, wave, shifts=0, split=False)[0].numpy() * scale
    for index, source in enumerate(SOURCES):
        assert (
            error_db(stems[source].read(), whole[index]) < error_db(package_chunks[index], whole[index]) - 6
        )


def test_the_full_architecture_leaves_no_seam(published, tmp_path):
    (model,) = published("htdemucs", full_size())
    assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(42e6, rel=0.02)
    samples = music(9 * 44100)  # two chunks
    stems = separated(tmp_path, samples)
    wave, scale = normalised(samples)
    model.use_train_segment = False
    whole = apply_model(model, wave, shifts=0, split=False)[0].numpy() * scale
    bounds = list(chunk_bounds(samples.shape[1], int(7.8 * 44100), 44100, 1024))
    seam = np.zeros(samples.shape[1], bool)
    for (_, stop), (start, _) in pairwise(bounds):
        seam[start:stop] = True
    for index, source in enumerate(SOURCES):
        stem = stems[source].read()
        assert error_db(stem, whole[index]) < -20
        difference = np.square(stem - whole[index]).mean(0)
        assert difference[seam].mean() <= difference[~seam].mean()


class Identity:
    """A bag of models that find all of a track in its other sounds."""

    sources, sample_rate, segment, grid = ("other",), 44100, 3000, 64

    def to(self, kind):
        pass

    def __call__(self, segments, fast):
        return segments[:, None]


@settings(max_examples=30)
@given(
    frames=st.integers(1, 30_000),
    channels=st.integers(1, 6),
    level=st.floats(1e-4, 1),
    seed=st.integers(0, 99),
)
def test_models_that_change_nothing_give_the_track_back_at_any_length(frames, channels, level, seed):
    samples = np.random.default_rng(seed).uniform(-level, level, (channels, frames)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        patch.setattr(demucs_engine, "_load", lambda model, models: Identity())
        patch.setattr(demucs_engine, "FADE_SECONDS", 0.01)
        error = separated(Path(directory), samples)["other"].read() - samples
    assert np.abs(error).max() <= 4e-7 * level  # a few roundings of float32


@pytest.mark.parametrize(
    ("rate", "channels", "frames"),
    [
        (44100, 1, 1),
        (48000, 2, 100_001),
        (8000, 1, 12_345),
        (192_000, 2, 50_000),
        (44100, 6, 3000),
        (22050, 3, 7),
    ],
)
def test_stems_have_the_rate_channels_and_length_of_the_track(published, tmp_path, rate, channels, frames):
    published("htdemucs", small())
    for stem in separated(tmp_path, music(frames, channels, rate), rate).values():
        assert (stem.sample_rate, stem.channels, stem.frames) == (rate, channels, frames)
        assert np.isfinite(stem.read()).all()


def test_silence_stays_silent(published, tmp_path):
    published("htdemucs", small())
    for stem in separated(tmp_path, np.zeros((2, 80_000), np.float32)).values():
        assert np.abs(stem.read()).max() < 1e-6


def test_an_offset_is_in_the_stems_once(published, tmp_path):
    published("htdemucs", small())
    samples = music(SEGMENT)
    plain = separated(tmp_path, samples, name="plain")
    moved = separated(tmp_path, samples + np.float32(0.1), name="moved")
    for source in STEMS:
        offset = 0.1 if source == "other" else 0
        np.testing.assert_allclose(moved[source].read(), plain[source].read() + offset, atol=1e-4)


def test_the_front_of_surround_sound_is_separated_like_the_same_in_stereo(published, tmp_path):
    published("htdemucs", small())
    samples = music(SEGMENT + 20_000, 6)
    surround = separated(tmp_path, samples, name="surround")
    for name, pair in (("front", [0, 1]), ("centre", [2]), ("back", [4, 5])):
        alone = separated(tmp_path, samples[pair], name=name)
        for source in STEMS:
            np.testing.assert_allclose(surround[source].read()[pair], alone[source].read(), atol=1e-5)


def test_the_same_track_gives_the_same_bytes(published, tmp_path):
    published("htdemucs", small())
    once = separated(tmp_path, music(150_000), name="once")
    again = separated(tmp_path, music(150_000), name="again")
    assert {name: stem.sha256 for name, stem in once.items()} == {
        name: stem.sha256 for name, stem in again.items()
    }


def test_lower_precision_on_a_processor_stays_within_45_db_and_is_told(published, tmp_path, monkeypatch):
    published("htdemucs", small())
    exact = separated(tmp_path, music(300_000), name="exact")
    monkeypatch.setattr(demucs_engine, "choose_device", lambda: Device("cpu", 2, "bfloat16 attention"))
    separator = DemucsSeparator("htdemucs")
    (tmp_path / "fast").mkdir()
    track = write_samples(tmp_path / "track.wav", music(300_000), 44100)
    fast = separator.separate(track, tmp_path / "fast", silent)
    [note] = separator.notes
    assert "bfloat16 attention" in note
    assert separator.precision_error_db < -45
    for source in STEMS:
        assert error_db(fast[source].read(), exact[source].read()) < -45


def test_the_engine_names_its_model_and_every_file_of_it(published):
    recipe = DemucsSeparator().recipe()
    assert (recipe.engine.name, recipe.engine.model) == ("demucs", "htdemucs_ft")
    assert recipe.settings["weights_sha256"] == {file.name: file.sha256 for file in weights("htdemucs_ft")}
    assert "MIT" in recipe.engine.licence


def test_it_is_available_with_its_weights_here_and_says_what_lacks_otherwise(published, monkeypatch):
    monkeypatch.setattr(demucs_engine, "_HUB", "http://127.0.0.1:9/")
    published("htdemucs", small())
    assert DemucsSeparator("htdemucs").available() is None
    assert "f7e0c4bc-ba3fe64a.th" in DemucsSeparator("htdemucs_ft").available()
    monkeypatch.setattr(demucs_engine, "find_spec", lambda package: None)
    assert DemucsSeparator("htdemucs").available().startswith("torch is not installed")


def test_a_model_that_does_not_exist_is_refused():
    with pytest.raises(ModelError, match="htdemucs_7s: no such Demucs model; there are htdemucs_ft"):
        DemucsSeparator("htdemucs_7s")


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(tmp_path):
    content = {**package(small()), "training_args": Bomb(tmp_path / "boom")}
    path = tmp_path / publish(content, tmp_path)
    with pytest.raises(ModelError, match=f"{path.name}: refused"):
        load_checkpoint(path)
    assert not (tmp_path / "boom").exists()


def altered(**changes):
    return {**package(small()), **changes}


@pytest.mark.parametrize(
    "content",
    [
        [1, 2, 3],
        {"state": {}},
        altered(state={}),
        altered(kwargs={"sources": ["one"]}),
        altered(state={"__quantized": True}),
        altered(args=("too", "many") * 40),
    ],
)
def test_a_file_that_holds_no_such_model_is_one_line_that_names_it(tmp_path, content):
    path = tmp_path / publish(content, tmp_path)
    with pytest.raises(ModelError) as refusal:
        load_checkpoint(path)
    assert path.name in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kept", [0, 3, 1000, 0.5, 0.99])
def test_a_truncated_checkpoint_is_one_line_that_names_it(tmp_path, kept):
    path = tmp_path / publish(package(small()), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelError) as refusal:
        load_checkpoint(path)
    assert path.name in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_tracks_side_by_side_in_one_process_come_out_as_one_after_the_other(published, tmp_path):
    published("htdemucs", small())
    alone = separated(tmp_path, music(100_000), name="alone")
    results = {}

    def work(name):
        (tmp_path / name).mkdir()
        results[name] = DemucsSeparator("htdemucs").separate(alone_track, tmp_path / name, silent)

    alone_track = write_samples(tmp_path / "again.wav", music(100_000), 44100)
    threads = [threading.Thread(target=work, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results.values():
        assert {s: stem.sha256 for s, stem in result.items()} == {s: stem.sha256 for s, stem in alone.items()}

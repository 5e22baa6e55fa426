"""The networks against BeatNet itself: `beatnet_peer.npz` is what BeatNet 1.1.3 with torch 2.13 and madmom 0.17
makes of `signal`, with a second of silence before it: features of every tenth frame, activations, the mean of
its networks."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import onnx
import pytest

from resonate_resources.models.weights import ModelError
from resonate_resources.profiling import beat_network
from resonate_resources.profiling.beat_network import HOP, features, hear_beats
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_tests.benchmarks import beatnet_graph

RATE = beat_network.SAMPLE_RATE
PEER = np.load(Path(__file__).with_name("beatnet_peer.npz"))


def signal() -> Samples:
    """Six seconds of a low and three higher strokes, twice a second, over a steady chord: (1, frames)."""
    time = np.arange(6 * RATE) / RATE
    strokes = np.zeros_like(time)
    for number, start in enumerate(np.arange(0.25, 6, 0.5)):
        since = np.clip(time - start, 0, None)
        pitch = 70.0 if number % 4 == 0 else 240.0
        strokes += (time >= start) * np.exp(-since / 0.05) * np.sin(2 * np.pi * pitch * since)
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220.0, 277.2, 329.6))
    return (0.4 * strokes + 0.05 * chord).astype(np.float32)[np.newaxis]


@pytest.mark.parametrize("pieces", [1, 7, 331])
def test_features_are_the_peers_whatever_the_blocks(pieces: int) -> None:
    padded = np.concatenate([np.zeros(50 * HOP, np.float32), signal()[0]])
    found = np.concatenate([*features(iter(np.array_split(padded, pieces)))])
    assert np.abs(found[50:350:10] - PEER["features"]).max() < 1e-4


def test_activations_are_the_peers(tmp_path: Path) -> None:
    heard = hear_beats(write_samples(tmp_path / "strokes.wav", signal(), RATE))
    assert PEER["activations"][:, :2].max() > 0.5
    assert np.abs(heard.activations[:300] - PEER["activations"]).max() < 1e-3


def test_the_graph_says_where_the_weights_lie() -> None:
    folder = beat_network._folder()
    assert folder is not None
    made = beatnet_graph.model(folder)
    assert onnx.load_from_string(beat_network._GRAPH.read_bytes()) == made


def test_a_file_that_would_run_code_is_not_read(tmp_path: Path) -> None:
    import pickle
    import zipfile

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit",)

    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Evil()))
    with pytest.raises(pickle.UnpicklingError, match="no tensor"):
        beatnet_graph.places(tmp_path / "evil.pt")


def test_without_the_weights_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def gone(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(beat_network, "distribution", gone)
    beat_network._session.cache_clear()
    with pytest.raises(ModelError, match=r"pip install --no-deps BeatNet==1\.1\.3"):
        hear_beats(write_samples(tmp_path / "strokes.wav", signal(), RATE))


def test_a_damaged_file_of_weights_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in beat_network.SHA256:
        (tmp_path / name).write_bytes(b"damaged")
    monkeypatch.setattr(beat_network, "_folder", lambda: tmp_path)
    assert beat_network.why_missing() == (
        f"{tmp_path / 'model_1_weights.pt'}: is not the published file of weights; "
        "run `pip install --no-deps BeatNet==1.1.3 --force-reinstall`"
    )

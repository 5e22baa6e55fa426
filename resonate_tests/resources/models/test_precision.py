"""With what the processor has of float16, in place of a GPU: the arithmetic is the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from resonate_resources.models.precision import MixedPrecision, lower_precision
from resonate_resources.recordings.recording import Samples

NOISE = np.random.default_rng(1).standard_normal((2, 4096)).astype(np.float32)


class Model:
    """Two stems, each a product of matrices; the second one's is the sum of two that all but cancel."""

    def __init__(self, cancelling: float) -> None:
        self._cancelling = cancelling
        self.precisions: list[torch.dtype] = []

    def __call__(self, mix: Samples, level: float) -> dict[str, Samples]:
        wave = torch.from_numpy(mix)
        mixing = torch.tensor([[0.8, 0.3], [-0.2, 0.7]])
        vocals = mixing @ wave
        self.precisions.append(vocals.dtype)
        other = (self._cancelling * mixing + torch.eye(2)) @ wave - (self._cancelling * mixing) @ wave
        return {"vocals": vocals.float().numpy(), "other": other.float().numpy()}


def test_from_the_second_chunk_on_float16_is_used_where_it_is_near_and_the_note_says_how_near():
    model, precision = Model(cancelling=1), MixedPrecision("cpu")
    exact = Model(cancelling=1)(NOISE, 1.0)
    first, second = (precision(model, NOISE, 1.0) for _ in range(2))
    assert model.precisions == [torch.float32, torch.float16, torch.float16]
    np.testing.assert_array_equal(first["vocals"], exact["vocals"])
    error = np.square(second["other"] - exact["other"]).sum() / np.square(exact["other"]).sum()
    assert 0 < error < 10**-4.5
    [note] = precision.notes
    assert note == f"separated in float16, {10 * np.log10(error):.0f} dB from float32"


def test_where_float16_is_too_far_off_float32_is_used_and_the_note_says_so():
    model, precision = Model(cancelling=1000), MixedPrecision("cpu")
    for _ in range(3):
        stems = precision(model, NOISE, 1.0)
    np.testing.assert_array_equal(stems["other"], Model(cancelling=1000)(NOISE, 1.0)["other"])
    exact, half, *tf32_and_later = model.precisions
    assert (exact, half) == (torch.float32, torch.float16)
    assert tf32_and_later == [torch.float32] * 3
    assert precision.notes[0].startswith("separated in float32: float16 would have been off by")


class Rounding:
    """A stand-in for a GPU: off by so much with TF32, by more in float16, and not at all without either."""

    def __init__(self, tf32: float, float16: float) -> None:
        self._errors = tf32, float16
        self.called: list[str] = []

    def __call__(self, mix: Samples, level: float) -> dict[str, Samples]:
        tf32 = torch.backends.cuda.matmul.allow_tf32 and torch.backends.cudnn.allow_tf32
        assert tf32 or not (torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)
        kind = "float16" if torch.is_autocast_enabled("cpu") else "TF32" if tf32 else "float32"
        self.called.append(kind)
        error = {"float32": 0.0, "TF32": self._errors[0], "float16": self._errors[1]}[kind]
        return {"vocals": mix * np.float32(1 + error)}


@pytest.mark.parametrize(
    ("tf32", "float16", "then", "note"),
    [
        (1e-3, 2e-3, "float16", "separated in float16, -54 dB from float32"),
        (1e-3, 1e-2, "TF32", "separated in TF32, -60 dB from float32: float16 would have been off by -40 dB"),
        (
            1e-2,
            1e-1,
            "float32",
            "separated in float32: float16 would have been off by -20 dB; TF32 would have been off by -40 dB",
        ),
        (0.0, 1e-2, "float32", "separated in float32: float16 would have been off by -40 dB"),
    ],
)
def test_what_is_near_enough_is_held_against_float32_with_all_its_bits(tf32, float16, then, note):
    model, precision = Rounding(tf32, float16), MixedPrecision("cpu")
    for _ in range(2):
        precision(model, NOISE, 1.0)
    assert model.called[:2] == ["float32", "float16"]
    assert model.called[-1] == then
    assert precision.notes == (note,)


def test_a_network_that_precision_does_not_touch_has_no_note():
    """As MDX-Net's, which another library runs."""
    precision = MixedPrecision("cpu")
    precision(lambda mix, level: {"vocals": mix}, NOISE, 1.0)
    assert precision.notes == ()


def test_silence_proves_nothing():
    model, precision = Model(cancelling=1), MixedPrecision("cpu")
    precision(model, 0 * NOISE, 1.0)
    assert precision.notes == ()
    precision(model, NOISE, 1.0)
    assert precision.notes


def test_what_float16_cannot_hold_is_done_again_in_float32():
    model, precision = Model(cancelling=1), MixedPrecision("cpu")
    precision(model, NOISE, 1.0)
    loud = 1e6 * NOISE
    np.testing.assert_array_equal(precision(model, loud, 1.0)["vocals"], Model(1)(loud, 1.0)["vocals"])


def test_a_model_that_does_not_run_in_float16_runs_in_float32():
    def separate(mix: Samples, level: float) -> dict[str, Samples]:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError('"stft" not implemented for Half')
        return {"vocals": mix}

    precision = MixedPrecision("cpu")
    for _ in range(2):
        np.testing.assert_array_equal(precision(separate, NOISE, 1.0)["vocals"], NOISE)
    assert precision.notes == (
        'separated in float32: the model does not run in float16 ("stft" not implemented for Half)',
    )


def test_full_memory_is_for_those_who_can_make_room():
    def separate(mix: Samples, level: float) -> dict[str, Samples]:
        if torch.is_autocast_enabled("cpu"):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return {"vocals": mix}

    with pytest.raises(torch.OutOfMemoryError):
        MixedPrecision("cpu")(separate, NOISE, 1.0)


def test_without_units_for_it_nothing_is_tried():
    model, precision = Model(cancelling=1), MixedPrecision(None)
    precision(model, NOISE, 1.0)
    assert model.precisions == [torch.float32]


@pytest.mark.parametrize(
    ("gpu", "capability", "device", "kind"),
    [
        (False, None, "best", None),
        (True, (6, 1), "best", None),
        (True, (7, 0), "best", "cuda"),
        (True, (9, 0), "cpu", None),
    ],
)
def test_it_is_for_gpus_that_have_the_units(monkeypatch, gpu, capability, device, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert lower_precision(device) == kind

"""On the processor, in place of a GPU: float16 and cuFFT are left out, the rest is the same arithmetic."""

import pytest
import torch
from torch.nn import functional

from resonate_resources.models.precision import largest_error_db
from resonate_resources.separation.demucs import gpu_layers
from resonate_resources.separation.demucs.gpu_layers import suit_to_gpu
from resonate_tests.resources.separation.demucs.checkpoints import small


@pytest.fixture
def as_on_gpu(monkeypatch):
    monkeypatch.setattr(gpu_layers, "_on_gpu", lambda x: True)


def lively(seed=0):
    """A model whose norms and residual branches are as strong as training makes them."""
    model = small(seed)
    for name, parameter in model.named_parameters():
        if "scale" in name or "gamma" in name or "norm" in name or "dconv" in name:
            torch.nn.init.normal_(parameter, 0.5, 0.3)
    return model


@pytest.mark.parametrize("batch", [1, 3])
def test_a_model_gives_what_the_package_gives(as_on_gpu, batch):
    with torch.inference_mode():
        model, own = lively(), lively()
        segments = torch.randn(batch, 2, int(model.segment * model.samplerate)) * 0.1
        expected = model(segments)
        suit_to_gpu(own)
        assert largest_error_db(own(segments).numpy(), expected.numpy()) < -100


def test_group_norms_of_many_groups_are_left_to_torch(as_on_gpu, monkeypatch):
    """Its kernel gives every group a multiprocessor: with few, most of them have nothing to do."""
    seen = []
    monkeypatch.setattr(functional, "group_norm", lambda x, *rest: seen.append(len(x)) or x)
    norm = torch.nn.GroupNorm(1, 4)
    gpu_layers._share_statistics(norm)
    for groups in (1, 128, 129, 4096):
        norm(torch.randn(groups, 4, 5))
    assert seen == [129, 4096]


def test_an_imaginary_part_at_0_hz_is_no_sound():
    """A processor's inverse leaves it out, as torch documents it; cuFFT adds it at half the rate."""
    model, seen = small(), []
    model._ispec = lambda spectra, length: seen.append(spectra)
    suit_to_gpu(model)
    spectra = torch.randn(1, 4, 2, 2048, 7, dtype=torch.complex64)
    before = spectra.clone()
    model._ispec(spectra, 100)
    assert not seen[0][..., 0, :].imag.any()
    torch.testing.assert_close(seen[0].real, before.real, rtol=0, atol=0)
    torch.testing.assert_close(seen[0][..., 1:, :], before[..., 1:, :], rtol=0, atol=0)

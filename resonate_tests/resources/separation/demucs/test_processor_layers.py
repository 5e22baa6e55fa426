import copy

import numpy as np
import pytest
import torch
from demucs.demucs import LayerScale as ConvolutionScale
from demucs.transformer import LayerScale as AttentionScale

from resonate_resources.separation.demucs.processor_layers import speed_up_on_processor
from resonate_tests.resources.separation.demucs.checkpoints import SOURCES, random_model, small


def stirred(model):
    """As after training: a new model's residual branches are scaled to next to nothing, its norms to one."""
    for module in model.modules():
        if isinstance(module, ConvolutionScale | AttentionScale):
            torch.nn.init.uniform_(module.scale, -0.6, 0.6)
        if isinstance(module, torch.nn.GroupNorm | torch.nn.LayerNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return model


def outputs(model, frames, batch=1):
    noise = np.random.default_rng(frames).normal(0, 0.1, (batch, 2, frames)).astype(np.float32)
    with torch.inference_mode():
        return model(torch.from_numpy(noise)).numpy()


@pytest.mark.parametrize("dconv_mode", [1, 2, 3])
def test_they_give_what_the_packages_layers_give(dconv_mode):
    model = stirred(
        random_model(dconv_mode, channels=16, bottom_channels=32, t_heads=2, dconv_mode=dconv_mode, segment=1)
    )
    expected = outputs(model, 44100)
    speed_up_on_processor(model)
    assert "forward" in vars(model.encoder[0])  # replaced
    error = np.square(outputs(model, 44100) - expected).sum((0, 2, 3)) / np.square(expected).sum((0, 2, 3))
    assert 10 * np.log10(error.max()) < -110


def test_a_segment_of_any_length_comes_out_alike():
    model = stirred(small())
    model.use_train_segment = False
    fast = copy.deepcopy(model)
    speed_up_on_processor(fast)
    for frames in (20_000, 44_099, 65_537):
        np.testing.assert_allclose(outputs(fast, frames), outputs(model, frames), rtol=0, atol=1e-5)


def test_silence_and_a_batch_come_out_alike():
    model = stirred(small())
    fast = copy.deepcopy(model)
    speed_up_on_processor(fast)
    np.testing.assert_array_equal(outputs(fast, 66150, batch=2), outputs(model, 66150, batch=2))
    silence = torch.zeros(1, 2, 66150)
    with torch.inference_mode():
        np.testing.assert_allclose(fast(silence), model(silence), rtol=0, atol=1e-5)


@pytest.mark.parametrize("otherwise", [{"norm_starts": 2}, {"stride": 2}, {"t_layer_scale": False}])
def test_a_model_that_is_built_otherwise_keeps_its_own_layers(otherwise):
    model = random_model(0, SOURCES, channels=16, bottom_channels=32, t_heads=2, segment=1, **otherwise)
    speed_up_on_processor(model)
    assert not [name for name, module in model.named_modules() if "forward" in vars(module)]

import numpy as np
import pytest

from resonate_resources.separation.model_rate import as_stereo, at_rate, channel_groups, from_stereo


@pytest.mark.parametrize(
    ("source", "target"), [(48000, 44100), (8000, 44100), (44100, 192000), (44100, 44100)]
)
def test_a_sine_comes_out_at_another_rate_in_place_and_of_the_asked_length(source, target):
    seconds = 1.5
    time = np.arange(int(source * seconds)) / source
    sine = np.stack([np.sin(2 * np.pi * 1000 * time), np.cos(2 * np.pi * 1000 * time)]).astype(np.float32)
    blocks = (sine[:, first : first + 1000] for first in range(0, sine.shape[1], 1000))
    frames = int(target * seconds)
    converted = np.concatenate(list(at_rate(blocks, source, target, 2, frames)), axis=1)
    assert converted.shape == (2, frames)
    time = np.arange(frames) / target
    expected = np.stack([np.sin(2 * np.pi * 1000 * time), np.cos(2 * np.pi * 1000 * time)])
    inner = slice(frames // 10, -frames // 10)  # away from where the sine is switched
    assert np.abs(converted - expected)[:, inner].max() < 1e-4  # −80 dBFS


@pytest.mark.parametrize(
    ("channels", "groups"),
    [
        (1, ((0,),)),
        (2, ((0, 1),)),
        (3, ((0, 1), (2,))),  # L R C
        (4, ((0, 1), (2, 3))),  # quadraphonic
        (5, ((0, 1), (2,), (3, 4))),  # L R C Ls Rs
        (6, ((0, 1), (2,), (3,), (4, 5))),  # L R C LFE Ls Rs
    ],
)
def test_stereo_pairs_of_surround_sound_stay_together_and_the_centre_stands_alone(channels, groups):
    assert channel_groups(channels) == groups


def test_every_channel_survives_the_way_through_stereo():
    samples = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)
    back = np.concatenate([from_stereo(as_stereo(samples, group), group) for group in channel_groups(6)])
    np.testing.assert_array_equal(back, samples)

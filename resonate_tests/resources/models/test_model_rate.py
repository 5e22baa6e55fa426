import numpy as np
import pytest

from resonate_resources.models.model_rate import as_stereo, channel_groups, from_stereo


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

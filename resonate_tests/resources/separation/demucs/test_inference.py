import math

import numpy as np
import pytest
import torch

from resonate_resources.models.device import Device, batch_size, processor
from resonate_resources.models.precision import largest_error_db
from resonate_resources.separation.demucs import inference as demucs_inference
from resonate_resources.separation.demucs.inference import Inference


class Doubler:
    """A network with one source, twice its input. On a GPU it holds `fits` segments at once; in lower precision
    it is off by `error`, or overflows from the level `overflow`."""

    def __init__(self, fits=100, error=0.0, overflow=math.inf):
        self.fits, self.error, self.overflow = fits, error, overflow
        self.kind = "cpu"
        self.calls = []

    def to(self, kind):
        self.kind = kind

    def __call__(self, segments, fast):
        self.calls.append((self.kind, len(segments), fast))
        if self.kind == "cuda" and len(segments) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        output = 2 * segments[:, None]
        if fast:
            output = output * (1 + self.error)
            output[output.abs() >= self.overflow] = torch.nan
        return output


def run(network, device, levels):
    inference = Inference(network, device)
    segments = (np.full((2, 5), level, np.float32) for level in levels)
    return inference, [float(output.mean()) for output in inference.run(segments)]


@pytest.mark.parametrize(
    ("gigabytes", "segments"), [(0.5, 1), (7.9, 1), (8, 2), (16, 4), (24, 6), (80, 20), (139, 32)]
)
def test_a_batch_is_one_under_8_gb_four_from_16_and_more_where_there_is_more(gigabytes, segments):
    assert batch_size(gigabytes * 1e9) == segments


def test_out_of_memory_halves_the_batch_and_goes_on():
    network = Doubler(fits=3)
    inference, outputs = run(network, Device("cuda", 8, None), range(1, 20))
    assert outputs == [2.0 * level for level in range(1, 20)]
    assert [size for _, size, _ in network.calls] == [8, 4, 2, 2, 2, 2] + [2] * 5 + [1]
    assert inference.notes == []


def test_when_one_segment_is_too_many_the_processor_takes_over_and_that_is_noted(monkeypatch):
    # A processor with units for bfloat16 tells of its precision, too.
    monkeypatch.setattr(demucs_inference, "processor", lambda: Device("cpu", 2, None))
    network = Doubler(fits=0)
    inference, outputs = run(network, Device("cuda", 4, None), range(1, 8))
    assert outputs == [2.0 * level for level in range(1, 8)]
    assert [call[:2] for call in network.calls[:3]] == [("cuda", 4), ("cuda", 2), ("cuda", 1)]
    assert {kind for kind, _, _ in network.calls[3:]} == {"cpu"}
    assert inference.notes == ["the GPU's memory did not suffice: separated on the processor"]


def test_where_the_network_itself_has_no_room_the_processor_takes_over_and_that_is_noted():
    class Large(Doubler):
        def to(self, kind):
            super().to(kind)
            if kind == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory")

    network = Large()
    inference, outputs = run(network, Device("cuda", 4, "float16"), range(1, 8))
    assert outputs == [2.0 * level for level in range(1, 8)]
    assert {kind for kind, _, _ in network.calls} == {"cpu"}
    assert inference.notes[:1] == ["the GPU's memory did not suffice: separated on the processor"]


def test_lower_precision_is_held_against_float32_with_all_its_bits():
    """torch by itself has a GPU's convolutions in TF32."""

    class Noting(Doubler):
        def __call__(self, segments, fast):
            tf32.append((torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32))
            return super().__call__(segments, fast)

    tf32 = []
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    run(Noting(), Device("cuda", 2, "float16"), [1, 1, 1])
    assert tf32 == [(False, False), (True, True), (True, True)]
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before


def test_lower_precision_is_used_once_it_is_within_45_db_of_float32_and_that_is_noted():
    network = Doubler(error=10 ** (-46 / 20))
    inference, _ = run(network, Device("cuda", 2, "float16"), [1, 1, 1, 1])
    assert [call[1:] for call in network.calls] == [(1, False), (2, True), (2, True)]
    assert inference.error_db == pytest.approx(-46, abs=0.01)
    assert inference.notes == ["separated in float16, -46 dB from float32"]


def test_lower_precision_is_refused_where_it_is_further_off_and_that_is_noted():
    network = Doubler(error=10 ** (-44 / 20))
    inference, outputs = run(network, Device("cuda", 2, "float16"), [1, 1, 1, 1])
    assert [call[1:] for call in network.calls] == [(1, False), (2, True), (1, False), (2, False)]
    assert outputs == [2, 2, 2, 2]
    assert inference.notes == ["separated in float32: float16 would have been off by -44 dB"]


def test_silence_proves_nothing_about_a_precision():
    network = Doubler(error=0.5)
    run(network, Device("cuda", 1, "float16"), [0, 0, 1, 1])
    assert [fast for _, _, fast in network.calls] == [False, True] * 3 + [False]


def test_segments_beyond_the_range_of_lower_precision_are_done_in_float32():
    network = Doubler(overflow=100)
    _, outputs = run(network, Device("cuda", 1, "float16"), [1, 1, 70, 1])
    assert outputs == [2, 2, 140, 2]


def test_a_precision_that_overflows_at_once_is_refused():
    network = Doubler(overflow=1)
    inference, outputs = run(network, Device("cuda", 1, "float16"), [1, 1])
    assert outputs == [2, 2]
    assert inference.error_db == math.inf


def test_the_error_is_that_of_the_worst_stem_and_faint_stems_are_held_to_the_loudest():
    exact = np.zeros((1, 3, 1, 100), np.float32)
    exact[0, 0], exact[0, 1], exact[0, 2] = 1, 0.5, 1e-6
    rough = exact.copy()
    rough[0, 1] += 0.005  # −40 dB of that stem
    rough[0, 2] += 1e-5  # ten times the faint stem, −60 dB of 40 dB under the loudest
    assert largest_error_db(rough, exact) == pytest.approx(-40, abs=0.01)
    assert largest_error_db(exact, exact) == -math.inf
    assert largest_error_db(rough, np.zeros_like(exact)) is None


def test_the_processor_leaves_the_number_of_torch_threads_as_it_was():
    before = torch.get_num_threads()
    run(Doubler(), processor(), [1, 2, 3])
    assert torch.get_num_threads() == before

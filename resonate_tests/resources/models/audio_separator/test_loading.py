import pytest
import torch

from resonate_resources.models.audio_separator import loading


def test_full_memory_is_no_fault_of_the_file(monkeypatch, tmp_path):
    def load(*args, **settings):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(torch, "load", load)
    with loading._nothing_executed(), pytest.raises(torch.OutOfMemoryError):
        torch.load(tmp_path / "model.ckpt")

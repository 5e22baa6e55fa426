from __future__ import annotations

import pytest
import torch

from resonate_resources.models.audio_separator.room import Device, with_room


class Work:
    """Needs a gigabyte for each piece of a batch, of so many that a GPU has; a processor has enough."""

    def __init__(self, gigabytes: int) -> None:
        self.gigabytes = gigabytes
        self.asked: list[tuple[int, Device]] = []

    def __call__(self, batch: int, device: Device) -> str:
        self.asked.append((batch, device))
        if device == "best" and batch > self.gigabytes:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return "stems"


def test_what_has_room_is_done_once():
    work = Work(gigabytes=4)
    assert with_room(work, 4, "best") == ("stems", ())
    assert work.asked == [(4, "best")]


def test_smaller_batches_come_before_the_processor_and_need_no_word_as_the_result_is_the_same():
    work = Work(gigabytes=2)
    assert with_room(work, 5, "best") == ("stems", ())
    assert work.asked == [(5, "best"), (2, "best")]


def test_where_a_gpu_has_no_room_for_one_the_processor_does_it_and_says_so():
    work = Work(gigabytes=0)
    stems, notes = with_room(work, 4, "best")
    assert work.asked == [(4, "best"), (2, "best"), (1, "best"), (1, "cpu")]
    assert (stems, notes) == ("stems", ("the GPU's memory did not suffice: separated on the processor",))


def test_a_model_that_takes_one_piece_at_a_time_goes_to_the_processor_at_once():
    work = Work(gigabytes=0)
    with_room(work, 1, "best")
    assert work.asked == [(1, "best"), (1, "cpu")]


def test_the_older_name_of_the_error_counts_too():
    def work(_: int, device: Device) -> Device:
        if device == "best":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return device

    assert with_room(work, 1, "best")[0] == "cpu"


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("a shape")])
def test_what_the_processor_cannot_do_either_and_other_errors_are_passed_on(error):
    def work(_: int, device: Device) -> None:
        if device == "cpu" or not isinstance(error, torch.OutOfMemoryError):
            raise error
        raise torch.OutOfMemoryError

    with pytest.raises(type(error)) as raised:
        with_room(work, 1, "best")
    assert raised.value is error

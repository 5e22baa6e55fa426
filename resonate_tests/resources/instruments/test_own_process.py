from __future__ import annotations

import os
import time

import pytest

from resonate_resources.instruments.own_process import OwnProcess, ProcessLostError


def test_a_result_and_an_exception_come_back() -> None:
    process = OwnProcess(30)
    assert process.call(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        process.call(divmod, 1, 0)


def test_a_process_that_dies_is_told_of_and_replaced() -> None:
    process = OwnProcess(30)
    with pytest.raises(ProcessLostError, match="signal 6"):
        process.call(os.abort)
    assert process.call(abs, -3) == 3


def test_a_process_that_hangs_is_ended_after_its_patience() -> None:
    process = OwnProcess(10)
    first = process.call(os.getpid)
    process._patience_s = 0.5
    with pytest.raises(ProcessLostError, match=r"0\.5 s"):
        process.call(time.sleep, 60)
    process._patience_s = 10
    assert process.call(os.getpid) != first

from __future__ import annotations

import doctest

from resonate_resources.recordings import recording


def test_the_example_of_a_recording_does_what_it_says() -> None:
    result = doctest.testmod(recording)
    assert result.attempted >= 8
    assert result.failed == 0

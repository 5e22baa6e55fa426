"""The one time line of a song."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings

from resonate_resources.recordings.tempo_map import Grid
from resonate_tests.resources.exporting.songs_for_decks import (
    DRIFTING,
    IN_SIX,
    NO_BEATS,
    STEADY,
    a_song,
    wandering,
)


@given(grid=wandering())
@settings(max_examples=60, deadline=None)
def test_beats_lie_within_8_ms_of_where_they_were_heard_and_whole_beats_apart(grid: Grid) -> None:
    with TemporaryDirectory() as folder:
        beats = a_song(Path(folder), grid).beats()
    assert [beat.second for beat in beats] == pytest.approx(list(grid.beats_s), abs=0.0081)
    steps = np.diff([beat.quarter for beat in beats])
    assert set(
        steps
        / {8: 1.5 if grid.time_signatures[0].numerator == 6 else 0.5}.get(
            grid.time_signatures[0].denominator, 1.0
        )
    ) == {1.0}


@pytest.mark.parametrize("grid", [STEADY, DRIFTING, IN_SIX])
def test_downbeats_begin_bars(grid: Grid, tmp_path: Path) -> None:
    beats = a_song(tmp_path, grid).beats()
    downs = [beat for beat in beats if beat.down]
    assert [beat.second for beat in downs] == pytest.approx(list(grid.downbeats_s), abs=0.0081)
    assert {beat.beat for beat in downs} == {1.0}
    assert np.diff([beat.bar for beat in downs]).tolist() == [1] * (len(downs) - 1)


def test_where_none_were_heard_there_are_none(tmp_path: Path) -> None:
    assert a_song(tmp_path, NO_BEATS).beats() == ()
    assert a_song(tmp_path, Grid([1.0])).beats() == ()

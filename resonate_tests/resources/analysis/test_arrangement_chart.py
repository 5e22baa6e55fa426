"""The picture of an analysis, read back as pixels, and what it is drawn from."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resonate_resources.analysis.analysis import ANALYSIS, Analysis
from resonate_resources.analysis.resource import PICTURE, AnalysisResource, Grid, pumping_measures
from resonate_resources.recordings.recording import write_samples
from resonate_resources.signal.pumping import Pumping
from resonate_tests.resources.harmony.progression import RATE, progression

BAR_S = 2.0


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight bars of a progression, eight of silence, eight of the progression."""
    folder = tmp_path_factory.mktemp("analysed")
    played = np.resize(progression(), round(8 * BAR_S * RATE))
    samples = np.concatenate([played, np.zeros_like(played), played])[np.newaxis]
    track = write_samples(folder / "track.wav", samples, RATE)
    beats, downbeats = (np.arange(0, track.duration, step).tolist() for step in (0.5, BAR_S))
    AnalysisResource().analyse(track, {"other": track}, Grid(beats, downbeats, [], 0.0), folder)
    return folder


def test_what_plays_is_drawn_where_it_plays(analysed: Path) -> None:
    picture = np.asarray(Image.open(io.BytesIO((analysed / PICTURE).read_bytes())).convert("RGB")).astype(int)
    row = picture[66, 60:600]  # through the one stem's row
    drawn = row[:, 2] > 1.5 * row[:, 0]
    drawn &= row[:, 2] > 50
    middles = [round((bar + 0.5) / 24 * 540) for bar in range(24)]
    assert [bool(drawn[at]) for at in middles] == [True] * 8 + [False] * 8 + [True] * 8


def test_each_section_and_stem_has_a_spectrum(analysed: Path) -> None:
    analysis = Analysis.read(analysed / ANALYSIS)
    found = analysis.equalisation
    assert found.stems_db["other"] == found.track_db
    assert {len(levels) for levels in (found.thirds_hz, found.track_db, *found.sections_db)} == {29}
    loudest = [max(levels) for levels in found.sections_db]
    silent = [not section.plays for section in analysis.sections]
    assert [level < max(loudest) - 10 for level in loudest] == silent
    assert any(silent)


def test_sections_are_markers_at_the_bars_where_music_begins_and_stops(analysed: Path) -> None:
    analysis = Analysis.read(analysed / ANALYSIS)
    assert [(section.bar, section.start_s) for section in analysis.sections] == [(1, 0), (9, 16), (17, 32)]
    assert analysis.sections[0].label == analysis.sections[2].label != analysis.sections[1].label


def test_the_pumping_that_is_told_is_that_of_the_stem_that_is_surest_to_pump() -> None:
    found = {
        "bass": Pumping(12.0, 0.1, "exponential", 0.2),
        "other": Pumping(5.0, 0.1, "exponential", 0.9),
    }
    assert pumping_measures(found) == {"pumping_db": 5.0, "pumping_confidence": 0.9}
    assert pumping_measures({}) == {}

"""A track that was planned is profiled by its plan, whatever is heard in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import KeySpan, Profile, Section, TimeSignature
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recipe import Product
from resonate_resources.recordings import tempo_map
from resonate_resources.recordings.planned_music import PlannedMusic, PlannedSection
from resonate_resources.recordings.recording import Recording, write_samples

WALTZ = PlannedMusic(
    tempo_bpm=120.0,
    beats_s=[0.5 * beat for beat in range(18)],
    downbeats_s=[1.5 * bar for bar in range(6)],
    signature=tempo_map.TimeSignature(0.0, 3, 4),
    swing=0.5,
    key="E minor",
    mode="phrygian",
    sections=[PlannedSection(0.0, "verse"), PlannedSection(3.0, "chorus"), PlannedSection(6.0, "verse")],
)
"""Six bars, 9 s; in the notes of C major."""


@pytest.fixture(scope="module")
def heard_as_c_major(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """10 s of I, IV and V, in 4/4 at 96 BPM."""
    at = np.arange(44_100 * 10) / 44_100
    chord = np.floor(at / 2.5).astype(int) % 3
    roots = np.choose(chord, [261.63, 349.23, 392.0])
    sound = sum(np.sin(2 * np.pi * np.cumsum(roots * ratio) / 44_100) for ratio in (1, 1.25, 1.5))
    struck = 0.2 * np.asarray(sound) * np.exp(-6 * (at % 0.625))
    return write_samples(
        tmp_path_factory.mktemp("heard") / "song.wav", struck[None].astype(np.float32), 44_100
    )


def profiled(
    song: Recording, into: Path, planned: PlannedMusic | None, brief: ProfileBrief | None = None
) -> tuple[Profile, Product]:
    product = ProfilingResource().profile(song, brief or ProfileBrief(), into, planned=planned)
    return Profile.read(product.files["profile.json"]), product


def test_tempo_metre_key_and_sections_are_the_plans(heard_as_c_major: Recording, tmp_path: Path) -> None:
    profile, product = profiled(heard_as_c_major, tmp_path, WALTZ)
    assert (profile.tempo_bpm, profile.metre, profile.swing) == (120.0, "3/4", 0.5)
    assert profile.beats_s == tuple(WALTZ.beats_s)
    assert profile.downbeats_s == tuple(WALTZ.downbeats_s)
    assert profile.time_signatures == (TimeSignature(start_s=0.0, numerator=3, denominator=4),)
    assert (profile.key, profile.camelot) == ("E minor", "9A")
    assert profile.keys == (KeySpan(start_s=0.0, end_s=10.0, key="E minor", mode="phrygian", confidence=1.0),)
    assert profile.sections == (
        Section(start_s=0.0, end_s=3.0, label="A", name="verse"),
        Section(start_s=3.0, end_s=6.0, label="B", name="chorus"),
        Section(start_s=6.0, end_s=10.0, label="A", name="verse"),
    )
    assert "tempo, beats, metre, key, sections by the plan" in product.notes
    assert {profile.methods[name] for name in ("beats", "key", "sections")} == {"the plan"}
    assert product.engine is not None
    assert product.engine.model is None


def test_nothing_of_the_plan_is_in_doubt(heard_as_c_major: Recording, tmp_path: Path) -> None:
    profile, _ = profiled(heard_as_c_major, tmp_path, WALTZ)
    sure = ("tempo", "beats", "downbeats", "metre", "key")
    assert {getattr(profile, f"{name}_confidence") for name in sure} == {1.0}
    assert profile.second_tempo_bpm is None


def test_tuning_and_loudness_are_heard_as_in_any_track(heard_as_c_major: Recording, tmp_path: Path) -> None:
    profile, _ = profiled(heard_as_c_major, tmp_path, WALTZ)
    heard, _ = profiled(heard_as_c_major, tmp_path, None)
    assert heard.key == "C major"
    assert (profile.tuning_cents, profile.loudness) == (heard.tuning_cents, heard.loudness)


def test_what_the_brief_says_counts_before_the_plan(heard_as_c_major: Recording, tmp_path: Path) -> None:
    brief = ProfileBrief(key="G major", tempo_bpm=96.0)
    profile, product = profiled(heard_as_c_major, tmp_path, WALTZ, brief)
    assert (profile.key, profile.key_confidence, profile.tempo_bpm) == ("G major", None, 96.0)
    assert np.median(np.diff(profile.beats_s)) == pytest.approx(0.625, rel=0.03)
    assert [section.name for section in profile.sections] == ["verse", "chorus", "verse"]
    assert {"sections by the plan", "key as the brief says", "tempo_bpm as the brief says"} <= set(
        product.notes
    )

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.choice import Compared
from resonate_resources.regeneration.decisions import StemDecision
from resonate_resources.regeneration.facts import Heard
from resonate_resources.regeneration.motion import STILL, Motion
from resonate_resources.regeneration.stem import PreparedStem
from resonate_resources.signal.pump_depth import LINEAR_REST
from resonate_resources.signal.pumping import Pumping
from resonate_tests.benchmarks.bench_space import swept
from resonate_tests.benchmarks.music_truth.rendering import RATE, pumping

SECONDS, DEPTH_DB, RECOVERY_S = 20, 9.0, 0.35
STROKES_S = np.arange(0.5, SECONDS, 0.5)
FALL = Pumping(DEPTH_DB, RECOVERY_S * LINEAR_REST, "linear", 0.9)


@dataclass(frozen=True)
class Hiss:
    """An instrument of one held sound, which does nothing by itself."""

    sample_rate: int = RATE

    def sounding_until(self, note: Note) -> float:
        return note.offset_s

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        assert len(notes) == 1
        return noise(1)[:, :frames]


def noise(seed: int) -> Samples:
    return (0.1 * np.random.default_rng(seed).standard_normal((2, SECONDS * RATE))).astype(np.float32)


def played(original: Samples, motion: Motion, folder: Path) -> Samples:
    recording = write_samples(folder / "original.wav", original, RATE)
    part = Part("other", recording, (Note(0.0, SECONDS, 60, 100),), RATE)
    candidate = Candidate("faust", "hiss", "", "", Hiss(), Hiss())
    edges = {"bar": [0, recording.frames]}
    stem = PreparedStem(part, [Compared(candidate, 1.0)], (), -20.0, edges, motion)
    made = stem.play(StemDecision(sidechain=True, sweeps=True, room=True), folder / "played.wav")
    assert {path.name for path in folder.iterdir()} == {"original.wav", "played.wav"}
    return made.read()


def level_db(samples: Samples, at_s: npt.NDArray[np.float64]) -> float:
    """Of 50 ms behind those times."""
    spans = [samples[:, round(s * RATE) : round((s + 0.05) * RATE)] for s in at_s]
    return float(10 * np.log10(np.square(spans[:-1]).mean()))


@pytest.mark.parametrize(("motion", "falls_by"), [(Motion(FALL, STROKES_S), 7.5), (STILL, 0.0)])
def test_a_stem_is_played_with_the_fall_that_was_heard_and_no_other(
    motion: Motion, falls_by: float, tmp_path: Path
) -> None:
    gain = pumping(STROKES_S.tolist(), DEPTH_DB, RECOVERY_S, SECONDS * RATE)
    made = played((noise(0) * gain).astype(np.float32), motion, tmp_path)
    # From 10 to 60 ms behind the stroke 8.7 to 7.5 dB of the fall are left.
    fall = level_db(made, STROKES_S + 0.45) - level_db(made, STROKES_S + 0.01)
    assert fall == pytest.approx(falls_by, abs=1.2)


def test_a_stem_is_played_through_the_filter_that_was_heard_to_move(tmp_path: Path) -> None:
    original = swept(noise(0), RATE, 5.0, 12.0, (300.0, 8000.0), "lowpass")
    still = played(original, STILL, tmp_path)
    moving = played(original, Motion(sweeps_s=[(5.0, 12.0)]), tmp_path)
    early, before = slice(6 * RATE, 7 * RATE), slice(2 * RATE, 4 * RATE)
    assert np.array_equal(moving[:, before], still[:, before])
    quieter = np.square(moving[:, early]).mean() / np.square(still[:, early]).mean()
    assert 10 * np.log10(quieter) < -8


def test_what_was_not_surely_heard_moves_nothing() -> None:
    sweeps = [
        {"start_s": start, "end_s": start + 4, "kind": "low-pass", "from_hz": 300, "to_hz": 9000} | sure
        for start, sure in ((10, {"confidence": 0.6}), (20, {"confidence": 0.4}))
    ]
    falls = {
        name: {"depth_db": 6.0, "release_s": 0.2, "shape": "linear", "confidence": confidence}
        for name, confidence in (("bass", 0.9), ("other", 0.3))
    }
    room = {"rt60_s": {"1000": 0.8}}
    heard = Heard.model_validate({"analysis": {"pumping": falls, "sweeps": {"other": sweeps}, "space": room}})
    bass, other = (Motion.of(name, heard, STROKES_S) for name in ("bass", "other"))
    assert bass.pumping == Pumping(6.0, 0.2, "linear", 0.9)
    assert other.pumping is None
    assert (bass.sweeps_s, other.sweeps_s) == ([], [(10, 14)])
    assert other.rt60_s == {"1000": 0.8}

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    silent,
    write_samples,
)
from resonate_resources.restoration.planning import Planned
from resonate_resources.restoration.restoring import restore
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.traces import find_traces

RATE, SECONDS = 44_100, 20
RUMBLE = Planned("derumble", "it rumbles")


@dataclass(frozen=True)
class Changing:
    """Makes of a recording what it is given to make."""

    change: Callable[[Samples], Samples]
    name: StepName = "derumble"
    engine: Engine = field(default_factory=lambda: Engine("changing"))
    missing: str | None = None

    def unavailable(self) -> str | None:
        return self.missing

    def mend(self, recording: Recording, _: Facts, __: Preset, path: Path, ___: Progress) -> Mended:
        made = write_samples(path, self.change(recording.read()), recording.sample_rate)
        return Mended(made, "changed")


class Failing(Changing):
    def mend(self, *_: object) -> Mended:
        raise AudioError("its worker was killed")


def high_passed(samples: Samples) -> Samples:
    """Without what lies under 40 Hz."""
    spectra = np.fft.rfft(samples)
    spectra[:, : 40 * SECONDS] = 0
    return np.fft.irfft(spectra, samples.shape[1]).astype(np.float32)


def music() -> Samples:
    """Chords that change every half second, over noise that is 60 dB down."""
    time = np.arange(SECONDS * RATE) / RATE
    root = 220 * 2 ** (np.array([0, 5, 7, 3, 8, 10, 2, 0])[(2 * time).astype(int) % 8] / 12)
    turned = 2 * np.pi * np.cumsum(root) / RATE
    tone = sum(np.sin(turned * ratio) / ratio for ratio in (1.0, 1.25, 1.5, 3.0)) * np.exp(-4 * (time % 0.5))
    noise = np.random.default_rng(3).standard_normal((2, len(time)))
    return np.asarray(0.2 * tone + 0.0002 * noise, np.float32)


def rumbling() -> Samples:
    return music() + np.float32(0.1) * np.sin(2 * np.pi * 20 * np.arange(SECONDS * RATE) / RATE).astype(
        np.float32
    )


def run(folder: Path, samples: Samples, *engines: Changing):  # type: ignore[no-untyped-def]
    recording = write_samples(folder / "in.wav", samples, RATE)
    facts = Facts("track", find_traces(recording))
    made = folder / "made"
    made.mkdir()
    return recording, *restore(recording, facts, [RUMBLE], lambda _: engines, "balanced", made, silent)


def test_a_step_that_reaches_its_aim_and_harms_nothing_is_kept(tmp_path: Path) -> None:
    given, restored, (taken,) = run(tmp_path, rumbling(), Changing(high_passed))
    assert restored != given
    assert taken.kept == 1
    np.testing.assert_allclose(restored.read(), high_passed(rumbling()), atol=1e-6)
    assert taken.after["rumble_db"] < taken.before["rumble_db"] - 20


def test_a_step_that_harms_something_else_is_taken_back_and_the_very_file_comes_out(tmp_path: Path) -> None:
    muffled = lambda samples: high_passed(samples) * np.float32(0.25)  # noqa: E731
    given, restored, (taken,) = run(tmp_path, rumbling(), Changing(muffled))
    assert restored == given
    assert taken.kept == 0
    assert taken.taken_back


def test_a_step_is_taken_back_only_where_it_fails(tmp_path: Path) -> None:
    def dropping(samples: Samples) -> Samples:
        made = high_passed(samples)
        made[:, 5 * RATE : 10 * RATE] *= np.float32(0.1)
        return made

    given, restored, (taken,) = run(tmp_path, rumbling(), Changing(dropping))
    assert taken.kept == 0.75
    samples, before = restored.read(), given.read()
    np.testing.assert_array_equal(samples[:, 5 * RATE : 10 * RATE], before[:, 5 * RATE : 10 * RATE])
    np.testing.assert_allclose(samples[:, 11 * RATE :], high_passed(rumbling())[:, 11 * RATE :], atol=1e-6)


def test_where_the_best_engine_cannot_run_or_fails_the_next_does_it_and_both_are_told(tmp_path: Path) -> None:
    away = Changing(high_passed, engine=Engine("model"), missing="model has no environment")
    dying = Failing(high_passed, engine=Engine("worker"))
    _, _, (taken,) = run(tmp_path, rumbling(), away, dying, Changing(high_passed, engine=Engine("embedded")))
    assert taken.engine == "embedded"
    assert taken.kept == 1
    assert taken.passed_over == ("model: model has no environment", "worker: its worker was killed")


def test_a_step_that_nobody_can_do_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    given, restored, (taken,) = run(tmp_path, music(), replace(Changing(high_passed), missing="away"))
    assert restored == given
    assert taken.note == "no engine can do it"
    assert taken.passed_over == ("changing: away",)


def test_what_is_no_sound_is_never_kept(tmp_path: Path) -> None:
    broken = lambda samples: np.full_like(samples, np.nan)  # noqa: E731
    given, restored, _ = run(tmp_path, rumbling(), Changing(broken))
    assert restored == given

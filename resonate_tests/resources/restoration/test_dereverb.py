from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration import short_time
from resonate_resources.restoration.dereverb import Dereverb
from resonate_resources.restoration.linear_prediction import Predictor, fit_filters
from resonate_resources.restoration.step import Facts, Mended
from resonate_resources.signal.traces import Traces
from resonate_tests.benchmarks.bench_rooms import parts_db
from resonate_tests.benchmarks.damage.distance import log_spectral_distance, si_sdr_db
from resonate_tests.benchmarks.damage.rooms import KINDS, small_room

RATE = 16_000
NOTHING = Traces(8000.0, "none", (), None, (), None, None, (0.0,), 0, None, None, None, None)


def syllables(seconds: float, seed: int, rate: int = RATE) -> Samples:
    """Bursts of coloured noise of 60 to 300 ms with rests between, in the middle of two channels."""
    rng = np.random.default_rng(seed)
    dry = np.zeros(round(seconds * rate))
    at = 0
    while at < len(dry):
        length = round(rng.uniform(0.06, 0.3) * rate)
        burst = np.convolve(rng.standard_normal(length), rng.standard_normal(12), "same") * np.hanning(length)
        dry[at : at + length] = burst[: len(dry) - at]
        at += length + round(rng.uniform(0.02, 0.35) * rate)
    return np.tile((0.1 * dry).astype(np.float32), (2, 1))


def mend(
    tmp_path: Path, samples: Samples, rate: int = RATE, times: dict[float, float] | None = None
) -> Mended:
    recording = write_samples(tmp_path / "in.wav", samples, rate)
    facts = Facts("vocals", NOTHING, rt60_s={1000.0: 0.8} if times is None else times)
    return Dereverb().mend(recording, facts, "balanced", tmp_path / "out.wav", silent)


@pytest.mark.parametrize("kind", KINDS)
def test_late_reverberation_comes_down_by_6_db_and_the_direct_sound_stays(tmp_path: Path, kind: str) -> None:
    dry = syllables(16, seed=1)
    early, late = KINDS[kind](RATE, np.random.default_rng(2), 0.8).parts(dry)

    mended = mend(tmp_path, early + late).recording.read()

    direct_db, _, late_db = parts_db(mended, (dry, early - dry, late))
    assert late_db <= -6.0
    assert abs(direct_db) <= 1.0
    assert log_spectral_distance(mended, dry, RATE) < 0.9 * log_spectral_distance(early + late, dry, RATE)
    assert si_sdr_db(mended, dry) > si_sdr_db(early + late, dry) + 1.0


def test_a_recording_without_a_room_is_the_one_that_was_given(tmp_path: Path) -> None:
    dry = syllables(6, seed=3)
    mended = mend(tmp_path, dry, times={})
    assert mended.recording.path == tmp_path / "in.wav"
    assert not (tmp_path / "out.wav").exists()


def test_chunks_leave_no_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early, late = small_room(RATE, np.random.default_rng(4), 0.6).parts(syllables(7.3, seed=4))
    whole = mend(tmp_path, early + late).recording.read()
    monkeypatch.setattr(short_time, "_TIMES", 17)
    np.testing.assert_allclose(mend(tmp_path, early + late).recording.read(), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("channels", "frames", "rate"),
    [
        (1, 1, 44_100),
        (2, 100, 8_000),
        (1, 5 * 8_000 + 7, 8_000),
        (5, 5 * 16_000, 16_000),
        (2, 4 * 96_000, 96_000),
    ],
)
def test_any_shape_keeps_rate_channels_and_length(
    tmp_path: Path, channels: int, frames: int, rate: int
) -> None:
    noise = 0.1 * np.random.default_rng(5).standard_normal((channels, frames)).astype(np.float32)
    mended = mend(tmp_path, noise, rate).recording
    assert (mended.sample_rate, mended.channels, mended.frames) == (rate, channels, frames)
    assert np.isfinite(mended.read()).all()


def test_silence_stays_silent_and_a_dead_channel_dead(tmp_path: Path) -> None:
    assert not mend(tmp_path, np.zeros((2, 5 * RATE), np.float32)).recording.read().any()
    one_side = syllables(5, seed=6)
    one_side[1] = 0
    assert not mend(tmp_path, one_side).recording.read()[1].any()


def test_filters_are_those_of_nara_wpe() -> None:
    """Which counts moments by their power down to nothing, and regularises nothing."""
    from nara_wpe.wpe import wpe_v8

    spectra = reverberant_lines(np.random.default_rng(7))

    filters = fit_filters(spectra[None], 3, 6, loudest_parts=0.0, regularisation=0.0)
    ours = (spectra - Predictor(filters, 3).predict(spectra)).transpose(2, 0, 1)

    # "valid": what lies before the first frame is not counted as silence.
    theirs = wpe_v8(
        spectra.transpose(2, 0, 1).astype(complex), taps=6, delay=3, iterations=1, statistics_mode="valid"
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-3 * np.abs(spectra).max())


def test_no_span_is_predicted_from_another() -> None:
    """Two halves that overlap by what is only heard, not predicted, make a whole."""
    spectra = reverberant_lines(np.random.default_rng(8))
    reach = 3 + 6 - 1
    middle = (400 + reach) // 2
    halves = np.stack([spectra[:, :middle], spectra[:, middle - reach :]])
    whole = fit_filters(spectra[None], 3, 6, 0.01, 0.01)
    np.testing.assert_allclose(fit_filters(halves, 3, 6, 0.01, 0.01), whole, atol=1e-4)


def reverberant_lines(rng: np.random.Generator) -> npt.NDArray[np.complex64]:
    """(2, 400, 4): lines of an autoregressive process whose loudness varies."""
    lines = (rng.standard_normal((4, 2, 400)) + 1j * rng.standard_normal((4, 2, 400))) * rng.gamma(
        0.5, 1, 400
    )
    for frame in range(3, 400):
        lines[:, :, frame] += 0.5 * lines[:, ::-1, frame - 3]
    return lines.transpose(1, 2, 0).astype(np.complex64)


def test_recordings_are_opened_as_they_were_written(tmp_path: Path) -> None:
    early, late = small_room(RATE, np.random.default_rng(9), 0.5).parts(syllables(5, seed=9))
    mended = mend(tmp_path, early + late)
    assert mended.recording == Recording.open(tmp_path / "out.wav")
    assert mended.measures["late_taken_db"] < -3

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.dewow import Dewow
from resonate_resources.restoration.panel import judge
from resonate_resources.restoration.partials import CENT, RATE, find_partials
from resonate_resources.restoration.speed_curve import find_deviations
from resonate_resources.restoration.varispeed import played_at
from resonate_tests.benchmarks.damage import speed
from resonate_tests.resources.restoration.test_denoise import FACTS

Floats = npt.NDArray[np.float64]

SR = 22_050
SECONDS = 24


def harmonic(pitch_hz: Floats, decay_per_s: float, partials: int = 10) -> Floats:
    """A tone whose fundamental moves so, by frame."""
    time = np.arange(len(pitch_hz)) / SR
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SR
    parts = (np.sin(number * phase + number) / number for number in range(1, partials + 1))
    return np.exp(-decay_per_s * time) * sum(parts)


def band(seconds: float = SECONDS, seed: int = 0) -> Floats:
    """A bass and chords of three on a piano: steady pitches, new ones every second and every two."""
    chance = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * SR))
    for start in range(0, len(sound), SR):
        frames = min(SR, len(sound) - start)
        root = 55 * 2 ** (chance.integers(0, 12) / 12)
        sound[start : start + frames] += harmonic(np.full(frames, root), 1.0)
        for step in chance.choice((12, 15, 16, 19, 22, 24), 3, replace=False) * (start % (2 * SR) == 0):
            long = min(2 * SR, len(sound) - start)
            note = harmonic(np.full(long, root * 2 ** (step / 12 + 1)), 1.5)
            sound[start : start + long] += 0.5 * note * (step > 0)
    return 0.1 * sound


def vibrato(seconds: float = SECONDS, cents: float = 40.0, rate_hz: float = 5.5) -> Floats:
    """A voice that sings one note after another, all with one vibrato."""
    time = np.arange(round(seconds * SR)) / SR
    steps = np.array([0, 4, 7, 5, 9, 2])[(time // 0.8).astype(int) % 6]
    pitch = 220 * 2 ** (steps / 12 + cents / 1200 * np.sin(2 * np.pi * rate_hz * time))
    return 0.1 * harmonic(pitch, 0.0, 16)


def recorded(folder: Path, sound: npt.NDArray[np.floating], name: str = "in") -> Recording:
    return write_samples(folder / f"{name}.wav", np.atleast_2d(sound).astype(np.float32), SR)


def mended(folder: Path, given: Recording, preset: Preset = "balanced") -> Recording:
    return Dewow().mend(given, FACTS, preset, folder / "out.wav", silent).recording


def played(sound: Floats, kind: speed.Speed, size: float, seed: int = 1) -> tuple[Samples, Floats]:
    """As it is heard, and by how many cents it is high, by frame."""
    deviation = kind(len(sound), SR, np.random.default_rng(seed), size)
    return speed.played(np.atleast_2d(sound).astype(np.float32), deviation), CENT * np.log1p(deviation)


def lag_s(sound: Samples, clean: Samples, at_s: float) -> float:
    """How much later 0.25 s of it are than the clean ones, 4 ms at most, by the peak of their cross-correlation."""
    span = slice(round(at_s * SR), round((at_s + 0.25) * SR))
    one, other = (each.mean(axis=0)[span] for each in (sound, clean))
    size = 2 * len(one)
    product = np.fft.rfft(one, size) * np.fft.rfft(other, size).conj()
    finer = 16
    reach = round(0.004 * SR * finer)
    correlation = np.roll(np.fft.irfft(product, size * finer), reach)[: 2 * reach + 1]
    return (int(np.argmax(correlation)) - reach) / finer / SR


@pytest.mark.parametrize(
    ("kind", "size", "left"),
    [(speed.lp, 0.003, 0.5), (speed.single, 0.003, 0.5), (speed.shellac, 0.005, 0.75)],
)
def test_what_a_record_wavered_is_taken_off(
    tmp_path: Path, kind: speed.Speed, size: float, left: float
) -> None:
    clean = band()
    wavering, _ = played(clean, kind, size)
    given = recorded(tmp_path, wavering)

    better = mended(tmp_path, given)

    assert better != given
    assert (better.frames, better.channels, better.sample_rate) == (given.frames, 1, SR)
    places = np.arange(2, SECONDS - 2, 0.1)
    truth = clean.astype(np.float32)[None]
    was, now = (np.array([lag_s(each, truth, at) for at in places]) for each in (wavering, better.read()))
    slips = [np.median(np.abs(each[3:] - each[:-3])) for each in (was, now)]
    assert slips[1] < left * slips[0]
    assert judge(given, better, "dewow").kept_part == 1


def test_the_deviation_is_the_player_s_to_a_third_of_it(tmp_path: Path) -> None:
    wavering, cents = played(band(), speed.lp, 0.004)
    found = find_deviations(recorded(tmp_path, wavering))["wow"]
    moments = np.arange(len(found.cents)) * found.hop_s
    inner = (moments > 2) & (moments < SECONDS - 2)
    off = (found.cents - np.interp(moments, np.arange(len(cents)) / SR, cents))[inner]
    assert np.std(off) < np.std(cents) / 3
    assert found.agreement > 0.7


def test_flutter_is_found_at_its_rate(tmp_path: Path) -> None:
    wavering, _ = played(band(), speed.capstan, 0.003)
    found = find_deviations(recorded(tmp_path, wavering))["flutter"]
    spectrum = np.abs(np.fft.rfft(found.cents))
    hertz = np.fft.rfftfreq(len(found.cents), found.hop_s)
    assert hertz[np.argmax(spectrum)] == pytest.approx(6.0, abs=0.1)
    assert found.agreement > 0.5


@pytest.mark.parametrize("played_by", ["band", "voice", "voice with band", "noise", "silence"])
def test_music_that_holds_its_speed_is_given_back_itself(tmp_path: Path, played_by: str) -> None:
    """Also at the preset that is content with least."""
    frames = SECONDS * SR
    sound = {
        "band": band(),
        "voice": vibrato(),
        "voice with band": band() + vibrato(),
        "noise": 0.1 * np.random.default_rng(0).standard_normal(frames),
        "silence": np.zeros(frames),
    }[played_by]
    given = recorded(tmp_path, sound)
    assert mended(tmp_path, given, "aggressive") is given


def test_a_slow_vibrato_of_one_voice_is_no_wow(tmp_path: Path) -> None:
    """At the rate of a single, as deep as an ill-pressed one, alone and over a band."""
    voice = vibrato(cents=8.0, rate_hz=0.75)
    for sound in (voice, voice + band()):
        given = recorded(tmp_path, sound)
        assert mended(tmp_path, given) is given


@pytest.mark.parametrize("frames", [0, 1, 100, 3000, 5 * SR])
def test_what_is_too_short_to_tell_is_left(tmp_path: Path, frames: int) -> None:
    wavering, _ = played(band(6), speed.single, 0.01)
    given = recorded(tmp_path, wavering[:, :frames])
    assert mended(tmp_path, given) is given


def test_what_is_no_number_is_left(tmp_path: Path) -> None:
    sound = band(8)
    sound[1000:1010] = np.nan
    given = recorded(tmp_path, sound)
    assert mended(tmp_path, given) is given


def test_the_panel_takes_a_wrong_speed_back_as_a_whole(tmp_path: Path) -> None:
    clean = band(20)
    wavering, _ = played(clean, speed.lp, 0.004)
    verdict = judge(recorded(tmp_path, clean, "before"), recorded(tmp_path, wavering, "after"), "dewow")
    assert verdict.kept_part == 0
    assert verdict.after["wow_cents"] > verdict.before["wow_cents"]


@pytest.mark.parametrize("hertz", [440.0, 9000.0])
def test_a_tone_is_played_at_another_time_to_a_thousandth(tmp_path: Path, hertz: float) -> None:
    frames = 3 * SR
    time = np.arange(frames) / SR
    given = recorded(tmp_path, np.stack([np.sin(2 * np.pi * hertz * time), np.cos(2 * np.pi * hertz * time)]))
    moments = np.linspace(0, 3, 151)
    offsets = 2e-3 * np.sin(np.pi * moments)

    heard = np.concatenate(list(played_at(given, moments, offsets)), axis=1)

    turns = 2 * np.pi * hertz * (time + 2e-3 * np.sin(np.pi * time))
    wanted = np.stack([np.sin(turns), np.cos(turns)])
    assert heard.shape == wanted.shape
    np.testing.assert_allclose(heard[:, 200:-200], wanted[:, 200:-200], atol=1e-3)


def test_partials_have_the_pitch_that_was_played_and_last_as_long() -> None:
    time = np.arange(4 * RATE) / RATE
    sounding = (time > 1) & (time < 3)
    sound = (np.sin(2 * np.pi * 441.7 * time) + 0.5 * np.sin(2 * np.pi * 1237.3 * time)) * sounding
    found = find_partials(sound.astype(np.float32), 2048, 512)
    long = np.bincount(found.of) * found.hop_s > 1.5
    assert sorted(np.exp(found.mean(found.cents)[long] / CENT)) == pytest.approx([441.7, 1237.3], abs=0.2)
    assert np.bincount(found.of)[long] * found.hop_s == pytest.approx([2, 2], abs=0.3)

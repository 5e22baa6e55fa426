"""Mixes whose stems can be told apart again, so that the balance is known and not taken from the mixer's word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.mixing.balance import BALANCE_LU, gains_towards
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth, hold
from resonate_resources.mixing.material import TrackFacts, material_of
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.planning import ASTRAY_DB
from resonate_resources.mixing.resource import PLAN, MixingResource
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import AudioError, Recording, Samples, Stems, write_samples
from resonate_resources.signal.octaves import OCTAVES_HZ, OctaveSpectra
from resonate_resources.signal.si_sdr import si_sdr
from resonate_studio.demo_song import DemoSong

RATE = 44_100
PRESETS: tuple[Preset, ...] = ("conservative", "balanced", "aggressive")
# One tone per stem, whole periods in a second.
PITCHES = {"vocals": 1000, "drums": 4000, "bass": 200, "other": 600}
ASKED_LU = {"vocals": 0, "drums": -3, "bass": -6, "other": -8}  # R3
UNHEARD = {"conductor": "none"}
"""Single tones have the tone of no music, which who listens would mend."""
WHOLE = (0.0,) * len(OCTAVES_HZ)
"""Levels of a track that has all octaves."""
PHONE = (-80.0, -60.0, -25.0, *WHOLE[3:-1], -80.0)

Worths = Mapping[str, Sequence[Worth]]


def tone(hertz: float, amplitude: float, channels: int = 2, seconds: float = 4) -> Samples:
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[None], channels, axis=0).astype(np.float32)


def stems_of(folder: Path, samples: dict[str, Samples], rate: int = RATE) -> Stems:
    return {name: write_samples(folder / f"{name}.wav", part, rate) for name, part in samples.items()}


def worth(stems: Stems, quality_db: float = math.inf) -> Worths:
    return {name: [Worth(0.0, stem.duration, quality_db, 0.0)] for name, stem in stems.items()}


def planned(
    stems: Stems,
    folder: Path,
    worths: Worths | None = None,
    octaves_db: Sequence[float] = WHOLE,
    bandwidth_hz: float = 20_000.0,
    **wanted: Any,
) -> MixPlan:
    product = MixingResource().plan(
        stems,
        worth(stems) if worths is None else worths,
        TrackFacts(bandwidth_hz, octaves_db),
        MixingBrief(**wanted),
        folder,
    )
    return MixPlan.read(product.files[PLAN])


def mixed(
    stems: Stems, folder: Path, worths: Worths | None = None, **wanted: Any
) -> tuple[Recording, dict[str, float]]:
    into = folder / "made"
    into.mkdir()
    plan = planned(stems, folder, worths, **wanted)
    product = MixingResource().mix(stems, plan, into)
    assert sorted(path.name for path in into.iterdir()) == ["mix.wav"]
    assert not any(math.isnan(value) for value in product.measures.values() if isinstance(value, float))
    return Recording.open(product.files["mix.wav"]), dict(product.measures)  # type: ignore[arg-type]


def tone_loudness(mix: Samples, hertz: int) -> float:
    """Loudness, by pyloudnorm, of one tone cut out of the mix's last second."""
    spectrum = np.fft.rfft(mix[:, -RATE:], axis=1) / RATE * 2
    wave = np.abs(spectrum[:, hertz])[:, None] * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    return float(pyloudnorm.Meter(RATE).integrated_loudness(wave.T))


@pytest.mark.parametrize("balance", ["auto", "original"])
def test_finished_music_is_the_sum_of_its_stems(balance: str, demo_song: DemoSong, tmp_path: Path) -> None:
    mix, measures = mixed(demo_song.stems, tmp_path, worth(demo_song.stems, 8.0), balance=balance)
    plain = np.sum([stem.read().astype(np.float64) for stem in demo_song.stems.values()], axis=0)
    assert 10 * math.log10(np.mean((mix.read() - plain) ** 2) / np.mean(plain**2)) < -80
    loudness = pyloudnorm.Meter(mix.sample_rate).integrated_loudness(mix.read().T)
    assert measures["loudness_lufs"] == pytest.approx(loudness, abs=0.1)


@pytest.mark.parametrize("preset", PRESETS)
def test_true_stems_sit_in_the_standard_balance_as_r3_asks(preset: Preset, tmp_path: Path) -> None:
    amplitudes = {"vocals": 0.1, "drums": 0.3, "bass": 0.9, "other": 0.2}
    stems = stems_of(tmp_path, {name: tone(PITCHES[name], level) for name, level in amplitudes.items()})
    samples = mixed(stems, tmp_path, preset=preset, balance="standard", **UNHEARD)[0].read()
    heard = {name: tone_loudness(samples, hertz) for name, hertz in PITCHES.items()}
    for name, asked in ASKED_LU.items():
        assert heard[name] - heard["vocals"] == pytest.approx(asked, abs=0.1)


def test_a_stem_is_as_much_louder_as_the_brief_wants_and_stands_where_it_wants(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: tone(hertz, 0.2) for name, hertz in PITCHES.items()})
    wanted = {"gains_db": {"drums": 4.0}, "balance_lu": {"bass": -10.0}}
    mix, _ = mixed(stems, tmp_path, balance="standard", **wanted, **UNHEARD)
    heard = {name: tone_loudness(mix.read(), hertz) for name, hertz in PITCHES.items()}
    for name, asked in {**ASKED_LU, "drums": -3 + 4, "bass": -10}.items():
        assert heard[name] - heard["vocals"] == pytest.approx(asked, abs=0.1)


def test_gains_also_hold_where_levels_stay(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: tone(hertz, 0.1) for name, hertz in PITCHES.items()})
    mix, _ = mixed(stems, tmp_path, gains_db={"vocals": 2.0}, **UNHEARD)
    level = {name: np.abs(np.fft.rfft(mix.read()[0, -RATE:]))[hertz] for name, hertz in PITCHES.items()}
    assert 20 * math.log10(level["vocals"] / level["drums"]) == pytest.approx(2, abs=0.01)
    assert level["bass"] == pytest.approx(level["drums"], rel=1e-3)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("wish_db", [12.0, -12.0])
def test_what_a_stem_holds_of_others_bounds_how_far_it_moves(
    preset: Preset, wish_db: float, tmp_path: Path
) -> None:
    """Noise beside noise; in both stems, with opposite signs, an error that is known: SI-SDR is measured."""
    rng = np.random.default_rng(3)
    voice, band, error = (0.1 * rng.standard_normal((3, 2, 10 * RATE))).astype(np.float32)
    error *= np.float32(0.4)
    stems = stems_of(tmp_path, {"vocals": voice + error, "other": band - error})
    worths = {
        name: [Worth(0.0, 10.0, si_sdr(stems[name].read(), truth), 0.0)]
        for name, truth in (("vocals", voice), ("other", band))
    }
    plan = planned(stems, tmp_path, worths, preset=preset, gains_db={"vocals": wish_db})
    vocals, other = (10 ** (plan.stems[name].gain_db / 20) for name in ("vocals", "other"))
    moved_db = 10 * math.log10((vocals - other) ** 2 * np.mean(error**2) / np.mean((voice + band) ** 2))
    assert ASTRAY_DB[preset] - 3 < moved_db < ASTRAY_DB[preset] + 0.5
    assert any("vocals" in reason and "wished" in reason for reason in plan.reasons)


def test_worse_stems_move_less(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    stems = stems_of(
        tmp_path, {name: (0.1 * rng.standard_normal((2, 10 * RATE))).astype(np.float32) for name in PITCHES}
    )
    moved = [
        planned(stems, tmp_path, worth(stems, quality), gains_db={"vocals": 10.0}).stems["vocals"].gain_db
        for quality in (30.0, 12.0, 6.0, 0.0)
    ]
    assert moved[0] > moved[1] > moved[2] > moved[3] > 0


def test_where_error_lies_is_found_by_octave(demo_song: DemoSong, tmp_path: Path) -> None:
    """Stems by ideal ratio masks at a coarse resolution: their errors are known, and compared with what is told."""
    size = 1024
    truth = {name: stem.read(0, 20 * RATE) for name, stem in demo_song.stems.items()}
    window = np.sqrt(np.hanning(size + 1)[:-1])

    def spectra(samples: Samples) -> Any:
        parts = np.lib.stride_tricks.sliding_window_view(samples, size, axis=1)[:, :: size // 2]
        return np.fft.rfft(parts * window)

    whole = {name: spectra(part) for name, part in truth.items()}
    mix = sum(whole.values())
    power = sum(np.abs(each) ** 2 for each in whole.values()) + 1e-12
    found = {}
    for name, each in whole.items():
        parts = np.fft.irfft(np.abs(each) ** 2 / power * mix) * window
        out = np.zeros_like(truth[name])
        for number in range(parts.shape[1]):
            out[:, number * size // 2 : number * size // 2 + size] += parts[:, number]
        found[name] = out
    stems = stems_of(tmp_path, found)
    worths = {name: [Worth(0.0, 20.0, si_sdr(found[name], truth[name]), 0.0)] for name in truth}
    holdings = hold(stems, worths)
    listen = OctaveSpectra(RATE)
    for name, own in truth.items():
        true_error = listen.by_octave(np.square(np.abs(listen.frames(found[name] - own))).sum(axis=(0, 1)))
        told = holdings.astray[name].sum(axis=0)
        heard = true_error > 1e-3 * holdings.mix.sum()
        assert heard.any()
        assert np.abs(10 * np.log10(told[heard] / true_error[heard])).max() < 6


def test_silent_stems_stay_silent_and_residue_is_not_raised(tmp_path: Path) -> None:
    parts = {
        "vocals": tone(1000, 0.1),
        "drums": np.zeros((2, 4 * RATE), np.float32),
        "bass": tone(200, 0.1),
        "other": tone(600, 1e-4),
    }
    stems = stems_of(tmp_path, parts)
    mix, measures = mixed(stems, tmp_path, balance="standard")
    samples = mix.read()
    assert "drums_loudness_lufs" not in measures
    # It was 60 dB under the voice, and still is, but for what balance moves the others by.
    assert tone_loudness(samples, 1000) - tone_loudness(samples, 600) > 50


def test_a_phones_recording_is_brought_towards_the_standard(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: tone(hertz, 0.1) for name, hertz in PITCHES.items()})
    plan = planned(stems, tmp_path, octaves_db=PHONE, bandwidth_hz=8000.0)
    assert plan.rough == 1.0
    loudness = {name: (stem.loudness_lufs or 0) + stem.gain_db for name, stem in plan.stems.items()}
    for name, asked in ASKED_LU.items():
        assert loudness[name] - loudness["vocals"] == pytest.approx(asked, abs=0.1)


@pytest.mark.parametrize(
    ("bandwidth_hz", "octaves_db"),
    [
        (20_000.0, WHOLE),
        (16_000.0, PHONE),
        (8_000.0, WHOLE),
    ],  # nothing missing; no lows: a flute; no highs: shellac
)
def test_what_lacks_at_most_one_end_is_finished(bandwidth_hz: float, octaves_db: Sequence[float]) -> None:
    assert material_of(TrackFacts(bandwidth_hz, octaves_db)).rough == 0


@pytest.mark.parametrize(
    ("facts", "rough"),
    [
        ({"snr_db": 35.0, "plr_db": 14.0, "correlation": 0.8}, 1.0),  # a phone in a room
        ({"snr_db": 72.0}, 0.0),  # rests as deep as no room's: a file that a filter has cut
        ({"plr_db": 5.5}, 0.0),  # limited
        ({"correlation": 0.1}, 0.0),  # wide
        ({"snr_db": None, "plr_db": None, "correlation": None}, 1.0),
    ],
)
def test_what_lacks_both_ends_may_still_be_finished(facts: dict[str, float | None], rough: float) -> None:
    found = material_of(TrackFacts(8_000.0, PHONE, **facts))
    assert found.rough == rough
    told = {"snr_db": "72 dB", "plr_db": "5.5 dB", "correlation": "0.10"}
    assert rough == 1 or all(told[name] in found.why for name in facts)


@given(st.floats(45, 70), st.floats(5, 10), st.floats(0, 0.6))
def test_noise_crest_and_correlation_decide_without_a_step(snr: float, crest: float, alike: float) -> None:
    here = material_of(TrackFacts(8_000.0, PHONE, snr, crest, alike)).rough
    near = material_of(TrackFacts(8_000.0, PHONE, snr + 0.1, crest + 0.1, alike + 0.01)).rough
    assert abs(near - here) < 0.12


def test_a_voice_alone_is_finished_though_it_has_neither_lows_nor_highs(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {"vocals": tone(1000, 0.1), "other": tone(600, 1e-4)})
    plan = planned(stems, tmp_path, octaves_db=PHONE, bandwidth_hz=8000.0)
    assert plan.rough == 0
    assert plan.moves_nothing


@given(st.floats(8_000, 13_000), st.floats(-15, -5))
def test_no_decision_falls_off_a_cliff(bandwidth_hz: float, lows_db: float) -> None:
    octaves = (-80.0, lows_db, *WHOLE[2:])
    near = (-80.0, lows_db + 0.1, *WHOLE[2:])
    here = material_of(TrackFacts(bandwidth_hz, octaves)).rough
    assert abs(material_of(TrackFacts(bandwidth_hz + 12, octaves)).rough - here) < 0.02
    assert abs(material_of(TrackFacts(bandwidth_hz, near)).rough - here) < 0.05


def test_a_song_turned_down_by_a_tenth_of_a_decibel_has_the_same_plan(
    demo_song: DemoSong, tmp_path: Path
) -> None:
    gains = []
    for level in (1.0, 10 ** (-0.1 / 20)):
        folder = tmp_path / f"{level:.3f}"
        folder.mkdir()
        softer = {name: stem.read() * np.float32(level) for name, stem in demo_song.stems.items()}
        stems = stems_of(folder, softer)
        plan = planned(stems, folder, worth(stems, 8.0), balance="standard")
        gains.append([stem.gain_db for stem in plan.stems.values()])
    np.testing.assert_allclose(gains[0], gains[1], atol=0.005)  # 0.06 %: −65 dB


def test_the_track_itself_is_what_master_only_mixes(tmp_path: Path) -> None:
    track = stems_of(tmp_path, {"track": tone(1000, 0.3)})
    mix, measures = mixed(track, tmp_path, {}, balance="master-only")
    np.testing.assert_array_equal(mix.read(), track["track"].read())
    assert measures["track_loudness_lufs"] == pytest.approx(measures["loudness_lufs"], abs=0.01)


def test_a_song_on_the_left_stays_on_the_left_and_a_loop_stays_a_loop(tmp_path: Path) -> None:
    parts = {name: tone(hertz, 0.2, seconds=8) for name, hertz in PITCHES.items()}
    for part in parts.values():
        part[1] = 0
    samples = mixed(stems_of(tmp_path, parts), tmp_path, balance="standard")[0].read()
    assert not samples[1].any()
    assert abs(samples[0, 0] - samples[0, -1]) <= np.abs(np.diff(samples[0])).max()


def test_a_mix_is_turned_down_where_its_peaks_rose(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {"vocals": tone(1000, 0.5), "bass": tone(200, 0.3)})
    mix, measures = mixed(stems, tmp_path, gains_db={"vocals": 12.0})
    assert np.abs(mix.read()).max() <= 10 ** (-1 / 20) + 1e-4
    assert measures["gain_db"] < 0


def test_a_silent_track_is_a_silent_mix(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: np.zeros((2, RATE), np.float32) for name in PITCHES})
    mix, measures = mixed(stems, tmp_path, {name: [] for name in PITCHES}, balance="standard")
    assert not mix.read().any()
    assert measures["loudness_lufs"] == -math.inf


@pytest.mark.parametrize("balance", ["auto", "standard"])
@pytest.mark.parametrize(
    ("channels", "frames", "rate"),
    [
        (1, 1, 44_100),
        (2, 1, 48_000),
        (6, 3, 48_000),
        (6, 20_000, 48_000),
        (1, 8_000, 8_000),
        (2, 9_600, 192_000),
    ],
)
def test_any_shape_keeps_its_shape(
    channels: int, frames: int, rate: int, balance: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    samples = {name: rng.uniform(-0.5, 0.5, (channels, frames)).astype(np.float32) for name in PITCHES}
    mix, _ = mixed(stems_of(tmp_path, samples, rate), tmp_path, balance=balance)
    assert (mix.channels, mix.frames, mix.sample_rate) == (channels, frames, rate)
    assert np.isfinite(mix.read()).all()


def test_no_stems_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no stems to mix: separate the track first"):
        MixingResource().mix({}, MixPlan(balance="auto", rough=0.0, reasons=(), stems={}), tmp_path)


def test_gains_into_the_balance_leave_the_whole_as_loud() -> None:
    loudness = {"vocals": -30.0, "drums": -12.0, "bass": -20.0, "other": -math.inf}
    gains = gains_towards(BALANCE_LU, loudness, dict.fromkeys(loudness, 1.0))
    after = {name: loudness[name] + gains[name] for name in loudness}
    assert after["drums"] - after["vocals"] == pytest.approx(-3)
    assert gains["other"] == 0
    before, now = (sum(10 ** (level / 10) for level in each.values()) for each in (loudness, after))
    assert now == pytest.approx(before)


def test_a_plan_reads_as_it_was_written(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {name: tone(hertz, 0.1) for name, hertz in PITCHES.items()})
    plan = planned(stems, tmp_path, gains_db={"vocals": 1.0})
    plan.write(tmp_path / "again.json")
    assert MixPlan.read(tmp_path / "again.json") == plan
    assert Worth.of(asdict(Worth(0.0, 10.0, 3.0, 1.0))) == Worth(0.0, 10.0, 3.0, 1.0)
    assert Worth.of({"start_s": 0, "stop_s": 1, "si_sdr_db": None, "error_db": 0}).si_sdr_db == math.inf

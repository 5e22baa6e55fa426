"""Masters towards a reference, against known truth: equalisers by pedalboard, spectra by scipy's Welch estimate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from pedalboard import HighShelfFilter, LowShelfFilter, PeakFilter, Pedalboard
from scipy.signal import butter, resample_poly, sosfilt, welch

from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.reference import moved, moves_towards, spectrum_of
from resonate_resources.mastering.resource import MasteringResource
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import AudioError, Recording, Samples, write_samples
from resonate_resources.recordings.tags import Tags

RATE = 44_100
EQUALISED = Pedalboard(
    [LowShelfFilter(120.0, 7.0, 0.7), PeakFilter(1000.0, -6.0, 0.8), HighShelfFilter(5000.0, -8.0, 0.7)]
)


def music(seconds: float = 12.0, rate: int = RATE, side: float = 0.4, seed: int = 0) -> Samples:
    """Strokes of pink noise twice a second, stereo."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * rate)
    hertz = np.fft.rfftfreq(frames, 1 / rate)
    spectrum = np.fft.rfft(rng.standard_normal((2, frames))) / np.sqrt(np.maximum(hertz, 20.0))
    noise = np.fft.irfft(spectrum, frames)
    noise *= 0.05 / noise.std() * np.exp(-(np.arange(frames) / rate % 0.5) / 0.07)
    return np.stack([noise[0] + side * noise[1], noise[0] - side * noise[1]]).astype(np.float32)


def written(path: Path, samples: Samples, rate: int = RATE) -> Recording:
    return write_samples(path, samples.astype(np.float32), rate)


def towards(
    track: Recording, reference: Recording | Path, into: Path, amount: float = 1.0, **wanted: Any
) -> tuple[Samples, Product]:
    path = reference.path if isinstance(reference, Recording) else reference
    into.mkdir()
    brief = MasteringBrief(
        reference=str(path), reference_amount=amount, formats=("wav",), bits=32, target_lufs=-30, **wanted
    )
    product = MasteringResource().master(track, track, brief, 0.0, Tags(), into)
    return np.ascontiguousarray(sf.read(product.files["master.wav"], dtype="float32", always_2d=True)[0].T), (
        product
    )


def thirds_db(samples: Samples, rate: int = RATE) -> npt.NDArray[np.float64]:
    """Level of each third of an octave from 40 Hz to 16 kHz, around their mean."""
    hertz, power = welch(samples.astype(np.float64), rate, nperseg=rate)
    centres = 1000 * 2.0 ** (np.arange(-14, 13) / 3)
    levels = [
        10 * np.log10(power[:, (hertz >= c * 2 ** (-1 / 6)) & (hertz < c * 2 ** (1 / 6))].mean())
        for c in centres
    ]
    return np.array(levels) - np.mean(levels)


def off_db(one: Samples, other: Samples) -> float:
    return float(np.sqrt(np.mean((thirds_db(one) - thirds_db(other)) ** 2)))


def level_db(samples: Samples, low: float, high: float, rate: int = RATE) -> float:
    hertz, power = welch(samples.astype(np.float64), rate, nperseg=rate // 2)
    return float(10 * np.log10(power[..., (hertz >= low) & (hertz < high)].mean() + 1e-20))


def test_a_known_equaliser_is_undone(tmp_path: Path) -> None:
    original = music()
    changed = EQUALISED(original, RATE)
    reference = written(tmp_path / "reference.wav", original)
    master, product = towards(written(tmp_path / "track.wav", changed), reference, tmp_path / "m")
    assert off_db(changed, original) > 4
    assert off_db(master, original) < 0.5
    told = json.loads(product.reports["reference.json"].read_text())
    moved_db = dict(zip(told["octaves_hz"], told["octaves_moved_db"], strict=True))
    relative = moved_db[63.0] - moved_db[1000.0], moved_db[8000.0] - moved_db[1000.0]
    hertz = np.array([63.0, 1000.0, 8000.0])
    tones = np.sin(2 * np.pi * hertz[:, None] * np.arange(RATE) / RATE).astype(np.float32)
    gains = [20 * np.log10(np.std(EQUALISED(tone, RATE)[RATE // 2 :]) / np.std(tone)) for tone in tones]
    assert relative[0] == pytest.approx(gains[1] - gains[0], abs=1.5)
    assert relative[1] == pytest.approx(gains[1] - gains[2], abs=1.5)
    note = next(note for note in product.notes if note.startswith("moved towards reference.wav"))
    assert f"63 Hz −{abs(moved_db[63.0]):.1f}" in note
    assert product.measures["reference_moved_db"] == pytest.approx(np.ptp(told["thirds_moved_db"]), abs=0.02)


def test_another_piece_of_music_with_that_tone_serves_as_well(tmp_path: Path) -> None:
    original, changed = music(), EQUALISED(music(), RATE)
    reference = written(tmp_path / "reference.wav", music(seed=7))
    master, _ = towards(written(tmp_path / "track.wav", changed), reference, tmp_path / "m")
    assert off_db(master, original) < 1


def test_half_of_the_way_is_half_of_the_decibels(tmp_path: Path) -> None:
    original = music()
    changed = EQUALISED(original, RATE)
    reference = written(tmp_path / "reference.wav", original)
    track = written(tmp_path / "track.wav", changed)
    half, _ = towards(track, reference, tmp_path / "m", 0.5)
    middle = (thirds_db(changed) + thirds_db(original)) / 2
    assert np.abs(thirds_db(half) - middle).max() < 1


@pytest.mark.parametrize("amount", [1.0, 0.0])
def test_itself_as_a_reference_or_none_of_the_way_changes_no_sample(amount: float, tmp_path: Path) -> None:
    track = written(tmp_path / "track.wav", music())
    other = track if amount else written(tmp_path / "other.wav", EQUALISED(music(), RATE))
    master, product = towards(track, other, tmp_path / "m", amount)
    plain = MasteringResource().master(
        track,
        track,
        MasteringBrief(formats=("wav",), bits=32, target_lufs=-30),
        0.0,
        Tags(),
        tmp_path,
    )
    np.testing.assert_array_equal(master, sf.read(plain.files["master.wav"], dtype="float32")[0].T)
    assert ("reference.json" in product.reports) is bool(amount)


def test_no_band_is_moved_by_more_than_12_db(tmp_path: Path) -> None:
    original = music()
    changed = Pedalboard([LowShelfFilter(200.0, 25.0, 0.7), HighShelfFilter(4000.0, -20.0, 0.7)])(
        original, RATE
    )
    track = written(tmp_path / "track.wav", original)
    moves = moves_towards(spectrum_of(track), spectrum_of(written(tmp_path / "r.wav", changed)), 1.0)
    after = np.concatenate(list(moved(track, moves)), axis=1)
    hertz, before = welch(original.astype(np.float64), RATE, nperseg=RATE)
    _, power = welch(after.astype(np.float64), RATE, nperseg=RATE)
    gain = 10 * np.log10(power.sum(axis=0) / before.sum(axis=0))
    heard = (hertz > 40) & (hertz < 16_000)
    assert gain[heard].max() == pytest.approx(12, abs=0.5)
    assert gain[heard].min() == pytest.approx(-12, abs=0.5)
    assert any("12 dB" in reason for reason in moves.reasons)


def test_what_is_over_the_end_of_a_track_is_not_raised(tmp_path: Path) -> None:
    """Cut at 6 kHz, over a noise floor of −80 dBFS."""
    cut = sosfilt(butter(12, 6000, fs=RATE, output="sos"), music())
    cut += 1e-4 * np.random.default_rng(1).standard_normal(cut.shape)
    track = written(tmp_path / "track.wav", cut)
    moves = moves_towards(spectrum_of(track), spectrum_of(written(tmp_path / "r.wav", music(seed=2))), 1.0)
    after = np.concatenate(list(moved(track, moves)), axis=1)
    assert level_db(after, 9000, 18_000) - level_db(cut, 9000, 18_000) < 0.5
    assert any(reason.startswith("not raised in full") for reason in moves.reasons)


def test_a_steady_hiss_is_not_raised_and_strokes_as_faint_are(tmp_path: Path) -> None:
    low = sosfilt(butter(8, 2000, fs=RATE, output="sos"), music())
    high = sosfilt(butter(8, 4000, "high", fs=RATE, output="sos"), music())
    faint = 10 ** ((level_db(low, 50, 1000) - level_db(high, 6000, 12_000) - 45) / 20) * high
    noise = sosfilt(
        butter(8, 4000, "high", fs=RATE, output="sos"), np.random.default_rng(3).standard_normal(high.shape)
    )
    hiss = 10 ** ((level_db(faint, 6000, 12_000) - level_db(noise, 6000, 12_000)) / 20) * noise
    reference = spectrum_of(written(tmp_path / "r.wav", music(seed=2)))
    raised = []
    for number, added in enumerate((hiss, faint)):
        track = written(tmp_path / f"{number}.wav", low + added)
        after = np.concatenate(list(moved(track, moves_towards(spectrum_of(track), reference, 1.0))), axis=1)
        raised.append(level_db(after, 6000, 12_000) - level_db(low + added, 6000, 12_000))
    assert raised[0] < raised[1] / 3
    assert raised[1] > 5


def side_db(samples: Samples) -> float:
    return float(10 * np.log10(np.var(samples[0] - samples[1]) / np.var(samples[0] + samples[1])))


@pytest.mark.parametrize(("mine", "theirs"), [(0.2, 0.6), (0.6, 0.2), (0.4, 0.5)])
def test_width_goes_towards_the_references_by_4_db_at_most(
    mine: float, theirs: float, tmp_path: Path
) -> None:
    track = written(tmp_path / "track.wav", music(side=mine))
    master, _ = towards(track, written(tmp_path / "r.wav", music(side=theirs, seed=4)), tmp_path / "m")
    wanted = 20 * np.log10(theirs / mine)
    gained = side_db(master) - side_db(track.read())
    assert gained == pytest.approx(
        np.clip(wanted, -4, 4), abs=0.6
    )  # bands that lean to one side are moved less
    assert abs(gained) < 4.1


def test_no_width_comes_of_mono_and_a_silent_channel_stays_silent(tmp_path: Path) -> None:
    reference = written(tmp_path / "r.wav", EQUALISED(music(side=0.6, seed=4), RATE))
    mono = np.repeat(music()[:1], 2, axis=0)
    master, _ = towards(written(tmp_path / "mono.wav", mono), reference, tmp_path / "m")
    np.testing.assert_array_equal(master[0], master[1])
    left = music() * np.array([[1], [0]], np.float32)
    master, _ = towards(written(tmp_path / "left.wav", left), reference, tmp_path / "l")
    assert master[0].any()
    assert not master[1].any()


def test_what_stands_on_one_side_stays_there(tmp_path: Path) -> None:
    """A part in the left channel, 26 dB over its room in the right one."""
    panned = music(side=0.0) * np.array([[1], [0.05]], np.float32)
    reference = written(tmp_path / "r.wav", music(side=0.2, seed=4))
    master, _ = towards(written(tmp_path / "track.wav", panned), reference, tmp_path / "m")
    apart = [10 * np.log10(np.var(each[0]) / np.var(each[1])) for each in (panned, master)]
    assert apart[1] == pytest.approx(apart[0], abs=0.5)


def test_a_loop_stays_a_loop_and_strokes_stay_where_they_are(tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    loop = (0.3 * np.sin(2 * np.pi * 220 * time) + 0.2 * np.sin(2 * np.pi * 3000 * time))[None]
    reference = written(tmp_path / "r.wav", music()[:1])
    master, _ = towards(written(tmp_path / "track.wav", loop), reference, tmp_path / "m")
    assert abs(master[0, 0] - master[0, -1]) <= np.abs(np.diff(master[0])).max()
    stroke = music()
    stroke[:, 300_000] = 0.8
    master, _ = towards(
        written(tmp_path / "stroke.wav", stroke),
        written(tmp_path / "r2.wav", EQUALISED(stroke, RATE)),
        tmp_path / "s",
    )
    assert master.shape == stroke.shape
    assert np.abs(master[0]).argmax() == 300_000


def test_all_channels_of_surround_go_through_one_filter(tmp_path: Path) -> None:
    surround = np.concatenate([music(seed=seed) for seed in range(3)])
    surround[3] = 0
    reference = written(tmp_path / "r.wav", EQUALISED(music(seed=9), RATE))
    master, product = towards(written(tmp_path / "track.wav", surround), reference, tmp_path / "m")
    assert not master[3].any()
    gains = np.array([thirds_db(master[[n]]) - thirds_db(surround[[n]]) for n in (0, 1, 2, 4, 5)])
    assert np.ptp(gains, axis=0).max() < 0.6
    assert np.ptp(gains.mean(axis=0)) > 8
    assert "the same filter for all 6 channels" in product.notes


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (96_000, 2), (44_100, 1), (16_000, 2)])
def test_references_of_other_rates_and_channels_serve(rate: int, channels: int, tmp_path: Path) -> None:
    original = music()
    reference = resample_poly(original, *{48_000: (160, 147), 96_000: (320, 147)}.get(rate, (1, 1)), axis=1)
    if rate == 16_000:
        reference = resample_poly(original, 160, 441, axis=1)
    if channels == 1:
        reference = reference.mean(axis=0, keepdims=True)
    changed = EQUALISED(original, RATE)
    master, product = towards(
        written(tmp_path / "track.wav", changed),
        written(tmp_path / "reference.flac.wav", reference, rate),
        tmp_path / "m",
    )
    below = slice(0, 22)  # 40 Hz to 5 kHz
    off = (thirds_db(master) - thirds_db(original))[below]
    assert np.std(off) < 0.6
    assert any("mono" in note for note in product.notes) is (channels == 1)


def test_a_track_at_48_khz_is_matched_at_its_rate(tmp_path: Path) -> None:
    original = music(rate=48_000)
    changed = EQUALISED(original, 48_000)
    track = written(tmp_path / "track.wav", changed, 48_000)
    master, product = towards(track, written(tmp_path / "r.wav", original, 48_000), tmp_path / "m")
    assert sf.info(product.files["master.wav"]).samplerate == 48_000
    assert off_db(master, original) < 0.5


def test_a_reference_of_a_second_counts_by_a_third_and_says_so(tmp_path: Path) -> None:
    original = music()
    track = written(tmp_path / "track.wav", EQUALISED(original, RATE))
    short = written(tmp_path / "r.wav", original[:, :RATE])
    master, product = towards(track, short, tmp_path / "m")
    third = (2 * thirds_db(track.read()) + thirds_db(original)) / 3
    assert np.abs(thirds_db(master) - third).max() < 1.5
    assert "the reference lasts only 1.0 s, and counts 33%" in product.notes


@pytest.mark.parametrize("frames", [1, 1000, 44_100])
@pytest.mark.parametrize("level", [0.0, 0.1])
def test_tracks_of_hardly_anything_come_out_whole(frames: int, level: float, tmp_path: Path) -> None:
    wave = level * np.cos(2 * np.pi * 441 * np.arange(frames) / RATE)
    track = written(tmp_path / "track.wav", np.stack([wave, -wave]))
    master, _ = towards(track, written(tmp_path / "r.wav", music()), tmp_path / "m")
    assert master.shape == (2, frames)
    assert np.isfinite(master).all()
    assert master.any() == bool(level)


def broken(folder: Path) -> dict[str, Path]:
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no music")
    nan = music(2.0)
    nan[0, 100] = np.nan
    written(folder / "nan.wav", nan)
    written(folder / "silence.wav", np.zeros((2, 5 * RATE)))
    written(folder / "dither.wav", 2**-15 * np.random.default_rng(0).uniform(-1, 1, (2, 5 * RATE)))
    (folder / "folder").mkdir()
    names = ("gone.wav", "empty.wav", "text.wav", "nan.wav", "silence.wav", "dither.wav", "folder")
    return {name: folder / name for name in names}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.wav", "no such file"),
        ("empty.wav", "is empty"),
        ("text.wav", "is not audio"),
        ("nan.wav", "NaN"),
        ("silence.wav", "is silent"),
        ("dither.wav", "is silent"),
        ("folder", "is a directory"),
    ],
)
def test_a_reference_that_cannot_be_used_is_one_line(name: str, reason: str, tmp_path: Path) -> None:
    path = broken(tmp_path)[name]
    track = written(tmp_path / "track.wav", music(2.0))
    with pytest.raises(AudioError) as error:
        MasteringResource().recipe(MasteringBrief(reference=str(path)))
        towards(track, path, tmp_path / "m")
    told = str(error.value)
    assert told.startswith("mastering.reference: ")
    assert reason in told
    assert "\n" not in told


def test_the_key_is_made_of_the_references_content_and_not_of_its_place(tmp_path: Path) -> None:
    def key(path: Path, amount: float = 1.0) -> dict[str, Any]:
        brief = MasteringBrief(reference=str(path), reference_amount=amount)
        return MasteringResource().recipe(brief).keyed()

    one, two, other = (tmp_path / name for name in ("one.wav", "two.wav", "other.wav"))
    written(one, music(1.0))
    shutil.copyfile(one, two)
    written(other, music(1.0, seed=1))
    assert key(one) == key(two) != key(other)
    assert key(one) != key(one, 0.5)
    first = key(one)
    shutil.copyfile(other, one)
    assert key(one) == key(other) != first
    none = MasteringResource().recipe(MasteringBrief()).keyed()
    assert key(one, 0.0) == none == key(tmp_path / "gone.wav", 0.0)

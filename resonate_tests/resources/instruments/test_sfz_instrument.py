"""SFZ files that are written by hand, of sines whose frequency and level are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.instruments.sfz_instrument import SfzInstrument
from resonate_resources.recordings.recording import AudioError, Samples, write_samples

RATE = 48_000
A4 = 69


def sine(hertz: float, seconds: float, amplitude: float = 0.5, rate: int = 44_100) -> Samples:
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave, wave]).astype(np.float32)


def written(folder: Path, text: str, sound: Samples | None = None) -> SfzInstrument:
    (folder / "samples").mkdir(exist_ok=True)
    write_samples(folder / "samples" / "a b.wav", sine(440, 1.0) if sound is None else sound, 44_100)
    (folder / "Other.sfz").write_text(text)
    return SfzInstrument.read(folder / "Other.sfz")


def frequency(sound: Samples) -> float:
    """Of one channel's strongest partial in Hz, to a hundredth of a semitone."""
    wave = sound[0, 2000:-2000] * np.hanning(sound.shape[1] - 4000)
    return float(np.argmax(np.abs(np.fft.rfft(wave, 1 << 20))) * RATE / (1 << 20))


def level_db(sound: Samples, at_s: float) -> float:
    part = sound[0, round(at_s * RATE) : round((at_s + 0.02) * RATE)]
    return float(10 * np.log10(2 * np.mean(np.square(part, dtype=np.float64))))


KEYS = "<group> lokey=65 hikey=73 pitch_keycenter=69 lovel=1 hivel=127 amp_veltrack=100 ampeg_release=0.5\n"


@pytest.mark.parametrize("pitch", [65, 69, 73])
def test_each_key_has_its_pitch(tmp_path: Path, pitch: int) -> None:
    played = written(tmp_path, f"{KEYS}<region> sample=samples/a b.wav").sound(pitch, 127, 0.4, RATE)
    assert frequency(played) == pytest.approx(440 * 2 ** ((pitch - A4) / 12), rel=0.001)


def test_it_is_tuned(tmp_path: Path) -> None:
    played = written(tmp_path, f"{KEYS}<region> sample=samples/a b.wav tune=-50").sound(A4, 127, 0.4, RATE)
    assert frequency(played) == pytest.approx(440 * 2 ** (-0.5 / 12), rel=0.001)


def test_volume_and_velocity_are_levels_in_db(tmp_path: Path) -> None:
    """amp_veltrack=100 is 40·log10(velocity/127) dB, by the format."""
    instrument = written(tmp_path, f"{KEYS}<region> sample=samples/a b.wav volume=-6")
    full, soft = (instrument.sound(A4, velocity, 0.4, RATE) for velocity in (127, 64))
    assert level_db(full, 0.1) == pytest.approx(20 * np.log10(0.5) - 6, abs=0.05)
    assert level_db(soft, 0.1) - level_db(full, 0.1) == pytest.approx(40 * np.log10(64 / 127), abs=0.05)
    assert instrument.law == pytest.approx(2.0)


def test_a_loop_holds_as_long_as_the_key_and_dies_away_by_60_db(tmp_path: Path) -> None:
    looped = "loop_mode=loop_continuous loop_start=11025 loop_end=33074"  # 0.5 s: 220 periods
    played = written(tmp_path, f"{KEYS}<region> sample=samples/a b.wav {looped}").sound(A4, 127, 3.0, RATE)
    assert played.shape[1] == pytest.approx(3.5 * RATE, abs=2)
    assert level_db(played, 2.9) == pytest.approx(20 * np.log10(0.5), abs=0.05)
    assert level_db(played, 3.25) - level_db(played, 2.9) == pytest.approx(-31.2, abs=0.5)  # at 0.26 of 0.5 s
    assert (
        np.abs(np.diff(played[0, RATE // 10 :])).max() < 1.05 * 0.5 * 2 * np.pi * 440 / RATE
    )  # no step at the seam


def test_what_has_no_loop_ends_with_its_sample_and_a_stroke_rings_out(tmp_path: Path) -> None:
    ended = written(tmp_path, f"{KEYS}<region> sample=samples/a b.wav").sound(A4, 127, 9.0, RATE)
    assert ended.shape[1] == pytest.approx(RATE, abs=2)
    struck = written(tmp_path, f"{KEYS}<region> sample=samples/a b.wav loop_mode=one_shot")
    assert struck.sound(A4, 127, 0.01, RATE).shape[1] == pytest.approx(RATE, abs=2)


def test_layers_are_chosen_by_velocity_and_of_turns_the_first(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    write_samples(tmp_path / "samples" / "loud.wav", sine(880, 1.0), 44_100)
    instrument = written(
        tmp_path,
        "<group> lokey=69 hikey=69 pitch_keycenter=69 lovel=1 hivel=63\n<region> sample=samples/a b.wav // soft\n"
        "<group> lokey=69 hikey=69 pitch_keycenter=69 lovel=64 hivel=127 seq_length=2\n"
        "<region> sample=samples/loud.wav seq_position=1\n<region> sample=samples/a b.wav seq_position=2\n",
    )
    assert frequency(instrument.sound(A4, 40, 0.4, RATE)) == pytest.approx(440, rel=0.001)
    assert frequency(instrument.sound(A4, 100, 0.4, RATE)) == pytest.approx(880, rel=0.001)
    assert [instrument.has(pitch) for pitch in (68, 69, 70)] == [False, True, False]
    assert instrument.sound(70, 100, 0.4, RATE).shape == (2, 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no regions"),
        ("<group> lokey=1", "has no regions"),
        ("<region> lokey=1", "region 1"),
        ("<region> sample=../outside.wav", "no file in its folder"),
        ("<region> sample=/etc/hostname", "no file in its folder"),
        ("<region> sample=samples/none.wav", "no file in its folder"),
        ("<region> sample=samples/a b.wav lokey=loud", "region 1"),
    ],
)
def test_what_is_none_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "inside").mkdir()
    write_samples(tmp_path / "outside.wav", sine(440, 0.1), 44_100)
    with pytest.raises(AudioError, match=told) as refused:
        written(tmp_path / "inside", text)
    assert str(refused.value).startswith("Other.sfz: ")
    assert "\n" not in str(refused.value)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "Any.sfz"
    path.write_bytes(b"<region> sample=" + content)
    with pytest.raises(AudioError):
        SfzInstrument.read(path)

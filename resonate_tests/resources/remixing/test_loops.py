from __future__ import annotations

import itertools
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature
from resonate_resources.remixing.loops import (
    Loop,
    bars_of,
    choose_loops,
    levels_of_bars,
    loop_name,
    looped,
    mark_loop,
)

RATE = 44_100


def tempo_map(beats: list[float], a_bar: int = 4) -> TempoMap:
    return TempoMap.of(Grid(beats, beats[::a_bar], [TimeSignature(beats[0], a_bar, 4)]), None)


STEADY = tempo_map([0.5 * number for number in range(65)])  # 120 BPM, 16 bars of 2 s


def music(folder: Path, seconds: float = 32.0, rate: int = RATE) -> Recording:
    """Tones that fit into no bar, and noise."""
    time = np.arange(round(seconds * rate)) / rate
    audio = 0.2 * np.sin(2 * np.pi * 101.3 * time) + 0.1 * np.sin(2 * np.pi * 1234.5 * time)
    audio = np.stack([audio, audio[::-1]]) + 0.01 * np.random.default_rng(0).standard_normal((2, len(time)))
    return write_samples(folder / "music.wav", audio.astype(np.float32), rate)


def loop_of(start_s: float, length_s: float, quarters: float) -> Loop:
    return Loop(1, 1, "", start_s, length_s, quarters, 4, 4)


@pytest.mark.parametrize("start_s", [0.0, 0.004, 0.01, 2.0, 30.0])
def test_where_a_loop_begins_again_it_jumps_no_further_than_the_music_does(
    tmp_path: Path, start_s: float
) -> None:
    recording = music(tmp_path)
    samples = looped(recording, loop_of(start_s, 2.0, 4))
    assert samples is not None
    assert samples.shape == (2, 2 * RATE)
    twice = np.concatenate([samples, samples], axis=1)
    steps = np.abs(np.diff(twice, axis=1))
    seam = steps[:, 2 * RATE - 1].max()
    assert seam <= np.percentile(np.delete(steps, 2 * RATE - 1, axis=1), 99.9)


def test_at_the_very_start_the_first_ten_milliseconds_come_from_after_the_last_bar(tmp_path: Path) -> None:
    recording = music(tmp_path)
    samples = looped(recording, loop_of(0.0, 2.0, 4))
    assert samples is not None
    np.testing.assert_array_equal(samples[:, 441:], recording.read(441, 2 * RATE))
    np.testing.assert_allclose(samples[:, 0], recording.read(2 * RATE, 2 * RATE + 1)[:, 0], atol=1e-4)


def test_a_loop_of_all_there_is_comes_from_silence_and_goes_into_it(tmp_path: Path) -> None:
    samples = looped(music(tmp_path, 2.0), loop_of(0.0, 2.0, 4))
    assert samples is not None
    assert np.abs(samples[:, [0, -1]]).max() < 1e-4


def test_a_plain_cut_would_have_clicked_there(tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 100.25 * time))[np.newaxis].astype(np.float32)
    recording = write_samples(tmp_path / "tone.wav", tone, RATE)
    plain = recording.read(RATE, 2 * RATE)
    samples = looped(recording, loop_of(1.0, 1.0, 2))
    assert samples is not None
    largest = np.abs(np.diff(tone)).max()
    assert abs(plain[0, 0] - plain[0, -1]) > 20 * largest
    assert abs(samples[0, 0] - samples[0, -1]) < 1.5 * largest


def test_a_loop_is_the_music_but_for_its_last_ten_milliseconds(tmp_path: Path) -> None:
    recording = music(tmp_path)
    samples = looped(recording, loop_of(4.0, 2.0, 4))
    assert samples is not None
    np.testing.assert_array_equal(samples[:, :-441], recording.read(4 * RATE, 6 * RATE)[:, :-441])


@pytest.mark.parametrize(("bpm", "count"), [(128.0, 4), (93.7, 1), (174.0, 8)])
def test_loops_are_as_long_as_their_bars_at_the_tempo_to_the_frame(
    tmp_path: Path, bpm: float, count: int
) -> None:
    tempo = tempo_map([60 / bpm * number for number in range(65)])
    bars = bars_of(tempo, 64 * 60 / bpm)
    assert len(bars) == 16
    loop, *_ = choose_loops(tempo, bars, np.zeros(16), [], count)
    assert loop.tempo_bpm == pytest.approx(bpm, rel=1e-4)
    samples = looped(music(tmp_path, 64 * 60 / bpm), loop)
    assert samples is not None
    assert abs(samples.shape[1] - count * 4 * 60 / bpm * RATE) <= 1


def test_each_section_gives_its_loudest_occurrence() -> None:
    levels = np.array([-20.0] * 4 + [-10.0] * 4 + [-12.0] * 4 + [-30.0] * 4)
    sections = [(0.0, "A"), (8.0, "B"), (16.0, "A"), (24.0, "C")]
    bars = bars_of(STEADY, 32.0)
    found = choose_loops(STEADY, bars, levels, sections, 4)
    assert [(loop.section, loop.bar) for loop in found] == [("B", 5), ("A", 9), ("C", 13)]
    assert choose_loops(STEADY, bars, levels, sections, 8) == []


def test_without_sections_the_loudest_stretches_are_taken_and_none_overlaps() -> None:
    levels = np.array([-30.0] * 6 + [-10.0] * 2 + [-30.0] * 8)
    found = choose_loops(STEADY, bars_of(STEADY, 32.0), levels, [], 2)
    assert found[0].bar < 7
    assert 7 in [loop.bar for loop in found]
    assert all(after.bar - before.bar >= 2 for before, after in itertools.pairwise(found))


def test_a_bar_of_another_length_is_in_no_loop() -> None:
    beats = [0.5 * number for number in range(30)]
    grid = Grid(beats, [0, 2, 4, 5, 7, 9, 11, 13], [TimeSignature(0, 4, 4)])  # the third bar has two beats
    tempo = TempoMap.of(grid, None)
    bars = bars_of(tempo, 15.0)
    found = choose_loops(tempo, bars, np.zeros(len(bars)), [], 2)
    assert found
    assert all(loop.start_s >= 5.0 or loop.start_s + loop.length_s <= 4.0 for loop in found)
    assert all(loop.length_s == pytest.approx(4.0) for loop in found)


PICKUP = [0.34 + 0.48 * number for number in range(49)]
"""125 BPM; three sixteenths, as near as whole ones come, before the first of twelve bars."""


@pytest.mark.parametrize(("sections", "expected"), [([(0.0, "A")], [2]), ([], [2, 4, 6, 8])])
def test_what_comes_before_the_first_beat_is_in_no_loop(
    sections: list[tuple[float, str]], expected: list[int]
) -> None:
    tempo = tempo_map(PICKUP)
    bars = bars_of(tempo, 23.9)
    assert bars[0].signature == (3, 16)
    levels = -np.arange(len(bars), dtype=float)  # the pickup the loudest
    for count in (1, 2):
        found = choose_loops(tempo, bars, levels, sections, count)
        assert [loop.bar for loop in found] == (expected if count == 2 or sections else [2, 3, 4, 5])
        assert found[0].start_s == pytest.approx(0.34, abs=0.001)
        assert [loop.tempo_bpm for loop in found] == pytest.approx([125.0] * len(found), rel=1e-4)


def test_a_whole_bar_before_the_first_beat_is_in_no_loop() -> None:
    tempo = tempo_map([1.9 + 0.48 * number for number in range(33)])
    bars = bars_of(tempo, 17.2)
    assert bars[0].signature == (4, 4)
    assert [loop.bar for loop in choose_loops(tempo, bars, np.zeros(len(bars)), [(0.0, "A")], 1)] == [2]


def test_where_a_section_begins_with_an_odd_bar_its_loops_begin_with_the_next() -> None:
    beats = [0.5 * number for number in range(46)]
    downbeats = [beats[at] for at in (*range(0, 17, 4), *range(18, 46, 4))]  # two beats at 8 s
    tempo = TempoMap.of(Grid(beats, downbeats, [TimeSignature(0, 4, 4)]), None)
    bars = bars_of(tempo, 22.9)
    for count in (1, 4):
        found = choose_loops(tempo, bars, np.zeros(len(bars)), [(0.0, "A"), (8.0, "B")], count)
        assert [(loop.section, loop.start_s) for loop in found] == [("A", 0.0), ("B", pytest.approx(9.0))]


def test_a_part_in_another_time_signature_has_loops_of_its_own() -> None:
    beats = [0.5 * number for number in range(61)]
    downbeats = [*beats[:32:4], *beats[32::3]]
    tempo = TempoMap.of(Grid(beats, downbeats, [TimeSignature(0, 4, 4), TimeSignature(16.0, 3, 4)]), None)
    bars = bars_of(tempo, 30.0)
    found = choose_loops(tempo, bars, np.zeros(len(bars)), [(0.0, "A"), (16.0, "B")], 2)
    assert [(loop.section, loop.numerator, loop.length_s) for loop in found] == [
        ("A", 4, pytest.approx(4.0)), ("B", 3, pytest.approx(3.0)),
    ]  # fmt: skip


def test_six_eighths_count_dotted_beats_in_names_and_for_samplers(tmp_path: Path) -> None:
    beats = [60 / 128 * number for number in range(33)]
    tempo = TempoMap.of(Grid(beats, beats[::2], [TimeSignature(0, 6, 8)]), None)
    loop, *_ = choose_loops(tempo, bars_of(tempo, 15.0), np.zeros(16), [(0.0, "A")], 4)
    assert loop.length_s == pytest.approx(8 * 60 / 128, abs=1e-4)
    path = tmp_path / loop_name("drums", loop)
    assert path.name == "Loop_drums_bar001_4bars_128.00bpm.wav"
    write_samples(path, np.zeros((1, 165_375), np.float32), RATE)
    mark_loop(path, 165_375, RATE, loop)
    written = path.read_bytes()
    acid = struct.unpack_from("<IHHfIHHf", written, written.index(b"acid") + 8)
    assert acid[4:7] == (8, 8, 6)
    assert acid[4] * 60 / acid[7] == pytest.approx(loop.length_s)


def test_where_no_bars_are_known_there_are_none() -> None:
    assert bars_of(TempoMap.steady(None), 60.0) == []
    assert bars_of(TempoMap.steady(120.0), 60.0) == []


def test_levels_of_bars_are_those_of_sines(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    audio = np.where(time < 2, 0.5, 0.05) * np.sin(2 * np.pi * 1000 * time)
    recording = write_samples(tmp_path / "sine.wav", audio[np.newaxis].astype(np.float32), RATE)
    bars = bars_of(STEADY, 4.0)
    np.testing.assert_allclose(levels_of_bars(recording, STEADY, bars), [-9.03, -29.03], atol=0.02)


def test_a_stem_that_does_not_play_there_gives_no_loop(tmp_path: Path) -> None:
    silent = write_samples(tmp_path / "silent.wav", np.zeros((2, 4 * RATE), np.float32), RATE)
    assert looped(silent, loop_of(0.0, 2.0, 4)) is None


def test_libsndfile_reads_loop_points_and_tempo_back(tmp_path: Path) -> None:
    loop = Loop(17, 4, "A", 32.0, 7.5, 16.0, 4, 4)
    recording = music(tmp_path, 8.0, 48_000)
    path = tmp_path / loop_name("vocals", loop)
    assert path.name == "Loop_vocals_bar017_4bars_128.00bpm.wav"
    samples = recording.read(0, 360_000)
    write_samples(path, samples, 48_000)
    mark_loop(path, 360_000, 48_000, loop)
    with sf.SoundFile(os.fsencode(path)) as file:
        np.testing.assert_array_equal(file.read(dtype="float32").T, samples)
        ffi, lib = sf._ffi, sf._snd
        told = ffi.new("char[]", 64)  # SF_LOOP_INFO of sndfile.h
        assert lib.sf_command(file._file, 0x10E0, told, 44) == 1
        upper, lower, mode, beats = np.frombuffer(bytes(ffi.buffer(told, 64)), "<i2,<i2,<i4,<i4", count=1)[0]
        assert (upper, lower, beats) == (4, 4, 16)
        assert mode == 801  # SF_LOOP_FORWARD
        assert np.frombuffer(bytes(ffi.buffer(told, 64)), "<f4")[3] == 128.0
        sampler = ffi.new("char[]", 512)  # SF_INSTRUMENT
        assert lib.sf_command(file._file, 0x10D0, sampler, 16 + 16 * 16) == 1
        words = np.frombuffer(bytes(ffi.buffer(sampler, 64)), "<i4")
        assert [*words[3:7]] == [1, 801, 0, 360_000]  # loops; of the first mode, start and end, excluded

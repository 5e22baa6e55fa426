"""Dereverberation against the dry truth: python -m resonate_tests.benchmarks.bench_rooms FOLDER [options]

    --songs 100-149     a range of those that `bench_music` rendered into FOLDER; those without a room count
    --every 1           of these, each so manieth
    --voices FILE …     recordings that are dry and judged too, each in every kind of room
    --finished FILE …   recordings that should tell no room

Excerpts of 30 s, in rooms of RT60 0.3 to 1.5 s in turn, mended as told that there is a room. Prints, of each case
and over all: log-spectral distance, band balance and SI-SDR to the dry truth before and after; how far direct
sound, early and late reflections come down, by projecting each line onto these three; and where `room_of` tells a
room.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile as sf

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration.dereverb import Dereverb
from resonate_resources.restoration.room import room_of
from resonate_resources.restoration.step import Facts
from resonate_resources.signal.traces import find_traces
from resonate_tests.benchmarks.damage.distance import band_balance_db, log_spectral_distance, si_sdr_db
from resonate_tests.benchmarks.damage.rooms import KINDS, Room

SECONDS = 30.0
TIMES_S = (0.3, 0.5, 0.8, 1.1, 1.5)
_SIZE = 4096
COLUMNS = ("LSD %", "balance dB", "SI-SDR dB", "direct dB", "early dB", "late dB")


def parts_db(sound: Samples, parts: tuple[Samples, ...]) -> list[float]:
    """How loud each part still is in a sound, against how loud it was: every line is projected onto them all."""
    lines = [_lines(each) for each in (sound, *parts)]
    energy = np.zeros((len(parts), 2))
    for line in range(2, len(lines[0]), 4):
        columns = np.stack([each[line] for each in lines[1:]], axis=1)
        weights = np.linalg.lstsq(columns, lines[0][line], rcond=None)[0]
        was = np.square(np.abs(columns)).sum(axis=0)
        energy += np.stack([was * np.square(np.abs(weights)), was], axis=1)
    return (10 * np.log10(energy[:, 0] / energy[:, 1])).tolist()


def _lines(sound: Samples) -> Samples:
    """(lines, frames of all channels)."""
    window = np.hanning(_SIZE + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, _SIZE, axis=1)[:, :: _SIZE // 2]
    return np.fft.rfft(frames * window, axis=-1).transpose(2, 0, 1).reshape(_SIZE // 2 + 1, -1)


def judge(name: str, clean: Samples, room: Room, preset: Preset) -> list[float]:
    early, late = room.parts(clean)
    rate = room.sample_rate
    with TemporaryDirectory() as scratch:
        recording = write_samples(Path(scratch) / "in.wav", early + late, rate)
        facts = Facts("track", find_traces(recording), rt60_s=room.rt60_s)
        began = time.process_time()
        mended = Dereverb().mend(recording, facts, preset, Path(scratch) / "out.wav", silent)
        cost = time.process_time() - began
        sound = mended.recording.read()
    lsd, balance, sdr = (
        [of(each, clean) for each in (early + late, sound)]
        for of in (
            lambda one, true: log_spectral_distance(one, true, rate),
            lambda one, true: band_balance_db(one, true, rate),
            si_sdr_db,
        )
    )
    figures = [100 * (lsd[1] / lsd[0] - 1), balance[1] - balance[0], sdr[1] - sdr[0]]
    figures += parts_db(sound, (clean, early - clean, late))
    octave = room.rt60_s[1000]
    print(f"{name:16} RT60 {octave:.1f} s, LSD {lsd[0]:.1f} → {lsd[1]:.1f}, SI-SDR {sdr[0]:.1f} → {sdr[1]:.1f},",
          ", ".join(f"{column} {value:.1f}" for column, value in zip(COLUMNS, figures, strict=True)),
          f"| {cost:.1f} s",
          flush=True)  # fmt: skip
    return figures


def count_told(name: str, clean: Samples, room: Room, counts: Counter[str]) -> None:
    """Of one stem, or a mix: as it is, and in the room."""
    early, late = room.parts(clean)
    with TemporaryDirectory() as scratch:
        for where, sound in (("dry", clean), ("in a room", early + late)):
            told = room_of(write_samples(Path(scratch) / "in.wav", sound, room.sample_rate))
            counts[f"{name} {where}"] += 1
            if told is not None:
                counts[f"{name} {where}: told"] += 1
                off = [abs(seconds / room.rt60_s[round(hertz)] - 1) for hertz, seconds in told.rt60_s.items()]
                counts[f"{name} {where}: octaves told"] += len(off)
                counts[f"{name} {where}: of these within 25 %"] += sum(each <= 0.25 for each in off)


def excerpt(path: Path) -> tuple[Samples, int]:
    with sf.SoundFile(path) as file:
        frames = round(SECONDS * file.samplerate)
        file.seek(max(0, (file.frames - frames) // 3))
        return file.read(frames, dtype="float32", always_2d=True).T, file.samplerate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="100-149")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--voices", type=Path, nargs="*", default=[])
    parser.add_argument("--finished", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    first, last = map(int, given.songs.split("-"))
    dry = [
        song
        for song in sorted(given.folder.glob("[0-9]*"))
        if first <= int(song.name) <= last
        and json.loads((song / "truth.json").read_text())["sound"]["rt60_s"] is None
    ][:: given.every]
    kinds = list(KINDS)
    songs, voices = [], []
    counts: Counter[str] = Counter()
    for number, song in enumerate(dry):
        rng = np.random.default_rng(int(song.name))
        clean, rate = excerpt(song / "mix.wav")
        kind = kinds[number % len(kinds)]
        room = KINDS[kind](rate, rng, TIMES_S[number % len(TIMES_S)])
        songs.append(judge(f"{song.name} {kind}", clean, room, given.preset))
        for stem in ("mix", "vocals", "drums", "other"):
            if (song / f"{stem}.wav").exists():
                count_told(stem, excerpt(song / f"{stem}.wav")[0], room, counts)
    for voice in given.voices:
        for number, kind in enumerate(kinds):
            samples, rate = sf.read(voice, dtype="float32", always_2d=True)
            clean = np.repeat(samples.T[:1], 2, axis=0)  # two microphones before one mouth
            room = KINDS[kind](rate, np.random.default_rng(number), (0.3, 0.8, 1.5)[number])
            voices.append(judge(f"{voice.stem[:8]} {kind}", clean, room, given.preset))
            count_told("voice", clean, room, counts)
    for what, table in (("songs", np.array(songs)), ("voices", np.array(voices))):
        if len(table):
            nearer, worst = 100 * np.mean(table[:, 0] < 0), table[:, 2].min()
            medians = zip(COLUMNS, np.median(table, axis=0), strict=True)
            print(
                f"{what}, {len(table)}: LSD nearer in {nearer:.0f} %, SI-SDR at worst {worst:.1f} dB; medians"
            )
            print(", ".join(f"{column} {value:.1f}" for column, value in medians))
    print(dict(sorted(counts.items())))
    for path in given.finished:
        with TemporaryDirectory() as scratch:
            samples, rate = sf.read(path, dtype="float32", always_2d=True)
            print(path.name, "tells", room_of(write_samples(Path(scratch) / "in.wav", samples.T, rate)))


if __name__ == "__main__":
    main()

"""Stretching beside peers: `… bench_remix timing | seams FILE… | sum STEM_DIR | speed MINUTES STEMS`.

timing: where drum hits land against where they must, how much of their energy is in their first 5 ms, and how far
sines are off, for us, pedalboard's Rubber Band in one go, and `rubberband -3` (Debian's rubberband-cli, on PATH).
seams: levels by band where two parts of real music meet, against the mean of both, beside crossfades.
sum: stems that were stretched, summed, against their sum stretched.
speed: seconds and peak memory for so many stereo stems of so many minutes, one after the other, in a process of
their own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pedalboard
import soundfile as sf

from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import Recording, Samples, write_recording, write_samples
from resonate_resources.remixing import stretching
from resonate_resources.signal.joining import glide
from resonate_resources.signal.stretching import stretch
from resonate_resources.signal.time_map import TimeMap

RATE = 44_100
RATIOS = (0.5, 0.8, 0.9, 1.1, 1.25, 2.0)


def hits(seconds: int) -> tuple[Samples, npt.NDArray[np.intp]]:
    """(2, frames) of drum hits four times a second, kick, hat, snare, hat, and the frames at which they begin."""
    rng = np.random.default_rng(0)
    after = np.arange(round(0.3 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (50 * after + 4 / 3 * (1 - np.exp(-30 * after)))) * np.exp(-14 * after)
    snare = 0.5 * rng.standard_normal(len(after)) * np.exp(-25 * after)
    hat = 0.3 * np.diff(rng.standard_normal(len(after) + 1)) * np.exp(-80 * after)
    begin = np.round(np.arange(0.5, seconds - 0.5, 0.25) * RATE).astype(np.intp)
    audio = np.zeros(seconds * RATE)
    for number, frame in enumerate(begin):
        audio[frame : frame + len(after)] += (kick, hat, snare, hat)[number % 4]
    return np.stack([audio, audio]).astype(np.float32), begin


def begins_at(audio: Samples, near: float) -> int:
    """The frame near another from which the level over 2 ms is over a quarter of its peak's power."""
    start = max(0, round(near - 0.06 * RATE))
    power = np.square(audio[0, start : round(near + 0.06 * RATE)], dtype=np.float64)
    over = np.convolve(power, np.ones(88) / 88)[: len(power)]
    top = int(over.argmax())
    below = np.flatnonzero(over[:top] < 0.25 * over[top])
    return start + (int(below[-1]) + 1 if len(below) else 0)


def attack_db(audio: Samples, begin: float) -> float:
    """Energy of 5 ms from a moment on over that of 100 ms, in dB."""
    power = np.square(audio[0, round(begin) : round(begin + 0.1 * RATE)], dtype=np.float64)
    return float(10 * np.log10(power[: round(0.005 * RATE)].sum() / power.sum()))


def renderings(audio: Samples, ratio: float, folder: Path) -> dict[str, Samples]:
    """By name."""
    source = write_samples(folder / "source.wav", audio, RATE)
    made = {"ours": stretch(source, TimeMap.steady(ratio), 0.0, folder / "ours.wav").read()}
    made["pedalboard"] = pedalboard.time_stretch(audio, RATE, 1 / ratio, 0.0, preserve_formants=False)
    if program := shutil.which("rubberband"):
        files = [str(source.path), str(folder / "cli.wav")]
        subprocess.run([program, "-q", "-3", "--centre-focus", "-t", str(ratio), *files], check=True)
        made["rubberband -3"] = sf.read(folder / "cli.wav", dtype="float32")[0].T
    return made


def timing() -> None:
    print(
        "| ratio | by | snares and hats, ms off: median | most | drift, ms a minute | attack, dB against source |"
    )
    print("|---|---|---|---|---|---|")
    audio, begin = hits(65)
    own = np.array([begins_at(audio, frame) for frame in begin]) - begin
    first = np.array([attack_db(audio, frame) for frame in begin])
    noisy = np.arange(len(begin)) % 4 != 0  # a kick's 50 Hz have no moment to the millisecond
    for ratio in RATIOS:
        with TemporaryDirectory() as folder:
            for name, made in renderings(audio, ratio, Path(folder)).items():
                found = np.array([begins_at(made, frame * ratio) for frame in begin])
                off = (found - begin * ratio - own)[noisy] / RATE * 1000
                drift = np.polyfit(begin[noisy] / RATE / 60, off, 1)[0]
                kept = np.array([attack_db(made, frame) for frame in found - own])[noisy] - first[noisy]
                print(
                    f"| {ratio:g} | {name} | {np.median(off):.1f} | {np.abs(off).max():.1f} | {drift:.2f} | "
                    f"{np.median(kept):.1f} |"
                )
    print("\n| Hz | ratio | semitones | cents off | level, dB |\n|---|---|---|---|---|")
    for hertz in (110, 440, 1760):
        tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(45 * RATE) / RATE)[np.newaxis]
        for ratio, semitones in ((0.5, 0), (1.1, 0), (2.0, 0), (0.8, 3), (1.0, -2), (1.0, 12)):
            with TemporaryDirectory() as folder:
                source = write_samples(Path(folder) / "tone.wav", tone.astype(np.float32), RATE)
                made = stretch(source, TimeMap.steady(ratio), semitones, Path(folder) / "made.wav").read()[0]
            cents = 1200 * np.log2(pitch_of(made[RATE : 20 * RATE]) / hertz) - 100 * semitones
            level = 20 * np.log10(np.sqrt(np.mean(made[RATE:-RATE] ** 2)) * 2**0.5 / 0.3)
            print(f"| {hertz} | {ratio:g} | {semitones} | {cents:.2f} | {level:.2f} |")


def pitch_of(tone: npt.NDArray[np.float32]) -> float:
    """Of a sine, in Hz: the peak of its spectrum, by a parabola through the log magnitudes."""
    size = 1 << 21
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), size))
    peak = int(spectrum.argmax())
    before, at, after = np.log(spectrum[peak - 1 : peak + 2])
    return float((peak + 0.5 * (before - after) / (before - 2 * at + after)) * RATE / size)


def band_levels(audio: Samples) -> npt.NDArray[np.float64]:
    """(moments, bands): power every 12 ms in 15 bands."""
    windows = np.lib.stride_tricks.sliding_window_view(audio, 1024, axis=1)[:, ::512] * np.hanning(1024)
    power = np.square(np.abs(np.fft.rfft(windows, axis=2))).sum(axis=0)
    edges = np.unique(np.round(np.geomspace(2, 512, 16)).astype(int))
    return np.stack([power[:, low:high].sum(axis=1) for low, high in pairwise(edges)], axis=1)


def seams(files: list[Path]) -> None:
    print("| file | ratio | joined by | levels off, dB rms | lowest 1 %, dB |\n|---|---|---|---|---|")
    for file in files:
        for ratio in (0.8, 1.1, 1.5):
            with TemporaryDirectory() as folder:
                recording = decode(file, Path(folder)).recording
                one, other = both(recording, ratio)
            frames = one.shape[1]
            mean = 0.5 * (band_levels(one) + band_levels(other))
            heard = mean > 1e-4 * mean.max(axis=0)
            joined = {"turning phases": glide(one, other)}
            for seconds in (0.04, 1.0):
                part = np.clip((np.arange(frames) / frames - 0.5) / seconds + 0.5, 0, 1) * np.pi / 2
                joined[f"{seconds:g} s crossfade"] = np.cos(part) * one + np.sin(part) * other
            for name, made in joined.items():
                span = slice(0, len(mean))
                if name.startswith("0.04"):
                    begin, end = (int((frames / 2 + side * 0.02 * RATE) / 512) for side in (-1, 1))
                    span = slice(begin - 1, end + 2)
                off = 10 * np.log10((band_levels(made)[span] / mean[span])[heard[span]] + 1e-9)
                rms, low = np.sqrt(np.mean(off**2)), np.percentile(off, 1)
                print(f"| {file.stem} | {ratio:g} | {name} | {rms:.2f} | {low:.1f} |")


def both(recording: Recording, ratio: float) -> tuple[Samples, Samples]:
    """What two parts that meet in the middle of a recording both have."""
    time_map, rate = TimeMap.steady(ratio), recording.sample_rate
    middle, last = (round(part * recording.frames * ratio) for part in (0.5, 0.8))
    shared = round(rate)
    first = stretching._rendered(recording, time_map, 1.0, stretching._Part(0, middle, shared))
    then = stretching._rendered(recording, time_map, 1.0, stretching._Part(middle, last, 0))
    return first[:, -shared:], then[:, :shared]


def sums(folder: Path) -> None:
    stems = [Recording.open(file) for file in sorted(folder.glob("*.wav"))]
    print("| ratio | semitones | stems' sum over the sum stretched, dB | bands, dB rms | SNR, dB |")
    print("|---|---|---|---|---|")
    for ratio, semitones in ((0.8, 0.0), (1.1, 0.0), (1.0, 2.0), (1.5, 0.0)):
        with TemporaryDirectory() as scratch:
            to = Path(scratch)
            whole = write_samples(
                to / "sum.wav", np.sum([stem.read() for stem in stems], axis=0), stems[0].sample_rate
            )
            time_map = TimeMap.steady(ratio)
            wanted = stretch(whole, time_map, semitones, to / "wanted.wav").read()
            made = np.sum(
                [stretch(stem, time_map, semitones, to / "stem.wav").read() for stem in stems], axis=0
            )
        level = 10 * np.log10(np.mean(made**2) / np.mean(wanted**2))
        bands, own = band_levels(made), band_levels(wanted)
        heard = own > 1e-4 * own.max(axis=0)
        off = np.sqrt(np.mean(np.square(10 * np.log10(bands[heard] / own[heard]))))
        snr = 10 * np.log10(np.mean(wanted**2) / np.mean((made - wanted) ** 2))
        print(f"| {ratio:g} | {semitones:g} | {level:.2f} | {off:.2f} | {snr:.1f} |")


_STRETCHED = """
import resource, sys, time
from pathlib import Path
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.stretching import stretch
from resonate_resources.signal.time_map import TimeMap
source, out = Recording.open(Path(sys.argv[1])), Path(sys.argv[2])
begun = time.perf_counter()
for _ in range(int(sys.argv[3])):
    out.unlink(missing_ok=True)
    made = stretch(source, TimeMap.steady(1.1), 0.0, out)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.perf_counter() - begun, time.process_time(), memory, made.frames - round(1.1 * source.frames))
"""


def speed(minutes: float, stems: int) -> None:
    audio, _ = hits(20)
    audio += 0.05 * np.random.default_rng(1).standard_normal(audio.shape).astype(np.float32)
    print(
        "| minutes | stems | seconds | of a core | peak memory, MiB | frames off |\n|---|---|---|---|---|---|"
    )
    with TemporaryDirectory() as folder:
        source = Path(folder) / "source.wav"
        times = max(1, round(minutes * 3))
        with write_recording(source, RATE, 2, times * audio.shape[1]) as writer:
            for _ in range(times):
                writer.write(audio)
        command = [sys.executable, "-c", _STRETCHED, str(source), str(Path(folder) / "out.wav"), str(stems)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    wall, core, memory, off = map(float, told)
    print(f"| {minutes:g} | {stems} | {wall:.1f} | {core:.1f} | {memory:.0f} | {off:.0f} |")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["timing"]:
            timing()
        case ["seams", *names]:
            seams([Path(name) for name in names])
        case ["sum", name]:
            sums(Path(name))
        case ["speed", minutes, stems]:
            speed(float(minutes), int(stems))
        case _:
            sys.exit(__doc__)

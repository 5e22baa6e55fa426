"""Masters towards a reference beside Matchering's: `… bench_reference [--long MINUTES] FILE REFERENCE …`, in pairs.

Matchering is no dependency: `pip install --target DIR matchering==2.0.6`, and DIR on PYTHONPATH behind this
repository's. Both run in processes of their own, on one thread. Distance to the reference is that of thirds of an
octave from 40 Hz to 16 kHz at equal loudness, as a root mean square in dB, of all bands, and of those that may be
moved by as much as they are off (by 12 dB at most, and raised only where the track holds something). Spectra are
Welch's, loudness pyloudnorm's, true peaks by eight times oversampling with scipy. --long: a file of so many minutes
at 48 kHz, of copies of the first one, and the memory that it takes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyloudnorm
import soundfile as sf
from scipy.signal import resample_poly, welch

from resonate_resources.mastering.reference import TONE_DB
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import Recording, write_recording
from resonate_resources.signal.resampling import at_rate

Levels = npt.NDArray[np.float64]

CENTRES_HZ = 1000 * 2.0 ** (np.arange(-14, 13) / 3)
_RELATIVE_DB = -50.0  # a band so far under the strongest of the track is no more than noise

_OURS = """
import sys, resource
from resonate_studio.cli import main
try:
    main(["master", sys.argv[1], "--reference", sys.argv[2], "--out", sys.argv[3], "--bits", "32"])
finally:
    print("MiB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
_THEIRS = """
import sys, resource
import matchering
matchering.process(sys.argv[1], sys.argv[2], [matchering.Result(sys.argv[3], subtype="FLOAT")])
print("MiB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--long", type=float, default=0.0)
    asked = parser.parse_args()
    found = []
    print(
        "| track → reference | off before | ours | Matchering | movable: before | ours | Matchering | "
        "true peak: ours | Matchering | seconds: ours | Matchering |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for number, (file, reference) in enumerate(zip(asked.files[::2], asked.files[1::2], strict=True)):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            row = _compared(file, reference, folder)
            found.append(row)
            print(f"| {file.stem} → {reference.stem} | {_told(row)} |", flush=True)
        table = np.array(found)
        for name, mean in (("mean", np.nanmean(table, axis=0)), ("median", np.nanmedian(table, axis=0))):
            print(f"| {name} of {len(table)} | {_told(mean)} |")
        better = np.sum(table[:, 1] <= table[:, 2]), np.sum(table[:, 4] <= table[:, 5])
        print(f"\nnearer than Matchering's: {better[0]} of all bands, {better[1]} of those that may be moved")
        if asked.long:
            _long(asked.files[0], asked.files[1], asked.long, Path(scratch))


def _compared(file: Path, reference: Path, folder: Path) -> Levels:
    """Distances (all bands: before, ours, theirs; the same of those that may be moved), peaks, seconds."""
    track, aim = (_decoded(each, folder / name) for each, name in ((file, "track"), (reference, "aim")))
    ours, seconds, _ = _run(_OURS, track, aim, folder / "ours.wav")
    theirs, their_seconds, _ = _run(_THEIRS, track, aim, folder / "theirs.wav")
    wanted, before, after, matched = (thirds_db(path) for path in (aim, track, ours, theirs))
    louder = wanted > before
    movable = (np.abs(wanted - before) <= TONE_DB) & (~louder | (before > before.max() + _RELATIVE_DB))
    off = [np.sqrt(np.mean(np.square(each - wanted))) for each in (before, after, matched)]
    off += [np.sqrt(np.mean(np.square((each - wanted)[movable]))) for each in (before, after, matched)]
    return np.array([*off, true_peak(ours), true_peak(theirs), seconds, their_seconds])


def _decoded(file: Path, folder: Path) -> Path:
    folder.mkdir()
    return decode(file, folder).recording.path


def _run(program: str, track: Path, reference: Path, out: Path) -> tuple[Path, float, int]:
    began = time.perf_counter()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", program, str(track), str(reference), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if not out.exists():
        raise SystemExit(f"{track.parent.name}: {ran.stderr.strip().splitlines()[-1:]}")
    return out, seconds, int(ran.stdout.split("MiB")[-1])


def thirds_db(path: Path) -> Levels:
    """Levels of thirds of an octave against the loudness."""
    samples, rate = sf.read(path, always_2d=True)
    hertz, power = welch(samples, rate, nperseg=rate, axis=0)
    edges = CENTRES_HZ[:, None] * 2.0 ** np.array([-1 / 6, 1 / 6])
    levels = [power[(hertz >= low) & (hertz < high)].mean(axis=0).sum() for low, high in edges]
    loudness = pyloudnorm.Meter(rate).integrated_loudness(samples)
    return np.asarray(10 * np.log10(np.array(levels) + 1e-20) - loudness, np.float64)


def true_peak(path: Path) -> float:
    samples, _ = sf.read(path, always_2d=True)
    return float(20 * np.log10(np.abs(resample_poly(samples, 8, 1, axis=0)).max()))


def _told(row: Any) -> str:
    off, peaks, seconds = row[:6], row[6:8], row[8:]
    return " | ".join(
        [*(f"{x:.2f} dB" for x in off), *(f"{x:+.2f}" for x in peaks), *(f"{x:.1f}" for x in seconds)]
    )


def _long(file: Path, reference: Path, minutes: float, scratch: Path) -> None:
    source = decode(file, _made(scratch / "short")).recording
    frames = round(source.frames * 48_000 / source.sample_rate)
    print("\n| minutes at 48 kHz | seconds | peak memory |\n|---|---|---|")
    for part in (minutes / 4, minutes):
        path = scratch / f"{part:g}.wav"
        copies = -(-round(part * 60 * 48_000) // frames)
        with write_recording(path, 48_000, source.channels, copies * frames) as writer:
            for _ in range(copies):
                for block in at_rate(source.blocks(), source.sample_rate, 48_000, source.channels, frames):
                    writer.write(block)
        out, seconds, mebibytes = _run(_OURS, path, reference, scratch / f"{part:g}-out.wav")
        assert Recording.open(out).sample_rate == 48_000
        print(f"| {part:g} | {seconds:.0f} | {mebibytes} MiB |", flush=True)
        path.unlink()
        out.unlink()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()

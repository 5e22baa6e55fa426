"""How long the page waits for sound and pictures, and whether that grows with a track.

`python -m resonate_tests.benchmarks.bench_hearing [FOLDER]`

Recordings of 3 minutes and 3 hours, stereo at 44.1 kHz, as stages hand them on (32-bit float WAV), in FOLDER or the
system's temporary one (3.8 GB). Times are of one answer that was not asked for before: the median and the worst of
several places all over the recording, and what it took of the processor, where others are at work on the machine.
Memory is by how much the process grew at its largest.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Recording, write_recording
from resonate_studio.hearing.light_copies import LightCopies, Sound
from resonate_studio.hearing.light_store import LightStore
from resonate_studio.hearing.segments import segment_count
from resonate_studio.hearing.spectrogram import ZOOM_MAX, tile_count

_RATE = 44_100
_MINUTES = (3, 180)
_PLACES = 7


def main(folder: Path) -> None:
    print(f"{'':<44}" + "".join(f"{minutes} min".rjust(24) for minutes in _MINUTES))
    columns: list[dict[str, str]] = []
    for minutes in _MINUTES:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            columns.append(measured(made(Path(scratch) / "a.wav", minutes), Path(scratch) / "light"))
            shutil.rmtree(scratch, ignore_errors=True)
    for name in columns[0]:
        print(f"{name:<44}" + "".join(column[name].rjust(24) for column in columns))


def made(path: Path, minutes: int) -> Recording:
    """Tones and noise, ten seconds over and over: what is in it costs no more and no less."""
    rng = np.random.default_rng(1)
    t = np.arange(10 * _RATE) / _RATE
    tone = 0.1 * np.sin(2 * np.pi * 220 * t) + 0.05 * rng.standard_normal((2, t.size)) * np.exp(
        -3 * (t % 0.5)
    )
    block = tone.astype(np.float32)
    with write_recording(path, _RATE, 2, 60 * minutes * _RATE) as writer:
        for _ in range(6 * minutes):
            writer.write(block)
    return writer.recording


def measured(recording: Recording, light: Path) -> dict[str, str]:
    copies = LightCopies(LightStore(light, 2_000_000_000))
    sound = Sound(recording, f"{recording.frames:064x}")
    copies.segment(sound, 0)  # what is loaded once a process
    copies.tile(sound, 0, 0)
    copies.spectrum(sound, sound, 0.0, 1.0)
    grew_from = _most_memory()

    def places(count: int) -> list[int]:
        return sorted({int(place) for place in np.linspace(1, count - 1, _PLACES)})

    segments = places(segment_count(recording))
    zooms = [zoom for zoom in range(ZOOM_MAX + 1) if tile_count(recording, zoom) > 1]
    tiles = [(zoom, tile_count(recording, zoom) // 2) for zoom in zooms]
    told = {
        "a segment": _times(segments, lambda place: copies.segment(sound, place)),
        "the same again, kept": _times(segments, lambda place: copies.segment(sound, place)),
        "a tile, at any zoom": _times(tiles, lambda tile: copies.tile(sound, *tile)),
        "the waveform of all, first answer": _times(
            [1], lambda _: copies.peaks(sound, 0, recording.frames, 1200)
        ),
    }
    before = time.perf_counter()
    while not copies.peaks(sound, 0, recording.frames, 1200).exact:
        time.sleep(0.05)
    told["until it is exact"] = f"{1000 * (time.perf_counter() - before):,.0f} ms"
    told["the waveform of all, exact"] = _times(
        [1] * 5, lambda _: copies.peaks(sound, 0, recording.frames, 1200)
    )
    told["two versions by octave"] = _times(
        [1], lambda _: copies.spectrum(sound, sound, 0.0, recording.duration)
    )
    told["offset of a version"] = _times([1], lambda _: copies.offset_s(sound, sound))
    told["memory it took"] = f"{(_most_memory() - grew_from) / 1e6:.0f} MB"
    return told


def _times(places: list, ask: Callable) -> str:  # type: ignore[type-arg]
    seconds, own = [], []
    for place in places:
        before, before_own = time.perf_counter(), time.thread_time()
        ask(place)
        seconds.append(1000 * (time.perf_counter() - before))
        own.append(1000 * (time.thread_time() - before_own))
    if len(seconds) == 1:
        return f"{seconds[0]:.0f} ms, own {own[0]:.0f}"
    return f"{statistics.median(seconds):.0f} ≤ {max(seconds):.0f} ms, own {statistics.median(own):.0f}"


def _most_memory() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir()))

"""How alike musicnn hears what was changed: python -m resonate_tests.benchmarks.bench_timbre FOLDER [options]

    --songs 300,301 …    composed songs, rendered into FOLDER as bench_music does, where they are not there yet
    --files FILE …       and recordings, which are changed where no notes are needed

Half a minute of each is kept in FOLDER/timbre, mono at 16 kHz, changed in every way of BY_SOUND and BY_NOTES.
Prints cosines and scores for each change: their mean, the lowest and the highest of the songs, and the cosine in
the worst second.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr
from scipy import signal

from resonate_resources.quality.difference import Difference
from resonate_resources.quality.musicnn import SAMPLE_RATE, Starts
from resonate_resources.quality.scales import SCALES
from resonate_resources.quality.timbre import Timbre, hear_timbre, timbre
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.loudness import measure_loudness
from resonate_tests.benchmarks.bench_music import rendered
from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.rendering import render
from resonate_tests.benchmarks.music_truth.song import Song

STYLES = 14  # seeds so far apart are songs of one style
START_S, SECONDS = 10.0, 30.0
SOUNDFONTS = ("FluidR3_GM", "MuseScore_General", "TimGM6mb")

Change = Callable[[Samples, int], Samples]


def tilted(by_db: float) -> Change:
    """Louder by half of it at 8 kHz, quieter by half at 125 Hz, even in between on a logarithmic scale."""

    def change(samples: Samples, rate: int) -> Samples:
        hertz = np.fft.rfftfreq(samples.shape[1], 1 / rate)
        gain = by_db * np.clip(np.log2(np.maximum(hertz, 1) / 1000) / 6, -0.5, 0.5)
        return np.fft.irfft(np.fft.rfft(samples) * 10 ** (gain / 20), samples.shape[1]).astype(np.float32)

    return change


def lowpassed(samples: Samples, rate: int) -> Samples:
    sections = signal.butter(8, 5000, fs=rate, output="sos")
    return np.asarray(signal.sosfiltfilt(sections, samples), np.float32)


def hissing(samples: Samples, rate: int) -> Samples:
    noise = np.random.default_rng([rate, samples.shape[1]]).standard_normal(samples.shape)
    return samples + (10 ** (-30 / 20) * np.sqrt(np.mean(samples**2)) * noise).astype(np.float32)


def as_noise(samples: Samples, rate: int) -> Samples:
    """Of the spectrum of the whole, phases drawn anew."""
    spectrum = np.abs(np.fft.rfft(samples))
    angles = np.random.default_rng(rate).uniform(0, 2 * np.pi, spectrum.shape)
    return np.fft.irfft(spectrum * np.exp(1j * angles), samples.shape[1]).astype(np.float32)


def through_mp3(samples: Samples, rate: int) -> Samples:
    packed = io.BytesIO()
    sf.write(packed, samples.T, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.7)
    packed.seek(0)
    return np.ascontiguousarray(sf.read(packed, dtype="float32", always_2d=True)[0].T)


BY_SOUND: dict[str, Change] = {
    "same": lambda samples, _: samples,
    "MP3": through_mp3,
    "hiss at -30 dB": hissing,
    "tilt 3 dB": tilted(3.0),
    "tilt -3 dB": tilted(-3.0),
    "tilt 6 dB": tilted(6.0),
    "tilt -6 dB": tilted(-6.0),
    "tilt 12 dB": tilted(12.0),
    "tilt -12 dB": tilted(-12.0),
    "low-pass 5 kHz": lowpassed,
    "noise of the spectrum": as_noise,
}


def other_soundfont(song: Song) -> Song:
    at = SOUNDFONTS.index(song.sound.soundfont)
    return replace(song, sound=replace(song.sound, soundfont=SOUNDFONTS[at - 1]))


def other_programs(song: Song, stems: set[str]) -> Song:
    """Of another family of General MIDI (eight programs each), of kits another, of voices the other."""
    changed = {
        name: replace(part, program=_other(part.stem, part.program)) if part.stem in stems else part
        for name, part in song.parts.items()
    }
    voice = {"faust": "formants", "formants": "faust"}.get(song.sound.voice or "", song.sound.voice)
    sound = replace(song.sound, voice=voice) if "vocals" in stems else song.sound
    return replace(song, parts=changed, sound=sound)


def _other(stem: str, program: int | None) -> int | None:
    if program is None:
        return None
    if stem == "drums":
        return 25 if program != 25 else 0
    return (program + 40) % 80 if stem == "other" else 32 + (program - 32 + 5) % 8


BY_NOTES: dict[str, Callable[[Song], Song]] = {
    "other soundfont": other_soundfont,
    "other's instruments": lambda song: other_programs(song, {"other"}),
    "all instruments": lambda song: other_programs(song, {"drums", "bass", "other", "vocals"}),
}
MISSING = ("bass", "drums", "vocals")


def excerpt(mix: Path) -> tuple[Samples, int]:
    info = sf.info(mix)
    start = round(min(START_S, max(0.0, info.duration - SECONDS)) * info.samplerate)
    read = sf.read(mix, round(SECONDS * info.samplerate), start, dtype="float32", always_2d=True)
    return np.ascontiguousarray(read[0].T), info.samplerate


def changes(song: Path | None, mix: Path, seed: int) -> Iterator[tuple[str, tuple[Samples, int]]]:
    samples, rate = excerpt(mix)
    for name, change in BY_SOUND.items():
        yield name, (change(samples, rate), rate)
    if song is None:
        return
    for stem in MISSING:
        if (song / f"{stem}.wav").exists():
            yield f"no {stem}", (samples - excerpt(song / f"{stem}.wav")[0], rate)
    others = {name: change(compose(seed)) for name, change in BY_NOTES.items()}
    for name, changed in (others | {"song of the style": compose(seed + STYLES)}).items():
        with TemporaryDirectory() as scratch:
            render(changed, Path(scratch))
            yield name, excerpt(Path(scratch) / "mix.wav")


def prepared(folder: Path, song: Path | None, mix: Path, seed: int) -> Path:
    """A folder of excerpts, one for each change, complete once it holds `done`."""
    into = folder / "timbre" / (mix.stem if song is None else song.name)
    if not (into / "done").exists():
        into.mkdir(parents=True, exist_ok=True)
        for name, (samples, rate) in changes(song, mix, seed):
            mono: npt.NDArray[np.float32] = soxr.resample(samples.mean(axis=0), rate, SAMPLE_RATE)
            write_samples(into / f"{name}.wav", mono[np.newaxis].astype(np.float32), SAMPLE_RATE)
        (into / "done").touch()
    return into


def heard(file: Path, starts: Starts | None = None) -> Timbre:
    recording = Recording.open(file)
    as_two_channels_db = 10 * np.log10(2)
    return hear_timbre(
        recording, measure_loudness(recording).integrated_lufs + as_two_channels_db, starts=starts
    )


def differences(folders: list[Path]) -> dict[str, list[Difference]]:
    """Change → the difference of each song that has it."""
    found: dict[str, list[Difference]] = {}
    references: list[Timbre] = []
    for folder in folders:
        references.append(heard(folder / "same.wav"))
        for file in sorted(folder.glob("*.wav")):
            found.setdefault(file.stem, []).append(timbre(references[-1], heard(file, references[-1].starts)))
    for reference, other in pairwise([*references, references[0]]):
        windows = min(len(reference.starts), len(other.starts))
        both = (Timbre(one.embeddings[:windows], one.starts[:windows]) for one in (reference, other))
        found.setdefault("another song", []).append(timbre(*both))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="")
    parser.add_argument("--files", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    folders = []
    for seed in map(int, filter(None, given.songs.split(","))):
        song = rendered(seed, given.folder)
        folders.append(prepared(given.folder, song, song / "mix.wav", seed))
    folders += [prepared(given.folder, None, file, 0) for file in given.files]
    print(f"{'change':23} {'n':>2} cosine lowest highest  worst second  score from   to")
    found = differences(folders)
    for name in sorted(found, key=lambda name: np.mean([one.amount for one in found[name]])):
        cosines = 1 - np.array([one.amount for one in found[name]])
        scores = np.array([SCALES["timbre"].score(one.amount, "rebuilt") for one in found[name]])
        worst = 1 - np.mean([one.by_second.max() for one in found[name] if one.by_second is not None])
        print(
            f"{name:23} {len(cosines):2} {cosines.mean():6.3f} {cosines.min():6.3f} {cosines.max():7.3f} "
            f"{worst:13.3f} {scores.mean():6.0f} {scores.min():4.0f} {scores.max():4.0f}"
        )


if __name__ == "__main__":
    main()

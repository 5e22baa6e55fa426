"""A recording to MP3, AAC or Opus, through FFmpeg's encoders, in blocks, the same bytes each time.

Made from the float samples and never dithered: an encoder would spend bits on the noise. Each file says what its
encoder put before and after the music, so that a player leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from resonate_resources.recordings.encoding import whole_or_nothing
from resonate_resources.recordings.recording import AudioError, Recording, Samples
from resonate_resources.signal.resampling import at_rate

if TYPE_CHECKING:
    import av

LossyFormat = Literal["mp3", "m4a", "opus"]
"""By the ending of the file: MP3, AAC in MPEG-4, Opus in Ogg."""


@dataclass(frozen=True)
class Codec:
    """called: as people call it. rates: in Hz, rising. kbps: what is good enough for a master, by channels of the
    file. surround: whether 5.1 stays 5.1; else it is mixed down to stereo. packed: how samples go in."""

    called: str
    encoder: str
    container: str
    rates: tuple[int, ...]
    kbps: Mapping[int, int]
    surround: bool = True
    packed: bool = False


LOSSY: Mapping[LossyFormat, Codec] = {
    "mp3": Codec(
        "MP3",
        "libmp3lame",
        "mp3",
        # ISO/IEC 11172-3, 13818-3, MPEG-2.5
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        {1: 320, 2: 320},
        surround=False,
    ),
    "m4a": Codec(
        "AAC",
        "aac",
        "ipod",
        # ISO/IEC 14496-3, table 1.18, up to what players take
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        {1: 160, 2: 256, 3: 384, 6: 640},
    ),
    "opus": Codec("Opus", "libopus", "opus", (48000,), {1: 112, 2: 192, 3: 288, 6: 480}, packed=True),
}

# MP3 ends at so many kbit/s from so many Hz on: ISO/IEC 11172-3, 13818-3.
_MP3_MOST_KBPS = {32000: 320, 16000: 160, 0: 64}
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 6: "5.1"}
# Four and five channels go as 5.1 whose other channels are silent: AAC has no square of loudspeakers, and FFmpeg's
# Opus turns five round. Channels in WAV order: L R Ls Rs, L R C Ls Rs.
_PLACES_IN_5_1 = {4: (0, 1, 4, 5), 5: (0, 1, 2, 4, 5)}
# Channels in WAV order (L R C LFE Ls Rs, as far as there are that many) → their part in the left and the right
# of stereo: ITU-R BS.775-3, annex 4. The LFE channel is left out.
_HALF_POWER = 0.5**0.5
_STEREO_PARTS = {
    3: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER)],
    4: [(1, 0), (0, 1), (_HALF_POWER, 0), (0, _HALF_POWER)],
    5: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER), (_HALF_POWER, 0), (0, _HALF_POWER)],
    6: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER), (0, 0), (_HALF_POWER, 0), (0, _HALF_POWER)],
}


def encode_lossy(recording: Recording, path: Path, form: LossyFormat, kbps: int | None = None) -> None:
    """Write recording, of at most 6 channels, in that format, at its codec's rate for masters or at kbps.

    Sample rates that the format lacks are resampled to the one above, those over 48 kHz to 44.1 kHz where that
    divides them and the format has it, else to 48. MP3 holds two channels: more are mixed down. It ends at
    160 kbit/s under 32 kHz, at 64 under 16, and there keeps up to 36 frames of padding: FFmpeg's header states at
    most one packet of it.
    Raises AudioError (more than 6 channels).
    """
    import av

    codec = LOSSY[form]
    rate = rate_in(form, recording.sample_rate)
    channels = channels_in(form, recording.channels)
    if recording.channels > max(_STEREO_PARTS):
        raise AudioError(
            f"{recording.path.name}: no rule to bring {recording.channels} channels into {LOSSY[form].called}; "
            "give at most 5.1"
        )
    options = {"fflags": "+bitexact"}  # else Ogg streams have a number by chance
    if codec.container == "ipod":
        options["movie_timescale"] = str(rate)  # else the edit list is rounded to a millisecond
    with (
        whole_or_nothing(path),
        av.open(f"file:{path.absolute()}", "w", codec.container, options) as container,
    ):
        stream: Any = container.add_stream(codec.encoder, rate=rate, layout=_LAYOUTS[channels])
        stream.bit_rate = 1000 * _kbps(form, rate, channels, kbps)
        if codec.packed:
            stream.codec_context.format = "flt"
        frames = round(recording.frames * rate / recording.sample_rate)
        start = 0
        for block in at_rate(_placed(recording, channels), recording.sample_rate, rate, channels, frames):
            if not block.shape[1]:
                continue
            frame = _frame(block, codec.packed)
            # Without them the muxer does not know of the encoder's delay.
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start
            start += block.shape[1]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def rate_in(form: LossyFormat, sample_rate: int) -> int:
    """The rate in Hz at which encode_lossy writes a recording of sample_rate."""
    rates = LOSSY[form].rates
    if sample_rate > rates[-1]:
        return next((rate for rate in rates if rate >= 44_100 and sample_rate % rate == 0), rates[-1])
    return min(rate for rate in rates if rate >= sample_rate)


def channels_in(form: LossyFormat, channels: int) -> int:
    """How many channels encode_lossy writes of so many."""
    if channels > 2 and not LOSSY[form].surround:
        return 2
    return 6 if channels in _PLACES_IN_5_1 else channels


def downmix_to_stereo(block: Samples) -> Samples:
    """Mix 3 to 6 channels in WAV order down by ITU-R BS.775-3; the sum may pass full scale."""
    parts = np.array(_STEREO_PARTS[block.shape[0]], np.float32)
    return cast("Samples", parts.T @ block)


def _kbps(form: LossyFormat, rate: int, channels: int, wanted: int | None) -> int:
    kbps = wanted or LOSSY[form].kbps[channels]
    if form == "mp3":
        return min(kbps, next(most for least, most in _MP3_MOST_KBPS.items() if rate >= least))
    return kbps


def _placed(recording: Recording, channels: int) -> Iterator[Samples]:
    """The blocks of a recording with so many channels: as they are, mixed down, or at their places in 5.1."""
    if channels == recording.channels:
        yield from recording.blocks()
    elif channels == 2:
        # BS.775 leaves overload to the user: lowered as far as the sample peak needs, no further.
        peak = max(
            (float(np.abs(downmix_to_stereo(block)).max()) for block in recording.blocks()), default=0.0
        )
        gain = np.float32(1 / max(1.0, peak))
        for block in recording.blocks():
            yield downmix_to_stereo(block) * gain
    else:
        for block in recording.blocks():
            placed = np.zeros((channels, block.shape[1]), np.float32)
            placed[list(_PLACES_IN_5_1[recording.channels])] = block
            yield placed


def _frame(block: Samples, packed: bool) -> av.AudioFrame:
    import av

    layout = _LAYOUTS[len(block)]
    if packed:
        return av.AudioFrame.from_ndarray(block.T.reshape(1, -1), format="flt", layout=layout)
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)

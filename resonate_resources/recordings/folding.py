"""More channels than 5.1 has, folded down to it by libswresample's own rule for the layout."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.decoding_source import Refusal, Source

CHANNELS_MAX = 6
"""What the stages take, and the layouts that loudness (BS.1770) and downmixing (BS.775) have rules for."""
_CHANNELS_FOLDED = 8
"""Files of more are recordings of many tracks, not for so many loudspeakers."""
_FOLDED = "5.1"
_USUAL = ("", "6.1", "7.1", "5.1.4", "7.1.4")
"""By FFmpeg's names; "" of a WAV that says no more than how many there are."""
_EXPORT_AGAIN = "export a mix in stereo or 5.1"


def fold_down(opened: Source, kept: Collection[int] = ()) -> None:
    """Make an opened source of more than six channels one of six, with a note; but not of `kept` numbers of
    channels, where they are for the usual loudspeakers. Raises Refusal where it is not known for which they are."""
    if opened.channels <= CHANNELS_MAX or (opened.channels in kept and opened.layout in _USUAL):
        return
    if opened.channels > _CHANNELS_FOLDED:
        raise Refusal(f"has {opened.channels} channels, more than {_CHANNELS_FOLDED}; {_EXPORT_AGAIN}")
    gains = fold_gains(opened.layout, opened.channels)
    opened.notes.append(f"{opened.channels} channels ({opened.layout}) are folded down to {_FOLDED}")
    opened.blocks = map(gains.__matmul__, opened.blocks)
    opened.channels = CHANNELS_MAX


def fold_gains(layout: str, channels: int) -> npt.NDArray[np.float32]:
    """(6, channels): the part of each channel of a layout, by FFmpeg's name for it, in those of 5.1."""
    import av

    try:
        # Packed: PyAV reads past the planes of planar frames of eight channels and more.
        one_each = av.AudioFrame.from_ndarray(
            np.eye(channels, dtype=np.float32).reshape(1, -1), format="flt", layout=layout
        )
        one_each.sample_rate = 48_000
        resampler = av.AudioResampler(format="fltp", layout=_FOLDED, rate=48_000)
        heard = [frame.to_ndarray() for frame in (*resampler.resample(one_each), *resampler.resample(None))]
    except (av.FFmpegError, ValueError) as error:
        raise Refusal(
            f"has {channels} channels, and nothing says for which loudspeakers they are; {_EXPORT_AGAIN}"
        ) from error
    return np.asarray(np.concatenate(heard, axis=1), np.float32)

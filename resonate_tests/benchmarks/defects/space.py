"""Another place: width, sides, rooms."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.defect import Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt
from resonate_tests.benchmarks.defects.replaying import replayed, unchanged
from resonate_tests.benchmarks.music_truth.rendering import decaying_noise
from resonate_tests.benchmarks.music_truth.sound import OCTAVES_HZ

_STEREO = 1e-4  # of the mid's power: a side 40 dB under it is no stereo


def as_wide(excerpt: Excerpt, width: float) -> Samples | None:
    """The side times width: 0 mono. None without stereo."""
    if not _is_stereo(excerpt):
        return None
    mid, side = _mid_and_side(excerpt.mix)
    return np.stack((mid + width * side, mid - width * side))


def one_side_at(excerpt: Excerpt, gain_db: float) -> Samples | None:
    """The right channel; −inf: lost. None of one channel."""
    if len(excerpt.mix) != 2:
        return None
    return np.asarray(excerpt.mix * np.array([[1.0], [10 ** (gain_db / 20)]]), np.float32)


def one_side_inverted(excerpt: Excerpt, from_hz: float) -> Samples | None:
    """The right channel's polarity over from_hz. None of one channel."""
    from scipy.signal import butter, sosfiltfilt

    if len(excerpt.mix) != 2:
        return None
    right = excerpt.mix[1]
    high = sosfiltfilt(butter(2, from_hz, "high", fs=excerpt.rate, output="sos"), right) if from_hz else right
    return np.stack((excerpt.mix[0], np.asarray(right - 2 * high, np.float32)))


def mirrored(excerpt: Excerpt, share: float) -> Samples | None:
    """That share of each channel from the other one: 1 swaps them, a half is mono. None without stereo."""
    if not _is_stereo(excerpt):
        return None
    return np.asarray((1 - share) * excerpt.mix + share * excerpt.mix[::-1], np.float32)


def moved_aside(excerpt: Excerpt, pan: float) -> Samples | None:
    """What fills chords moved to the left by that part of the way. None of one channel or without such a stem."""
    if len(excerpt.mix) != 2 or not excerpt.plays("other"):
        return None
    gains = np.sqrt([[1 + pan], [1 - pan]])
    return excerpt.with_stem("other", np.asarray(gains * excerpt.stems["other"], np.float32))


def reverberant(excerpt: Excerpt, rt60_s: float, wet_db: float) -> Samples:
    """In a diffuse room of that time at all frequencies, so loud against the direct sound."""
    room = _room(excerpt, rt60_s)
    return _wet(excerpt.mix, room, wet_db)


def wetter(excerpt: Excerpt, wet_db: float) -> Samples:
    """In a room of 1.2 s that loud against the direct sound."""
    return reverberant(excerpt, 1.2, wet_db)


def vocals_in_a_room(excerpt: Excerpt, wet_db: float) -> Samples | None:
    """The voice alone in a hall of 2 s. None without."""
    if not excerpt.plays("vocals"):
        return None
    return excerpt.with_stem("vocals", _wet(excerpt.stems["vocals"], _room(excerpt, 2.0), wet_db))


def drier(excerpt: Excerpt, share: float) -> Samples | None:
    """That share of its room taken away. None where it was not composed, or has no room."""
    dry = _dry(excerpt)
    return None if dry is None else np.asarray((1 - share) * excerpt.mix + share * dry, np.float32)


@lru_cache(maxsize=1)
def _dry(excerpt: Excerpt) -> Samples | None:
    if excerpt.score is None or excerpt.score.song.sound.rt60_s is None:
        return None
    return np.sum([replayed(excerpt, stem, unchanged, dry=True) for stem in excerpt.stems], axis=0)


def _wet(samples: Samples, room: Samples, wet_db: float) -> Samples:
    from scipy.signal import oaconvolve

    wet = oaconvolve(samples, room[: len(samples)], axes=1)[:, : samples.shape[1]]
    return np.asarray(samples + 10 ** (wet_db / 20) * wet, np.float32)


def _room(excerpt: Excerpt, rt60_s: float) -> Samples:
    return decaying_noise(dict.fromkeys(OCTAVES_HZ, rt60_s), excerpt.chance("room"))


def _is_stereo(excerpt: Excerpt) -> bool:
    if len(excerpt.mix) != 2:
        return False
    mid, side = _mid_and_side(excerpt.mix)
    return float(np.mean(side**2)) > _STEREO * float(np.mean(mid**2))


def _mid_and_side(samples: Samples) -> tuple[Samples, Samples]:
    return samples.mean(axis=0), (samples[0] - samples[1]) / 2


_SIDES = "Blauert, Spatial Hearing, 2.1: 1 dB between the ears is about the least heard"
_PHASE = "Blauert, Spatial Hearing, 3.1: out of phase, the middle is in no place; above 1.6 kHz ears lose the phase"

DEFECTS = (
    Defect(
        "narrower", "stereo_width", as_wide, (0.7, 0.4, 0.0), "of the side",
        "3 dB of the side alone are little; mono is plain on headphones",
    ),
    Defect("wider", "stereo_width", as_wide, (1.4, 2, 4), "of the side", "3, 6 and 12 dB of the side"),
    Defect("one side softer", "stereo_width", one_side_at, (-1, -3, -np.inf), "dB", _SIDES),
    Defect("one side inverted", "stereo_width", one_side_inverted, (4000, 1000, 0), "Hz and up", _PHASE),
    Defect(
        "sides mixed or swapped", "stereo_width", mirrored, (0.2, 0.5, 1.0), "swapped",
        "at a half it is mono; instruments at the other ear are plain beside the original",
    ),
    Defect(
        "chords panned aside", "stereo_width", moved_aside, (0.15, 0.4, 1.0), "of the way",
        _SIDES + "; 1.3, 3.7, all",
    ),
    Defect(
        "reverberation", "reverb", partial(reverberant, wet_db=-6), (0.3, 1, 2.5), "s",
        "Meng et al. 2006: a quarter of a time is the least heard; a short room adds tone more than tail",
    ),
    Defect(
        "wetter", "reverb", wetter, (-20, -10, 0), "dB",
        "20 dB under the music it is masked but in rests",
    ),
    Defect(
        "voice in a hall", "reverb", vocals_in_a_room, (-15, -8, 0), "dB",
        "masked by the band where it is soft",
    ),
    Defect(
        "drier", "reverb", drier, (0.3, 0.6, 1.0), "of the room",
        "3 and 8 dB less reverberation, none; 1 dB of clarity is the least heard (ISO 3382-1)",
    ),
)  # fmt: skip
